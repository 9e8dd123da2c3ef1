"""What a stash-box says otherwise than the library: the three-way rule, field by field.

A field is a change when the two differ and the stash-box said something else before:
who kept an own value against what the box says now has decided, and is not asked again.
Values are those of `field_maps.read_local` and `field_maps.read_upstream`.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from recommendations.compound import fold
from recommendations.field_maps import Field, MergeType
from recommendations.items import as_items, text_of, texts_of, value_of


@dataclass(frozen=True)
class FieldChange:
    """A field that differs; `previous_upstream_value` is None where none was seen.

    In a conflict all three values differ: both sides changed it. Conflicts are known
    only where the box was seen before.
    """

    field: str
    field_label: str
    local_value: object
    upstream_value: object
    previous_upstream_value: object
    merge_type: MergeType
    is_conflict: bool = False

    def as_details(self) -> dict[str, object]:
        """Return the change as a recommendation keeps and tells it.

        Studios are told by their stash-box ids, and their names beside them.
        """
        details: dict[str, object] = {
            "field": self.field,
            "field_label": self.field_label,
            "local_value": _plain(self.local_value),
            "upstream_value": _plain(self.upstream_value),
            "previous_upstream_value": _plain(self.previous_upstream_value),
            "merge_type": self.merge_type.value,
            "is_conflict": self.is_conflict,
        }
        if isinstance(self.local_value, Mapping) or isinstance(
            self.upstream_value, Mapping
        ):
            details["local_display"] = text_of(self.local_value, "name") or None
            details["upstream_display"] = text_of(self.upstream_value, "name") or None
        return details


def diff_fields(
    local: Mapping[str, object],
    upstream: Mapping[str, object],
    base: Mapping[str, object] | None,
    *,
    fields: Iterable[Field],
    own_name: str = "",
) -> list[FieldChange]:
    """Return the fields to ask about, in alphabetical order.

    `base` is the stash-box's item as last seen, None when it never was; a field that
    it lacks was never seen either. `own_name` is no alias: Stash would refuse it.
    Studio, performers and tags of a scene are left to `scene_diffing`.
    """
    changes = []
    for field in sorted(fields, key=lambda field: field.name):
        if field.is_scene_part:
            continue
        ours, theirs = local.get(field.name), upstream.get(field.name)
        if is_same(field, ours, theirs, own_name=own_name):
            continue
        was_seen = base is not None and field.name in base
        before = base.get(field.name) if base is not None else None
        if was_seen and is_same(field, theirs, before, own_name=own_name):
            continue
        changes.append(
            FieldChange(
                field=field.name,
                field_label=field.label,
                local_value=ours,
                upstream_value=theirs,
                previous_upstream_value=before,
                merge_type=field.merge_type,
                is_conflict=was_seen
                and not is_same(field, ours, before, own_name=own_name),
            )
        )
    return changes


def is_same(field: Field, one: object, other: object, *, own_name: str = "") -> bool:
    """Return whether two values of a field say the same.

    All that is empty is the same: None, blank, 0, []. Lists are sets without case,
    final slashes and the own name; texts have no case, and dates are in full.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return is_same_entity(one, other)
    return _canonical(field, one, own_name) == _canonical(field, other, own_name)


def is_same_entity(one: object, other: object) -> bool:
    """Return whether two are the same by stash-box id, or by name where one has none.

    An entity of the library that is linked to another id is another one, whatever
    their names are.
    """
    ids = {text_of(item, "stash_box_id") for item in (one, other)}
    if "" in ids:
        return bool(names_of(one) & names_of(other))
    return len(ids) == 1


def names_of(item: object) -> frozenset[str]:
    """Return the folded name and aliases of an item."""
    names = (text_of(item, "name"), *texts_of(item, "aliases"))
    return frozenset(filter(None, map(fold, names)))


def _canonical(field: Field, value: object, own_name: str) -> Hashable:
    if field.merge_type is MergeType.ALIAS_LIST:
        names = {fold(str(item)).rstrip("/") for item in as_items(value) if item}
        return frozenset(names - {"", fold(own_name)}) or None
    if isinstance(value, str):
        return (field.canonical(value) or None) if value.strip() else None
    if isinstance(value, Mapping):
        return text_of(value, "stash_box_id") or text_of(value, "name") or None
    if isinstance(value, list | tuple):
        return tuple(map(str, value)) or None
    return value or None if isinstance(value, Hashable) else str(value)


def _plain(value: object) -> object:
    return value_of(value, "stash_box_id") if isinstance(value, Mapping) else value
