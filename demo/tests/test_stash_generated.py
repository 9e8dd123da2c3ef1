"""Generated libraries: how many of what, planted doubles, and passing through them."""

import random

import pytest

from demo.stash.finding import Found
from demo.stash.generated import ENDPOINT, generated_library
from demo.stash.library import Library, Scene


def plant_duplicates(
    library: Library, count: int, *, max_distance: int = 4, seed: int = 2
) -> list[tuple[str, str]]:
    """Make the last scenes doubles of the first, and return the pairs of ids.

    A double's perceptual hash differs in up to `max_distance` bits, its duration by
    less than a second; its performers, studio and date are the same.
    """
    chance = random.Random(seed)
    ids = list(library.scenes)
    pairs = list(zip(ids[:count], ids[-count:], strict=True))
    if count * 2 > len(ids):
        raise ValueError(f"{len(ids)} scenes have no room for {count} pairs")
    for first_id, second_id in pairs:
        first, second = library.scenes[first_id], library.scenes[second_id]
        original = library.files[first.file_ids[0]]
        double = library.files[second.file_ids[0]]
        known = original.fingerprints.setdefault("phash", f"{chance.getrandbits(64):x}")
        flipped = chance.sample(range(64), chance.randint(0, max_distance))
        value = int(known, 16)
        for bit in flipped:
            value ^= 1 << bit
        double.fingerprints["phash"] = f"{value:x}"
        assert original.duration is not None, original
        double.duration = original.duration + chance.random()
        second.performer_ids = list(first.performer_ids)
        second.studio_id, second.date = first.studio_id, first.date
    return pairs


def test_a_library_has_as_many_rows_as_asked_for():
    library = generated_library(scenes=400, performers=30, studios=5, tags=7)

    sizes = [
        len(rows)
        for rows in (library.scenes, library.performers, library.studios, library.tags)
    ]
    files = library.files.values()
    hashed = [file for file in files if "phash" in file.fingerprints]
    linked = [scene for scene in library.scenes.values() if scene.stash_ids]
    assert sizes == [400, 30, 5, 7]
    assert len(files) > 400
    assert 0.6 < len(hashed) / len(files) < 0.8
    assert 0.5 < len(linked) / 400 < 0.7
    assert {each.endpoint for scene in linked for each in scene.stash_ids} == {ENDPOINT}


def test_the_same_seed_makes_the_same_library():
    first, again, other = (
        generated_library(scenes=5, performers=5, seed=seed) for seed in (3, 3, 4)
    )

    assert (first.scenes, first.files) == (again.scenes, again.files)
    assert first.performers == again.performers
    assert first.scenes != other.scenes


def test_a_library_may_be_of_performers_only():
    library = generated_library(performers=3, studios=0, tags=0)

    assert len(library.performers) == 3
    assert library.scenes == {}


def test_planted_doubles_differ_by_few_bits_and_by_nothing_else():
    library = generated_library(scenes=40, performers=10)

    pairs = plant_duplicates(library, 10, max_distance=4)

    assert len(set(sum(pairs, ()))) == 20
    for first_id, second_id in pairs:
        first, second = library.scenes[first_id], library.scenes[second_id]
        one, other = (library.files[s.file_ids[0]] for s in (first, second))
        bits = int(one.fingerprints["phash"], 16) ^ int(other.fingerprints["phash"], 16)
        assert bits.bit_count() <= 4
        assert one.duration is not None
        assert other.duration == pytest.approx(one.duration, abs=1)
        assert first.performer_ids == second.performer_ids


def test_there_must_be_room_for_the_doubles():
    with pytest.raises(ValueError, match="no room for 3 pairs"):
        plant_duplicates(generated_library(scenes=5), 3)


def test_a_page_by_id_looks_at_no_row_behind_its_end():
    library = generated_library(scenes=50)
    looked_at = []

    class Rows(dict[str, Scene]):
        def __getitem__(self, key):
            looked_at.append(int(key))
            return super().__getitem__(key)

    found = Found(
        library,
        Rows(library.scenes),
        row_filter={"id": {"value": 10, "modifier": "GREATER_THAN"}},
        ids=None,
        paging={"per_page": 5, "sort": "id", "direction": "ASC"},
        sorts={},
    )

    assert [row.id for row in found.page] == ["11", "12", "13", "14", "15"]
    assert looked_at == [11, 12, 13, 14, 15]
    assert found.count == 40
