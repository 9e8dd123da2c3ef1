"""How a field is looked up in what a client answered, be it a mapping or a dataclass.

The other pure modules take both, under the names that the two GraphQL schemas have:
what a library or a stash-box answered, or what a client made of it.
"""

import math
from collections.abc import Iterable, Mapping


def value_of(item: object, name: str) -> object:
    """Return the field called `name`, or None where the item lacks it."""
    if isinstance(item, Mapping):
        return item.get(name)
    return getattr(item, name, None)


def text_of(item: object, name: str) -> str:
    """Return the field as text, "" where it is missing or null."""
    value = value_of(item, name)
    return "" if value is None else str(value)


def items_of(item: object, name: str) -> list[object]:
    """Return the field's items, [] where it is missing, null or a text."""
    return as_items(value_of(item, name))


def as_items(value: object) -> list[object]:
    """Return the items of a list, [] of what is none."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return list(value)
    return []


def texts_of(item: object, name: str) -> list[str]:
    """Return the field's items that say something, as texts."""
    return [str(value) for value in items_of(item, name) if value]


def stash_box_id_of(item: object, endpoint: str) -> str | None:
    """Return the id that an item of the library has at the endpoint, or None."""
    for stash_id in items_of(item, "stash_ids"):
        if text_of(stash_id, "endpoint") == endpoint:
            return text_of(stash_id, "stash_id") or None
    return None


def id_order(an_id: str) -> tuple[float, str]:
    """Return the place of an id: Stash's are texts of whole numbers."""
    return (float(an_id) if an_id.isdecimal() else math.inf, an_id)
