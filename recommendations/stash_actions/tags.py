"""Updating a tag."""

from collections.abc import Mapping
from typing import Any

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
    NamedKind,
    SortedAliases,
    clean_aliases,
    collisions_told,
    refuse_taken_name,
    sort_aliases,
)
from recommendations.stash_actions.values import (
    ALIAS_ADD,
    Fields,
    as_stash_input,
    read_fields,
)
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import StudioRow, TagRow


def update_tag(context: ActionContext, tag_id: int, fields: Fields) -> Outcome:
    """Write the fields; raises NameCollision for another tag's name or alias.

    Aliases that another tag has are left out and told, as Stash refuses them.
    """
    values = read_fields("tag", fields)
    deed = Deed("update-tag", "tag", str(tag_id), about_upstream("tag", tag_id))
    with acting(context, deed) as act:
        row = act.target(lambda: act.stash.library.get_tag_row(tag_id))
        given, aliases = with_sorted_aliases(act.stash.library, "tag", row, values)
        written = as_stash_input("tag", given, local=row, has_career_dates=False)
        changes = changes_to(row, written)
        if "name" in changes:
            refuse_taken_name(act.stash.library, "tag", row, written["name"])
        plan = {
            "tag_id": str(row.id),
            "changes": changes,
            "refused_aliases": list(aliases.refused),
        }
        if not act.begin(plan, row):
            return Outcome(plan, is_dry_run=True)
        return _send(act, row, only_changed(written, changes), plan)


def _send(
    act: Act, row: TagRow, written: Mapping[str, Any], plan: Mapping[str, Any]
) -> Outcome:
    library, sent = act.stash.library, None
    if written:
        names = [str(written.get("name", row.name)), *written.get("aliases", ())]
        with collisions_told(row, lambda: _found(library, names)):
            sent = act.stash.writes.update_tag(row.id, written)
    after = act.read_after(lambda: library.get_tag_row(row.id))
    name = after.name if after is not None else str(written.get("name", row.name))
    answer = {
        "tag": {"id": str(row.id), "name": name},
        "refused_aliases": plan["refused_aliases"],
        "not_kept": not_kept(sent),
    }
    return Outcome(plan, answer)


def _found(library: StashLibrary, names: list[str]) -> list[TagRow]:
    # The name is what is mostly taken; of aliases the first will do.
    return [row for name in names[:5] for row in library.find_tags_named(name)]


def with_sorted_aliases(
    library: StashLibrary,
    kind: NamedKind,
    row: TagRow | StudioRow | None,
    values: Fields,
) -> tuple[dict[str, Any], SortedAliases]:
    """Return the values with their aliases cleaned up, and what became of these."""
    given = dict(values)
    added = given.pop(ALIAS_ADD, [])
    if not (added or "aliases" in given or "name" in given):
        return given, SortedAliases(())
    own = row.aliases if row is not None else ()
    name = str(given.get("name") or (row.name if row is not None else ""))
    cleaned = clean_aliases([*given.get("aliases", own), *added], name=name)
    aliases = sort_aliases(library, kind, row, cleaned)
    given["aliases"] = list(aliases.kept)
    return given, aliases
