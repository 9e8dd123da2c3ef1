"""Where the files made of local faces lie, and that none outlives what it is of.

A folder for each revision in DATA_DIR/local, written under a lock on the whole. Whoever
has a deleted one mapped can read it on.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from recognition.models import LocalIndex
from stashsense.files import locked_folder


def revision_folder(revision: str) -> Path:
    """Return where the files of a revision are, or will be."""
    return _local_dir() / revision


@contextmanager
def writing() -> Iterator[None]:
    """Hold the right to write; what is of no current revision goes at the end.

    BlockingIOError if another process holds it.
    """
    _local_dir().mkdir(parents=True, exist_ok=True)
    with locked_folder(_local_dir()):
        try:
            yield
        finally:
            current = {*LocalIndex.objects.values_list("revision", flat=True)}
            for path in _local_dir().iterdir():
                if path.name not in current:
                    shutil.rmtree(path)


def remove_outdated() -> None:
    """Delete files that hold what was erased, and what was left half written."""
    if not _local_dir().is_dir():
        return
    try:
        with writing():
            pass
    except BlockingIOError:
        # Who writes removes them at its end.
        return


def _local_dir() -> Path:
    folder: Path = settings.DATA_DIR / "local"
    return folder
