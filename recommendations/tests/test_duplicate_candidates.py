"""Which pairs of scenes are scored: those of each source, and no more than bounded."""

from itertools import combinations

import pytest

from recommendations.duplicate_candidates import (
    MAX_FOLLOWERS,
    Source,
    find_candidates,
    iter_duplicates,
)
from recommendations.scoring import SceneFacts, score_pair

BOX = "https://stashdb.org/graphql"
PHASH = 0x9F3A_51C2_774D_E016


class Stopped(Exception):
    """Raised by a check to stop the search."""


def scene(scene_id, *, cast=(), stash_id=None, **kwargs):
    stash_ids = frozenset({(BOX, stash_id)} if stash_id else ())
    return SceneFacts(
        str(scene_id), performer_ids=frozenset(cast), stash_ids=stash_ids, **kwargs
    )


def candidate_pairs(scenes, **kwargs):
    candidates = find_candidates(scenes, **kwargs)
    rows = zip(
        candidates.first.tolist(),
        candidates.second.tolist(),
        candidates.sources.tolist(),
        strict=True,
    )
    return [(first, second, Source(sources)) for first, second, sources in rows]


def duplicates(scenes, **kwargs):
    candidates = find_candidates(scenes, faces=kwargs.get("faces"))
    return list(iter_duplicates(scenes, candidates, **kwargs))


def test_a_shared_stash_box_id_makes_a_pair():
    scenes = [scene(1, stash_id="x"), scene(2, stash_id="y"), scene(3, stash_id="x")]

    assert candidate_pairs(scenes) == [(0, 2, Source.STASH_ID)]


def test_near_phashes_make_a_pair():
    scenes = [scene(1, phash=PHASH), scene(2), scene(3, phash=PHASH ^ 0b111)]

    assert candidate_pairs(scenes) == [(0, 2, Source.PHASH)]


def test_a_phash_with_a_sign_is_the_same_bits():
    scenes = [scene(1, phash=PHASH - 2**64), scene(2, phash=PHASH)]

    assert candidate_pairs(scenes) == [(0, 1, Source.PHASH)]


def test_one_day_studio_and_cast_make_a_pair():
    shared = {"date": "2024-01-01", "studio_id": "s"}
    scenes = [
        scene(1, cast=["p", "q"], **shared),
        scene(2, cast=["p", "q"], **shared),
        scene(3, cast=["p"], **shared),
        scene(4, cast=["p", "q"], studio_id="s", date="2024-01-02"),
        scene(5, cast=["p", "q"], studio_id="t", date="2024-01-01"),
    ]

    assert candidate_pairs(scenes) == [(0, 1, Source.METADATA)]


def test_a_week_or_one_length_makes_a_pair_where_faces_were_seen_in_both():
    scenes = [
        scene(1, cast=["p"], studio_id="s", date="2024-01-01"),
        scene(2, cast=["p", "q"], studio_id="s", date="2024-01-08"),
        scene(3, cast=["p"], studio_id="s", date="2024-02-01", duration_seconds=600.0),
        scene(4, cast=["p"], studio_id="s", duration_seconds=601.5),
        scene(5, cast=["p"], studio_id="s", date="2024-01-02"),
    ]
    faces = {str(number): {f"only-{number}": 5} for number in range(1, 5)}

    assert candidate_pairs(scenes) == []
    assert candidate_pairs(scenes, faces=faces) == [
        (0, 1, Source.METADATA),
        (2, 3, Source.METADATA),
    ]


def test_the_same_people_on_one_day_or_for_as_long_make_a_pair():
    scenes = [
        scene(1, date="2024-01-01", duration_seconds=600.0),
        scene(2, date="2024-01-01", duration_seconds=900.0),
        scene(3, duration_seconds=602.0),
        scene(4, date="2024-01-01", duration_seconds=600.0),
    ]
    faces = {
        "1": {"a": 50, "b": 50, "passer-by": 1, "unknown": 9},
        "2": {"a": 10, "b": 10},
        "3": {"b": 3, "a": 2},
        "4": {"a": 10},
    }

    assert candidate_pairs(scenes, faces=faces) == [
        (0, 1, Source.FACES),
        (0, 2, Source.FACES),
    ]


def test_a_pair_of_several_sources_comes_once():
    shared = {"date": "2024-01-01", "studio_id": "s", "cast": ["p"], "phash": PHASH}
    scenes = [scene(1, stash_id="x", **shared), scene(2, stash_id="x", **shared)]

    [(first, second, sources)] = candidate_pairs(scenes)

    assert (first, second) == (0, 1)
    assert sources == Source.STASH_ID | Source.PHASH | Source.METADATA


def test_a_day_of_one_performer_at_one_studio_is_bounded_and_told():
    scenes = [
        scene(number, cast=["p"], studio_id="s", date="2024-01-01")
        for number in range(2000)
    ]

    candidates = find_candidates(scenes)

    assert len(candidates) <= MAX_FOLLOWERS * len(scenes)
    assert candidates.cut_counts[Source.METADATA] == 2000 - MAX_FOLLOWERS - 1


def test_a_partial_date_is_no_day():
    scenes = [scene(n, cast=["p"], studio_id="s", date="2024") for n in (1, 2)]

    assert candidate_pairs(scenes) == []


def test_nobody_is_missed_whom_scoring_would_tell_without_pictures():
    studios, dates = ("s", "t", None), ("2024-01-01", "2024-01-02", None)
    casts = ((), ("p",), ("q",), ("p", "q"))
    scenes = [
        scene(f"{studio}{date}{cast}{copy}", cast=cast, studio_id=studio, date=date)
        for studio in studios
        for date in dates
        for cast in casts
        for copy in (1, 2)
    ]

    told = {(pair.a.scene_id, pair.b.scene_id) for pair in duplicates(scenes)}

    assert told == {
        (a.scene_id, b.scene_id)
        for a, b in combinations(scenes, 2)
        if score_pair(a, b).is_duplicate
    }


def test_duplicates_are_told_with_score_and_sources():
    scenes = [scene(1, phash=PHASH), scene(2, phash=PHASH ^ 1), scene(3)]

    [pair] = duplicates(scenes)

    assert (pair.a.scene_id, pair.b.scene_id) == ("1", "2")
    assert pair.score.confidence == 78.5
    assert pair.score.phash_distance == 1
    assert pair.sources == Source.PHASH


def test_blank_phashes_are_no_evidence():
    shared = {"date": "2024-01-01", "studio_id": "s", "cast": ["p"], "phash": 0}

    [pair] = duplicates([scene(1, **shared), scene(2, **shared)])

    assert pair.score.phash_distance is None
    assert pair.score.confidence == 55


def test_pairs_below_the_bound_are_left_out():
    scenes = [scene(1, phash=PHASH), scene(2, phash=PHASH ^ 0b11111)]

    assert duplicates(scenes) == []
    assert len(duplicates(scenes, min_confidence=31.0)) == 1


@pytest.mark.parametrize("allowed", [0, 1, 5])
def test_the_search_stops_when_the_check_says_so(allowed):
    scenes = [scene(number, phash=PHASH ^ number) for number in range(50)]
    calls: list[None] = []

    def check():
        if len(calls) == allowed:
            raise Stopped
        calls.append(None)

    with pytest.raises(Stopped):
        find_candidates(scenes, check=check)


def test_scoring_stops_when_the_check_says_so():
    scenes = [scene(1, phash=PHASH), scene(2, phash=PHASH)]
    candidates = find_candidates(scenes)

    def check():
        raise Stopped

    with pytest.raises(Stopped):
        next(iter_duplicates(scenes, candidates, check=check))


@pytest.mark.parametrize("scenes", [[], [scene(1, phash=PHASH)]])
def test_a_library_without_pairs_has_no_candidates(scenes):
    assert candidate_pairs(scenes) == []
    assert duplicates(scenes) == []


@pytest.mark.parametrize(
    ("one", "other", "is_told"),
    [
        ({}, {}, True),
        ({"phash": PHASH}, {}, True),
        ({"phash": PHASH}, {"phash": PHASH ^ (2**20 - 1)}, True),
        ({"phash": PHASH}, {"phash": PHASH ^ (2**21 - 1)}, False),
        ({"duration_seconds": 1000}, {}, True),
        ({"duration_seconds": 1000}, {"duration_seconds": 900}, True),
        ({"duration_seconds": 890}, {"duration_seconds": 1000}, False),
    ],
)
def test_metadata_alone_are_no_word_against_pictures_or_lengths(one, other, is_told):
    shared = {"date": "2024-01-01", "studio_id": "s", "cast": ["p"]}
    scenes = [scene(1, **shared, **one), scene(2, **shared, **other)]

    assert bool(duplicates(scenes)) is is_told


def test_ids_pictures_and_people_stand_against_other_lengths():
    seen = {"date": "2024-01-01", "cast": ["p"]}
    scenes = [
        scene(1, phash=PHASH, duration_seconds=100),
        scene(2, phash=PHASH, duration_seconds=1000),
        scene(3, stash_id="a", duration_seconds=100),
        scene(4, stash_id="a", duration_seconds=1000),
        scene(5, **seen, phash=PHASH ^ (2**22 - 1), duration_seconds=100),
        scene(6, **seen, phash=~PHASH & (2**64 - 1), duration_seconds=1000),
    ]
    faces = {"5": {"p": 10}, "6": {"p": 10}}

    told = [
        (pair.a.scene_id, pair.b.scene_id) for pair in duplicates(scenes, faces=faces)
    ]

    assert told == [("1", "2"), ("3", "4"), ("5", "6")]
