"""Updating a studio, and finding its parent: by ids, and never by a name alone."""

from collections.abc import Mapping
from typing import Any

from recommendations.exceptions import ActionRefused, InvalidFieldValue
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.boxes import stash_id_of, upstream_of
from recommendations.stash_actions.changing import changes_to, not_kept, only_changed
from recommendations.stash_actions.creating import Created, create_studio_row
from recommendations.stash_actions.fitting import about_upstream
from recommendations.stash_actions.names import collisions_told, refuse_taken_name
from recommendations.stash_actions.tags import with_sorted_aliases
from recommendations.stash_actions.telling import told_entity
from recommendations.stash_actions.values import (
    Fields,
    as_stash_input,
    read_fields,
)
from stashsense.integrations.stash_library_types import StudioRow
from stashsense.integrations.stash_types import StashVersion
from stashsense.integrations.stashbox_types import BoxStudio

# Before, a studio has one.
URLS_SINCE = StashVersion(0, 30)


def update_studio(
    context: ActionContext,
    studio_id: int,
    fields: Fields,
    *,
    endpoint: str = "",
    parent_id: int | None = None,
    creates_parent: bool = False,
) -> Outcome:
    """Write the fields; raises NameCollision for another studio's name or alias.

    The field `parent_studio` is an id at the stash-box `endpoint`. Where no studio of
    the library has it, `parent_id` says which one it is, or `creates_parent` has it
    made from the stash-box; otherwise ActionRefused names the candidates.
    """
    values = read_fields("studio", fields)
    upstream_parent = _upstream_id(values.pop("parent_studio", None))
    clears_parent = "parent_studio" in fields and upstream_parent is None
    deed = Deed(
        "update-studio", "studio", str(studio_id), about_upstream("studio", studio_id)
    )
    with acting(context, deed) as act:
        library = act.stash.library
        row = act.target(lambda: library.get_studio_row(studio_id))
        given, aliases = with_sorted_aliases(library, "studio", row, values)
        new_parent: BoxStudio | None = None
        if parent_id is not None:
            given["parent_id"] = library.get_studio_row(parent_id).id
        elif upstream_parent is not None:
            found = _parent(act, endpoint, upstream_parent, creates_parent)
            if isinstance(found, BoxStudio):
                new_parent = found
            else:
                given["parent_id"] = found.id
        elif clears_parent:
            given["parent_id"] = None
        if given.get("parent_id") == row.id:
            raise ActionRefused("A studio cannot be its own parent.")
        written = as_stash_input("studio", given, local=row, has_career_dates=False)
        if act.stash.version < URLS_SINCE and "urls" in written:
            # There is place for the first alone: the one that is there, if it stays.
            written["urls"] = sorted(
                written["urls"], key=lambda url: url not in row.urls
            )
        changes = changes_to(row, written)
        if "name" in changes:
            refuse_taken_name(library, "studio", row, written["name"])
        plan = {
            "studio_id": str(row.id),
            "changes": changes,
            "refused_aliases": list(aliases.refused),
            "created_parent": new_parent and _told_upstream(new_parent),
        }
        if not act.begin(plan, row):
            return Outcome(plan, is_dry_run=True)
        sent = only_changed(written, changes)
        if new_parent is not None:
            sent["parent_id"] = _create_parent(act, endpoint, new_parent).id
        return _send(act, row, sent, plan)


def _send(
    act: Act, row: StudioRow, written: Mapping[str, Any], plan: Mapping[str, Any]
) -> Outcome:
    library, sent = act.stash.library, None
    if written:
        name = str(written.get("name", row.name))
        with collisions_told(row, lambda: library.find_studios_named(name)):
            sent = act.stash.writes.update_studio(row.id, written)
    after = act.read_after(lambda: library.get_studio_row(row.id))
    name = after.name if after is not None else str(written.get("name", row.name))
    answer = {
        "studio": {"id": str(row.id), "name": name},
        "refused_aliases": plan["refused_aliases"],
        "not_kept": not_kept(sent),
    }
    return Outcome(plan, answer)


def _upstream_id(value: object) -> str | None:
    """Return the parent's id upstream, be it a text or what a change tells of it."""
    if isinstance(value, Mapping):
        value = value.get("stash_box_id") or value.get("id")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 64:
        raise InvalidFieldValue("parent_studio: An id of the stash-box is wanted.")
    return value


def _parent(
    act: Act, endpoint: str, stash_id: str, creates: bool
) -> StudioRow | BoxStudio:
    """Return the library's studio with that id, or the upstream one to be created."""
    library, known = act.stash.library, stash_id_of(endpoint, stash_id)
    linked = library.find_studios_by_stash_ids([known])
    if len(linked) == 1:
        return linked[0]
    upstream = upstream_of("studio", known)
    assert isinstance(upstream, BoxStudio), upstream
    candidates = linked or library.find_studios_named(upstream.name)
    facts = {
        "parent": _told_upstream(upstream),
        "candidates": [told_entity(each) for each in candidates],
    }
    if candidates:
        raise ActionRefused(
            f"Which studio is {upstream.name}? None has its id alone; say it by "
            "`parent_id`. A name is not enough to link them.",
            facts=facts,
        )
    if not creates:
        raise ActionRefused(
            f"{upstream.name} is not in the library: send `create_parent: true` to "
            "have it created, or a `parent_id`.",
            facts=facts,
        )
    return upstream


def _create_parent(act: Act, endpoint: str, upstream: BoxStudio) -> Created:
    stash_id = stash_id_of(endpoint, upstream.id)
    created = create_studio_row(act, upstream, stash_id)
    act.did(f"Created studio {created.id}, {created.name}.")
    return created


def _told_upstream(studio: BoxStudio) -> dict[str, Any]:
    return {"stash_id": studio.id, "name": studio.name, "aliases": [*studio.aliases]}
