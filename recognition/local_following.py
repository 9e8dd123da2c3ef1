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
# After segments could not be written, as on a full disk.
RETRY_SECONDS = 30.0
_PERSON = ("stash_id", "name")


class LocalFollower:
    """Brings what a process serves up to the local performers there are now.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._read_at = 0.0
        self._is_tidy = False
        self._failed_revision = ""
        self._failed_at = 0.0

    def follow(self, database: FaceDatabase, network_set: str) -> FaceDatabase:
        """Return the faces with the local ones of now, the same object if it has them.

        What cannot be had is logged, and the former one stays; what was erased never
        does.
        """
        index = LocalIndex.objects.filter(network_set=network_set).first()
        if (index.revision if index else "") == database.local_revision:
            return database
        if index is None:
            logger.info("No local faces are compared any more")
            return with_overlay(database, None)
        if self._must_wait(database, index.revision):
            return database
        self._read_at = began = time.monotonic()
        try:
            if not self._is_tidy:
                # What a process left that was killed.
                local_files.remove_outdated()
                self._is_tidy = True
            overlay = _overlay(index, _segments_of(database))
        except OSError as error:
            logger.error("Local performers cannot be followed: %s", error)
            self._failed_revision, self._failed_at = index.revision, began
            return database
        if overlay is None:
            return database
        seconds = time.monotonic() - began
        count = len(overlay.owners)
        logger.info("Comparing with %d local faces after %.2f s", count, seconds)
        return with_overlay(database, overlay)

    def _must_wait(self, database: FaceDatabase, revision: str) -> bool:
        now = time.monotonic()
        if revision == self._failed_revision:
            return now - self._failed_at < RETRY_SECONDS
        # A release that was just loaded has none, and is not to be served so.
        is_recent = now - self._read_at < INTERVAL_SECONDS
        return is_recent and bool(database.local_revision)


def _overlay(index: LocalIndex, known: Mapping[str, Segment]) -> LocalOverlay | None:
    """Return the local faces of the revision; raises OSError.

    `known` segments need not be opened. None if another process writes, or the rows
    changed meanwhile: the next look finds what has become of it.
    """
    plans = local_files.segment_plans(index)
    # Of those whose faces other networks saw, too: a name more costs nothing.
    people = [*LocalPerformer.objects.order_by("pk").values_list("pk", *_PERSON)]
    if LocalIndex.objects.filter(pk=index.pk, revision=index.revision).count() == 0:
        return None
    segments = _had(plans, known)
    if missing := [plan for plan in plans if plan.name not in segments]:
        try:
            with local_files.writing():
                for plan in missing:
                    segment = _made(plan)
                    if segment is None:
                        return None
                    write_segment(local_files.segment_path(plan.name), segment)
                for name in known.keys() - {plan.name for plan in plans}:
                    local_files.segment_path(name).unlink(missing_ok=True)
        except BlockingIOError:
            return None
        segments = _had(plans, segments)
    if len(segments) < len(plans):
        return None
    return LocalOverlay(
        revision=index.revision,
        performers=[(stash_id, name) for _, stash_id, name in people],
        owners=_owners(plans, [row for row, _, _ in people]),
        segments={plan.name: segments[plan.name] for plan in plans},
    )


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
