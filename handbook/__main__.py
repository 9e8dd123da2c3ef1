"""scripts/docs: build the site, look at it, draw its plots."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from handbook import ROOT
from handbook.self_contained import addresses_loaded

# What is set for a service on this machine must not stand in a page.
OF_THE_SERVICE = ("STASH_", "RECOGNITION_", "WEB_", "DATA_DIR", "PORT", "DJANGO_")


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/docs", description=__doc__)
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument(
        "--out", type=Path, metavar="FOLDER", help="keep the site there"
    )
    wanted.add_argument(
        "--serve", action="store_true", help="show it at http://127.0.0.1:8000/"
    )
    wanted.add_argument(
        "--draw", action="store_true", help="draw the plots in docs/images anew"
    )
    chosen = parser.parse_args(arguments)
    if chosen.draw:
        return _draw()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.serve:
            return _mkdocs(Path(folder), "serve", "--strict")
        return _build(Path(folder), (chosen.out or Path(folder) / "site").absolute())


def _draw() -> int:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "stashsense.settings"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder
        django.setup()
        from handbook import plots, steps_picture

        plots.write_all()
        steps_picture.write(plots.FOLDER)
    return 0


def _build(work: Path, site: Path) -> int:
    """Build the site and look whether it needs anything from elsewhere."""
    status = _mkdocs(work, "build", "--strict", "--site-dir", str(site))
    if status:
        return status
    if addresses := addresses_loaded(site):
        sys.stderr.write("The site loads from elsewhere:\n" + "\n".join(addresses))
        return 1
    count = sum(1 for _ in site.rglob("*.html"))
    sys.stdout.write(f"The documentation is whole: {count} pages.\n")
    return 0


def _mkdocs(work: Path, *words: str) -> int:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OF_THE_SERVICE)
    }
    ours = {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        # Settings are read, which makes keys in the data folder.
        "DATA_DIR": str(work / "data"),
        "MPLCONFIGDIR": str(work / "matplotlib"),
        # The theme's makers announce their plans there; it is no fault of ours.
        "NO_MKDOCS_2_WARNING": "true",
    }
    # Not --quiet: warnings would not count as mistakes any more.
    done = subprocess.run(
        [
            *[sys.executable, "-P", "-m", "mkdocs", *words],
            *["--config-file", str(ROOT / "mkdocs.yml")],
        ],
        env=kept | ours,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
