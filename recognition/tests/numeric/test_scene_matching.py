"""Who is in a scene, in every mode: against the recorded cases and at its edges."""

import random
import time
from itertools import accumulate

import numpy as np
import pytest

from recognition.numeric.clustering import cluster_faces, merge_same_performer
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import COVER_FRAME, FACE_BY_FACE
from recognition.numeric.scene_matching import (
    MIN_CONFIDENCE,
    ClusteredFaces,
    match_scene,
)
from recognition.tests.vectors import load_cases

FREQUENCY, CLUSTER, HYBRID = FACE_BY_FACE
EVERY_MODE = pytest.mark.parametrize("mode", FACE_BY_FACE)

# Recorded to six decimals.
ROUNDING = 1e-6


def near(*pairs):
    """Candidates of a face from (performer, distance) pairs."""
    return [
        Candidate(performer, 7, distance, distance, None)
        for performer, distance in sorted(pairs, key=lambda pair: pair[1])
    ]


def people_in(*people, mode=FREQUENCY, **kwargs):
    """Match people given as lists of faces, a face as (frame, candidates)."""
    faces = [face for person in people for face in person]
    ends = list(accumulate(map(len, people)))
    clusters = [
        [*range(end - len(person), end)]
        for person, end in zip(people, ends, strict=True)
    ]
    frames, candidates = [frame for frame, _ in faces], [found for _, found in faces]
    return match(frames, candidates, clusters, mode=mode, **kwargs)


def match(frames, candidates, clusters, *, top_k=3, max_distance=0.5, **kwargs):
    return match_scene(
        ClusteredFaces(frames, candidates, clusters),
        top_k=top_k,
        max_distance=max_distance,
        **kwargs,
    )


def best_of(people):
    return [
        person.candidates[0].performer if person.candidates else None
        for person in people
    ]


def listed(person):
    return [candidate.performer for candidate in person.candidates]


def row_of(name):
    return int(name.removeprefix("p"))


@pytest.mark.parametrize("case", load_cases("scene_frequency"))
def test_frequency_is_as_recorded(case):
    faces = case["faces"]
    candidates = [
        near(*((row_of(m["performer"]), m["distance"]) for m in face["matches"]))
        for face in faces
    ]
    # Of one person equal, of different people orthogonal, as in the recording.
    embeddings = np.eye(8, 512, dtype=np.float32)[[face["person"] for face in faces]]
    clusters = merge_same_performer(
        cluster_faces(embeddings, embeddings),
        candidates,
        max_distance=case["max_distance"],
    )

    people = match(
        [face["frame"] for face in faces],
        candidates,
        clusters,
        mode=FREQUENCY,
        top_k=case["top_k"],
        max_distance=case["max_distance"],
        tagged={row_of(name) for name in case["tagged"]},
    )

    assert best_of(people) == [row_of(person["best"]) for person in case["persons"]]
    for person, recorded in zip(people, case["persons"], strict=True):
        assert person.frame_count == recorded["frame_count"]
        assert listed(person) == [row_of(m["performer"]) for m in recorded["matches"]]
        np.testing.assert_allclose(
            [candidate.distance for candidate in person.candidates],
            [m["distance"] for m in recorded["matches"]],
            atol=ROUNDING,
        )


@EVERY_MODE
def test_no_faces_are_no_people(mode):
    assert match([], [], [], mode=mode) == []


@EVERY_MODE
def test_one_person_in_two_frames_is_named(mode):
    (person,) = people_in([(0, near((4, 0.2))), (1, near((4, 0.3)))], mode=mode)

    (candidate,) = person.candidates
    assert person.faces == (0, 1)
    assert person.frame_count == 2
    assert candidate.performer == 4
    assert candidate.distance == pytest.approx(0.25)
    assert candidate.confidence == pytest.approx(0.8)
    assert candidate.frame_count == 2


@pytest.mark.parametrize(
    ("mode", "best"), [(FREQUENCY, 4), (CLUSTER, 4), (HYBRID, None)]
)
def test_a_person_in_one_frame_is_named_unless_two_are_wanted(mode, best):
    people = people_in([(0, near((4, 0.2)))], mode=mode)

    assert best_of(people) == [best]


@EVERY_MODE
def test_unknown_people_are_people(mode):
    """Fault I20: a scene of strangers had no result at all."""
    people = people_in(
        [(0, []), (1, [])], [(0, []), (1, []), (2, [])], [(5, [])], mode=mode
    )

    assert best_of(people) == [None, None, None]
    assert [person.frame_count for person in people] == [3, 2, 1]
    assert sorted(face for person in people for face in person.faces) == [*range(6)]


@EVERY_MODE
def test_the_named_come_first_and_then_who_is_in_most_frames(mode):
    """Fault I21: the faces of the unknown are kept beside those of the known."""
    people = people_in(
        [(0, near((1, 0.3))), (1, near((1, 0.3)))],
        [(frame, []) for frame in range(9)],
        [(frame, near((2, 0.3))) for frame in range(5)],
        mode=mode,
    )

    assert best_of(people) == [2, 1, None]
    assert [person.frame_count for person in people] == [5, 2, 9]


@EVERY_MODE
def test_two_people_are_never_one_performer(mode):
    """Fault I6: one performer could be given to two people."""
    people = people_in(
        [(frame, near((1, 0.30), (2, 0.34))) for frame in range(6)],
        [(frame, near((1, 0.30), (3, 0.36))) for frame in range(5)],
        [(frame, near((1, 0.30), (2, 0.34))) for frame in range(4)],
        mode=mode,
    )

    named = [performer for performer in best_of(people) if performer is not None]
    assert best_of(people)[0] == 1
    assert len(named) == len(set(named))


@EVERY_MODE
def test_a_performer_stands_once_in_a_list(mode):
    """Fault I2: one performer of many faces filled the list."""
    faces = [(frame, near((1, 0.2), (2, 0.3), (3, 0.4))) for frame in range(8)]

    (person,) = people_in(faces, mode=mode, top_k=10)

    assert len(set(listed(person))) == len(person.candidates)
    assert person.candidates[0].frame_count == 8


@EVERY_MODE
def test_the_answer_ends_at_top_k(mode):
    faces = [(frame, near(*((p, 0.2 + p / 100) for p in range(9)))) for frame in (0, 1)]

    (person,) = people_in(faces, mode=mode, top_k=2)

    assert len(person.candidates) == (1 if mode is HYBRID else 2)


@EVERY_MODE
def test_nobody_beyond_the_distance_takes_part(mode):
    faces = [(0, near((1, 0.31), (2, 0.29))), (1, near((1, 0.31), (2, 0.5)))]

    (person,) = people_in(faces, mode=mode, max_distance=0.3)

    assert 1 not in listed(person)
    if mode is HYBRID:
        assert person.candidates == ()
    else:
        assert person.candidates[0].distance == pytest.approx(0.29)
        assert person.candidates[0].frame_count == 1


@EVERY_MODE
def test_who_is_too_far_to_be_accepted_is_nobodys_match_at_any_distance(mode):
    """Fault I12: labels below the bound that matches were said to be above."""
    people = people_in(
        [(frame, near((1, 0.66), (2, 0.7))) for frame in range(60)],
        [(frame, near((3, 0.64), (4, 0.9))) for frame in range(3)],
        mode=mode,
        max_distance=2.0,
    )

    assert best_of(people) == [3, None]
    assert all(
        candidate.confidence >= MIN_CONFIDENCE
        for person in people
        for candidate in person.candidates
    )


@EVERY_MODE
def test_confidence_never_contradicts_order_nor_bound(mode):
    """Faults I6 and I12, on scenes of chance."""
    chance = random.Random(4)
    for _ in range(200):
        people = people_in(*random_people(chance), mode=mode, max_distance=0.9)

        for person in people:
            confidences = [one.confidence for one in person.candidates]
            assert confidences == sorted(confidences, reverse=True)
            assert all(MIN_CONFIDENCE <= one <= 1 for one in confidences)


@EVERY_MODE
def test_the_rules_hold_for_scenes_of_chance(mode):
    chance = random.Random(5)
    for _ in range(200):
        given = random_people(chance)

        people = people_in(*given, mode=mode, max_distance=0.6, tagged={1, 5})

        face_count = sum(map(len, given))
        assert sorted(f for p in people for f in p.faces) == [*range(face_count)]
        named = [best for best in best_of(people) if best is not None]
        assert len(named) == len(set(named))
        assert [best is None for best in best_of(people)] == sorted(
            best is None for best in best_of(people)
        )
        for person in people:
            assert len(set(listed(person))) == len(person.candidates) <= 3
            assert all(
                one.distance <= 0.6 and one.frame_count <= person.frame_count
                for one in person.candidates
            )


@EVERY_MODE
def test_the_order_of_the_frames_does_not_matter(mode):
    chance = random.Random(6)
    for _ in range(50):
        given = random_people(chance)
        people = people_in(*given, mode=mode, tagged={3})
        renumbered = [*range(40)]
        chance.shuffle(renumbered)
        shuffled = [
            [(renumbered[frame], found) for frame, found in faces] for faces in given
        ]
        for faces in shuffled:
            chance.shuffle(faces)
        chance.shuffle(shuffled)

        again = people_in(*shuffled, mode=mode, tagged={3})

        assert sorted(without_faces(again)) == sorted(without_faces(people))


def random_people(chance):
    return [
        [
            (
                chance.randrange(40),
                near(
                    *(
                        (performer, chance.uniform(0.1, 0.9))
                        for performer in chance.sample(range(12), chance.randrange(5))
                    )
                ),
            )
            for _ in range(chance.randrange(1, 9))
        ]
        for _ in range(chance.randrange(1, 7))
    ]


def without_faces(people):
    return [
        (
            person.frame_count,
            [
                (one.performer, one.distance, one.confidence)
                for one in person.candidates
            ],
        )
        for person in people
    ]


@EVERY_MODE
def test_a_tagged_performer_gets_ahead_of_an_equal(mode):
    """In hybrid too, where the predecessor did not look at tags."""
    faces = [(0, near((1, 0.300), (2, 0.301))), (1, near((1, 0.300), (2, 0.301)))]

    plain = people_in(faces, mode=mode)
    with_tag = people_in(faces, mode=mode, tagged={2})

    assert best_of(plain) == [1]
    assert best_of(with_tag) == [2]


@EVERY_MODE
def test_a_tag_does_not_bring_in_somebody_clearly_farther(mode):
    faces = [(0, near((1, 0.2), (2, 0.4))), (1, near((1, 0.2), (2, 0.4)))]

    people = people_in(faces, mode=mode, tagged={2})

    assert best_of(people) == [1]


@EVERY_MODE
def test_a_distance_that_does_not_exist_stays_absent(mode):
    """Fault I4: it used to be reported as 0, a perfect match."""
    faces = [
        (0, [Candidate(1, 7, 0.3, 0.2, None), Candidate(2, 8, 0.4, None, 0.3)]),
        (1, [Candidate(1, 7, 0.2, 0.3, None), Candidate(2, 8, 0.45, 0.4, None)]),
    ]

    (person,) = people_in(faces, mode=mode)

    first, *others = person.candidates
    assert first.facenet_distance == pytest.approx(0.25)
    assert first.arcface_distance is None
    for second in others:
        assert second.facenet_distance == pytest.approx(0.4)
        assert second.arcface_distance == pytest.approx(0.3)


@EVERY_MODE
def test_two_faces_of_one_frame_count_one_frame(mode):
    """Fault I2: a frame with several near faces counted several times."""
    (person,) = people_in(
        [(3, near((1, 0.2))), (3, near((1, 0.3))), (4, near((1, 0.4)))], mode=mode
    )

    assert person.frame_count == 2
    assert person.candidates[0].frame_count == 2


@EVERY_MODE
def test_the_cover_is_a_frame(mode):
    (person,) = people_in(
        [(COVER_FRAME, near((1, 0.2))), (0, near((1, 0.3)))], mode=mode
    )

    assert person.frame_count == 2
    assert best_of([person]) == [1]


def test_frequency_prefers_who_is_near_in_many_frames():
    faces = [(frame, near((1, 0.30))) for frame in range(5)]
    faces.append((5, near((2, 0.25))))

    (person,) = people_in(faces)

    assert listed(person) == [1, 2]
    # 2 is nearer once; it may not look likelier than who stands before it.
    assert person.candidates[1].confidence == person.candidates[0].confidence == 0.7


def test_cluster_prefers_who_is_near_most_of_the_faces():
    faces = [(frame, near((1, 0.4))) for frame in range(9)]
    faces.append((9, near((2, 0.15))))

    (person,) = people_in(faces, mode=CLUSTER)

    assert listed(person) == [1, 2]


def test_in_cluster_a_chosen_performer_is_no_alternative_of_others():
    people = people_in(
        [(frame, near((1, 0.2))) for frame in range(4)],
        [(frame, near((1, 0.3), (2, 0.4))) for frame in range(3)],
        mode=CLUSTER,
    )

    assert [listed(person) for person in people] == [[1], [2]]


def test_in_frequency_a_chosen_performer_may_follow_as_an_alternative():
    people = people_in(
        [(frame, near((1, 0.2))) for frame in range(4)],
        [(frame, near((1, 0.3), (2, 0.4))) for frame in range(3)],
    )

    assert [listed(person) for person in people] == [[1], [2, 1]]


def test_hybrid_does_not_name_a_person_by_the_frames_of_another():
    star = [(frame, near((1, 0.2), (2, 0.4))) for frame in range(30)]
    stranger = [(0, near((2, 0.45))), (1, []), (2, [])]

    people = people_in(star, stranger, mode=HYBRID)

    assert best_of(people) == [1, None]


def test_hybrid_prefers_who_is_near_the_whole_person_to_who_is_nearer_now_and_then():
    faces = [(index % 2, near((1, 0.3))) for index in range(7)]
    faces += [(0, near((1, 0.3), (2, 0.15))), (1, near((1, 0.3), (2, 0.15)))]

    people = people_in(faces, mode=HYBRID)

    assert best_of(people) == [1]


@pytest.mark.parametrize("tagged", [2, 3])
def test_in_hybrid_who_comes_late_gets_the_next_best(tagged):
    people = people_in(
        [(frame, near((1, 0.2))) for frame in range(6)],
        [(frame, near((1, 0.3), (2, 0.400), (3, 0.401))) for frame in range(5)],
        mode=HYBRID,
        tagged={tagged},
    )

    assert best_of(people) == [1, tagged]


def test_hybrid_names_at_most_twice_top_k_people():
    people = people_in(
        *[[(frame, near((p, 0.3))) for frame in range(p + 2)] for p in range(5)],
        mode=HYBRID,
        top_k=1,
    )

    assert best_of(people) == [4, 3, None, None, None]
    assert [person.frame_count for person in people] == [6, 5, 4, 3, 2]


@EVERY_MODE
def test_a_long_scene_is_matched_quickly(mode):
    chance = random.Random(7)
    people = [
        [
            (chance.randrange(120), near(*((p, chance.random()) for p in range(20))))
            for _ in range(40)
        ]
        for _ in range(50)
    ]

    start = time.process_time()
    named = people_in(*people, mode=mode, top_k=10)

    assert len(named) == 50
    # Takes 0.1 s; comparing every face with every other would take minutes.
    assert time.process_time() - start < 5
