"""Updating a performer: what was accepted, put into what is there now."""

from collections.abc import Mapping
from typing import Any

from recommendations.compound import fold
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.changing import changes_to, not_kept, only_changed
from recommendations.stash_actions.fitting import about_upstream
from recommendations.stash_actions.names import (
    clean_aliases,
    collisions_told,
    refuse_namesake,
)
from recommendations.stash_actions.values import (
    ALIAS_ADD,
    Fields,
    as_stash_input,
    read_fields,
)
from stashsense.integrations.stash_library_types import PerformerRow
from stashsense.integrations.stash_types import StashVersion

# From here on a career is two dates beside the text.
CAREER_DATES_SINCE = StashVersion(0, 31)


def update_performer(
    context: ActionContext, performer_id: int, fields: Fields
) -> Outcome:
    """Write the fields; raises NameCollision for the name of another performer.

    Aliases are cleaned up, and those of `_alias_add` join the ones that are there.
    """
    values = read_fields("performer", fields)
    deed = Deed(
        "update-performer",
        "performer",
        str(performer_id),
        about_upstream("performer", performer_id),
    )
    with acting(context, deed) as act:
        library = act.stash.library
        row = act.target(lambda: library.get_performer_row(performer_id))
        written = performer_input(row, values, act.stash.version)
        changes = changes_to(row, written)
        if {"name", "disambiguation"} & changes.keys():
            name, more = _name_of(row, written)
            refuse_namesake(library, row, name, more)
        plan = {"performer_id": str(row.id), "changes": changes}
        if not act.begin(plan, row):
            return Outcome(plan, is_dry_run=True)
        return _send(act, row, only_changed(written, changes), plan)


def _send(
    act: Act, row: PerformerRow, written: Mapping[str, Any], plan: Mapping[str, Any]
) -> Outcome:
    library, sent = act.stash.library, None
    if written:
        name, more = _name_of(row, written)

        def namesakes() -> list[Any]:
            return [
                each
                for each in library.find_performers_named(name)
                if fold(each.name) == fold(name) and each.disambiguation == more
            ]

        with collisions_told(row, namesakes):
            sent = act.stash.writes.update_performer(row.id, written)
    after = library.get_performer_row(row.id)
    act.keep_after(after)
    answer = {
        "performer": {"id": str(after.id), "name": after.name},
        "not_kept": not_kept(sent),
    }
    return Outcome(plan, answer)


def performer_input(
    row: PerformerRow, values: Fields, version: StashVersion
) -> dict[str, Any]:
    """Return what makes the values of the row as it is now, by Stash's keys."""
    given = dict(values)
    name = str(given.get("name") or row.name)
    added = given.pop(ALIAS_ADD, [])
    if added or "aliases" in given or "name" in given:
        aliases = given.get("aliases", list(row.alias_list))
        given["aliases"] = list(clean_aliases([*aliases, *added], name=name))
    return as_stash_input(
        "performer", given, local=row, has_career_dates=version >= CAREER_DATES_SINCE
    )


def _name_of(row: PerformerRow, written: Mapping[str, Any]) -> tuple[str, str]:
    more = written.get("disambiguation", row.disambiguation)
    return str(written.get("name", row.name)), str(more or "")
