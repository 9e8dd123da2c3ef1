"""A world of invented people: a seed and a number of them give everything.

The first people of a world do not depend on how many follow.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from demo.identity import Identity, sample_identity
from demo.scenes import Scene, draw_reference
from demo.seeds import Generator, Namespace, generator

DEFAULT_SEED = 2026
DEFAULT_PEOPLE_COUNT = 120
FEWEST_DRAWINGS = 4
MOST_DRAWINGS = 6

# Domains of universal ids, with the short names used inside performers.db. Weights
# make the first as common as it is in published releases.
DOMAINS = {
    "stashdb.org": "stashdb",
    "theporndb.net": "theporndb",
    "fansdb.cc": "fansdb",
    "pmvstash.org": "pmvstash",
    "javstash.org": "javstash",
}
_DOMAIN_CHANCES = (0.7, 0.12, 0.08, 0.05, 0.05)
COUNTRIES = ("CZ", "DE", "FR", "GB", "HU", "IT", "JP", "US", "BR", "CA", "ES", None)

# fmt: off
_STARTS = (
    "Al", "Bri", "Cal", "Da", "El", "Fen", "Gia", "Har", "Il", "Jo", "Ka", "Lu",
    "Mi", "No", "Or", "Pen", "Qui", "Ro", "Sa", "Tam", "Ul", "Vi", "Wen", "Yo",
)
_ENDS = (
    "a", "bel", "den", "elle", "fina", "go", "ina", "ko", "lan", "mara", "nor",
    "ric", "sine", "ton", "vin", "wyn", "ra", "lie",
)
_FAMILY_STARTS = (
    "Amber", "Birch", "Clover", "Dusk", "Elder", "Fern", "Gold", "Hazel", "Iron",
    "Juniper", "Kestrel", "Lark", "Moss", "North", "Oak", "Pine", "Quill", "Rowan",
    "Silver", "Thorn", "Umber", "Vale", "Wren", "Zinc",
)
_FAMILY_ENDS = (
    "brook", "croft", "dale", "field", "gate", "hill", "house", "land", "mere",
    "ridge", "shaw", "stone", "ton", "wood", "worth", "yard",
)
# fmt: on


@dataclass(frozen=True)
class Person:
    universal_id: str
    name: str
    country: str | None
    drawing_count: int
    identity: Identity

    @property
    def domain(self) -> str:
        return self.universal_id.partition(":")[0]

    @property
    def image_url(self) -> str:
        """An address nobody serves: the domain is reserved for examples."""
        bare_id = self.universal_id.partition(":")[2]
        return f"https://images.example.org/{bare_id}.jpg"


@dataclass(frozen=True)
class World:
    seed: int
    people_count: int

    @cached_property
    def people(self) -> tuple[Person, ...]:
        taken: set[str] = set()
        return tuple(
            _invent_person(self.seed, index, taken)
            for index in range(self.people_count)
        )

    def iter_references(self, index: int) -> Iterator[Scene]:
        """Draw pictures by which a database can know this person, more than enough."""
        identity = self.people[index].identity
        for drawing in range(4 * MOST_DRAWINGS):
            rng = generator(Namespace.WORLD_REFERENCE, self.seed, index, drawing)
            yield draw_reference(identity, rng)


def invent_stranger(seed: int, index: int) -> Identity:
    """Return somebody who belongs to no world."""
    return sample_identity(generator(Namespace.STRANGER, seed, index))


def _invent_person(seed: int, index: int, taken: set[str]) -> Person:
    rng = generator(Namespace.WORLD_NAME, seed, index)
    name = _invent_name(rng)
    while name in taken:
        name = _invent_name(rng)
    taken.add(name)
    domain = list(DOMAINS)[int(rng.choice(len(DOMAINS), p=_DOMAIN_CHANCES))]
    bare_id = uuid.UUID(bytes=rng.bytes(16), version=4)
    return Person(
        universal_id=f"{domain}:{bare_id}",
        name=name,
        country=COUNTRIES[rng.integers(len(COUNTRIES))],
        drawing_count=int(rng.integers(FEWEST_DRAWINGS, MOST_DRAWINGS + 1)),
        identity=sample_identity(generator(Namespace.WORLD_PERSON, seed, index)),
    )


def _invent_name(rng: Generator) -> str:
    given = _pick(rng, _STARTS) + _pick(rng, _ENDS)
    family = _pick(rng, _FAMILY_STARTS) + _pick(rng, _FAMILY_ENDS)
    return f"{given} {family}"


def _pick(rng: Generator, parts: tuple[str, ...]) -> str:
    return parts[int(rng.integers(len(parts)))]
