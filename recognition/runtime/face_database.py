"""The faces of one release, loaded: two indices and who each face belongs to."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dbupdates.prepared import PreparedRelease, open_prepared
from recognition.exceptions import DatabaseNotLoaded
from recognition.runtime.vector_index import VectorIndex

FACENET_INDEX = "face_facenet.voy"
ARCFACE_INDEX = "face_arcface.voy"


@dataclass(frozen=True)
class FaceDatabase:
    """Two indices whose vector ids are rows of `release.face_performers`."""

    version: str
    facenet: VectorIndex
    arcface: VectorIndex
    release: PreparedRelease

    @property
    def plain(self) -> "FaceDatabase":
        """The faces of the release alone."""
        return self

    @property
    def local_revision(self) -> str:
        """Which local performers are compared as well, "" where none are."""
        return ""

    @classmethod
    def load(cls, path: Path, *, version: str) -> "FaceDatabase":
        """Return the release in the folder; raises DatabaseNotLoaded.

        The folder was verified when it was staged; what can still go wrong is the disk.
        """
        try:
            release = open_prepared(path)
        except (OSError, ValueError) as error:
            raise DatabaseNotLoaded(
                f"The prepared form of release {version} cannot be read: {error}"
            ) from error
        # Together, for on a busy machine a thread gets its share and no more.
        with ThreadPoolExecutor(2, thread_name_prefix="load-index") as pool:
            # Not by futures kept here: the error of one would keep the other's index.
            facenet, arcface = pool.map(
                VectorIndex.load, [path / FACENET_INDEX, path / ARCFACE_INDEX]
            )
        database = cls(
            version=version, facenet=facenet, arcface=arcface, release=release
        )
        for index in (database.facenet, database.arcface):
            if len(index) != release.face_count:
                raise DatabaseNotLoaded(
                    f"An index of release {version} holds {len(index)} vectors;"
                    f" {release.face_count} were expected."
                )
        return database
