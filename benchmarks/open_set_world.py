"""A made world of embeddings: identities, their reference faces, scenes and galleries.

Nothing here is a picture. Each embedder has a space of its own, in which

- an identity is a direction: its own, in a subspace of fewer dimensions, with a part
  that all faces have in common, and for some a part that they share with look-alikes;
- a reference face is the identity with a little noise: pictures chosen by people;
- a probe is the identity as far as its quality goes, with an offset that all faces of
  that person share within one scene or shoot (light, make-up, lens); what quality
  takes away becomes noise and a drift to the one direction that all bad faces have.

The length of an embedding grows with quality, as it does in real networks, and the
quality that is told of a face is the true one with an error. False detections are noise
near the direction of bad faces. Strangers are identities without references.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import SeenFace

Vectors = NDArray[np.float32]

# Whose face it is when it is none.
NOBODY = -1


@dataclass(frozen=True)
class WorldParameters:
    """What a world is made with; strengths are lengths beside an identity's own 1."""

    identities: int = 30_000
    references_mean: float = 3.4
    references_most: int = 12
    dimensions: int = 256
    subspace: int = 80
    # What all faces have in common, and look-alikes: a group has two to four.
    common: float = 0.45
    lookalike_share: float = 0.2
    lookalike: float = 0.7
    reference_noise: float = 0.65
    # Of a probe: the offset of its scene, noise at best and at worst, drift at worst.
    scene_offset: float = 0.45
    probe_noise: float = 0.7
    bad_noise: float = 2.0
    drift: float = 1.5
    # Quality is Beta distributed; what is told of it is off by this deviation.
    quality_good: float = 3.0
    quality_bad: float = 2.0
    quality_error: float = 0.1
    # Of a scene: sampled frames, known people, strangers beside them.
    frames: int = 60
    people_most: int = 4
    strangers_most: int = 2
    presence: float = 0.5
    false_detections: float = 0.03
    # Of a gallery: pictures, and people on each.
    pictures_least: int = 5
    pictures_most: int = 80

    @classmethod
    def of(cls, world: "WorldParameters", changes: dict[str, float]) -> Self:
        """Return the world with some of its parameters changed."""
        values = {each.name: getattr(world, each.name) for each in fields(cls)}
        return cls(**(values | changes))


EASY = WorldParameters(
    common=0.6,
    lookalike_share=0.2,
    lookalike=0.8,
    reference_noise=0.7,
    scene_offset=0.6,
    probe_noise=0.95,
    bad_noise=2.5,
    drift=2.0,
    quality_good=2.2,
    quality_bad=2.4,
)
HARD = WorldParameters(
    common=0.7,
    lookalike_share=0.3,
    lookalike=1.0,
    reference_noise=0.8,
    scene_offset=0.75,
    probe_noise=1.2,
    bad_noise=2.8,
    drift=2.4,
    quality_good=2.0,
    quality_bad=3.0,
    false_detections=0.06,
)
WORLDS = {"easy": EASY, "hard": HARD}


@dataclass(frozen=True)
class Medium:
    """A scene or gallery: its faces, whose each is, and who is in it.

    Whose number is not below `known_below` is a stranger.
    """

    faces: list[SeenFace]
    owners: list[int]
    people: list[int]
    known_below: int


class EmbedderSpace:
    """One embedder's view of all identities, strangers last."""

    def __init__(
        self, parameters: WorldParameters, groups: NDArray[np.int64], seed: int
    ) -> None:
        self._parameters = parameters
        self._rng = np.random.default_rng(seed)
        count, size = len(groups), parameters.dimensions
        basis = self._rng.standard_normal((parameters.subspace, size))
        self._basis = (basis / np.linalg.norm(basis, axis=1, keepdims=True)).astype(
            np.float32
        )
        self._common = self._direction(1)[0]
        self._bad = self._direction(1)[0]
        own = self._inside(count)
        shared = self._inside(int(groups.max()) + 1)[groups]
        is_alike = (np.bincount(groups)[groups] > 1)[:, None]
        identities = own + parameters.common * self._common
        identities += np.where(is_alike, parameters.lookalike, 0.0) * shared
        self.identities = _unit(identities)

    def references(self, owners: NDArray[np.int64]) -> Vectors:
        """Return a reference face for each of the owners."""
        noise = self._direction(len(owners)) * self._parameters.reference_noise
        return _unit(self.identities[owners] + noise)

    def offset(self) -> Vectors:
        """Return what the faces of one person in one scene share."""
        offset: Vectors = self._inside(1)[0] * np.float32(self._parameters.scene_offset)
        return offset

    def probes(
        self, owner: int, qualities: NDArray[np.float64], offset: Vectors
    ) -> Vectors:
        """Return faces of these qualities, longer the better they are."""
        parameters, count = self._parameters, len(qualities)
        lost = (1 - qualities)[:, None]
        spread = parameters.probe_noise + lost * (
            parameters.bad_noise - parameters.probe_noise
        )
        identity = self.identities[owner] if owner != NOBODY else np.zeros_like(offset)
        faces = (
            identity
            + offset
            + spread * self._direction(count)
            + parameters.drift * lost**2 * self._bad
        )
        lengths = (0.5 + 0.5 * qualities) * np.exp(
            0.1 * self._rng.standard_normal(count)
        )
        return (_unit(faces) * (20 * lengths)[:, None]).astype(np.float32)

    def _inside(self, count: int) -> Vectors:
        """Return unit vectors of the subspace that tells people apart."""
        weights = self._rng.standard_normal((count, len(self._basis))).astype(
            np.float32
        )
        return _unit(weights @ self._basis)

    def _direction(self, count: int) -> Vectors:
        size = self._parameters.dimensions
        return _unit(self._rng.standard_normal((count, size)).astype(np.float32))


@dataclass
class World:
    """Two embedders' spaces, the references in them, and media to be made."""

    parameters: WorldParameters
    seed: int
    facenet: EmbedderSpace = field(init=False)
    arcface: EmbedderSpace = field(init=False)
    face_performers: NDArray[np.int32] = field(init=False)
    facenet_references: Vectors = field(init=False)
    arcface_references: Vectors = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        known = self.parameters.identities
        self._stranger_count = max(known // 10, 200)
        groups = self._lookalikes(known + self._stranger_count)
        self.facenet = EmbedderSpace(self.parameters, groups, self.seed + 1)
        self.arcface = EmbedderSpace(self.parameters, groups, self.seed + 2)
        counts = np.clip(
            self._rng.geometric(1 / self.parameters.references_mean, known),
            1,
            self.parameters.references_most,
        )
        owners = np.repeat(np.arange(known), counts)
        self.face_performers = owners.astype(np.int32)
        self.facenet_references = self.facenet.references(owners)
        self.arcface_references = self.arcface.references(owners)

    def iter_scenes(self, count: int) -> Iterator[Medium]:
        """Yield scenes of one to some known people, with strangers in many."""
        for _ in range(count):
            yield self._medium(
                self.parameters.frames,
                known=int(self._rng.integers(1, self.parameters.people_most + 1)),
                strangers=int(
                    self._rng.integers(0, self.parameters.strangers_most + 1)
                ),
                presence=self.parameters.presence,
            )

    def iter_galleries(self, count: int) -> Iterator[Medium]:
        """Yield galleries of one or two known people, with a stranger in some."""
        for _ in range(count):
            yield self._medium(
                int(
                    self._rng.integers(
                        self.parameters.pictures_least,
                        self.parameters.pictures_most + 1,
                    )
                ),
                known=int(self._rng.integers(1, 3)),
                strangers=int(self._rng.integers(0, 2)),
                presence=0.6,
            )

    def _lookalikes(self, count: int) -> NDArray[np.int64]:
        """Return the group of each: of look-alikes, or one of its own."""
        groups = np.arange(count)
        alike = self._rng.permutation(count)[
            : int(count * self.parameters.lookalike_share)
        ]
        start = 0
        while start < len(alike):
            size = int(self._rng.integers(2, 5))
            members = alike[start : start + size]
            groups[members] = members[0]
            start += size
        return groups

    def _medium(
        self, frames: int, *, known: int, strangers: int, presence: float
    ) -> Medium:
        known_count = self.parameters.identities
        people = self._rng.choice(known_count, known, replace=False).tolist()
        people += (
            known_count
            + self._rng.choice(self._stranger_count, strangers, replace=False)
        ).tolist()
        faces: list[SeenFace] = []
        owners: list[int] = []
        for place, person in enumerate(people):
            # Some are seen nearly throughout, some for a moment.
            share = presence * self._rng.uniform(0.1, 1.6)
            shown = np.flatnonzero(self._rng.random(frames) < share)
            if not len(shown):
                shown = self._rng.integers(0, frames, 1)
            faces += self._faces(person, shown, place)
            owners += [person] * len(shown)
        spots = np.flatnonzero(
            self._rng.random(frames) < self.parameters.false_detections
        )
        for spot in spots:
            faces += self._faces(NOBODY, np.array([spot]), len(people))
            owners.append(NOBODY)
        order = sorted(range(len(faces)), key=lambda place: faces[place].frame)
        return Medium(
            [faces[place] for place in order],
            [owners[place] for place in order],
            people,
            known_count,
        )

    def _faces(
        self, person: int, frames: NDArray[np.int64], place: int
    ) -> list[SeenFace]:
        good, bad = self.parameters.quality_good, self.parameters.quality_bad
        if person == NOBODY:
            good, bad = 1.0, 6.0
        qualities = self._rng.beta(good, bad, len(frames))
        told = np.clip(
            qualities
            + self.parameters.quality_error * self._rng.standard_normal(len(frames)),
            0.01,
            1,
        )
        facenet = self.facenet.probes(person, qualities, self.facenet.offset())
        arcface = self.arcface.probes(person, qualities, self.arcface.offset())
        return [
            SeenFace(
                frame=int(frame),
                seconds=float(frame),
                box=FaceBox(300 * place, 100, 200, 200),
                confidence=0.9,
                quality=float(quality),
                facenet=facenet_row,
                arcface=arcface_row,
            )
            for frame, quality, facenet_row, arcface_row in zip(
                frames, told, facenet, arcface, strict=True
            )
        ]


def _unit(rows: NDArray[np.floating]) -> Vectors:
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return unit
