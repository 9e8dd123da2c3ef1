"""Near pairs of pHashes, against brute force and on data made to hurt."""

import numpy as np
import pytest

from recommendations import phash_pairs
from recommendations.phash_pairs import find_phash_pairs

BLANK, WHITE = 0, 2**64 - 1
# What a picture of one bright colour has: only the coefficient of its brightness.
BRIGHT = 1 << 63


class Stopped(Exception):
    """Raised by a check to stop the search."""


def random_hashes(count, *, seed=7):
    rng = np.random.default_rng(seed)
    return np.frombuffer(rng.bytes(8 * count), dtype=np.uint64).copy()


def flipped(phash, bits):
    for bit in bits:
        phash = int(phash) ^ (1 << int(bit))
    return np.uint64(phash)


def brute_force(hashes):
    first, second = np.triu_indices(len(hashes), k=1)
    distances = np.bitwise_count(hashes[first] ^ hashes[second])
    near = distances <= 10
    telling = phash_pairs.is_telling(hashes)
    near &= telling[first] & telling[second]
    return set(
        zip(
            first[near].tolist(),
            second[near].tolist(),
            distances[near].tolist(),
            strict=True,
        )
    )


def found(hashes):
    pairs = find_phash_pairs(np.asarray(hashes, dtype=np.uint64))
    rows = list(
        zip(
            pairs.first.tolist(),
            pairs.second.tolist(),
            pairs.distances.tolist(),
            strict=True,
        )
    )
    assert len(rows) == len(set(rows))
    assert rows == sorted(rows)
    return set(rows)


def test_all_pairs_up_to_ten_bits_are_found_among_random_hashes():
    rng = np.random.default_rng(3)
    hashes = random_hashes(1500)
    for distance in range(14):
        for _ in range(40):
            origin, copy = rng.choice(1500, 2, replace=False)
            bits = rng.choice(64, distance, replace=False)
            hashes[copy] = flipped(hashes[origin], bits)

    assert found(hashes) == brute_force(hashes)


@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_are_found_where_flips_fall_in_few_bands(seed):
    rng = np.random.default_rng(seed)
    [origin] = random_hashes(1, seed=seed)
    hashes = [origin]
    for _ in range(28):
        band = int(rng.integers(0, 49))
        bits = band + rng.choice(16, rng.integers(1, 11), replace=False)
        hashes.append(flipped(origin, bits))

    assert found(hashes) == brute_force(np.array(hashes, dtype=np.uint64))


def test_flips_at_the_bound_of_every_band_are_found():
    [origin] = random_hashes(1)
    # 3 + 3 + 3 + 1: the last band alone finds it. 2 + 3 + 3 + 2: the first does.
    layouts = [(3, 3, 3, 1), (2, 3, 3, 2), (3, 2, 3, 2), (3, 3, 2, 2), (0, 0, 0, 10)]

    for layout in layouts:
        bits = [16 * band + bit for band in range(4) for bit in range(layout[band])]
        assert found([origin, flipped(origin, bits)]) == {(0, 1, 10)}
        assert found([origin, flipped(origin, [*bits, 40])]) == set()


def test_hashes_that_say_nothing_have_no_pairs():
    hashes = [BLANK, BLANK, WHITE, WHITE, BRIGHT, BRIGHT, 1, WHITE - 1]

    assert found(hashes) == set()


def test_five_thousand_blank_scenes_cost_nothing():
    hashes = np.concatenate([np.zeros(5000, dtype=np.uint64), random_hashes(10)])

    assert found(hashes) == set()


def test_some_equal_hashes_are_all_paired():
    [phash] = random_hashes(1)

    assert found([phash] * 4) == {
        (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 2, 0), (1, 3, 0), (2, 3, 0)
    }  # fmt: skip


def test_many_equal_hashes_are_each_paired_with_the_first():
    near, phash = random_hashes(1)[0], flipped(random_hashes(1)[0], [1, 5])

    pairs = found([near, *[phash] * 5000])

    assert pairs == {
        (0, 1, 2),
        *((1, position, 0) for position in range(2, 5001)),
    }


def test_a_crowd_of_near_hashes_is_bounded_and_told():
    rng = np.random.default_rng(5)
    [origin] = random_hashes(1)
    crowd = [flipped(origin, rng.choice(64, 5, replace=False)) for _ in range(600)]
    apart = flipped(random_hashes(2)[1], [])
    hashes = np.array([*crowd, apart, flipped(apart, [3])], dtype=np.uint64)

    pairs = find_phash_pairs(hashes)

    assert 580 < pairs.crowded_count <= 600
    assert 30 * 600 / 2 < len(pairs) < 100 * 600
    assert (600, 601) in set(
        zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    )
    exact = brute_force(hashes)
    rows = zip(pairs.first, pairs.second, pairs.distances, strict=True)
    assert all((int(a), int(b), int(c)) in exact for a, b, c in rows)


def test_work_in_small_chunks_finds_the_same(monkeypatch):
    hashes = np.concatenate([random_hashes(300), random_hashes(200)])
    whole = found(hashes)

    monkeypatch.setattr(phash_pairs, "_CHUNK", 7)

    assert found(hashes) == whole == brute_force(hashes)


def test_a_search_can_be_stopped_at_once():
    hashes = random_hashes(3000)
    calls: list[None] = []

    def check():
        calls.append(None)
        if len(calls) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        find_phash_pairs(hashes, check=check)

    assert len(calls) == 3


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_hashes_are_no_trouble(count):
    assert found(random_hashes(count)) == set()
