"""Which scenes, images and galleries performers are in: their ids, and no more."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from stashsense.integrations.stash import StashClient, number_of
from stashsense.integrations.stash_operations import Operation

# Ids alone: of a thousand the answer is 30 kB.
PAGE_SIZE = 1000


class LinkedKind(StrEnum):
    """What performers are tagged in."""

    SCENE = "scene"
    IMAGE = "image"
    GALLERY = "gallery"

    @property
    def plural(self) -> str:
        return "galleries" if self is LinkedKind.GALLERY else f"{self.value}s"


def _links(name: str, kind: str, filter_name: str) -> Operation:
    return Operation(
        name,
        f"""\
query {name}($items: {kind}FilterType, $page: FindFilterType) {{
  find{name.removeprefix("Linked")}({filter_name}: $items, filter: $page) {{
    {name.removeprefix("Linked").lower()} {{ id }}
  }}
}}""",
    )


LINK_OPERATIONS = {
    LinkedKind.SCENE: _links("LinkedScenes", "Scene", "scene_filter"),
    LinkedKind.IMAGE: _links("LinkedImages", "Image", "image_filter"),
    LinkedKind.GALLERY: _links("LinkedGalleries", "Gallery", "gallery_filter"),
}


def linked_ids(
    client: StashClient, kind: LinkedKind, performer_ids: Sequence[int]
) -> Iterator[int]:
    """Yield what one of the performers is in, by ascending id; raises StashError."""
    value = [str(number_of(each, "performer")) for each in performer_ids]
    operation = LINK_OPERATIONS[kind]
    nodes = client.iter_by_id(
        operation,
        {"performers": {"value": value, "modifier": "INCLUDES"}},
        page_size=PAGE_SIZE,
        finder=f"find{operation.name.removeprefix('Linked')}",
    )
    return (node.id() for node in nodes)
