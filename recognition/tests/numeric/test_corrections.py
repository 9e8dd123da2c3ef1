"""The owner's word bound to faces, and what it comes to."""

import numpy as np
import pytest

from recognition.numeric.boxes import FaceBox
from recognition.numeric.corrections import (
    MIN_LIKENESS,
    MIN_REJECTED_LIKENESS,
    FacePlace,
    OwnersWord,
    Verdict,
    portrait_of,
    recognise,
    settle,
    shared,
    the_very,
)
from recognition.numeric.people import OwnersName, SeenFace

BOX = FaceBox(100, 50, 80, 90)
ELSEWHERE = FaceBox(400, 50, 80, 90)


def direction(seed):
    return np.random.default_rng(seed).normal(size=512).astype(np.float32)


def face(who, *, seconds=0.0, box=BOX, noise=0.3, shot=0):
    """Return a face of the person; each shot is another picture of them."""
    rng = np.random.default_rng([who, shot])
    facenet, arcface = (
        30 * (direction(2 * who + n) + noise * rng.normal(size=512)) for n in (0, 1)
    )
    return SeenFace(0, seconds, box, 0.9, 0.5, facenet, arcface)


def places(faces):
    return [FacePlace(each.frame, each.seconds, each.box) for each in faces]


def portrait(person, *others):
    """Return the portrait of a person among others, all given as faces."""
    faces = [each for group in (person, *others) for each in group]
    ends = np.cumsum([len(group) for group in (person, *others)]).tolist()
    positions = [[*range(s, e)] for s, e in zip([0, *ends], ends, strict=False)]
    return portrait_of(positions[0], positions[1:], faces=faces, places=places(faces))


def bound(portrait, faces):
    strengths = recognise(portrait, faces, places(faces))
    return np.flatnonzero(strengths).tolist()


def word(verdict, faces, *, count, number=1, performers=(), name="x:1"):
    return OwnersWord(
        number, Verdict(verdict), OwnersName(name, name), performers,
        the_very(faces, count),
    )  # fmt: skip


def test_a_person_is_found_again_by_their_looks_and_nobody_else_is():
    known = portrait([face(1, shot=n) for n in range(3)], [face(2)])

    again = [
        face(who, seconds=60.0 + n, shot=9 + n) for n, who in enumerate((2, 1, 3, 1))
    ]

    assert bound(known, again) == [1, 3]


def test_a_face_is_the_same_by_its_place_whatever_it_looks_like():
    known = portrait([face(1, seconds=10.0)])
    nearly = FaceBox(110, 55, 80, 90)

    again = [
        face(5, seconds=10.0, box=nearly),
        face(6, seconds=10.0, box=ELSEWHERE),
        face(7, seconds=10.5, box=BOX),
    ]

    assert bound(known, again) == [0]


def test_pictures_are_told_apart_where_there_is_no_time():
    box = FaceBox(0, 0, 10, 10)

    assert FacePlace(7, None, box).is_of_moment(FacePlace(7, None, box))
    assert not FacePlace(7, None, box).is_of_moment(FacePlace(8, None, box))
    assert not FacePlace(-1, None, box).is_of_moment(FacePlace(-1, 0.0, box))


def test_a_look_alike_who_was_there_keeps_their_faces():
    """Both are alike enough to be one person; each is more like themselves."""
    one, other = direction(2), direction(3)

    def blend(share, shot):
        rng = np.random.default_rng(shot)
        mixed = share * one + (1 - share) * other + 0.1 * rng.normal(size=512)
        return SeenFace(0, 5.0 * shot, BOX, 0.9, 0.5, mixed, mixed)

    person = [blend(0.7, shot) for shot in (1, 2)]
    look_alike = [blend(0.3, shot) for shot in (3, 4)]
    again = [blend(0.3, 11), blend(0.7, 12)]

    assert bound(portrait(person, look_alike), again) == [1]
    assert bound(portrait(person), again) == [0, 1]


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf])
def test_embeddings_that_say_nothing_are_nobodys_but_by_their_place(nothing):
    empty = np.full(512, nothing, dtype=np.float32)
    blind = SeenFace(0, 3.0, BOX, 0.9, 0.5, empty, empty)
    later = SeenFace(0, 9.0, BOX, 0.9, 0.5, empty, empty)

    assert bound(portrait([blind]), [face(1, seconds=20.0), blind, later]) == [1]
    assert bound(portrait([face(1)], [blind]), [later]) == []
    mixed = portrait([face(1), blind])
    assert np.isfinite(mixed.vectors).all()
    assert bound(mixed, [face(1, seconds=70.0, shot=3)]) == [0]


def test_without_faces_nothing_is_bound():
    assert bound(portrait([face(1)]), []) == []
    assert the_very([0, 5], 3).tolist() == [2.0, 0.0, 0.0]
    assert settle([], face_count=2).forbidden == [frozenset(), frozenset()]


def test_a_rejected_performer_is_forbidden_to_the_faces_alone():
    settled = settle(
        [
            word("reject", [0, 1], count=3, performers=(7,)),
            word("reject", [1, 2], count=3, performers=(8,), number=2),
            word("reject", [2], count=3, number=3),
        ],
        face_count=3,
    )

    assert [{*each} for each in settled.forbidden] == [{7}, {7, 8}, {8}]
    assert settled.bound == {1: (0, 1), 2: (1, 2), 3: (2,)}
    assert settled.decided == []


def test_one_name_makes_one_person_and_is_nobody_elses():
    settled = settle(
        [
            word("name", [0], count=4, performers=(7,)),
            word("name", [2], count=4, performers=(7,), number=2),
            word("ignore", [3], count=4, number=3, name=""),
        ],
        face_count=4,
    ).one_each()

    named, ignored = settled.decided
    assert (named.faces, named.performer) == ((0, 2), 7)
    assert (ignored.faces, ignored.owners_name) == ((3,), None)
    assert 7 in settled.forbidden[1]


def test_a_name_that_is_bound_to_no_face_is_forbidden_to_nobody():
    settled = settle(
        [word("name", [], count=2, performers=(7,))], face_count=2
    ).one_each()

    assert not any(settled.forbidden)
    assert settled.decided == []
    assert settled.bound == {1: ()}


def test_of_two_words_on_a_face_the_later_counts():
    settled = settle(
        [
            word("name", [0, 1], count=2, performers=(7,), name="x:7"),
            word("name", [1], count=2, performers=(8,), number=2, name="x:8"),
        ],
        face_count=2,
    )

    assert settled.bound == {1: (0,), 2: (1,)}


def test_whoever_has_a_forbidden_face_is_not_that_performer():
    forbidden = [{7}, set(), set(), {8}]

    together = shared(forbidden, [[0, 1], [2], [3]])

    assert [{*each} for each in together] == [{7}, {7}, set(), {8}]
    assert shared((), [[0]]) == ()


def test_whoever_the_release_has_by_two_ids_is_rejected_by_both():
    said = [word("reject", [0], count=2, performers=(7, 9))]

    settled = settle(said, face_count=2)

    assert settled.forbidden == [{7, 9}, set()]


def test_whoever_the_release_has_by_two_ids_is_nobody_else_by_either():
    said = [word("name", [0], count=2, performers=(7, 9))]

    settled = settle(said, face_count=2).one_each()

    assert settled.decided[0].performer == 7
    assert settled.forbidden == [{7, 9}, {7, 9}]


def test_a_rejection_holds_for_faces_that_are_less_like_the_person():
    known = portrait([face(1, shot=n) for n in range(3)], [face(2)])
    again = [face(1, seconds=60.0, shot=9, noise=noise) for noise in (1.8, 2.3, 4.0)]
    strengths = recognise(known, again, places(again), min_likeness=0.0)
    assert MIN_REJECTED_LIKENESS < strengths[1] < MIN_LIKENESS < strengths[0]

    found = recognise(known, again, places(again), min_likeness=MIN_REJECTED_LIKENESS)

    assert np.flatnonzero(found).tolist() == [0, 1]
    assert bound(known, again) == [0]
