"""Names and aliases: cleaned up, and who else has them. Nothing merges by itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from recommendations.compound import fold
from recommendations.exceptions import NameCollision
from recommendations.stash_actions.telling import Entity, told_entity
from stashsense.integrations.stash_errors import StashNameTaken
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import (
    PerformerName,
    StudioRow,
    TagRow,
)

NamedKind = Literal["tag", "studio"]

# So many names are looked up one by one; for more, all of the library's are read.
_LOOKED_UP_AT_MOST = 20


def clean_aliases(aliases: Iterable[str], *, name: str) -> tuple[str, ...]:
    """Return the aliases without blanks, without the own name, and each once.

    Of two that differ in letter case the first stays, as Stash refuses both.
    """
    kept: dict[str, str] = {}
    for alias in map(str.strip, aliases):
        if alias and fold(alias) != fold(name):
            kept.setdefault(fold(alias), alias)
    return tuple(kept.values())


def refuse_namesake(
    library: StashLibrary, own: PerformerName | None, name: str, disambiguation: str
) -> None:
    """Raise NameCollision, with both, where another performer is called just so."""
    found = [
        row
        for row in library.find_performers_named(name)
        if (own is None or row.id != own.id)
        and fold(row.name) == fold(name)
        and row.disambiguation.strip() == disambiguation.strip()
    ]
    if found:
        raise _collision(own, found, name)


def refuse_taken_name(
    library: StashLibrary, kind: NamedKind, own: TagRow | StudioRow | None, name: str
) -> None:
    """Raise NameCollision, with both, where it is another's name or alias."""
    found = _others(_finder(library, kind)(name), own)
    if found:
        raise _collision(own, found, name)


@contextmanager
def collisions_told(own: Entity | None, find: Callable[[], Sequence[Entity]]) -> Any:
    """Answer Stash's refusal of a name as `refuse_namesake` would have."""
    try:
        yield
    except StashNameTaken as exc:
        others = [row for row in find() if own is None or row.id != own.id]
        raise NameCollision(str(exc), facts=_facts(own, others)) from exc


@dataclass(frozen=True)
class SortedAliases:
    """Those that Stash will take, and those that it would refuse, each with whose."""

    kept: tuple[str, ...]
    refused: tuple[dict[str, Any], ...] = ()


def sort_aliases(
    library: StashLibrary,
    kind: NamedKind,
    own: TagRow | StudioRow | None,
    aliases: Sequence[str],
) -> SortedAliases:
    """Part aliases of a tag or studio by whether another has them.

    Those that it has already are not looked up. Of performers Stash refuses none.
    """
    has = {fold(each) for each in (own.aliases if own is not None else ())}
    new = [alias for alias in aliases if fold(alias) not in has]
    owners = _owners(library, kind, own, new)
    refused = tuple(
        {"alias": alias, "used_by": told_entity(owners[fold(alias)])}
        for alias in new
        if fold(alias) in owners
    )
    kept = tuple(each for each in aliases if fold(each) not in owners)
    return SortedAliases(kept, refused)


def _owners(
    library: StashLibrary,
    kind: NamedKind,
    own: TagRow | StudioRow | None,
    names: Sequence[str],
) -> dict[str, TagRow | StudioRow]:
    """Return whose name or alias each is, by folded name; others' alone."""
    wanted = {fold(each) for each in names}
    rows: Iterable[TagRow | StudioRow]
    if len(names) <= _LOOKED_UP_AT_MOST:
        find = _finder(library, kind)
        rows = (row for each in names for row in find(each))
    else:
        rows = _all_rows(library, kind)
    owners: dict[str, TagRow | StudioRow] = {}
    for row in _others(rows, own):
        for each in (row.name, *row.aliases):
            if fold(each) in wanted:
                owners.setdefault(fold(each), row)
    return owners


def _finder(
    library: StashLibrary, kind: NamedKind
) -> Callable[[str], Sequence[TagRow | StudioRow]]:
    return library.find_tags_named if kind == "tag" else library.find_studios_named


def _all_rows(library: StashLibrary, kind: NamedKind) -> Iterator[TagRow | StudioRow]:
    yield from library.iter_tag_rows() if kind == "tag" else library.iter_studio_rows()


def _others(
    rows: Iterable[TagRow | StudioRow], own: TagRow | StudioRow | None
) -> list[TagRow | StudioRow]:
    return [row for row in rows if own is None or row.id != own.id]


def _collision(
    own: Entity | None, others: Sequence[Entity], name: str
) -> NameCollision:
    whose = " and ".join(f"{other.name} ({other.id})" for other in others)
    message = f'"{name[:200]}" is used by {whose[:400]}; nothing was changed.'
    return NameCollision(message, facts=_facts(own, others))


def _facts(own: Entity | None, others: Sequence[Entity]) -> dict[str, Any]:
    return {
        "entity": None if own is None else told_entity(own),
        "others": [told_entity(each) for each in others],
    }
