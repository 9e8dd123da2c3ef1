"""People judged as a whole, against a small index searched exactly."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recognition.numeric.fusion import Neighbours
from recognition.numeric.people import Decision, MatchingMode
from recognition.runtime.people import (
    MatchingOptions,
    match_image_faces,
    people_in_scene,
)
from recognition.tests.numeric.made_faces import DIMENSIONS, MadePeople

KNOWN = 30
TEMPLATE = MatchingOptions(mode=MatchingMode.TEMPLATE)


class Vectors:
    """Vectors that are all looked at, by the interface of an index."""

    def __init__(self, rows):
        self.rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def vectors(self, rows):
        return self.rows[rows]

    def nearest(self, probes, *, k):
        found = []
        for probe in probes:
            distances = 1 - self.rows @ probe
            order = np.argsort(distances, kind="stable")[:k]
            found.append(Neighbours(order, distances[order]))
        return found


@dataclass(eq=False)
class Database:
    facenet: Vectors
    arcface: Vectors
    release: object


@dataclass
class Release:
    face_performers: np.ndarray


def database_of(people, *, known=range(KNOWN), faces_each=4):
    owners = [person for person in known for _ in range(faces_each)]
    faces = [people.face(person, noise=0.4) for person in owners]
    rows = {person: row for row, person in enumerate(known)}
    return Database(
        Vectors(np.stack([face.facenet for face in faces])),
        Vectors(np.stack([face.arcface for face in faces])),
        Release(np.array([rows[owner] for owner in owners], dtype=np.int32)),
    )


@pytest.fixture
def people():
    return MadePeople(count=40)


@pytest.fixture
def database(people):
    return database_of(people)


def scene(people, *cast, frames=10, **face):
    return [
        people.face(person, frame=frame, **face)
        for frame in range(frames)
        for person in cast
    ]


def first(person):
    return person.candidates[0]


def names(found):
    return {each.named.performer for each in found if each.named}


def test_known_people_are_named_and_a_stranger_is_not(people, database):
    found = people_in_scene(database, scene(people, 3, 8, 35), TEMPLATE)

    assert names(found) == {3, 8}
    assert [each.frame_count for each in found] == [10, 10, 10]
    assert found[-1].decision in (Decision.UNKNOWN, Decision.UNCERTAIN)


def test_a_name_comes_with_the_numbers_behind_it(people, database):
    (person,) = people_in_scene(database, scene(people, 5), TEMPLATE)

    best = first(person)
    assert person.decision is Decision.KNOWN
    assert best.performer == 5
    assert best.score > TEMPLATE.calibration.known_score
    assert best.margin > 0
    assert 0 < best.distance < 0.5
    assert best.distance == pytest.approx(
        (best.facenet_distance + best.arcface_distance) / 2
    )
    assert best.confidence == TEMPLATE.calibration.probability(best.score)


def test_who_scores_between_the_thresholds_is_proposed_and_never_named(
    people, database
):
    (person,) = people_in_scene(database, scene(people, 5), TEMPLATE)
    score = first(person).score
    strict = replace(TEMPLATE.calibration, known_score=score + 1)

    (uncertain,) = people_in_scene(
        database, scene(people, 5), replace(TEMPLATE, calibration=strict)
    )

    assert uncertain.decision is Decision.UNCERTAIN
    assert uncertain.candidates[0].performer == 5
    assert uncertain.named is None


def test_who_scores_too_little_is_somebody_unknown(people, database):
    deaf = replace(TEMPLATE.calibration, known_score=99.0, uncertain_score=99.0)

    (person,) = people_in_scene(
        database, scene(people, 5), replace(TEMPLATE, calibration=deaf)
    )

    assert (person.decision, person.candidates) == (Decision.UNKNOWN, ())


def test_two_seen_together_are_never_given_one_name(people, database):
    faces = scene(people, 5, 5)

    found = people_in_scene(database, faces, TEMPLATE)

    assert len(found) == 2
    assert [each.named and each.named.performer for each in found].count(5) == 1


def test_who_is_left_with_a_look_alike_is_uncertain_and_not_named_after_them(people):
    # A mirror: one person twice in every frame, and a look-alike in the release.
    for space in (people.facenet, people.arcface):
        alike = space[0] + 0.8 * space[1]
        space[1] = alike / np.linalg.norm(alike)
    database = database_of(people)

    found = people_in_scene(database, scene(people, 0, 0), TEMPLATE)

    assert names(found) == {0}


def test_the_confidences_of_one_person_are_no_more_than_one_together(people):
    people.facenet[1], people.arcface[1] = people.facenet[0], people.arcface[0]

    (person,) = people_in_scene(database_of(people), scene(people, 0), TEMPLATE)

    assert len(person.candidates) > 1
    assert sum(each.confidence for each in person.candidates) <= 1 + 1e-9


def test_one_person_seen_in_two_guises_is_one_person(people, database):
    # Two halves of one scene whose faces have little to do with each other.
    halves = []
    for half in range(2):
        guise = 0.9 * people.directions(2)
        for frame in range(6):
            face = people.face(5, frame=6 * half + frame, noise=0.3)
            halves.append(
                replace(
                    face,
                    facenet=(face.facenet + 20 * guise[0]).astype(np.float32),
                    arcface=(face.arcface + 20 * guise[1]).astype(np.float32),
                )
            )

    (person,) = people_in_scene(database, halves, TEMPLATE)

    assert (person.decision, first(person).performer) == (Decision.KNOWN, 5)
    assert person.frame_count == 12


def test_nobody_in_a_scene_is_nobody(database):
    assert people_in_scene(database, [], TEMPLATE) == []


def test_one_face_is_enough(people, database):
    assert names(people_in_scene(database, [people.face(7)], TEMPLATE)) == {7}


def test_five_hundred_faces_find_their_two_people(people, database):
    faces = scene(people, 1, 2, frames=250, noise=0.9)

    found = people_in_scene(database, faces, TEMPLATE)

    assert names(found) == {1, 2}


@pytest.mark.parametrize("worthless", [0.0, np.nan, np.inf])
def test_faces_whose_embeddings_say_nothing_are_unknown_and_harm_nobody(
    people, database, worthless
):
    nothing = np.full(DIMENSIONS, worthless, dtype=np.float32)
    faces = scene(people, 4)
    faces += [
        replace(face, frame=20 + n, facenet=nothing)
        for n, face in enumerate(scene(people, 9, frames=2))
    ]

    found = people_in_scene(database, faces, TEMPLATE)

    assert names(found) == {4}
    assert sum(each.decision is Decision.UNKNOWN for each in found) == 2


def test_an_index_of_one_performer_names_them_and_no_stranger(people):
    database = database_of(people, known=[6])

    found = people_in_scene(database, scene(people, 6, 35), TEMPLATE)

    assert [each.named and each.named.performer for each in found] == [0, None]
    # There is nobody to lead; infinity could be told in no answer.
    assert first(found[0]).margin is None


def test_twins_among_the_references_leave_the_person_with_both_proposed(people):
    people.facenet[1], people.arcface[1] = people.facenet[0], people.arcface[0]
    database = database_of(people)

    (person,) = people_in_scene(database, scene(people, 0), TEMPLATE)

    assert {each.performer for each in person.candidates[:2]} == {0, 1}
    assert abs(first(person).margin) < 1.5


def test_a_tagged_twin_comes_first(people):
    people.facenet[1], people.arcface[1] = people.facenet[0], people.arcface[0]
    database = database_of(people)
    database.release.performer = lambda row: type("P", (), {"universal_id": f"x:{row}"})

    first = [
        people_in_scene(
            database, scene(people, 0), replace(TEMPLATE, tagged=frozenset({tagged}))
        )[0]
        .candidates[0]
        .performer
        for tagged in ("x:0", "x:1")
    ]

    assert first == [0, 1]


def test_a_picture_has_a_person_for_each_face_and_may_show_one_twice(people, database):
    faces = [people.face(person) for person in (4, 35, 4)]

    matched = match_image_faces(database, faces, TEMPLATE)

    assert [each.faces for each in matched.people] == [(0,), (1,), (2,)]
    named = [each.named and each.named.performer for each in matched.people]
    assert named == [4, None, 4]
