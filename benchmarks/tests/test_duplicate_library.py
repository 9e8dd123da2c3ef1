"""The made-up library: what is planted in it is found, and no near miss."""

from benchmarks.duplicate_library import make_library
from recommendations.duplicate_candidates import find_candidates, iter_duplicates


def test_every_planted_pair_is_found_and_no_near_miss():
    library = make_library(4_000)

    candidates = find_candidates(library.scenes, faces=library.faces)
    duplicates = {
        (pair.a.scene_id, pair.b.scene_id)
        for pair in iter_duplicates(library.scenes, candidates, faces=library.faces)
    }

    assert len(library.planted) == 80
    assert library.planted <= duplicates
    assert not library.near_misses & duplicates


def test_the_same_seed_makes_the_same_library():
    assert make_library(500, seed=3) == make_library(500, seed=3)
    assert make_library(500, seed=3) != make_library(500, seed=4)
