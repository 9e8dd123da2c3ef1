"""Who and what a stash-box has in a scene otherwise than the library: by stash-box id.

Performers and tags are compared one by one, by the rule of `diffing`: what the box had
before and the library still lacks was left out deliberately, and what the box never had
was added deliberately.

What the library knows by name alone, without an id at the endpoint, is offered as a
match and never linked here: people share names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recommendations.compound import fold
from recommendations.diffing import is_same_entity, names_of
from recommendations.items import id_order, items_of, text_of, value_of

Entity = Mapping[str, object]
LOCAL_PARTS = ("studio", "performers", "tags")


class NameIndex:
    """The library's performers, tags or studios: by id at the endpoint, else by name.

    Entities are those of `field_maps.read_entity`; those that are linked to another id
    are somebody else, whatever their names are.
    """

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self._named: dict[str, list[Entity]] = {}
        self._linked: dict[str, list[Entity]] = {}
        for entity in entities:
            if stash_box_id := text_of(entity, "stash_box_id"):
                self._linked.setdefault(stash_box_id, []).append(entity)
            else:
                for name in sorted(names_of(entity)):
                    self._named.setdefault(name, []).append(entity)

    def find_matches(self, upstream: Entity) -> list[Entity]:
        """Return who may be meant, the likeliest first.

        Who has the id is meant, and nobody by name. A name that is the name comes
        before one that is an alias, then the older id.
        """
        linked = self._linked.get(text_of(upstream, "stash_box_id"))
        if linked:
            return sorted(linked, key=lambda entity: id_order(text_of(entity, "id")))
        own = fold(text_of(upstream, "name"))
        found = {
            text_of(entity, "id"): entity
            for name in names_of(upstream)
            for entity in self._named.get(name, ())
        }
        return sorted(
            found.values(),
            key=lambda entity: (
                fold(text_of(entity, "name")) != own,
                own not in names_of(entity),
                id_order(text_of(entity, "id")),
            ),
        )


@dataclass(frozen=True)
class UpstreamEntity:
    """A stash-box's performer, tag or studio, and who in the library may be meant.

    `is_ambiguous` when more than one may be: then `local_match` is the likeliest.
    """

    stash_box_id: str
    name: str
    credited_as: str | None = None
    local_match: Entity | None = None
    is_ambiguous: bool = False

    def as_details(self) -> dict[str, object]:
        """Return the entity as a recommendation keeps and tells it."""
        match = self.local_match
        return {
            "id": self.stash_box_id,
            "name": self.name,
            "as": self.credited_as,
            "local_match": match and {"id": match.get("id"), "name": match.get("name")},
            "is_ambiguous": self.is_ambiguous,
        }


@dataclass(frozen=True)
class AliasChange:
    """A performer whom both have in the scene, under different names."""

    stash_box_id: str
    name: str
    local_as: str
    upstream_as: str | None

    def as_details(self) -> dict[str, object]:
        """Return the change as a recommendation keeps and tells it."""
        return {
            "id": self.stash_box_id,
            "name": self.name,
            "local": self.local_as,
            "upstream": self.upstream_as,
        }


@dataclass(frozen=True)
class ListChange:
    """Who or what to add, and to remove (entities of the library).

    `unlinked` are in the scene already, by name: they only lack the stash-box id, so
    they are no change of the scene.
    """

    added: list[UpstreamEntity] = field(default_factory=list)
    removed: list[Entity] = field(default_factory=list)
    alias_changed: list[AliasChange] = field(default_factory=list)
    unlinked: list[UpstreamEntity] = field(default_factory=list)

    @property
    def is_change(self) -> bool:
        return bool(self.added or self.removed or self.alias_changed)


@dataclass(frozen=True)
class StudioChange:
    """The studio here and there; either may be None. `is_conflict` as for fields."""

    local: Entity | None
    upstream: UpstreamEntity | None
    is_conflict: bool = False


@dataclass(frozen=True)
class SceneChanges:
    """What differs in a scene beside its fields."""

    studio: StudioChange | None
    performers: ListChange
    tags: ListChange

    @property
    def is_change(self) -> bool:
        return (
            self.studio is not None or self.performers.is_change or self.tags.is_change
        )

    def as_details(self) -> dict[str, object]:
        """Return `studio_change`, `performer_changes` and `tag_changes`."""
        return {
            "studio_change": _studio_details(self.studio),
            "performer_changes": {
                **_list_details(self.performers),
                "alias_changed": [
                    change.as_details() for change in self.performers.alias_changed
                ],
            },
            "tag_changes": _list_details(self.tags),
        }


@dataclass(frozen=True)
class Library:
    """Whom the library knows by name alone; empty where nobody looked."""

    studios: NameIndex = field(default_factory=NameIndex)
    performers: NameIndex = field(default_factory=NameIndex)
    tags: NameIndex = field(default_factory=NameIndex)


def diff_scene(
    local: Entity,
    upstream: Entity,
    base: Entity | None,
    *,
    parts: Iterable[str] = LOCAL_PARTS,
    library: Library | None = None,
) -> SceneChanges:
    """Return what differs in studio, performers and tags, but for parts not named.

    The values are those of `read_local("scene", …)` and `read_upstream("scene", …)`.
    """
    known, wanted = library or Library(), frozenset(parts)
    before = base or {}
    return SceneChanges(
        studio=_diff_studio(local, upstream, base, known.studios)
        if "studio" in wanted
        else None,
        performers=_diff_list("performers", local, upstream, before, known.performers)
        if "performers" in wanted
        else ListChange(),
        tags=_diff_list("tags", local, upstream, before, known.tags)
        if "tags" in wanted
        else ListChange(),
    )


def _diff_studio(
    local: Entity, upstream: Entity, base: Entity | None, known: NameIndex
) -> StudioChange | None:
    ours, theirs = _entity(local, "studio"), _entity(upstream, "studio")
    if _is_same(ours, theirs):
        return None
    was_seen = base is not None and "studio" in base
    before = _entity(base, "studio") if base is not None else None
    if was_seen and _is_same(theirs, before):
        return None
    return StudioChange(
        local=ours,
        upstream=None if theirs is None else _offered(theirs, known),
        is_conflict=was_seen and not _is_same(ours, before),
    )


def _diff_list(
    name: str, local: Entity, upstream: Entity, base: Entity, known: NameIndex
) -> ListChange:
    ours, theirs = _by_id(local, name), _by_id(upstream, name)
    before = _by_id(base, name) if name in base else None
    in_scene = NameIndex(_entities(local, name))
    change = ListChange()
    for stash_box_id, entity in theirs.items():
        if stash_box_id in ours:
            change.alias_changed.extend(_alias_change(ours[stash_box_id], entity))
        elif matches := in_scene.find_matches(entity):
            change.unlinked.append(_matched(entity, matches))
        elif before is None or stash_box_id not in before:
            change.added.append(_offered(entity, known))
    change.removed.extend(
        entity
        for stash_box_id, entity in ours.items()
        if stash_box_id not in theirs and (before is None or stash_box_id in before)
    )
    return change


def _alias_change(ours: Entity, theirs: Entity) -> list[AliasChange]:
    """Return the change of the name, if the library has one: Stash keeps none."""
    local_as, upstream_as = text_of(ours, "as"), text_of(theirs, "as")
    if not local_as or fold(local_as) == fold(upstream_as):
        return []
    return [
        AliasChange(
            stash_box_id=text_of(theirs, "stash_box_id"),
            name=text_of(theirs, "name"),
            local_as=local_as,
            upstream_as=upstream_as or None,
        )
    ]


def _offered(entity: Entity, known: NameIndex) -> UpstreamEntity:
    return _matched(entity, known.find_matches(entity))


def _matched(entity: Entity, matches: list[Entity]) -> UpstreamEntity:
    return UpstreamEntity(
        stash_box_id=text_of(entity, "stash_box_id"),
        name=text_of(entity, "name"),
        credited_as=text_of(entity, "as") or None,
        local_match=matches[0] if matches else None,
        is_ambiguous=len(matches) > 1,
    )


def _entity(item: Entity, name: str) -> Entity | None:
    value = value_of(item, name)
    return value if isinstance(value, Mapping) else None


def _entities(item: Entity, name: str) -> list[Entity]:
    return [value for value in items_of(item, name) if isinstance(value, Mapping)]


def _by_id(item: Entity, name: str) -> dict[str, Entity]:
    ids = (
        (text_of(entity, "stash_box_id"), entity) for entity in _entities(item, name)
    )
    return {stash_box_id: entity for stash_box_id, entity in ids if stash_box_id}


def _is_same(one: Entity | None, other: Entity | None) -> bool:
    if one is None or other is None:
        return one is other
    return is_same_entity(one, other)


def _studio_details(change: StudioChange | None) -> dict[str, object] | None:
    if change is None:
        return None
    upstream = change.upstream
    return {
        "local": change.local,
        "upstream": None if upstream is None else upstream.as_details(),
        "is_conflict": change.is_conflict,
    }


def _list_details(change: ListChange) -> dict[str, object]:
    return {
        "added": [entity.as_details() for entity in change.added],
        "removed": list(change.removed),
        "unlinked": [entity.as_details() for entity in change.unlinked],
    }
