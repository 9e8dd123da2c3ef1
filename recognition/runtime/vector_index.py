"""Nearest neighbours among the embeddings of a release."""

from pathlib import Path

import numpy as np
import voyager
from numpy.typing import NDArray

from recognition.exceptions import DatabaseNotLoaded
from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import Neighbours
from stashsense.cores import usable_cores

# Voyager keeps Python from running while a query lasts, about 2 ms for each probe
# and core; ten probes hold other requests up for 10 to 20 ms.
PROBES_PER_QUERY = 10

# Voyager takes a second thread only from five rows a thread upwards.
_ROWS_PER_THREAD = 5


class VectorIndex:
    """A Voyager index, opened for reading."""

    def __init__(self, index: voyager.Index) -> None:
        self._index = index

    @classmethod
    def load(cls, path: Path) -> "VectorIndex":
        """Return the index in the file; loading leaves Python free for others."""
        try:
            return cls(voyager.Index.load(str(path)))
        except (RuntimeError, ValueError, OSError) as error:
            raise DatabaseNotLoaded(f"{path.name} cannot be loaded: {error}") from error

    def __len__(self) -> int:
        return int(self._index.num_elements)

    def vectors(self, rows: NDArray[np.int64]) -> Embeddings:
        """Return float32 [rows, 512]: the vectors as stored, of length one."""
        stored: Embeddings = self._index.get_vectors(rows.tolist())
        return stored

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return int(self._index.num_dimensions)

    def nearest(self, probes: Embeddings, *, k: int) -> list[Neighbours]:
        """Return for each row of `probes` its `k` nearest faces, or all there are."""
        k = min(k, len(self))
        if k == 0:
            empty = Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
            return [empty] * len(probes)
        found: list[Neighbours] = []
        for start in range(0, len(probes), PROBES_PER_QUERY):
            found += self._query(probes[start : start + PROBES_PER_QUERY], k)
        return found

    def _query(self, probes: Embeddings, k: int) -> list[Neighbours]:
        threads = max(1, min(usable_cores(), len(probes) // _ROWS_PER_THREAD))
        try:
            ids, distances = self._index.query(probes, k=k, num_threads=threads)
        except voyager.RecallError:
            return [self._query_unreachable(probe, k) for probe in probes]
        return [
            Neighbours(row_ids.astype(np.int64), row_distances)
            for row_ids, row_distances in zip(ids, distances, strict=True)
        ]

    def _query_unreachable(self, probe: NDArray[np.float32], k: int) -> Neighbours:
        """Return as many of the `k` as the graph leads to from its entry point.

        An index of many equal vectors can have parts that no link leads to.
        """
        while k > 0:
            try:
                ids, distances = self._index.query(probe, k=k, query_ef=4 * k)
            except voyager.RecallError:
                k //= 2
            else:
                return Neighbours(ids.astype(np.int64), distances)
        return Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
