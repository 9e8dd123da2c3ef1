"""A stand-in Stash that knows a stand-in stash-box: its configuration and its ids."""

from collections.abc import Iterator
from typing import Any

from demo.stash.library import Library, StashBox, StashId
from demo.stash.rows import endpoint_of
from demo.stashbox.server import DEMO_KEY

# Whom the ids of a drawn library are mostly of.
STASHDB = endpoint_of("stashdb.org")


def connect_box(
    library: Library,
    endpoint: str,
    *,
    api_key: str = DEMO_KEY,
    name: str = "Drawn box",
    requests_per_minute: int = 6000,
    in_place_of: str = STASHDB,
) -> StashBox:
    """Have the Stash know a box, and the ids of another box be of this one instead.

    The other box's entry goes. The rate is such that tests do not wait.
    """
    entry = StashBox(endpoint, name, api_key, requests_per_minute)
    with library.lock:
        _put_entry(library, entry, without=in_place_of)
        for ids in _lists_of_ids(library):
            for stash_id in ids:
                if stash_id.endpoint == in_place_of:
                    stash_id.endpoint = endpoint
    return entry


def add_box(
    library: Library,
    endpoint: str,
    *,
    api_key: str = DEMO_KEY,
    name: str = "Drawn box",
    requests_per_minute: int = 240,
    beside: str = STASHDB,
) -> StashBox:
    """Have the Stash know a box that gives the same ids as another, which stay.

    A release knows people by the other box's ids, so that both can be tried.
    """
    entry = StashBox(endpoint, name, api_key, requests_per_minute)
    with library.lock:
        _put_entry(library, entry, without="")
        for ids in _lists_of_ids(library):
            ids += [
                StashId(endpoint, each.stash_id, each.updated_at)
                for each in ids
                if each.endpoint == beside
            ]
    return entry


def _put_entry(library: Library, entry: StashBox, *, without: str) -> None:
    boxes = [
        box
        for box in library.stash_boxes
        if box.endpoint not in (without, entry.endpoint)
    ]
    for box in boxes:
        # Invented keys are not for anybody's real stash-box.
        box.api_key = ""
    library.stash_boxes = [entry, *boxes]


def _lists_of_ids(library: Library) -> Iterator[list[StashId]]:
    kinds: list[dict[str, Any]] = [
        library.performers,
        library.scenes,
        library.studios,
        library.tags,
    ]
    for rows in kinds:
        for row in rows.values():
            yield row.stash_ids
