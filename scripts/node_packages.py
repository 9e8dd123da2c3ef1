"""Make the plugin's tests have the packages of npm that their lock names.

    python node_packages.py

Standard library only. They are for tests and lint alone; nothing of them is part of the
service or of the plugin. Where there is no node or npm, or no way to the packages, this
says so and the tests that want them are skipped; with STASH_SENSE_REQUIRE_BROWSER it is
an error. A stamp, written last, says which lock the folder was filled from.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HARNESS = Path(__file__).resolve().parent.parent / "plugin" / "tests" / "harness"
LOCK = HARNESS / "package-lock.json"
PACKAGES = HARNESS / "node_modules"
STAMP = PACKAGES / ".stash-sense"
MIN_NODE = 20


def main() -> int:
    """Install what is missing; return the exit status."""
    folder = os.open(HARNESS, os.O_RDONLY)
    # Two commands in a fresh checkout at once: the second waits and finds all done.
    fcntl.flock(folder, fcntl.LOCK_EX)
    wanted = digest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return 0
    problem = _find_problem() or _install(wanted)
    if problem is None:
        return 0
    is_required = os.environ.get("STASH_SENSE_REQUIRE_BROWSER", "").lower() in {
        "1", "true", "yes", "on",
    }  # fmt: skip
    outcome = "" if is_required else " Tests of the plugin's pages are skipped."
    sys.stderr.write(f"{problem}{outcome}\n")
    return 1 if is_required else 0


def digest() -> str:
    """Return what the stamp says when the packages are those of the lock."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _find_problem() -> str | None:
    if PACKAGES.is_symlink():
        # Filling it anew would empty the folder that others work with.
        return f"{PACKAGES} is a link to other packages: remove it first."
    if shutil.which("npm") is None or shutil.which("node") is None:
        return f"Node {MIN_NODE} and npm are not installed (Debian: npm)."
    asked = subprocess.run(["node", "--version"], capture_output=True, text=True)
    version = asked.stdout.strip().removeprefix("v")
    if not version or int(version.partition(".")[0]) < MIN_NODE:
        return f"Node is {version or 'broken'}, and {MIN_NODE} or newer is wanted."
    return None


def _install(wanted: str) -> str | None:
    sys.stderr.write("Fetching the packages of the plugin's tests (190 MB) ...\n")
    STAMP.unlink(missing_ok=True)
    # Nothing that a package brings is run while it is installed.
    command = ["npm", "ci", "--ignore-scripts", "--loglevel=error"]
    installed = subprocess.run(command, cwd=HARNESS, stdout=subprocess.DEVNULL)
    if installed.returncode != 0:
        return "The packages of npm could not be installed; the reason is above."
    STAMP.write_text(wanted)
    return None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
