"""What a stand-in stash-box knows at first: the people of a Stash that has their ids.

And libraries of any size, of rows alone, to measure with.
"""

import uuid
from datetime import UTC, datetime, timedelta

from demo.seeds import Generator, Namespace, generator
from demo.stash.library import Library, MediaFile, StashId
from demo.stash.library import Performer as LibraryPerformer
from demo.stash.library import Scene as LibraryScene
from demo.stashbox.rows import (
    Appearance,
    BodyModification,
    Box,
    BoxUrl,
    Fingerprint,
    Performer,
    Scene,
    Studio,
    Tag,
    TagCategory,
)

_FIRST_MOMENT = datetime(2024, 5, 1, 9, tzinfo=UTC)
_CATEGORY = TagCategory(str(uuid.uuid5(uuid.NAMESPACE_OID, "category")), "Places")
# Two strangers to the library, so that there is more to find than what it has.
_STRANGERS = ("Somebody Else", "Nobody Known")


def box_of_library(library: Library, endpoint: str) -> Box:
    """Return a box that knows whatever the library has an id of its endpoint for.

    Everything is as the library has it, by the box's own words. The library's studios
    and tags are known, too, by ids that `box_id` tells.
    """
    box = Box()
    for number, studio in enumerate(library.studios.values()):
        id = box_id("studio", studio.name)
        box.studios[id] = Studio(id, *_moments(number), name=studio.name)
    for number, tag in enumerate(library.tags.values()):
        id = box_id("tag", tag.name)
        box.tags[id] = Tag(id, *_moments(number), name=tag.name, category=_CATEGORY)
    by_library_id: dict[str, str] = {}
    for number, performer in enumerate(library.performers.values()):
        own_id = _id_at(performer.stash_ids, endpoint)
        if own_id is not None:
            by_library_id[performer.id] = own_id
            box.performers[own_id] = _performer(own_id, performer, number)
    for number, name in enumerate(_STRANGERS, start=len(library.performers)):
        id = box_id("performer", name)
        box.performers[id] = Performer(id, *_moments(number), name=name)
    for number, scene in enumerate(library.scenes.values()):
        own_id = _id_at(scene.stash_ids, endpoint)
        if own_id is not None:
            box.scenes[own_id] = _scene(own_id, scene, library, by_library_id, number)
    return box


def box_id(kind: str, name: str) -> str:
    """Return the id that a stand-in box gives to what no Stash has an id for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {name}"))


def fill_performers(box: Box, count: int, *, seed: int = 1) -> list[str]:
    """Add so many performers, a minute between two, and return their ids."""
    ids = []
    for number in range(count):
        rng = generator(Namespace.BOX_ROW, seed, 1, number)
        id = _uuid(rng)
        ids.append(id)
        born = int(rng.integers(1960, 2004))
        created, updated = _moments(number, step=timedelta(minutes=1))
        box.performers[id] = Performer(
            id,
            created,
            updated,
            name=f"Performer {number}",
            aliases=[f"Alias {number}"],
            gender="FEMALE" if rng.random() < 0.5 else "MALE",
            birth_date=f"{born}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}",
            height=int(rng.integers(150, 200)),
            country="CZ",
        )
    return ids


def fill_scenes(box: Box, count: int, *, seed: int = 1) -> list[str]:
    """Add so many scenes of the performers there are, and return their ids."""
    ids = []
    cast = list(box.performers)
    for number in range(count):
        rng = generator(Namespace.BOX_ROW, seed, 2, number)
        id = _uuid(rng)
        ids.append(id)
        seconds = int(rng.integers(300, 3600))
        created, updated = _moments(number, step=timedelta(minutes=1))
        box.scenes[id] = Scene(
            id,
            created,
            updated,
            title=f"Scene {number}",
            release_date=f"{created:%Y-%m-%d}",
            duration=seconds,
            performers=[Appearance(cast[number % len(cast)])] if cast else [],
            fingerprints=[
                Fingerprint(algorithm, rng.bytes(8).hex(), seconds)
                for algorithm in ("OSHASH", "PHASH")
            ],
        )
    return ids


def _performer(id: str, own: LibraryPerformer, number: int) -> Performer:
    rng = generator(Namespace.BOX_ROW, 0, number)
    return Performer(
        id,
        *_moments(number),
        name=own.name,
        disambiguation=own.disambiguation,
        aliases=list(own.alias_list),
        gender=own.gender,
        urls=[BoxUrl(f"https://people.example.org/{id}")],
        birth_date=own.birthdate,
        death_date=own.death_date,
        country=own.country,
        hair_color="BRUNETTE" if own.hair_color == "dark" else "BLONDE",
        height=own.height_cm,
        tattoos=[BodyModification("left arm", "a bird")] if rng.random() < 0.3 else [],
        piercings=[],
        images=[box_id("image", id)],
    )


def _scene(
    id: str,
    own: LibraryScene,
    library: Library,
    performers: dict[str, str],
    number: int,
) -> Scene:
    file = library.primary_file(own)
    seconds = None if file is None or file.duration is None else int(file.duration)
    studio = None if own.studio_id is None else library.studios[own.studio_id]
    return Scene(
        id,
        *_moments(number),
        title=own.title,
        code=own.code or None,
        details=own.details or None,
        director=own.director or None,
        release_date=own.date,
        duration=seconds,
        urls=[BoxUrl(f"https://scenes.example.org/{id}")],
        studio_id=None if studio is None else box_id("studio", studio.name),
        tag_ids=[box_id("tag", library.tags[each].name) for each in own.tag_ids],
        images=[box_id("image", id)],
        performers=[
            Appearance(performers[each])
            for each in own.performer_ids
            if each in performers
        ],
        fingerprints=[] if file is None else _fingerprints(file, seconds or 0),
    )


def _fingerprints(file: MediaFile, seconds: int) -> list[Fingerprint]:
    return [
        Fingerprint(type.upper(), value, seconds, submissions=3)
        for type, value in file.fingerprints.items()
        if type in ("oshash", "phash")
    ]


def _id_at(stash_ids: list[StashId], endpoint: str) -> str | None:
    return next(
        (each.stash_id for each in stash_ids if each.endpoint == endpoint), None
    )


def _moments(
    number: int, step: timedelta = timedelta(hours=1)
) -> tuple[datetime, datetime]:
    """Return when a row was created and updated."""
    moment = _FIRST_MOMENT + number * step
    return moment, moment + timedelta(days=1)


def _uuid(rng: Generator) -> str:
    return str(uuid.UUID(bytes=rng.bytes(16), version=4))
