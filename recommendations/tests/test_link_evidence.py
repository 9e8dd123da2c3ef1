"""Whom a performer's faces show: pieces of evidence, shares, names."""

import pytest

from recommendations.link_evidence import (
    Evidence,
    Medium,
    Recognised,
    normalised_name,
)

ADA, BEA, CLEO = 1, 2, 3
AT_BOX = "box.example"
X, Y, Z = (f"{AT_BOX}:{name}" for name in "xyz")


def face_of(universal_id, confidence=1.0, local=None):
    return Recognised(universal_id, universal_id, confidence, local)


def judged(*media, ids=None, names=None):
    """Return the candidates after media given as (tagged, recognised)."""
    evidence = Evidence(ids or {ADA: set(), BEA: set(), CLEO: set()})
    for number, (tagged, people) in enumerate(media):
        evidence.add(Medium("scene", number), tagged, people)
    return list(evidence.candidates(names or {}))


def pairs(*media, **facts):
    return [(each.performer_id, each.universal_id) for each in judged(*media, **facts)]


def test_two_scenes_of_one_performer_and_one_face_are_enough():
    (candidate,) = judged(([ADA], [face_of(X)]), ([ADA], [face_of(X)]))

    assert (candidate.performer_id, candidate.universal_id) == (ADA, X)
    assert (candidate.support, candidate.share) == (2.0, 1.0)
    assert (candidate.alone_count, candidate.contradicting_count) == (2, 0)
    assert candidate.confidence == 0.75


@pytest.mark.parametrize(
    ("piece_count", "confidence"), [(1, 0.5), (2, 0.75), (3, 0.875), (40, 1.0)]
)
def test_each_piece_of_evidence_halves_the_doubt(piece_count, confidence):
    (candidate,) = judged(*[([ADA], [face_of(X)])] * piece_count)

    assert candidate.confidence == confidence


def test_uncertain_faces_count_less():
    assert judged(([ADA], [face_of(X, 0.9)])) == []
    (candidate,) = judged(*[([ADA], [face_of(X, 0.8)])] * 2)

    assert candidate.confidence == 0.6


def test_a_name_that_agrees_halves_the_doubt():
    (candidate,) = judged(([ADA], [face_of(X, 0.8)]), names={ADA: ["Anna", X.upper()]})

    assert candidate.name_agrees
    assert candidate.confidence == 0.7


def test_a_name_alone_is_never_enough():
    names = {ADA: [X]}

    assert judged(names=names) == []
    assert judged(([ADA], []), names=names) == []
    # Half a piece: it may as well be the other one's face.
    assert judged(([ADA, BEA], [face_of(X)]), names=names) == []


def test_another_face_in_the_same_performers_scenes_speaks_against():
    for_x = [([ADA], [face_of(X)])] * 3

    assert pairs(*for_x, ([ADA], [face_of(Y)])) == [(ADA, X)]
    (candidate,) = judged(*for_x, ([ADA], [face_of(Y)]))
    assert (candidate.share, candidate.contradicting_count) == (0.75, 1)
    assert pairs(*for_x, *[([ADA], [face_of(Y)])] * 2) == []


def test_scenes_without_a_known_face_say_nothing():
    media = [([ADA], [face_of(X)])] * 2 + [([ADA], [])] * 10

    assert judged(*media)[0].share == 1.0


def test_who_is_tagged_with_the_id_of_a_face_is_set_aside_with_it():
    ids = {ADA: set(), BEA: {Y}}
    media = [([ADA, BEA], [face_of(X), face_of(Y)])] * 2

    (candidate,) = judged(*media, ids=ids)

    assert (candidate.performer_id, candidate.support) == (ADA, 2.0)
    assert candidate.alone_count == 0


def test_who_has_another_id_there_is_in_no_question():
    ids = {ADA: set(), BEA: {Y}}

    assert pairs(*[([ADA, BEA], [face_of(X)])] * 2, ids=ids) == [(ADA, X)]


def test_of_two_who_are_together_the_one_who_is_there_without_the_other_is_named():
    together = [([ADA, BEA], [face_of(X), face_of(Y)])] * 4

    assert judged(*together) == []
    assert (ADA, X) in pairs(*together, *[([ADA], [face_of(X)])] * 3)


def test_an_id_that_somebody_has_is_nobodys_candidate():
    ids = {ADA: set(), CLEO: {X}}

    assert pairs(*[([ADA], [face_of(X)])] * 5, ids=ids) == []


def test_of_two_who_may_be_one_person_the_likelier_has_them():
    media = [([ADA], [face_of(X)])] * 2 + [([BEA], [face_of(X)])] * 3

    assert pairs(*media) == [(BEA, X)]


def test_somebody_with_an_id_at_another_box_may_still_get_one_here():
    ids = {ADA: {"other.example:a"}}

    assert pairs(*[([ADA], [face_of(X)])] * 2, ids=ids) == [(ADA, X)]


def test_a_local_performers_own_faces_are_evidence_wherever_they_are():
    media = [([BEA], [face_of(X, local=ADA), face_of(Y)])] * 2

    assert pairs(*media) == [(ADA, X), (BEA, Y)]


def test_a_local_performer_whom_no_release_knows_is_set_aside():
    media = [([ADA, BEA], [face_of("", local=ADA), face_of(Y)])] * 2

    assert pairs(*media) == [(BEA, Y)]


def test_names_compare_whatever_their_case_width_or_spaces():
    assert normalised_name("  Straße  \uff21\uff44\uff41 ") == normalised_name(
        "STRASSE ada"
    )
    assert normalised_name("Zoe\u0308") == normalised_name("Zo\u00eb")
    assert normalised_name("Zoë") != normalised_name("Zoe")
