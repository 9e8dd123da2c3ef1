"""Which pictures are alike: all pairs of pHashes that differ in ten bits or fewer.

Multi-index hashing. The 64 bits are cut into four bands of 16. Of two hashes ten bits
apart, one of the first three bands differs in two bits at most, or the last in one:
else they would differ in 3 + 3 + 3 + 2 = 11. So it is enough to compare hashes whose
band is a neighbour's: for each of the 137 (17) ways to flip so few bits of a band, one
look-up for all hashes together. A pair is reported by the first band that finds it.

70,000 hashes take 1.4 s on two cores; five bands of 13 bits took 1.5 s and twice the
memory, six of 11 bits 2.4 s: their buckets are fuller.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.scoring import MAX_PHASH_DISTANCE

# A picture of one colour has a hash without bits, or with the one of its brightness;
# it says nothing about the scene. The pHash of a picture has about 32 of its bits set.
MIN_SET_BITS, MAX_SET_BITS = 2, 62
# More scenes than these with one hash, or near it, are no duplicates of each other but
# a studio's title card or the like.
MAX_ALL_PAIRS_OF_EQUALS = 50
MAX_NEAR_HASHES = 30
# Pairs compared at a time: 2 MB for each array of them, and by how many a crowd may
# exceed its bound.
_CHUNK = 250_000

Positions = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Band(NamedTuple):
    """Some bits of a hash, and in how many of them near hashes may differ there."""

    shift: int
    bits: int
    radius: int


BANDS = (Band(0, 16, 2), Band(16, 16, 2), Band(32, 16, 2), Band(48, 16, 1))


@dataclass(frozen=True)
class PhashPairs:
    """Pairs of positions, `first` < `second`, in their order, and their distances.

    `crowded_count` tells of how many hashes some pairs may be left out: they are near
    more than MAX_NEAR_HASHES others.
    """

    first: Positions
    second: Positions
    distances: NDArray[np.uint8]
    crowded_count: int = 0

    def __len__(self) -> int:
        return len(self.first)


def ignore_check() -> None:
    """Check nothing: what callers pass instead may raise, to stop."""


def is_telling(phashes: Hashes) -> NDArray[np.bool_]:
    """Return which hashes say something about a picture: not 0, nor all ones."""
    set_bits = np.bitwise_count(phashes)
    return (set_bits >= MIN_SET_BITS) & (set_bits <= MAX_SET_BITS)


def find_phash_pairs(
    phashes: Hashes, *, check: Callable[[], None] = ignore_check
) -> PhashPairs:
    """Return all pairs within MAX_PHASH_DISTANCE, but for those of crowds.

    Hashes that say nothing have no pairs. Of more than MAX_ALL_PAIRS_OF_EQUALS equal
    hashes each is paired with the first alone; a pair of hashes that many scenes have
    is told of the first of each. `check` is called every few milliseconds.
    """
    telling = np.flatnonzero(is_telling(phashes))
    distinct, group_of = np.unique(phashes[telling], return_inverse=True)
    near, crowded_count = _near_pairs(distinct, check)
    check()
    groups = _Groups(telling, group_of, len(distinct))
    parts = [groups.pairs_of_equals(), groups.pairs_across(near)]
    first, second, distances = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    first, second = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((second, first))
    return PhashPairs(first[order], second[order], distances[order], crowded_count)


_Found = tuple[Positions, Positions, NDArray[np.uint8]]


class _Groups:
    """Which scenes have one hash: of each group the members follow each other."""

    def __init__(self, positions: Positions, group_of: Positions, count: int) -> None:
        # Stable, so that the first member of a group is the first of the scenes.
        self._members = positions[np.argsort(group_of, kind="stable")]
        self._sizes = np.bincount(group_of, minlength=count)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def pairs_of_equals(self) -> _Found:
        sizes = np.repeat(self._sizes, self._sizes)
        starts = np.repeat(self._starts, self._sizes)
        places = np.arange(len(self._members), dtype=np.int64)
        after = starts + sizes - 1 - places
        is_first, is_large = places == starts, sizes > MAX_ALL_PAIRS_OF_EQUALS
        counts = np.where(is_large & ~is_first, 0, after)
        left, right = _expand(places, places + 1, counts)
        distances = np.zeros(len(left), dtype=np.uint8)
        return self._members[left], self._members[right], distances

    def pairs_across(self, near: _Found) -> _Found:
        one, other, distances = near
        counts = self._sizes[one] * self._sizes[other]
        counts = np.where(counts > MAX_ALL_PAIRS_OF_EQUALS, 1, counts)
        pairs, places = _expand(np.arange(len(one)), np.zeros_like(one), counts)
        widths = self._sizes[other[pairs]]
        left = self._starts[one[pairs]] + places // widths
        right = self._starts[other[pairs]] + places % widths
        return self._members[left], self._members[right], distances[pairs]


def _near_pairs(distinct: Hashes, check: Callable[[], None]) -> tuple[_Found, int]:
    """Return the pairs of distinct hashes, and how many hashes are in a crowd."""
    near_counts = np.zeros(len(distinct), dtype=np.int64)
    found: list[_Found] = [_nothing()]
    for band_number in range(len(BANDS)):
        for one, other in _candidates(distinct, BANDS[band_number], near_counts):
            check()
            pairs = _verified(distinct, one, other, band_number)
            is_kept = (near_counts[pairs[0]] < MAX_NEAR_HASHES) & (
                near_counts[pairs[1]] < MAX_NEAR_HASHES
            )
            kept = (pairs[0][is_kept], pairs[1][is_kept], pairs[2][is_kept])
            for ends in kept[:2]:
                near_counts += np.bincount(ends, minlength=len(distinct))
            found.append(kept)
    one, other, distances = (
        np.concatenate(columns) for columns in zip(*found, strict=True)
    )
    return (one, other, distances), int((near_counts >= MAX_NEAR_HASHES).sum())


def _candidates(
    distinct: Hashes, band: Band, near_counts: Positions
) -> Iterator[tuple[Positions, Positions]]:
    """Yield pairs of hashes whose bands differ in few bits, each pair once.

    Hashes that are in a crowd by now look for no others.
    """
    values = _band_values(distinct, band)
    order = np.argsort(values, kind="stable")
    in_order = values[order]
    bounds = np.searchsorted(in_order, np.arange((1 << band.bits) + 1))
    places = np.arange(len(order), dtype=np.int64)
    for mask in _masks(band):
        if mask:
            # The one of the two buckets without the mask's highest bit looks.
            lookers = np.flatnonzero((in_order & (1 << (mask.bit_length() - 1))) == 0)
            others = in_order[lookers] ^ mask
            starts, ends = bounds[others], bounds[others + 1]
        else:
            lookers = places
            starts, ends = places + 1, bounds[in_order + 1]
        is_looking = (ends > starts) & (near_counts[order[lookers]] < MAX_NEAR_HASHES)
        lookers, starts = lookers[is_looking], starts[is_looking]
        counts = ends[is_looking] - starts
        for part in _chunks(counts):
            open_ = near_counts[order[lookers[part]]] < MAX_NEAR_HASHES
            left, right = _expand(
                lookers[part][open_], starts[part][open_], counts[part][open_]
            )
            yield order[left], order[right]


def _verified(
    distinct: Hashes, one: Positions, other: Positions, band_number: int
) -> _Found:
    """Return the candidates that are near and that no earlier band has found."""
    differences = distinct[one] ^ distinct[other]
    distances = np.bitwise_count(differences)
    near = np.flatnonzero(distances <= MAX_PHASH_DISTANCE)
    differences = differences[near]
    is_new = np.ones(len(near), dtype=bool)
    for band in BANDS[:band_number]:
        is_new &= np.bitwise_count(_band_values(differences, band)) > band.radius
    near = near[is_new]
    return one[near], other[near], distances[near]


def _band_values(hashes: Hashes, band: Band) -> Positions:
    shifted = hashes >> np.uint64(band.shift)
    return (shifted & np.uint64((1 << band.bits) - 1)).astype(np.int64)


def _masks(band: Band) -> list[int]:
    """Return every way to flip up to `radius` bits of the band, none first."""
    bits = [1 << bit for bit in range(band.bits)]
    return [
        sum(flipped)
        for count in range(band.radius + 1)
        for flipped in combinations(bits, count)
    ]


def _chunks(counts: Positions) -> Iterator[slice]:
    """Yield slices whose counts sum up to about _CHUNK, or one that exceeds it."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, done + _CHUNK, "right")), start + 1)
        yield slice(start, stop)
        start = stop


def _expand(
    items: Positions, starts: Positions, counts: Positions
) -> tuple[Positions, Positions]:
    """Return each item `counts` times, beside start, start + 1, start + 2, …"""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    offsets = np.repeat(starts - (ends - counts), counts)
    return np.repeat(items, counts), np.arange(total, dtype=np.int64) + offsets


def _nothing() -> _Found:
    nowhere = np.zeros(0, dtype=np.int64)
    return nowhere, nowhere, np.zeros(0, dtype=np.uint8)
