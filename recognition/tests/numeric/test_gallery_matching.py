"""Who is in a gallery: people, not the nearest name of every face."""

import random
from itertools import accumulate

import pytest

from recognition.numeric.fusion import Candidate
from recognition.numeric.gallery_matching import match_gallery
from recognition.numeric.scene_matching import ClusteredFaces


def near(*pairs):
    return [
        Candidate(performer, 7, distance, None, None) for performer, distance in pairs
    ]


def people_in(*people, max_distance=0.6):
    """Match people given as lists of faces, a face as (picture, candidates)."""
    faces = [face for person in people for face in person]
    ends = list(accumulate(map(len, people)))
    clusters = [
        [*range(end - len(person), end)]
        for person, end in zip(people, ends, strict=True)
    ]
    frames, candidates = [frame for frame, _ in faces], [found for _, found in faces]
    return match_gallery(
        ClusteredFaces(frames, candidates, clusters), max_distance=max_distance
    )


def named(people):
    return [one.performer for one in people.performers]


def test_an_empty_gallery_has_nobody():
    people = people_in()

    assert people.performers == []
    assert people.unknown == []


def test_a_performer_on_two_pictures_is_named():
    people = people_in([(7, near((1, 0.5))), (3, near((1, 0.45), (2, 0.5)))])

    (performer,) = people.performers
    assert performer.performer == 1
    assert performer.faces == (0, 1)
    assert performer.best_distance == 0.45
    assert performer.avg_distance == pytest.approx(0.475)
    assert performer.confidence == pytest.approx(0.55)
    assert performer.image_count == 2
    assert performer.images == (3, 7)
    assert people.unknown == []


@pytest.mark.parametrize(("distance", "names"), [(0.39, [1]), (0.4, [])])
def test_one_picture_is_enough_only_for_a_certain_face(distance, names):
    people = people_in([(0, near((1, distance)))])

    assert named(people) == names
    assert len(people.unknown) == 1 - len(names)


def test_two_faces_on_one_picture_are_one_picture():
    people = people_in([(0, near((1, 0.5))), (0, near((1, 0.5)))])

    assert named(people) == []


def test_look_alikes_of_different_people_are_not_one_person_on_two_pictures():
    """Fault I23: 27 of 28 names were such."""
    strangers = [[(picture, near((1, 0.5)))] for picture in range(6)]

    people = people_in(*strangers)

    assert people.performers == []
    assert len(people.unknown) == 6


def test_a_person_gets_one_name_however_many_look_alikes_are_near_its_faces():
    """Fault I23: each of them became a result."""
    faces = [(picture, near((1, 0.42))) for picture in range(8)]
    faces += [(picture, near((2, 0.45))) for picture in (8, 9)]

    people = people_in(faces)

    assert named(people) == [1]
    assert people.performers[0].images == tuple(range(8))
    assert people.performers[0].faces == tuple(range(10))


def test_a_stranger_who_resembles_now_one_now_another_has_no_name():
    """Fault I23."""
    faces = [(picture, near((picture // 2, 0.5))) for picture in range(10)]

    people = people_in(faces)

    assert people.performers == []
    (stranger,) = people.unknown
    assert stranger.frame_count == 10
    assert stranger.candidates == ()


def test_precision_among_strangers_is_far_above_the_old_rule():
    """Fault I23, in numbers: strangers on five pictures each, 40 look-alikes."""
    chance = random.Random(3)
    strangers = [
        [(p, near((chance.randrange(40), chance.uniform(0.4, 0.6)))) for p in range(5)]
        for _ in range(50)
    ]
    known = [[(p, near((100 + who, 0.42))) for p in range(3)] for who in range(10)]

    people = people_in(*strangers, *known)

    # Two pictures in the whole gallery would have named all 40 look-alikes as well.
    false = [performer for performer in named(people) if performer < 100]
    assert set(range(100, 110)) <= set(named(people))
    assert len(false) <= 2


def test_a_face_alone_joins_a_performer_who_is_known_to_be_there():
    people = people_in(
        [(0, near((1, 0.3))), (1, near((1, 0.35)))],
        [(5, near((1, 0.55)))],
        [(6, near((2, 0.55)))],
    )

    assert named(people) == [1]
    assert people.performers[0].faces == (0, 1, 2)
    assert people.performers[0].images == (0, 1, 5)
    assert people.performers[0].best_distance == 0.3
    assert [stranger.faces for stranger in people.unknown] == [(3,)]


def test_a_stranger_with_one_look_alike_face_does_not_join():
    people = people_in(
        [(0, near((1, 0.3)))],
        [(1, near((1, 0.55))), (2, []), (3, [])],
    )

    assert people.performers[0].faces == (0,)
    assert [stranger.faces for stranger in people.unknown] == [(1, 2, 3)]


def test_performers_on_most_pictures_come_first_then_the_nearest():
    people = people_in(
        [(0, near((1, 0.2)))],
        [(picture, near((2, 0.45))) for picture in range(3)],
        [(0, near((3, 0.1)))],
    )

    assert named(people) == [2, 3, 1]


def test_nobody_beyond_the_distance_takes_part():
    faces = [(0, near((1, 0.35))), (1, near((1, 0.31))), (2, near((1, 0.29)))]

    people = people_in(faces, max_distance=0.3)

    assert people.performers[0].images == (2,)
    assert people.performers[0].avg_distance == 0.29


def test_each_face_has_one_best_match():
    faces = [(0, near((1, 0.41), (2, 0.42))), (1, near((3, 0.41), (2, 0.42)))]

    people = people_in(faces)

    # 2 is near both and nearest to neither; 1 and 3 are on one picture each.
    assert 2 not in named(people)
