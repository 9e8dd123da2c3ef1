"""From the local faces in the database to what a serving process compares with.

The rows are the truth; segments are made of them, once for all processes of a machine.
Whoever serves an earlier revision keeps what it has mapped until it has the next one.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from recognition import local_files
from recognition.local_files import SegmentPlan
from recognition.models import LocalFace, LocalIndex, LocalPerformer
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.local_overlay import (
    LocalOverlay,
    OverlaidDatabase,
    Segment,
    open_segment,
    with_overlay,
    write_segment,
)

logger = logging.getLogger(__name__)

# While a run learns one performer after the other: following takes a tenth of a second
# where 25,000 faces are learnt, and a correction is to count within one.
INTERVAL_SECONDS = 0.25
_PERSON = ("stash_id", "name")


class LocalFollower:
    """Brings what a process serves up to the local performers there are now.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._read_at = 0.0
        self._is_tidy = False

    def follow(self, database: FaceDatabase, network_set: str) -> FaceDatabase:
        """Return the faces with the local ones of now, the same object if it has them.

        Also where it has others for a moment: the next call finds what has become of
        that.
        """
        index = LocalIndex.objects.filter(network_set=network_set).first()
        if (index.revision if index else "") == database.local_revision:
            return database
        if index is None:
            logger.info("No local faces are compared any more")
            return with_overlay(database, None)
        began = time.monotonic()
        # A release that was just loaded has none, and is not to be served so.
        if database.local_revision and began - self._read_at < INTERVAL_SECONDS:
            return database
        self._read_at = began
        if not self._is_tidy:
            # What a process left that was killed.
            self._is_tidy = True
            local_files.remove_outdated()
        overlay = _overlay(index, _segments_of(database))
        if overlay is None:
            return database
        seconds = time.monotonic() - began
        count = len(overlay.owners)
        logger.info("Comparing with %d local faces after %.2f s", count, seconds)
        return with_overlay(database, overlay)


def _overlay(index: LocalIndex, known: Mapping[str, Segment]) -> LocalOverlay | None:
    """Return the local faces of the revision.

    `known` segments need not be opened. None if another process writes some, or the
    rows changed meanwhile.
    """
    plans = local_files.segment_plans(index)
    # Of those whose faces other networks saw, too: a name more costs nothing.
    people = [*LocalPerformer.objects.order_by("pk").values_list("pk", *_PERSON)]
    if not LocalIndex.objects.filter(pk=index.pk, revision=index.revision).exists():
        return None
    segments = _had(plans, known)
    segments |= _written([plan for plan in plans if plan.name not in segments])
    if len(segments) < len(plans):
        return None
    for name in known.keys() - segments.keys():
        local_files.segment_path(name).unlink(missing_ok=True)
    return LocalOverlay(
        revision=index.revision,
        performers=[(stash_id, name) for _, stash_id, name in people],
        owners=_owners(plans, [row for row, _, _ in people]),
        segments={plan.name: segments[plan.name] for plan in plans},
    )


def _written(plans: Sequence[SegmentPlan]) -> dict[str, Segment]:
    """Return the segments, made of the rows and written, by name.

    Those that cannot be written, as on a full disk, are held in memory: whoever was
    erased must not stay for that. Some are missing if another process writes now.
    """
    made: dict[str, Segment] = {}
    if not plans:
        return made
    try:
        with local_files.writing():
            for plan in plans:
                if (segment := _made(plan)) is None:
                    break
                made[plan.name] = segment
                write_segment(local_files.segment_path(plan.name), segment)
    except BlockingIOError:
        return {}
    except OSError as error:
        logger.error("Local faces are held in memory: %s", error)
        unwritten = (plan for plan in plans if plan.name not in made)
        made |= {
            plan.name: segment
            for plan in unwritten
            if (segment := _made(plan)) is not None
        }
        return made
    # Mapped, and shared with other processes.
    return _had(plans, {})


def _had(
    plans: Sequence[SegmentPlan], known: Mapping[str, Segment]
) -> dict[str, Segment]:
    """Return the segments that are known, or lie there undamaged, by name."""
    segments = {}
    for plan in plans:
        if plan.name in known:
            segments[plan.name] = known[plan.name]
            continue
        path = local_files.segment_path(plan.name)
        with suppress(OSError, ValueError):
            segments[plan.name] = open_segment(path, face_count=len(plan.faces))
    return segments


def _made(plan: SegmentPlan) -> Segment | None:
    """Return the segment, of the rows; None if one of them is gone."""
    rows = LocalFace.objects.filter(
        performer__gte=plan.performers[0],
        performer__lte=plan.performers[-1],
    ).values_list("pk", "facenet", "arcface")
    found = {row: (facenet, arcface) for row, facenet, arcface in rows}
    if not found.keys() >= {*plan.faces}:
        return None
    return np.stack(
        [
            _unpacked([bytes(found[face][embedder]) for face in plan.faces])
            for embedder in (0, 1)
        ]
    )


def _unpacked(embeddings: Sequence[bytes]) -> Segment:
    """Return float32 [faces, 512] of length one, which half precision just misses."""
    packed = np.frombuffer(b"".join(embeddings), dtype="<f2")
    vectors = packed.reshape(-1, EMBEDDING_SIZE).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _owners(plans: Sequence[SegmentPlan], performers: list[int]) -> NDArray[np.int32]:
    """Return for each face the place of its performer among those, which ascend."""
    rows = [row for plan in plans for row in plan.performers]
    return np.searchsorted(performers, rows).astype(np.int32)


def _segments_of(database: FaceDatabase) -> Mapping[str, Segment]:
    if isinstance(database, OverlaidDatabase):
        return database.overlay.segments
    return {}
