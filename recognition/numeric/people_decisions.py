"""What the owner said of people, as who is held together and kept apart."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Said:
    """Something said of people, by position; `is_split`: the moved are not the rest.

    Otherwise all of them are one.
    """

    moved: Sequence[int]
    stayed: Sequence[int]
    is_split: bool


@dataclass
class Unit:
    """People who stay together, or a single one; marks as `grouping_people` has them.

    `is_held`: by something that was said.
    """

    people: list[int]
    is_held: bool = False
    has: set[Hashable] = field(default_factory=set)
    refuses: set[Hashable] = field(default_factory=set)

    def exclude(self, own: Hashable, others: Hashable) -> None:
        """Mark it as not to be with those who have the other mark."""
        self.has.add(own)
        self.refuses.add(others)


def units_of(media: Sequence[Hashable | None], said: Sequence[Said]) -> list[Unit]:
    """Return the units of people, each in a medium, or None who keeps nobody out.

    Where two things said contradict each other, the later counts. People of one medium
    are in one unit only where that was said.
    """
    together = _Together(len(media))
    sides: list[dict[int, bool]] = [{} for _ in media]
    for number, each in enumerate(said):
        if each.is_split:
            together.take_out(each.moved)
            sides_of = [(each.moved, True), (each.stayed, False)]
            for people, side in sides_of:
                for person in people:
                    sides[person][number] = side
        else:
            everybody = [*each.stayed, *each.moved]
            together.unite(everybody)
            _forget_splits(sides, everybody)
    units = [Unit(sorted(people), is_held) for people, is_held in together.units()]
    for unit in units:
        for person in unit.people:
            if media[person] is not None:
                mark = ("media", media[person])
                unit.exclude(mark, mark)
            for number, side in sides[person].items():
                unit.exclude(("split", number, side), ("split", number, not side))
    return sorted(units, key=lambda unit: unit.people)


class _Together:
    """Disjoint sets of people; those that something was said of are held."""

    def __init__(self, count: int) -> None:
        self._set_of = [{person} for person in range(count)]
        self._held: set[int] = set()

    def unite(self, people: Sequence[int]) -> None:
        united = set().union(*(self._set_of[person] for person in people))
        for person in united:
            self._set_of[person] = united
        self._held |= united

    def take_out(self, people: Sequence[int]) -> None:
        for person in people:
            self._set_of[person].discard(person)
        taken = {*people}
        for person in people:
            self._set_of[person] = taken
        self._held |= taken

    def units(self) -> list[tuple[set[int], bool]]:
        """Return the sets, and whether they are held."""
        sets = {id(people): people for people in self._set_of}.values()
        return [(people, not people.isdisjoint(self._held)) for people in sets]


def _forget_splits(sides: list[dict[int, bool]], people: Sequence[int]) -> None:
    """Take back the splits that people are on both sides of who are now one."""
    seen: dict[int, set[bool]] = {}
    for person in people:
        for number, side in sides[person].items():
            seen.setdefault(number, set()).add(side)
    contradicted = {number for number, found in seen.items() if len(found) == 2}
    for person in people:
        for number in contradicted & sides[person].keys():
            del sides[person][number]
