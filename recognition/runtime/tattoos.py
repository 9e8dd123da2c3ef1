"""Tattoos in a picture: finding them, embedding them, and whose they look like."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import load_json
from recognition.exceptions import DatabaseNotLoaded, ModelsNotInstalled
from recognition.numeric.arrays import Embeddings, RgbImage
from recognition.numeric.boxes import FaceBox
from recognition.numeric.tattoos import (
    DETECTOR_SIDE_PX,
    EMBEDDER_SIDE_PX,
    TattooBox,
    TattooEvidence,
    best_similarities,
    crop_tattoo,
    decode_detections,
    detector_input,
    faces_of_tattoos,
    letterbox,
    tattoo_embedder_input,
)
from recognition.runtime.sessions import Session, ort_errors
from recognition.runtime.vector_index import VectorIndex

TATTOO_INDEX = "tattoo_embeddings.voy"
TATTOO_NAMES = "tattoo_embeddings.json"
TATTOO_EMBEDDING_SIZE = 1280
# Centre, size, objectness and the one class there is.
_DETECTION_SIZE = 6

# Neighbours of each tattoo in the index.
NEIGHBOUR_COUNT = 10


class TattooDetector:
    """A YOLOv5 network with one class."""

    def __init__(self, session: Session) -> None:
        """Raises ModelsNotInstalled when a trial run has another shape."""
        self._session = session
        self._input_name = session.get_inputs()[0].name
        output = _trial(self._run, _grey_square(DETECTOR_SIDE_PX), "detector")
        if output.ndim != 3 or output.shape[::2] != (1, _DETECTION_SIZE):
            raise ModelsNotInstalled(
                f"The tattoo detector answers {list(output.shape)};"
                f" [1, anchors, {_DETECTION_SIZE}] was expected."
            )

    def detect(self, image: RgbImage) -> list[TattooBox]:
        """Return the tattoos in the picture, the surest first."""
        height, width = image.shape[:2]
        square, placed = letterbox(image)
        return decode_detections(
            self._run(square), placed, image_width=width, image_height=height
        )

    def _run(self, square: RgbImage) -> NDArray[np.float32]:
        return self._session.run(None, {self._input_name: detector_input(square)})[0]


class TattooEmbedder:
    """An EfficientNet-B0 without its classifier."""

    def __init__(self, session: Session) -> None:
        """Raises ModelsNotInstalled when a trial run has another shape."""
        self._session = session
        self._input_name = session.get_inputs()[0].name
        output = _trial(self._run, _grey_square(EMBEDDER_SIDE_PX), "embedder")
        if output.shape != (1, TATTOO_EMBEDDING_SIZE):
            raise ModelsNotInstalled(
                f"The tattoo embedder answers {list(output.shape)};"
                f" [1, {TATTOO_EMBEDDING_SIZE}] was expected."
            )

    def embed(self, crops: Sequence[RgbImage]) -> Embeddings:
        """Return float32 [crops, 1280], each of length 1.

        One crop a run: the published graph takes no more.
        """
        embeddings = np.empty((len(crops), TATTOO_EMBEDDING_SIZE), dtype=np.float32)
        for row, crop in zip(embeddings, crops, strict=True):
            row[:] = self._run(crop)[0]
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        embeddings /= np.maximum(lengths, np.finfo(np.float32).tiny)
        return embeddings

    def _run(self, crop: RgbImage) -> NDArray[np.float32]:
        feed = {self._input_name: tattoo_embedder_input(crop)}
        return self._session.run(None, feed)[0]


class TattooIndex:
    """The tattoos of a release and whose they are."""

    def __init__(
        self, index: VectorIndex, owners: NDArray[np.int32], universal_ids: list[str]
    ) -> None:
        """`owners` has a position in `universal_ids` for each vector, -1 for nobody."""
        self._index = index
        self._owners = owners
        self._universal_ids = universal_ids
        self.known = frozenset(universal_ids)

    @classmethod
    def load(cls, release_dir: Path) -> "TattooIndex":
        """Return the release's tattoos.

        Raises DatabaseNotLoaded, or InvalidRelease for a file that is not JSON.
        """
        index = VectorIndex.load(release_dir / TATTOO_INDEX)
        owners, universal_ids = _load_owners(release_dir / TATTOO_NAMES)
        if len(index) != len(owners) or not universal_ids:
            raise DatabaseNotLoaded(
                f"{TATTOO_INDEX} holds {len(index)} tattoos, {TATTOO_NAMES} names the"
                f" owners of {int((owners >= 0).sum())} of {len(owners)}."
            )
        if index.dimensions != TATTOO_EMBEDDING_SIZE:
            raise DatabaseNotLoaded(
                f"{TATTOO_INDEX} holds vectors of {index.dimensions} numbers;"
                f" {TATTOO_EMBEDDING_SIZE} were expected."
            )
        return cls(index, owners, universal_ids)

    def __len__(self) -> int:
        return len(self._index)

    def neighbours(self, embeddings: Embeddings) -> list[list[tuple[str, float]]]:
        """Return for each embedding the owners of the nearest tattoos and how far."""
        return [
            [
                (self._universal_ids[self._owners[tattoo]], float(distance))
                for tattoo, distance in zip(found.faces, found.distances, strict=True)
                if self._owners[tattoo] >= 0
            ]
            for found in self._index.nearest(embeddings, k=NEIGHBOUR_COUNT)
        ]


class TattooReader:
    """From a picture to the tattoos of each face's owner; safe to use from threads."""

    def __init__(
        self, detector: TattooDetector, embedder: TattooEmbedder, index: TattooIndex
    ) -> None:
        self.detector = detector
        self.embedder = embedder
        self.index = index

    def read(
        self, image: RgbImage, face_boxes: Sequence[FaceBox]
    ) -> list[TattooEvidence]:
        """Return what each face's owner wears; tattoos of nobody seen are left out."""
        height, width = image.shape[:2]
        found = self.detector.detect(image)
        faces = faces_of_tattoos(
            found, face_boxes, image_width=width, image_height=height
        )
        owned = [
            (face, tattoo)
            for face, tattoo in zip(faces, found, strict=True)
            if face is not None
        ]
        crops = [crop_tattoo(image, tattoo) for _, tattoo in owned]
        neighbours = self.index.neighbours(self.embedder.embed(crops))
        return [
            TattooEvidence(
                tattoos=tuple(tattoo for owner, tattoo in owned if owner == face),
                similarities=best_similarities(
                    neighbour
                    for (owner, _), near in zip(owned, neighbours, strict=True)
                    if owner == face
                    for neighbour in near
                ),
            )
            for face in range(len(face_boxes))
        ]


def _grey_square(side_px: int) -> RgbImage:
    return np.full((side_px, side_px, 3), 127, dtype=np.uint8)


def _trial(
    run: Callable[[RgbImage], NDArray[np.float32]], picture: RgbImage, name: str
) -> NDArray[np.float32]:
    """Return the network's answer to a grey picture."""
    try:
        return run(picture)
    except ort_errors() as error:
        raise ModelsNotInstalled(
            f"The tattoo {name} does not take pictures as the published one: {error}"
        ) from error


def _load_owners(path: Path) -> tuple[NDArray[np.int32], list[str]]:
    """Return whose each tattoo is, as a position in the list of ids; -1 is nobody's."""
    entries = load_json(path)
    if not isinstance(entries, list):
        raise DatabaseNotLoaded(f"{path.name} is not a list")
    positions: dict[str, int] = {}
    owners = np.full(len(entries), -1, dtype=np.int32)
    for tattoo, entry in enumerate(entries):
        universal_id = entry.get("universal_id") if isinstance(entry, dict) else None
        if isinstance(universal_id, str):
            owners[tattoo] = positions.setdefault(universal_id, len(positions))
    return owners, list(positions)
