"""Putting another id in the place of one that is gone at a stash-box, or none."""

from collections.abc import Sequence
from typing import Any

from recommendations.exceptions import ActionRefused
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.boxes import stash_id_of
from recommendations.stash_actions.creating import find_linked
from recommendations.stash_actions.fitting import gone_upstream
from recommendations.stash_actions.telling import Entity, told
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import FullScene, SceneRow
from stashsense.integrations.stash_types import StashId

Row = Entity | FullScene


def relink_entity(
    context: ActionContext,
    kind: str,
    entity_id: int,
    *,
    endpoint: str,
    old_id: str,
    new_id: str = "",
) -> Outcome:
    """Take an id from a performer, tag, studio or scene; another comes in its place.

    Raises ActionRefused where it does not have the old id, or another entity has the
    new one.
    """
    fits = gone_upstream(kind, entity_id, endpoint, old_id)
    with acting(context, Deed("relink-entity", kind, str(entity_id), fits)) as act:
        old = stash_id_of(endpoint, old_id)
        new = stash_id_of(endpoint, new_id) if new_id else None
        row = act.target(lambda: _get(act.stash.library, kind, entity_id))
        if old not in row.stash_ids and new not in row.stash_ids:
            raise ActionRefused(f"{_name(row)} does not have the id {old_id} there.")
        if new is not None:
            _refuse_others(act, kind, row, new)
        ids = [each for each in row.stash_ids if each not in (old, new)]
        ids += [new] if new is not None else []
        plan: dict[str, Any] = {
            "entity_id": str(row.id),
            "entity_name": _name(row),
            "removes": told(old),
            "adds": told(new),
        }
        if not act.begin(plan, row):
            return Outcome(plan, is_dry_run=True)
        # Asked for twice, it is done already.
        if old in row.stash_ids:
            _write(act, kind, row, ids)
        return Outcome(plan, {"entity_id": str(row.id), "entity_name": _name(row)})


def _get(library: StashLibrary, kind: str, entity_id: int) -> Row:
    match kind:
        case "performer":
            return library.get_performer_row(entity_id)
        case "tag":
            return library.get_tag_row(entity_id)
        case "studio":
            return library.get_studio_row(entity_id)
    return library.get_full_scene(entity_id)


def _name(row: Row) -> str:
    return row.title if isinstance(row, FullScene) else row.name


def _refuse_others(act: Act, kind: str, row: Row, stash_id: StashId) -> None:
    linked: Sequence[Entity | SceneRow] = (
        act.stash.library.find_scenes_by_stash_ids([stash_id])
        if kind == "scene"
        else find_linked(act.stash.library, kind, stash_id)
    )
    others = [str(each.id) for each in linked if each.id != row.id]
    if others:
        raise ActionRefused(
            f"{kind} {', '.join(others)} has the id {stash_id.stash_id}: they are "
            "duplicates.",
            facts={"others": others},
        )


def _write(act: Act, kind: str, row: Row, ids: Sequence[StashId]) -> None:
    writes = act.stash.writes
    values = {"stash_ids": list(ids)}
    match kind:
        case "performer":
            writes.update_performer(row.id, values)
        case "tag":
            writes.update_tag(row.id, values)
        case "studio":
            writes.update_studio(row.id, values)
        case _:
            writes.update_scene(row.id, values)
    act.did(f"Changed the ids of {kind} {row.id}.")
    act.read_after(lambda: _get(act.stash.library, kind, row.id))
