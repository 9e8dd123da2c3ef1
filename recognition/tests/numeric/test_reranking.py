"""Evidence changes the order, and never says more of a face than the face did."""

import itertools

import pytest

from recognition.numeric.reranking import (
    EvidencedPerson,
    FaceCandidate,
    Multipliers,
    rerank,
    rerank_people,
)


def candidate(name, distance, confidence=None):
    confidence = 1 - distance if confidence is None else confidence
    return FaceCandidate(name, distance, confidence)


def person(*candidates, **multipliers):
    """A person; `multipliers` are of the tattoos of those named."""
    return EvidencedPerson(
        candidates,
        [
            Multipliers(tattoo=multipliers.get(one.universal_id, 1.0))
            for one in candidates
        ],
    )


def names(people, rankings):
    return [
        [someone.candidates[ranked.position].universal_id for ranked in ranking]
        for someone, ranking in zip(people, rankings, strict=True)
    ]


def test_the_score_is_the_face_times_the_evidence():
    ranked = rerank(
        EvidencedPerson([candidate("a", 0.25)], [Multipliers(body=0.6, tattoo=1.5)])
    )

    assert ranked[0].score == pytest.approx(1 / 1.25 * 0.6 * 1.5)


def test_a_tattoo_brings_the_second_forward():
    someone = person(candidate("a", 0.30), candidate("b", 0.35), b=1.4)

    (ranking,) = names([someone], [rerank(someone)])

    assert ranking == ["b", "a"]


def test_confidence_never_contradicts_the_order():
    # I6: percentages that rise down the list.
    someone = person(
        candidate("a", 0.1), candidate("b", 0.4), candidate("c", 0.45), b=1.5, a=0.7
    )

    ranked = rerank(someone)

    assert [one.position for one in ranked] == [1, 2, 0]
    assert [one.confidence for one in ranked] == pytest.approx([0.6, 0.55, 0.55])


def test_evidence_never_makes_a_face_look_nearer_than_it_was():
    someone = person(candidate("a", 0.5), candidate("b", 0.6), a=1.5, b=1.5)

    for ranked in rerank(someone):
        assert ranked.confidence <= someone.candidates[ranked.position].confidence


def test_nobody_is_added_and_nobody_lost():
    # I5: whom the limits kept out stays out.
    someone = person(*(candidate(f"p{n}", n / 10) for n in range(9)), p3=1.5, p7=0.3)

    ranked = rerank(someone)

    assert sorted(one.position for one in ranked) == [*range(9)]


@pytest.mark.parametrize("multiplier", [1.0, 0.7, 1.3])
def test_evidence_that_says_the_same_of_all_leaves_the_vote_alone(multiplier):
    # I6: a tag put "b" first although its distance is greater.
    someone = person(
        candidate("b", 0.40), candidate("a", 0.38), b=multiplier, a=multiplier
    )

    (ranking,) = names([someone], [rerank(someone)])

    assert ranking == ["b", "a"]


def test_evidence_beats_a_vote():
    someone = person(candidate("b", 0.40), candidate("a", 0.38), b=0.7)

    (ranking,) = names([someone], [rerank(someone)])

    assert ranking == ["a", "b"]


def test_nobody_ranks_nobody():
    assert rerank(EvidencedPerson([], [])) == []


def test_evidence_does_not_make_one_performer_two_people():
    # I6: both would be "x" by their tattoos.
    people = [
        person(candidate("x", 0.2), candidate("y", 0.5), x=1.2),
        person(candidate("z", 0.3), candidate("x", 0.31), x=1.5),
    ]

    rankings = rerank_people(people)

    assert names(people, rankings) == [["x", "y"], ["z", "x"]]
    assert [one.confidence for one in rankings[1]] == pytest.approx([0.7, 0.69])


def test_the_next_best_takes_the_place_of_one_who_is_somebody_else():
    people = [
        person(candidate("x", 0.2)),
        person(candidate("z", 0.3), candidate("y", 0.4), candidate("x", 0.4), z=0.3),
    ]

    rankings = rerank_people(people)

    assert names(people, rankings)[1] == ["y", "x", "z"]


def test_who_is_left_is_free_for_those_who_follow():
    people = [
        person(candidate("x", 0.3), candidate("y", 0.31), y=1.5),
        person(candidate("z", 0.3), candidate("x", 0.31), x=1.5),
    ]

    assert [one[0] for one in names(people, rerank_people(people))] == ["y", "x"]


def test_every_mixture_of_evidence_keeps_people_apart():
    def someone(first, second, multipliers):
        chosen = dict(zip((first, second), multipliers, strict=True))
        return person(candidate(first, 0.3), candidate(second, 0.35), **chosen)

    strengths = list(itertools.product([0.3, 1.0, 1.5], repeat=2))
    for left, right, third in itertools.product(strengths, repeat=3):
        people = [
            someone("x", "y", left),
            someone("y", "x", right),
            someone("z", "x", third),
        ]
        best = [ranking[0] for ranking in names(people, rerank_people(people))]
        assert len(set(best)) == 3


def test_people_without_candidates_stay_unknown():
    people = [person(), person(candidate("x", 0.3))]

    assert names(people, rerank_people(people)) == [[], ["x"]]
