"""Who is in a gallery: people from clustered faces, and which of them have a name.

A name is given to a person, not to a face. When each face named its nearest performer,
every look-alike who was near any one picture became a result, 27 of 28 wrongly; the
faces of one person now have to agree.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recognition.numeric.clustering import Cluster
from recognition.numeric.people import PersonCandidate, SeenPerson
from recognition.numeric.scene_matching import (
    ClusteredFaces,
    Support,
    gather_supports,
)

# The predecessor's rule: two pictures, or one face nearer than this.
MIN_IMAGES = 2
CERTAIN_DISTANCE = 0.4

# Of a person's faces, those that must be nearest to the performer when none is
# certain: a stranger resembles now one, now another.
MIN_AGREEING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class GalleryPerformer:
    """A performer seen in a gallery, by the faces they are the nearest performer of.

    `faces` are all that are taken for them, by position; `images` and the distances
    are of those faces alone whose best match they are. `performer` is a row of the
    release. Confidence is that of the nearest face.
    """

    performer: int
    faces: tuple[int, ...]
    best_distance: float
    avg_distance: float
    confidence: float
    images: tuple[int, ...]

    @property
    def image_count(self) -> int:
        """On how many pictures the performer was recognized."""
        return len(self.images)

    def as_person(self, frames: Sequence[int]) -> SeenPerson:
        """Return them as somebody seen; `frames` number the pictures of all faces."""
        return SeenPerson(
            faces=self.faces,
            frame_count=len({frames[face] for face in self.faces}),
            candidates=(
                PersonCandidate(
                    performer=self.performer,
                    distance=self.avg_distance,
                    facenet_distance=None,
                    arcface_distance=None,
                    confidence=self.confidence,
                    frame_count=self.image_count,
                    nearest_distance=self.best_distance,
                ),
            ),
        )


@dataclass(frozen=True, slots=True)
class GalleryPeople:
    """The performers, on most pictures first, and the people without a name."""

    performers: list[GalleryPerformer]
    unknown: list[SeenPerson]


def match_gallery(faces: ClusteredFaces, *, max_distance: float) -> GalleryPeople:
    """Return the people of a gallery; the frames of its faces number the pictures.

    A person is taken for the best match of most of its faces, when the nearest of
    them is certain, or when they are on two pictures and half of all the person's
    faces. A person on one picture alone is also taken for a performer whom another
    person was taken for.

    The clusters are those of the faces alone: merging by performer beforehand would
    make of two look-alikes one person on two pictures.
    """
    best_only = ClusteredFaces(
        frames=faces.frames,
        candidates=[candidates[:1] for candidates in faces.candidates],
        clusters=faces.clusters,
    )
    choices = [
        (cluster, _choice(best_only, cluster, max_distance))
        for cluster in filter(None, faces.clusters)
    ]
    known = {
        choice.performer
        for _, choice in choices
        if choice is not None and _stands_alone(choice)
    }
    named: dict[int, Cluster] = {}
    unknown = []
    for cluster, choice in choices:
        if choice is not None and choice.performer in known:
            named.setdefault(choice.performer, []).extend(cluster)
        else:
            unknown.append(cluster)
    performers = [
        _gallery_performer(best_only, performer, sorted(cluster), max_distance)
        for performer, cluster in named.items()
    ]
    performers.sort(key=lambda one: (-one.image_count, one.best_distance))
    return GalleryPeople(performers, _unknown_people(faces, unknown))


def _choice(
    faces: ClusteredFaces, cluster: Cluster, max_distance: float
) -> Support | None:
    """Return whom most of the person's faces are nearest to, if enough of them are."""
    choice = min(
        gather_supports(faces, cluster, max_distance=max_distance),
        key=lambda one: (-one.face_count, one.nearest, one.performer),
        default=None,
    )
    if choice is None or choice.nearest < CERTAIN_DISTANCE:
        return choice
    agreeing = choice.face_count / len(cluster)
    return choice if agreeing >= MIN_AGREEING_SHARE else None


def _stands_alone(choice: Support) -> bool:
    return choice.nearest < CERTAIN_DISTANCE or choice.frame_count >= MIN_IMAGES


def _gallery_performer(
    faces: ClusteredFaces, performer: int, cluster: Cluster, max_distance: float
) -> GalleryPerformer:
    near = [
        (faces.frames[face], candidate.distance)
        for face in cluster
        for candidate in faces.candidates[face]
        if candidate.performer == performer and candidate.distance <= max_distance
    ]
    distances = [distance for _, distance in near]
    return GalleryPerformer(
        performer=performer,
        faces=tuple(cluster),
        best_distance=min(distances),
        avg_distance=math.fsum(distances) / len(distances),
        confidence=min(max(1.0 - min(distances), 0.0), 1.0),
        images=tuple(sorted({image for image, _ in near})),
    )


def _unknown_people(
    faces: ClusteredFaces, clusters: Iterable[Cluster]
) -> list[SeenPerson]:
    unknown = [
        SeenPerson(
            faces=tuple(cluster),
            frame_count=len({faces.frames[face] for face in cluster}),
            candidates=(),
        )
        for cluster in clusters
    ]
    return sorted(unknown, key=lambda person: -person.frame_count)
