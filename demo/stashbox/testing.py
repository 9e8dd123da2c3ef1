"""What tests of every app need of the stand-in stash-box, and of a Stash that knows it.

The root `conftest.py` makes the fixture `stashbox_server` of it: a box that knows whom
the tiny library of `stash_server` has ids for, and that the library's Stash is
configured with.
"""

from typing import Any

from demo.stash.library import Library, StashBox, StashId
from demo.stash.rows import endpoint_of
from demo.stashbox.content import box_of_library, fill_performers, fill_scenes
from demo.stashbox.rows import Box
from demo.stashbox.server import DEMO_KEY, Faults, Request, StashBoxServer

__all__ = [
    "DEMO_KEY",
    "STASHDB",
    "Box",
    "Faults",
    "Request",
    "StashBoxServer",
    "box_of_library",
    "connect_box",
    "fill_performers",
    "fill_scenes",
]

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
    """Have the library's Stash know a box, and the ids of another box be of this one.

    The other box's entry goes, so that nothing in a test can ask it. The rate is such
    that tests do not wait.
    """
    entry = StashBox(endpoint, name, api_key, requests_per_minute)
    with library.lock:
        library.stash_boxes = [
            each
            for each in library.stash_boxes
            if each.endpoint not in (in_place_of, endpoint)
        ]
        library.stash_boxes.append(entry)
        for stash_id in _stash_ids(library):
            if stash_id.endpoint == in_place_of:
                stash_id.endpoint = endpoint
    return entry


def _stash_ids(library: Library) -> list[StashId]:
    kinds: list[dict[str, Any]] = [
        library.performers,
        library.scenes,
        library.studios,
        library.tags,
    ]
    return [id for rows in kinds for row in rows.values() for id in row.stash_ids]
