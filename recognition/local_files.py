"""Where the segments of local faces lie, and that none outlives what it is of.

The rows say which there are: a segment is named by the faces in it, and is made of
their rows where it is missing. In DATA_DIR/local, written under a lock on the folder.
Whoever has a deleted one mapped can read it on.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from django.conf import settings

from recognition.models import LocalFace, LocalIndex
from stashsense.files import locked_folder

logger = logging.getLogger(__name__)

# A segment is written in a fraction of a second, on a busy disk in one.
LOCK_SECONDS = 10.0
_LOCK_STEP_SECONDS = 0.02
# 2,500 faces are 10 MB, written in a tenth of a second; 25,000 faces are ten files.
# Many small products of matrices take longer than few large ones: four times as long
# for 25 of them on two busy cores.
PERFORMERS_PER_SEGMENT = 500


@dataclass(frozen=True)
class SegmentPlan:
    """What a segment holds: rows of faces, and the rows of whom they show."""

    name: str
    faces: tuple[int, ...]
    performers: tuple[int, ...]


def segment_path(name: str) -> Path:
    """Return where the segment lies, or will."""
    return _local_dir() / f"{name}.npy"


def segment_plans(index: LocalIndex) -> list[SegmentPlan]:
    """Return the segments there are to be, by performer and as faces were learnt."""
    rows = (
        LocalFace.objects.filter(network_set=index.network_set)
        .order_by("performer_id", "pk")
        .values_list("performer_id", "pk")
    )
    plans = []
    for _, group in groupby(rows, key=lambda row: row[0] // PERFORMERS_PER_SEGMENT):
        performers, faces = zip(*group, strict=True)
        # Of another database the same numbers are other faces.
        content = f"{index.key} {faces}".encode()
        name = hashlib.blake2b(content, digest_size=16).hexdigest()
        plans.append(SegmentPlan(name, faces, performers))
    return plans


@contextmanager
def writing() -> Iterator[None]:
    """Hold the right to write segments; BlockingIOError if another process does."""
    folder = _local_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with locked_folder(folder):
        yield


def remove_outdated() -> None:
    """Delete what holds faces that were erased, and what was left half written.

    Waits for whoever writes; gives up, and says so, after some seconds.
    """
    until = time.monotonic() + LOCK_SECONDS
    while _local_dir().is_dir():
        try:
            with writing():
                return _remove_outdated()
        except BlockingIOError:
            if time.monotonic() > until:
                logger.error("%s is held: erased faces stay there", _local_dir())
                return
            time.sleep(_LOCK_STEP_SECONDS)


def _remove_outdated() -> None:
    current = {
        segment_path(plan.name)
        for index in LocalIndex.objects.all()
        for plan in segment_plans(index)
    }
    for path in _local_dir().iterdir():
        if path not in current:
            path.unlink()


def _local_dir() -> Path:
    folder: Path = settings.DATA_DIR / "local"
    return folder
