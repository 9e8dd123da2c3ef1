"""A library whose performers a stash-box knows, and what a day changes of both.

At first the library says what the stash-box says, so that nothing is to be proposed;
whatever is proposed after `Changed` was made of it follows from that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.stash.generated import generated_library
from demo.stash.library import Library, StashBox, StashId
from demo.stash.library import Performer as LibraryPerformer
from demo.stash.library import now as library_now
from demo.stashbox.content import fill_performers
from demo.stashbox.rows import Box, Performer

# Of the linked performers.
CHANGED_SHARE = 0.01
# Of them so many in a hundred of those that are changed, at least one.
OTHER_SHARE = 0.2
# What is changed at the stash-box of performers that the library does not have, for
# each one that it has: it knows many more.
STRANGERS_FOR_EACH = 3
_FIRST_COUNTRY, _OTHER_COUNTRY, _OWN_COUNTRY = "CZ", "CA", "DE"
# Nobody waits for a rate.
FAST_REQUESTS_PER_MINUTE = 6_000_000


@dataclass
class World:
    """The two, and who of the library is who of the box, by their ids.

    `strangers` are ids at the box that the library has none of.
    """

    library: Library
    box: Box
    linked: dict[str, str]
    strangers: list[str]
    endpoint: str = ""


@dataclass
class Changed:
    """Ids of the library that should be proposed, by what happened to each.

    `silent` should not be: their owner changed what the box has left as it is.
    """

    upstream: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    newly_linked: set[str] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)

    def proposed(self) -> dict[str, str]:
        """Return what should be proposed for each, as `told` puts it."""
        return {
            **dict.fromkeys(self.upstream | self.newly_linked, "differs in country"),
            **dict.fromkeys(self.conflicts, "differs in country against one's own"),
            **dict.fromkeys(self.deleted, "deleted"),
            **{each: f"merged into {target}" for each, target in self.merged.items()},
        }


def told(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return what is proposed for each performer of the library."""
    return {str(row["target_id"]): _word_for(row) for row in rows}


def make_world(count: int) -> World:
    """Return so many performers, all linked; `connect` is to come."""
    library = generated_library(studios=0, tags=0)
    box = Box()
    changed = max(int(count * CHANGED_SHARE), 1)
    fresh = _part(changed)
    strangers = fill_performers(box, changed * STRANGERS_FOR_EACH + fresh, seed=2)
    ids = fill_performers(box, count)
    for number, id in enumerate(ids, start=1):
        row = _library_row(str(number), box.performers[id])
        library.performers[row.id] = row
    linked = dict(zip(library.performers, ids, strict=True))
    return World(library, box, linked, strangers)


def connect(world: World, endpoint: str, api_key: str) -> None:
    """Have the Stash know the box, and everybody's id be of it."""
    world.endpoint = endpoint
    world.library.stash_boxes = [
        StashBox(endpoint, "Box", api_key, FAST_REQUESTS_PER_MINUTE)
    ]
    for local_id, id in world.linked.items():
        row = world.library.performers[local_id]
        row.stash_ids = [StashId(endpoint, id, row.updated_at)]


def change(world: World) -> Changed:
    """Change one performer in a hundred, and some of everything else.

    No one is touched twice. Those merged go into performers that the library does not
    have, of whom as many as it has changed ones are changed as well.
    """
    changed = Changed()
    count = max(int(len(world.linked) * CHANGED_SHARE), 1)
    some = _part(count)
    # Spread over the whole library, not to be found on a few pages.
    order = iter(_spread([*world.linked]))
    strangers = iter(world.strangers)
    with world.library.lock, world.box.lock:
        for local_id in _take(order, count):
            _change_upstream(world, world.linked[local_id])
            changed.upstream.add(local_id)
        for local_id in _take(order, some):
            target = next(strangers)
            world.box.merge("PERFORMER", [world.linked[local_id]], target)
            changed.merged[local_id] = target
        for local_id in _take(order, some):
            world.box.destroy("PERFORMER", world.linked[local_id])
            changed.deleted.add(local_id)
        for local_id in _take(order, some):
            _change_locally(world, local_id)
            changed.silent.add(local_id)
        for local_id in _take(order, some):
            _change_locally(world, local_id)
            _change_upstream(world, world.linked[local_id])
            changed.conflicts.add(local_id)
        for id in _take(strangers, some):
            changed.newly_linked.add(_link_newly(world, id))
        for id in strangers:
            _change_upstream(world, id)
    return changed


def _word_for(row: Mapping[str, Any]) -> str:
    if not row.get("is_gone_upstream"):
        fields = ", ".join(each["field"] for each in row["changes"])
        is_own = any(each["is_conflict"] for each in row["changes"])
        return f"differs in {fields}" + (" against one's own" if is_own else "")
    target = row["merged_into_id"]
    return f"merged into {target}" if target else "deleted"


def _part(changed: int) -> int:
    return max(int(changed * OTHER_SHARE), 1)


def _take(ids: Iterator[str], count: int) -> list[str]:
    return [next(ids) for _ in range(count)]


def _spread(ids: list[str]) -> list[str]:
    """Return the ids in an order in which neighbours are far apart."""
    step = max(int(len(ids) * 0.618), 1)
    # With a step that divides the number some would never come.
    while _common(step, len(ids)) > 1:
        step += 1
    return [ids[place * step % len(ids)] for place in range(len(ids))]


def _common(one: int, other: int) -> int:
    while other:
        one, other = other, one % other
    return one


def _change_upstream(world: World, id: str) -> None:
    row = world.box.performers[id]
    row.country = _OTHER_COUNTRY
    world.box.touch(row)


def _change_locally(world: World, local_id: str) -> None:
    row = world.library.performers[local_id]
    row.country, row.updated_at = _OWN_COUNTRY, library_now()


def _link_newly(world: World, id: str) -> str:
    """Add somebody of the box to the library, who differs; return their id there."""
    library = world.library
    row = _library_row(library.next_id(library.performers), world.box.performers[id])
    moment = library_now()
    row.country, row.created_at, row.updated_at = _OWN_COUNTRY, moment, moment
    row.stash_ids = [StashId(world.endpoint, id, moment)]
    library.performers[row.id] = row
    return row.id


def _library_row(local_id: str, row: Performer) -> LibraryPerformer:
    """Return somebody of the box as the library has them."""
    moment = row.created.isoformat().replace("+00:00", "Z")
    return LibraryPerformer(
        local_id,
        moment,
        moment,
        name=row.name,
        alias_list=list(row.aliases),
        gender=row.gender,
        birthdate=row.birth_date,
        height_cm=row.height,
        country=row.country,
    )
