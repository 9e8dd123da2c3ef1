"""Embeddings of aligned crops, many faces in one run of a network."""

import copy
from collections.abc import Callable

import numpy as np

from recognition.exceptions import ModelsNotInstalled
from recognition.numeric.arrays import AlignedCrops, Embeddings, NetworkInput, RgbImage
from recognition.numeric.embedder_input import mean_over_mirrors, with_mirrors
from recognition.numeric.quality import mirror_agreement
from recognition.runtime.sessions import Session

EMBEDDING_SIZE = 512

Prepare = Callable[[AlignedCrops], NetworkInput]


class Embedder:
    """A network and the preparation of crops it was trained with."""

    def __init__(self, session: Session, prepare: Prepare, *, batch_size: int) -> None:
        """Take `batch_size` faces a run; with mirrors that is twice as many inputs."""
        self._session = session
        self._prepare = prepare
        self._batch_size = batch_size
        self._input_name = session.get_inputs()[0].name
        size = session.get_outputs()[0].shape[-1]
        if size != EMBEDDING_SIZE:
            raise ModelsNotInstalled(
                f"An embedder answers {size} numbers; {EMBEDDING_SIZE} were expected."
            )

    @property
    def batch_size(self) -> int:
        """Faces of one run."""
        return self._batch_size

    def with_batch_size(self, batch_size: int) -> "Embedder":
        """Return an embedder with the same open network and other batches."""
        other = copy.copy(self)
        other._batch_size = batch_size
        return other

    def embed(self, crops: list[RgbImage]) -> Embeddings:
        """Return float32 [faces, 512]: the mean over each crop and its mirror.

        The rows are not normalised; cosine space does not look at their length.
        """
        return self.embed_and_compare(crops)[0]

    def embed_and_compare(self, crops: list[RgbImage]) -> tuple[Embeddings, Embeddings]:
        """Return the embeddings, and float32 [faces]: the agreement with the mirror."""
        if not crops:
            return (
                np.empty((0, EMBEDDING_SIZE), dtype=np.float32),
                np.empty(0, dtype=np.float32),
            )
        views = [
            self._views(crops[at : at + self._batch_size])
            for at in range(0, len(crops), self._batch_size)
        ]
        return (
            np.concatenate([mean_over_mirrors(each) for each in views]),
            np.concatenate(
                [mirror_agreement(*np.split(each, 2)) for each in views],
            ),
        )

    def _views(self, crops: list[RgbImage]) -> Embeddings:
        """Return the embeddings of the crops, followed by those of their mirrors."""
        inputs = self._prepare(with_mirrors(np.stack(crops)))
        return self._session.run(None, {self._input_name: inputs})[0]
