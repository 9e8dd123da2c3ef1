"""What is proposed of one thing of the library, by what its stash-box says of it. PURE.

`base` is what the library was last agreed with, field by field: a difference is asked
about unless the box says what it said then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from recommendations.causes import cause_of
from recommendations.diffing import FieldChange, diff_fields, is_same
from recommendations.field_maps import Field, get_fields, read_local
from recommendations.scene_diffing import Library, SceneChanges, diff_scene

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """What differs, and `base` as it is from now on."""

    changes: list[FieldChange]
    base: dict[str, Any]
    scene: SceneChanges | None = None

    @property
    def is_change(self) -> bool:
        return bool(self.changes) or (self.scene is not None and self.scene.is_change)

    def details(self) -> dict[str, Any]:
        """Return the changes as a recommendation keeps and tells them."""
        details: dict[str, Any] = {
            "changes": [change.as_details() for change in self.changes]
        }
        return details | (self.scene.as_details() if self.scene else {})

    def cause(self, stash_box_id: str) -> str:
        """Return what stays the same as long as upstream says the same."""
        told = [[each.field, each.upstream_value] for each in self.changes]
        return cause_of(stash_box_id, told, _scene_cause(self.scene))


@dataclass(frozen=True)
class Rules:
    """How an entity is compared at an endpoint; `library` is for scenes alone."""

    entity_type: str
    endpoint: str
    off: Collection[str] = ()
    library: Library = field(default_factory=Library)

    @property
    def fields(self) -> list[Field]:
        return [
            field
            for field in get_fields(self.entity_type)
            if field.name not in self.off
        ]


def compare(
    local: object, seen: Values, base: Values | None, rules: Rules
) -> Comparison:
    """Compare an item of the library with what its stash-box says.

    `seen` is of `field_maps.read_upstream`.
    """
    ours = read_local(rules.entity_type, local, endpoint=rules.endpoint)
    own_name = str(ours.get("name") or "")
    fields = rules.fields
    changes = diff_fields(ours, seen, base, fields=fields, own_name=own_name)
    agreed = dict(base or {})
    for each in fields:
        if not each.is_scene_part and is_same(
            each, ours.get(each.name), seen.get(each.name), own_name=own_name
        ):
            agreed[each.name] = seen.get(each.name)
    scene = None
    parts = [each.name for each in fields if each.is_scene_part]
    if parts:
        scene = diff_scene(ours, seen, base, parts=parts, library=rules.library)
        unchanged = {
            "studio": scene.studio is None,
            "performers": not scene.performers.is_change,
            "tags": not scene.tags.is_change,
        }
        agreed |= {part: seen.get(part) for part in parts if unchanged[part]}
    return Comparison(changes, agreed, scene)


def decided_fields(details: Values) -> set[str]:
    """Return the fields that a recommendation of these details asks about."""
    names = {str(change["field"]) for change in details.get("changes", ())}
    if details.get("studio_change"):
        names.add("studio")
    for part, key in (("performers", "performer_changes"), ("tags", "tag_changes")):
        lists = details.get(key) or {}
        if any(lists.get(name) for name in ("added", "removed", "alias_changed")):
            names.add(part)
    return names


def still_so(entity_type: str, details: Values, seen: Values) -> set[str]:
    """Return the fields of which the stash-box says now what a recommendation tells.

    Of a scene's parts that is not known.
    """
    told = {
        str(change["field"]): change["upstream_value"]
        for change in details.get("changes", ())
    }
    own_name = str(seen.get("name") or "")
    return {
        each.name
        for each in get_fields(entity_type)
        if each.name in told
        and is_same(each, seen.get(each.name), told[each.name], own_name=own_name)
    }


def previous_values(details: Values) -> dict[str, Any]:
    """Return what the box said before, of the fields where that is known."""
    return {
        str(change["field"]): change["previous_upstream_value"]
        for change in details.get("changes", ())
        if change.get("previous_upstream_value") is not None
    }


def _scene_cause(scene: SceneChanges | None) -> object:
    if scene is None:
        return None
    studio = scene.studio and scene.studio.upstream
    lists = (scene.performers, scene.tags)
    return [
        studio and studio.stash_box_id,
        *[sorted(each.stash_box_id for each in one.added) for one in lists],
        *[sorted(str(each["stash_box_id"]) for each in one.removed) for one in lists],
        sorted(
            [each.stash_box_id, each.upstream_as or ""]
            for each in scene.performers.alias_changed
        ),
    ]
