"""Who is tagged in what: the rows of a Stash that say so, and no more of them."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from stashsense.integrations import stash_operations as operations
from stashsense.integrations.stash import PAGE_SIZE, StashClient
from stashsense.integrations.stash_answers import read_tagged_item
from stashsense.integrations.stash_operations import Operation
from stashsense.integrations.stash_types import TaggedItem


class TaggedKind(StrEnum):
    SCENE = "scene"
    IMAGE = "image"
    GALLERY = "gallery"


class _Asking(NamedTuple):
    finder: Literal["Scene", "Image", "Gallery"]
    pages: Operation
    answer: str
    rows: str


_ASKING = {
    TaggedKind.SCENE: _Asking(
        "Scene", operations.TAGGED_SCENES, "findScenes", "scenes"
    ),
    TaggedKind.IMAGE: _Asking(
        "Image", operations.TAGGED_IMAGES, "findImages", "images"
    ),
    TaggedKind.GALLERY: _Asking(
        "Gallery", operations.TAGGED_GALLERIES, "findGalleries", "galleries"
    ),
}


def iter_tagged(
    client: StashClient, kind: TaggedKind, *, seed: int
) -> Iterator[TaggedItem]:
    """Yield what has performers, in an order of chance that the seed gives.

    What comes or goes in Stash meanwhile may come twice or not at all. Raises
    StashError.
    """
    asking = _ASKING[kind]
    items = {"performer_count": {"value": 0, "modifier": "GREATER_THAN"}}
    number = 1
    while True:
        page = {"page": number, "per_page": PAGE_SIZE, "sort": f"random_{seed}"}
        data = client.execute(asking.pages, {"items": items, "page": page})
        nodes = data.child(asking.answer).children(asking.rows)
        yield from map(read_tagged_item, nodes)
        if len(nodes) < PAGE_SIZE:
            return
        number += 1


def iter_tagged_among(
    client: StashClient, kind: TaggedKind, ids: Sequence[int]
) -> Iterator[TaggedItem]:
    """Yield those of the ids that Stash has and that have performers, in their order.

    Raises StashError.
    """
    finder = _ASKING[kind].finder
    step = operations.MAX_IDS_PER_DOCUMENT
    for start in range(0, len(ids), step):
        chunk = ids[start : start + step]
        data = client.execute(
            operations.tagged_by_ids(finder, len(chunk)),
            {f"id{n}": str(stash_id) for n, stash_id in enumerate(chunk)},
        )
        nodes = (data.optional(f"found{n}") for n in range(len(chunk)))
        items = (read_tagged_item(node) for node in nodes if node is not None)
        yield from (item for item in items if item.performers)
