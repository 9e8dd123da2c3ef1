"""Make .venv hold exactly what a lock names, then become the command given.

    python environment.py service|development [ARGUMENTS OF .venv/bin/python ...]

Standard library only, run by the machine's own Python. A stamp, written last, says
which locks .venv was filled from; without a fitting one it is made anew, so that
an interrupted set-up repairs itself. The interpreter is called by its path and never
through .venv's scripts, so the checkout may be moved.
"""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
INTERPRETER = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "stash-sense.json"
SERVICE_LOCK = "requirements.lock"
# Holds the service's lock and the tools, in the same versions.
DEVELOPMENT_LOCK = "requirements-dev.lock"


def main(purpose: str, *command: str) -> None:
    signal.signal(signal.SIGTERM, _end)
    is_development = purpose == "development"
    checkout = os.open(ROOT, os.O_RDONLY)
    # Two commands in a fresh checkout at once: the second waits and finds all done.
    fcntl.flock(checkout, fcntl.LOCK_EX)
    wanted = _digests(SERVICE_LOCK, *[DEVELOPMENT_LOCK] * is_development)
    found = _stamped_digests()
    if found.get(SERVICE_LOCK) != wanted[SERVICE_LOCK]:
        if ENVIRONMENT.is_symlink():
            # Making it anew would empty the folder that others work with.
            sys.exit(f"{ENVIRONMENT.name} is a link to another one: remove it first.")
        _say(f"Setting up {ENVIRONMENT.name} (1.5 GB, some minutes at first) ...")
        # First, or an interrupted clearing could leave it beside half a folder.
        STAMP.unlink(missing_ok=True)
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(ENVIRONMENT)
        _install(wanted)
    elif not wanted.items() <= found.items():
        _say(f"Adding the development tools to {ENVIRONMENT.name} ...")
        _install(wanted)
    os.close(checkout)
    if command:
        os.execv(INTERPRETER, [str(INTERPRETER), *command])


def _digests(*locks: str) -> dict[str, str]:
    return {
        name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in locks
    }


def _stamped_digests() -> dict[str, str]:
    """Return what .venv was filled from; nothing when its interpreter has changed."""
    try:
        stamp = json.loads(STAMP.read_text())
        is_same = stamp["python"] == _interpreter_version()
        return dict(stamp["locks"]) if is_same else {}
    except (OSError, ValueError, LookupError, subprocess.CalledProcessError):
        return {}


def _interpreter_version() -> str:
    """Return .venv's Python by version and build; raises when it or pip is broken."""
    asked = [str(INTERPRETER), "-c", "import pip, sys; print(sys.version)"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def _install(wanted: dict[str, str]) -> None:
    STAMP.unlink(missing_ok=True)
    lock = DEVELOPMENT_LOCK if DEVELOPMENT_LOCK in wanted else SERVICE_LOCK
    install = ["-m", "pip", "install", "-qq", "--no-input", "--no-deps"]
    checked = ["--require-hashes", "--requirement", str(ROOT / lock)]
    installed = subprocess.run([str(INTERPRETER), *install, *checked])
    if installed.returncode != 0:
        sys.exit(f"The packages of {lock} could not be installed; the reason is above.")
    stamp = {"python": _interpreter_version(), "locks": wanted}
    STAMP.write_text(json.dumps(stamp, indent=2))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _end(number: int, frame: object) -> NoReturn:
    """Leave through the stack, so that a running pip is ended as well."""
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
