"""Linking what is there with a stash-box, and with scenes."""

from collections.abc import Sequence
from typing import Any

from recommendations.exceptions import ActionRefused
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    StashAccess,
    acting,
)
from recommendations.stash_actions.boxes import stash_id_of
from recommendations.stash_actions.creating import Created, add_to_scene, find_linked
from recommendations.stash_actions.fitting import (
    UNIDENTIFIED_SCENES,
    about,
    missing_link,
)
from recommendations.stash_actions.telling import Entity, told_entity
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashId
from stashsense.integrations.stashbox_connections import find_connection


def search_entities(kind: str, query: str, endpoint: str) -> list[dict[str, Any]]:
    """Return up to ten performers, tags or studios, and whether each is linked."""
    library = StashAccess().library
    connection = find_connection(endpoint) if endpoint else None
    known = connection.endpoint if connection is not None else endpoint
    found: Sequence[Entity]
    match kind:
        case "performer":
            found = library.search_performers(query)
        case "tag":
            found = library.search_tags(query)
        case _:
            found = library.search_studios(query)
    return [
        {**told_entity(row), "linked": _id_at(row, known) is not None} for row in found
    ]


def link_entity(
    context: ActionContext,
    kind: str,
    entity_id: int,
    *,
    endpoint: str,
    stashbox_id: str,
    adds_second: bool = False,
) -> Outcome:
    """Add the id to what the entity has; nothing is sent where it has it.

    Raises ActionRefused where another entity has the id, and where this one has
    another id there, unless it is to have two.
    """
    deed = Deed(
        "link-entity", kind, str(entity_id), missing_link(kind, entity_id, endpoint)
    )
    with acting(context, deed) as act:
        stash_id = stash_id_of(endpoint, stashbox_id)
        row = act.target(lambda: _get(act.stash.library, kind, entity_id))
        is_linked = stash_id in row.stash_ids
        _refuse_others(act, kind, row, stash_id)
        other = _id_at(row, stash_id.endpoint)
        if other is not None and not is_linked and not adds_second:
            raise ActionRefused(
                f"{row.name} has the id {other} there already.",
                facts={"entity": told_entity(row)},
            )
        plan = {"entity": told_entity(row), "already_linked": is_linked}
        if not act.begin(plan, row):
            return Outcome(plan, is_dry_run=True)
        if not is_linked:
            _write_ids(act, kind, row, [stash_id])
        answer = {
            "entity_id": str(row.id),
            "entity_name": row.name,
            "already_linked": is_linked,
        }
        return Outcome(plan, answer)


def link_performer_to_scene(
    context: ActionContext,
    scene_id: int,
    performer_id: int,
    *,
    stash_ids: Sequence[StashId] = (),
) -> Outcome:
    """Add the performer to the scene, and the ids to the performer."""
    deed = Deed(
        "link-performer",
        "scene",
        str(scene_id),
        about((UNIDENTIFIED_SCENES,), "scene", scene_id),
    )
    with acting(context, deed) as act:
        library = act.stash.library
        scene = act.target(lambda: library.get_full_scene(scene_id))
        row = act.target(lambda: library.get_performer_row(performer_id))
        known = [stash_id_of(each.endpoint, each.stash_id) for each in stash_ids]
        new = [each for each in known if each not in row.stash_ids]
        for each in new:
            _refuse_others(act, "performer", row, each)
        is_in = any(each.id == row.id for each in scene.performers)
        plan = {
            "scene_id": str(scene.id),
            "performer": told_entity(row),
            "adds_performer": not is_in,
            "adds_stash_ids": [
                {"endpoint": each.endpoint, "stash_id": each.stash_id} for each in new
            ],
        }
        if not act.begin(plan, {"performer": row, "scene": scene}):
            return Outcome(plan, is_dry_run=True)
        if new:
            _write_ids(act, "performer", row, new)
        if not is_in:
            add_to_scene(act, Created(row.id, row.name), scene.id)
        return Outcome(plan)


def _get(library: StashLibrary, kind: str, entity_id: int) -> Entity:
    match kind:
        case "performer":
            return library.get_performer_row(entity_id)
        case "tag":
            return library.get_tag_row(entity_id)
    return library.get_studio_row(entity_id)


def _id_at(row: Entity, endpoint: str) -> str | None:
    return next((s.stash_id for s in row.stash_ids if s.endpoint == endpoint), None)


def _refuse_others(act: Act, kind: str, row: Entity, stash_id: StashId) -> None:
    linked = find_linked(act.stash.library, kind, stash_id)
    others = [each for each in linked if each.id != row.id]
    if others:
        raise ActionRefused(
            f"{others[0].name} ({others[0].id}) has this id: they are duplicates.",
            facts={
                "entity": told_entity(row),
                "others": [told_entity(each) for each in others],
            },
        )


def _write_ids(act: Act, kind: str, row: Entity, new: Sequence[StashId]) -> None:
    writes = act.stash.writes
    # Stash has no way of adding one: the whole list goes, as it was a moment ago.
    values = {"stash_ids": [*row.stash_ids, *new]}
    match kind:
        case "performer":
            writes.update_performer(row.id, values)
        case "tag":
            writes.update_tag(row.id, values)
        case _:
            writes.update_studio(row.id, values)
    act.did(f"Linked {kind} {row.id} with {', '.join(s.stash_id for s in new)}.")
    act.read_after(lambda: _get(act.stash.library, kind, row.id))
