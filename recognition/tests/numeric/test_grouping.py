"""Faces of one person together, faces of two people apart."""

import time
from dataclasses import replace

import numpy as np
import pytest

from recognition.numeric.grouping import group_faces
from recognition.numeric.templates import face_vectors
from recognition.tests.numeric.made_faces import MadePeople


@pytest.fixture
def people():
    return MadePeople()


def groups_of(faces, **options):
    return group_faces(face_vectors(faces), [face.frame for face in faces], **options)


def test_faces_of_three_people_make_three_groups(people):
    faces = [people.face(n % 3, frame=n // 3) for n in range(30)]

    assert groups_of(faces) == [[*range(n, 30, 3)] for n in range(3)]


def test_two_faces_of_one_frame_are_two_people_even_twins(people):
    face = people.face(0, frame=7)
    twin = replace(face, quality=0.8)

    assert groups_of([face, twin]) == [[0], [1]]


def test_groups_do_not_depend_on_the_order_of_the_faces(people):
    faces = [people.face(n % 4, frame=n // 4, noise=0.8) for n in range(40)]
    order = np.random.default_rng(2).permutation(40).tolist()

    found = groups_of([faces[place] for place in order])

    shuffled = sorted(sorted(order[place] for place in group) for group in found)
    assert shuffled == groups_of(faces)


def test_a_good_face_decides_before_the_bad_ones_that_came_first(people):
    blurred = [people.face(0, frame=n, noise=1.6, quality=0.1) for n in range(8)]
    good = [people.face(0, frame=8 + n, noise=0.3) for n in range(4)]

    assert len(groups_of(blurred + good)) == 1


@pytest.mark.parametrize("worthless", [0.0, np.nan, np.inf])
def test_an_embedding_that_says_nothing_is_alone(people, worthless):
    faces = [people.face(0, frame=n) for n in range(3)]
    faces += [
        replace(
            faces[0], frame=9 + n, arcface=np.full_like(faces[0].arcface, worthless)
        )
        for n in range(2)
    ]

    assert groups_of(faces) == [[0, 1, 2], [3], [4]]


def test_two_thousand_faces_of_as_many_people_take_seconds_at_most():
    people = MadePeople(count=2_000)
    faces = [people.face(n, frame=n) for n in range(2_000)]
    started = time.perf_counter()

    groups = groups_of(faces)

    # Not a measurement: comparing all pairs at every step would take minutes.
    assert time.perf_counter() - started < 60
    assert len(groups) > 1_000
