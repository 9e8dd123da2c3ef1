"""From the local faces in the database to what a serving process compares with.

The rows are the truth; files in DATA_DIR/local are made of them, a folder for each
revision, once for all processes of a machine. Whoever serves an earlier revision keeps
its mapped files until it has the next one.
"""

import logging
import shutil
import time
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from recognition import local_files
from recognition.local_faces import current_revision
from recognition.models import LocalFace
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.local_overlay import LocalOverlay, with_overlay

logger = logging.getLogger(__name__)

# While a run learns one performer after the other: making the files may take a tenth
# of a second, and a correction is to count within one.
INTERVAL_SECONDS = 0.5
# After files could not be written, as on a full disk.
RETRY_SECONDS = 30.0
ROWS_AT_A_TIME = 2000


class LocalFollower:
    """Brings what a process serves up to the local performers there are now.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._written_at = -INTERVAL_SECONDS
        self._failed_revision = ""
        self._failed_at = 0.0

    def follow(self, database: FaceDatabase, network_set: str) -> FaceDatabase:
        """Return the faces with the local ones of now, the same object if it has them.

        What cannot be had is logged, and the former one stays; what was erased never
        does.
        """
        revision = current_revision(network_set)
        if revision == database.local_revision:
            return database
        if not revision:
            local_files.remove_outdated()
            logger.info("No local faces are compared any more")
            return with_overlay(database, None)
        began = time.monotonic()
        overlay = _open(revision)
        if overlay is None and self._must_wait(revision, began):
            return database
        try:
            overlay = overlay or self._write(revision, network_set, began)
        except OSError as error:
            logger.error("Local performers cannot be followed: %s", error)
            self._failed_revision, self._failed_at = revision, began
            return database
        if overlay is None:
            return database
        logger.info(
            "Comparing with %d local faces after %.2f s",
            len(overlay.owners),
            time.monotonic() - began,
        )
        return with_overlay(database, overlay)

    def _must_wait(self, revision: str, now: float) -> bool:
        if revision == self._failed_revision:
            return now - self._failed_at < RETRY_SECONDS
        return now - self._written_at < INTERVAL_SECONDS

    def _write(
        self, revision: str, network_set: str, now: float
    ) -> LocalOverlay | None:
        """Make the revision's files of the rows and return them; raises OSError.

        None if another process writes, or the rows changed meanwhile: the next look
        finds what has become of it.
        """
        self._written_at = now
        folder = local_files.revision_folder(revision)
        try:
            with local_files.writing():
                overlay = _read_rows(revision, network_set)
                if current_revision(network_set) != revision:
                    return None
                shutil.rmtree(folder, ignore_errors=True)
                overlay.write(folder)
        except BlockingIOError:
            return None
        return _open(revision)


def _open(revision: str) -> LocalOverlay | None:
    """Return the revision's files; None where there are none, or damaged ones."""
    with suppress(OSError, ValueError):
        return LocalOverlay.open(local_files.revision_folder(revision))
    return None


def _read_rows(revision: str, network_set: str) -> LocalOverlay:
    """Return the faces there are, by performer and in the order they were learnt."""
    rows = (
        LocalFace.objects.filter(network_set=network_set)
        .order_by("performer_id", "pk")
        .values_list("performer__stash_id", "performer__name", "facenet", "arcface")
    )
    performers: dict[tuple[int, str], int] = {}
    owners: list[int] = []
    facenet: list[bytes] = []
    arcface: list[bytes] = []
    for stash_id, name, *embeddings in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        owners.append(performers.setdefault((stash_id, name), len(performers)))
        facenet.append(bytes(embeddings[0]))
        arcface.append(bytes(embeddings[1]))
    return LocalOverlay(
        revision=revision,
        performers=[*performers],
        owners=np.array(owners, dtype=np.int32),
        facenet=_unpacked(facenet),
        arcface=_unpacked(arcface),
    )


def _unpacked(embeddings: list[bytes]) -> NDArray[np.float32]:
    """Return float32 [faces, 512] of length one, which half precision just misses."""
    packed = np.frombuffer(b"".join(embeddings), dtype="<f2")
    vectors = packed.reshape(-1, EMBEDDING_SIZE).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
