"""Faces seen and the people they are taken for: what scenes, galleries, images share.

Nothing here decides anything; the modules that cluster and match do.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.boxes import FaceBox

# The cover of a scene counts as a frame of it.
COVER_FRAME = -1

# The row of a performer whom the owner named and the release does not have.
NOT_RELEASED = -1


class MatchingMode(StrEnum):
    """How faces become people and people performers.

    TEMPLATE judges a person as a whole and may leave them uncertain; the others are the
    predecessor's and judge each face alone.
    """

    FREQUENCY = "frequency"
    CLUSTER = "cluster"
    HYBRID = "hybrid"
    TEMPLATE = "template"


# The modes that judge each face alone.
FACE_BY_FACE = (MatchingMode.FREQUENCY, MatchingMode.CLUSTER, MatchingMode.HYBRID)


class Decision(StrEnum):
    """Whether a person has a name.

    UNCERTAIN: performers are proposed, none is named. IGNORED: the owner does not want
    to know.
    """

    KNOWN = "known"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face, with all that is needed to match it again without its picture.

    `frame` numbers the frames of a scene, from 0 and COVER_FRAME, or the pictures of a
    gallery; `seconds` is where in the scene, None where there is no time. The
    embeddings are float32 [512], as the networks answer: not normalised.
    """

    frame: int
    seconds: float | None
    box: FaceBox
    confidence: float
    quality: float
    facenet: NDArray[np.float32]
    arcface: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PersonCandidate:
    """A performer proposed for a person; `performer` is a row of the release.

    A distance is None where that embedder did not rank any of their faces; `distance`
    itself only where the owner named somebody whom no face of the person is near to.
    `nearest_distance` is that of the nearest face, None where a mode has no use for it.
    `frame_count` is in how many frames a face of the person was near them. `score` is
    what calibration turns into confidence, larger is likelier, and `margin` by how much
    it is ahead of the next performer's; None where a mode has no such numbers.
    """

    performer: int
    distance: float | None
    facenet_distance: float | None
    arcface_distance: float | None
    confidence: float
    frame_count: int
    score: float | None = None
    margin: float | None = None
    nearest_distance: float | None = None


@dataclass(frozen=True, slots=True)
class OwnersName:
    """Who the owner says somebody is; `universal_id` may be in no release."""

    universal_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """Faces taken for one person, by position, and who it may be, likeliest first.

    Without candidates the person is somebody whom the release does not know. One who
    is uncertain has candidates, and no name. One whom the owner named has a single
    candidate, and `owners_name` says who that is.
    """

    faces: tuple[int, ...]
    frame_count: int
    candidates: tuple[PersonCandidate, ...]
    is_uncertain: bool = False
    is_ignored: bool = False
    owners_name: OwnersName | None = None

    @property
    def decision(self) -> Decision:
        """Whether they have a name, and why not."""
        if self.is_ignored:
            return Decision.IGNORED
        if not self.candidates:
            return Decision.UNKNOWN
        return Decision.UNCERTAIN if self.is_uncertain else Decision.KNOWN

    @property
    def named(self) -> PersonCandidate | None:
        """The performer they are taken for, if they have a name."""
        return self.candidates[0] if self.decision is Decision.KNOWN else None
