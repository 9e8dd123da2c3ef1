"""Whether a Voyager file is a usable index. Knows no Django.

Only ever called in the trial load's own process: the loader trusts the file, and a
link or a length that points elsewhere ends the process that follows it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import voyager
from numpy.typing import NDArray

from dbupdates.exceptions import UnloadableIndex

# Vectors the graph leads to from nowhere occur in sound indices of many equal
# vectors; a release must not fail for a few of them. With this sample, an index of
# which one vector in twenty is lost is refused with a probability of 99 %.
SAMPLE_COUNT = 256
MAX_LOST_FRACTION = 0.02
# As many as an identification asks for.
NEIGHBOUR_COUNT = 100
# How wide the search is. Searching only as wide as an identification does tells how
# hard the vectors are rather than whether the graph is sound: of 256 vectors of a
# sound index of 250,000 unstructured ones it misses 59, with 500 up to 6, with 1,000
# none, in 12 ms each.
SEARCH_WIDTH = 1000
# Distance of a vector to itself. Float32 gives under 1e-6, measured; E4M3 keeps three
# bits of mantissa and gives up to 0.006.
SELF_DISTANCE_TOLERANCES = {
    voyager.StorageDataType.Float32: 1e-3,
    voyager.StorageDataType.E4M3: 2e-2,
}

# Elements whose links are looked at in one piece: 45 MB of a float32 index.
_ELEMENTS_PER_CHUNK = 20_000
_LABEL_BYTES = 8
_ITEM_BYTES = {
    voyager.StorageDataType.Float32: 4,
    voyager.StorageDataType.E4M3: 1,
}


@dataclass(frozen=True)
class _Header:
    """The head of a Voyager file of version 1: what its graph is made of."""

    magic: bytes
    version: int
    dimensions: int
    space: int
    storage: int
    max_norm: float
    preserves_order: int
    level_0_offset: int
    max_elements: int
    element_count: int
    element_bytes: int
    label_offset: int
    vector_offset: int
    max_level: int
    entry_point: int
    max_links: int
    max_links_level_0: int
    links: int
    level_factor: float
    ef_construction: int


_HEADER = struct.Struct("<4sIIBBfB6QiI3QdQ")


def check_index(path: Path, *, dimensions: int) -> int:
    """Load the index, find vectors in it and follow its links; return its length.

    Raises UnloadableIndex, or ends this process where the file makes the loader fail.
    """
    try:
        index = voyager.Index.load(str(path))
        _check_kind(index, path.name, dimensions=dimensions)
        _check_ids(index, path.name)
        element_count = int(index.num_elements)
        item_bytes = _ITEM_BYTES[index.storage_data_type]
        # The file is mapped next; memory need not hold it twice. And a search that
        # followed a link to nowhere would not come back to say so.
        del index
        _check_links(path, item_bytes=item_bytes)
        _check_vectors_find_themselves(voyager.Index.load(str(path)), path.name)
    except voyager.RecallError as exc:
        raise UnloadableIndex(f"{path.name} finds no neighbours: {exc}") from exc
    # What Voyager raises for files it sees through, and for memory it cannot get.
    except (RuntimeError, ValueError, KeyError, OSError) as exc:
        raise UnloadableIndex(f"{path.name} cannot be loaded: {exc}") from exc
    return element_count


def _check_kind(index: voyager.Index, name: str, *, dimensions: int) -> None:
    if index.num_dimensions != dimensions:
        raise UnloadableIndex(
            f"{name} has {index.num_dimensions} dimensions, not {dimensions}"
        )
    if index.space != voyager.Space.Cosine:
        raise UnloadableIndex(f"{name} is of space {index.space.name}, not Cosine")
    if index.storage_data_type not in SELF_DISTANCE_TOLERANCES:
        raise UnloadableIndex(
            f"{name} stores {index.storage_data_type.name}, not Float32 or E4M3"
        )


def _check_ids(index: voyager.Index, name: str) -> None:
    """Require the ids 0 … n-1: an id is a position in faces.json."""
    ids = np.fromiter(index.ids, dtype=np.uint64)
    if len(ids) == 0 or len(ids) != index.num_elements:
        raise UnloadableIndex(
            f"{name} has {len(ids)} ids for {index.num_elements} vectors"
        )
    ids.sort()
    if ids[0] != 0 or ids[-1] != len(ids) - 1:
        raise UnloadableIndex(
            f"{name} has ids from {ids[0]} to {ids[-1]}, not from 0 to {len(ids) - 1}"
        )


def _check_vectors_find_themselves(index: voyager.Index, name: str) -> None:
    """Require that vectors spread over the index are their own nearest neighbours."""
    count = int(index.num_elements)
    sample = np.unique(
        np.linspace(0, count - 1, num=min(count, SAMPLE_COUNT)).astype(np.int64)
    )
    vectors = index.get_vectors(sample.tolist())
    tolerance = SELF_DISTANCE_TOLERANCES[index.storage_data_type]
    distances = _nearest_distances(index, vectors)
    # Written so that a NaN counts as lost.
    lost = sample[~(np.abs(distances) <= tolerance)]
    if len(lost) > MAX_LOST_FRACTION * len(sample):
        raise UnloadableIndex(
            f"{name}: {len(lost)} of {len(sample)} vectors drawn from it do not find "
            f"themselves, the first is {lost[0]}"
        )


def _nearest_distances(
    index: voyager.Index, vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the distance of each vector's nearest neighbour, on every core."""
    neighbour_count = min(NEIGHBOUR_COUNT, int(index.num_elements))
    try:
        _, distances = index.query(vectors, k=neighbour_count, query_ef=SEARCH_WIDTH)
    except voyager.RecallError:
        # An identification asks for fewer then, too.
        _, distances = index.query(vectors, k=1, query_ef=SEARCH_WIDTH)
    nearest: NDArray[np.float32] = distances[:, 0]
    return nearest


def _check_links(path: Path, *, item_bytes: int) -> None:
    """Require that every link of the graph leads to an element of its level.

    Searching meets a fraction of the links; one that leads outside would end the
    service on the day a face comes near it.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")
    header = _read_header(content, path.name, item_bytes=item_bytes)
    level_0_bytes = header.element_count * header.element_bytes
    elements = content[_HEADER.size : _HEADER.size + level_0_bytes].reshape(
        header.element_count, header.element_bytes
    )
    link_bytes = 4 + 4 * header.max_links_level_0
    for start in range(0, header.element_count, _ELEMENTS_PER_CHUNK):
        chunk = elements[start : start + _ELEMENTS_PER_CHUNK, :link_bytes]
        lists = np.ascontiguousarray(chunk).view(np.uint32)
        # Above the count stand flags, of which "deleted" is the only one.
        if (lists[:, 0] >> 16).any():
            raise UnloadableIndex(f"{path.name} has deleted vectors")
        linked = _linked(lists, path.name)
        if (linked >= header.element_count).any():
            raise UnloadableIndex(f"{path.name} links to elements it does not have")
    _check_upper_links(content[_HEADER.size + level_0_bytes :], header, path.name)


def _read_header(content: NDArray[np.uint8], name: str, *, item_bytes: int) -> _Header:
    header = _Header(*_HEADER.unpack(content[: _HEADER.size].tobytes()))
    link_bytes = 4 + 4 * header.max_links_level_0
    if (
        header.magic != b"VOYA"
        or header.version != 1
        or header.level_0_offset != 0
        or header.element_count > header.max_elements
        or header.max_links != header.links
        or header.max_links_level_0 != 2 * header.links
        or header.vector_offset != link_bytes
        or header.label_offset != link_bytes + item_bytes * header.dimensions
        or header.element_bytes != header.label_offset + _LABEL_BYTES
        or _HEADER.size + header.element_count * header.element_bytes > len(content)
        or header.entry_point >= header.element_count
    ):
        raise UnloadableIndex(f"{name} has a head that contradicts itself")
    return header


def _linked(lists: NDArray[np.uint32], name: str) -> NDArray[np.uint32]:
    """Return all linked elements of link lists: a row is a count and its places."""
    counts = lists[:, :1] & 0xFFFF
    place_count = lists.shape[1] - 1
    if (counts > place_count).any():
        raise UnloadableIndex(f"{name} has more links than places for them")
    linked: NDArray[np.uint32] = lists[:, 1:][np.arange(place_count) < counts]
    return linked


def _check_upper_links(content: NDArray[np.uint8], header: _Header, name: str) -> None:
    """Require of the levels above 0 what `_check_links` says.

    A link to an element that does not reach the level is followed to nowhere.
    """
    list_bytes = 4 + 4 * header.max_links
    levels = np.zeros(header.element_count, dtype=np.int64)
    found: list[tuple[int, NDArray[np.uint32]]] = []
    for element, lists in enumerate(_iter_upper_lists(content, header, name)):
        if len(lists) % list_bytes:
            raise UnloadableIndex(f"{name} has link lists of an impossible length")
        levels[element] = len(lists) // list_bytes
        rows = np.frombuffer(lists, dtype=np.uint32).reshape(-1, 1 + header.max_links)
        found += [
            (level, _linked(rows[level - 1 : level], name))
            for level in range(1, len(rows) + 1)
        ]
    if levels.max() != header.max_level or levels[header.entry_point] != levels.max():
        raise UnloadableIndex(f"{name} does not begin at its uppermost level")
    for level, linked in found:
        if (linked >= header.element_count).any() or (levels[linked] < level).any():
            raise UnloadableIndex(f"{name} links to elements it does not have")


def _iter_upper_lists(
    content: NDArray[np.uint8], header: _Header, name: str
) -> Iterator[bytes]:
    """Yield the bytes of each element's link lists, one list for each level."""
    data = content.tobytes()
    position = 0
    for _ in range(header.element_count):
        (size_bytes,) = struct.unpack_from("<I", data, position)
        position += 4 + size_bytes
        if position > len(data):
            raise UnloadableIndex(f"{name} ends inside its link lists")
        yield data[position - size_bytes : position]
