"""The harness's page, bundled from its source where that is newer."""

import os
import runpy
import subprocess

from stashsense.data_folder import ROOT

HARNESS_DIR = ROOT / "plugin" / "tests" / "harness"
BUNDLE_DIR = HARNESS_DIR / "dist"
_BUNDLE = BUNDLE_DIR / "harness.js"


class NoPackages(Exception):
    """The packages of npm are not there; the message says what to do."""


def require_packages() -> None:
    """Raise NoPackages unless those of the lock are installed."""
    script = runpy.run_path(str(ROOT / "scripts" / "node_packages.py"))
    stamp = script["STAMP"]
    if not (stamp.is_file() and stamp.read_text() == script["digest"]()):
        raise NoPackages(
            "the packages of plugin/tests/harness are not installed: "
            "python3 scripts/node_packages.py"
        )


def ensure_bundle() -> None:
    """Bundle the page, unless that is done; NoPackages where it cannot be."""
    require_packages()
    sources = [
        *(HARNESS_DIR / "src").rglob("*.*"),
        HARNESS_DIR / "package-lock.json",
        HARNESS_DIR / "package.json",
    ]
    newest = max(path.stat().st_mtime for path in sources)
    if _BUNDLE.is_file() and _BUNDLE.stat().st_mtime > newest:
        return
    subprocess.run(
        ["npm", "run", "--silent", "build"],
        cwd=HARNESS_DIR,
        env={**os.environ, "npm_config_update_notifier": "false"},
        check=True,
    )
