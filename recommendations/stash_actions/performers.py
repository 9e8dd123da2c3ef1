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
from stashsense.integrations.stash_inputs import BulkIds, BulkTexts, Mode
from stashsense.integrations.stash_library_types import PerformerRow
from stashsense.integrations.stash_types import StashVersion

# Before, three fields are in their place.
URLS_SINCE = StashVersion(0, 27)
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
    library, left_out = act.stash.library, list[str]()
    if written:
        name, more = _name_of(row, written)

        def namesakes() -> list[Any]:
            return [
                each
                for each in library.find_performers_named(name)
                if fold(each.name) == fold(name) and each.disambiguation == more
            ]

        with collisions_told(row, namesakes):
            left_out = write_performer(act, row, written)
    after = act.read_after(lambda: library.get_performer_row(row.id))
    name = after.name if after is not None else _name_of(row, written)[0]
    answer = {
        "performer": {"id": str(row.id), "name": name},
        "not_kept": left_out,
    }
    return Outcome(plan, answer)


def write_performer(
    act: Act, row: PerformerRow, values: Mapping[str, Any]
) -> list[str]:
    """Send the values; return the fields that this Stash has no place for.

    Lists that only grow are added to, so that what somebody else adds meanwhile stays.
    They come second, as an old name is an alias only once it is no name.
    """
    has_urls = act.stash.version >= URLS_SINCE
    current: dict[str, list[Any]] = {
        "alias_list": list(row.alias_list),
        "tag_ids": [each.id for each in row.tags],
        **({"urls": list(row.urls)} if has_urls else {}),
    }
    whole, grown = dict(values), dict[str, object]()
    for name, has in current.items():
        if name in whole and whole[name][: len(has)] == has:
            more = whole.pop(name)[len(has) :]
            if more and name == "tag_ids":
                grown[name] = BulkIds(Mode.ADD, more)
            elif more:
                grown[name] = BulkTexts(Mode.ADD, more)
    left_out: list[str] = []
    if whole:
        left_out += not_kept(act.stash.writes.update_performer(row.id, whole))
        act.did(f"Set {', '.join(whole)} of performer {row.id}.")
    if grown:
        left_out += not_kept(act.stash.writes.bulk_update_performers([row.id], grown))
        act.did(f"Added {', '.join(grown)} of performer {row.id}.")
    return left_out


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
