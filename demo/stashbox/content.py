"""What a stand-in stash-box knows at first: the people of a Stash that has their ids.

And libraries of any size, of rows alone, to measure with.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.seeds import Generator, Namespace, generator
from demo.stash.library import Library, MediaFile, StashId
from demo.stash.library import Performer as LibraryPerformer
from demo.stash.library import Scene as LibraryScene
from demo.stashbox.rows import (
    Appearance,
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
_SIZES = re.compile(r"(?P<band>\d+)(?P<cup>[A-Z]+)-(?P<waist>\d+)-(?P<hip>\d+)")
# Two strangers to the library, so that there is more to find than what it has.
_STRANGERS = ("Somebody Else", "Nobody Known")


def box_of_library(library: Library, endpoint: str) -> Box:
    """Return a box that knows whatever the library has an id of its endpoint for.

    Everything is as the library has it, by the box's own words. The library's studios
    and tags are known, too, where it has no ids of them by those that `box_id` tells.
    """
    box = Box()
    ids = ids_of(library, endpoint)
    for number, studio in enumerate(library.studios.values()):
        id = ids.studios[studio.id]
        box.studios[id] = Studio(id, *moments(number), name=studio.name)
    for number, tag in enumerate(library.tags.values()):
        id = ids.tags[tag.id]
        box.tags[id] = Tag(id, *moments(number), name=tag.name, category=_CATEGORY)
    for number, performer in enumerate(library.performers.values()):
        # Of two rows with one id the first is who they are.
        if (
            own_id := ids.performers.get(performer.id)
        ) and own_id not in box.performers:
            box.performers[own_id] = _performer(own_id, performer, number)
            if performer.picture_name is not None:
                put_picture(box, own_id, library.folder / performer.picture_name)
    for number, name in enumerate(_STRANGERS, start=len(library.performers)):
        id = box_id("performer", name)
        box.performers[id] = Performer(id, *moments(number), name=name)
    for number, scene in enumerate(library.scenes.values()):
        own_id = _id_at(scene.stash_ids, endpoint)
        if own_id is not None:
            add_scene(box, own_id, scene, library, ids, number)
    return box


@dataclass(frozen=True)
class BoxIds:
    """What a box calls the library's rows, by their ids in the library.

    Performers whom the library has no id for are not there.
    """

    performers: Mapping[str, str]
    studios: Mapping[str, str]
    tags: Mapping[str, str]


def ids_of(library: Library, endpoint: str) -> BoxIds:
    performers = {
        row.id: _id_at(row.stash_ids, endpoint) for row in library.performers.values()
    }
    return BoxIds(
        performers={row: id for row, id in performers.items() if id is not None},
        studios={
            row.id: _id_at(row.stash_ids, endpoint) or box_id("studio", row.name)
            for row in library.studios.values()
        },
        tags={
            row.id: _id_at(row.stash_ids, endpoint) or box_id("tag", row.name)
            for row in library.tags.values()
        },
    )


def box_id(kind: str, name: str) -> str:
    """Return the id that a stand-in box gives to what no Stash has an id for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {name}"))


def add_scene(
    box: Box, id: str, own: LibraryScene, library: Library, ids: BoxIds, number: int
) -> Scene:
    """Have the box know a scene just as the library has it, and return its row."""
    file = library.primary_file(own)
    seconds = None if file is None or file.duration is None else int(file.duration)
    scene = Scene(
        id,
        *moments(number),
        title=own.title,
        code=own.code or None,
        details=own.details or None,
        director=own.director or None,
        release_date=own.date,
        duration=seconds,
        urls=[BoxUrl(each) for each in own.urls],
        studio_id=None if own.studio_id is None else ids.studios[own.studio_id],
        tag_ids=[ids.tags[each] for each in own.tag_ids],
        images=[box_id("image", id)],
        performers=[
            Appearance(ids.performers[each])
            for each in own.performer_ids
            if each in ids.performers
        ],
        fingerprints=[] if file is None else fingerprints_of(file, seconds or 0),
    )
    box.scenes[id] = scene
    if file is not None:
        put_picture(box, id, library.cover_path(file))
    return scene


def put_picture(box: Box, id: str, path: Path) -> None:
    """Have the box show the picture of a row, if it is there."""
    if path.is_file():
        box.pictures[box_id("image", id)] = path.read_bytes()


def fill_performers(box: Box, count: int, *, seed: int = 1) -> list[str]:
    """Add so many performers, a minute between two, and return their ids."""
    ids = []
    for number in range(count):
        rng = generator(Namespace.BOX_ROW, seed, 1, number)
        id = _uuid(rng)
        ids.append(id)
        born = int(rng.integers(1960, 2004))
        created, updated = moments(number, step=timedelta(minutes=1))
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
        created, updated = moments(number, step=timedelta(minutes=1))
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
    sizes = _SIZES.fullmatch(own.measurements or "")
    return Performer(
        id,
        *moments(number),
        name=own.name,
        disambiguation=own.disambiguation,
        aliases=list(own.alias_list),
        gender=own.gender,
        urls=[BoxUrl(each) for each in own.urls],
        birth_date=own.birthdate,
        death_date=own.death_date,
        country=own.country,
        eye_color=_enum(own.eye_color),
        hair_color=_enum(own.hair_color),
        height=own.height_cm,
        band_size=int(sizes["band"]) if sizes else None,
        cup_size=sizes["cup"] if sizes else None,
        waist_size=int(sizes["waist"]) if sizes else None,
        hip_size=int(sizes["hip"]) if sizes else None,
        tattoos=[],
        piercings=[],
        images=[box_id("image", id)],
    )


def fingerprints_of(file: MediaFile, seconds: int) -> list[Fingerprint]:
    return [
        Fingerprint(type.upper(), value, seconds, submissions=3)
        for type, value in file.fingerprints.items()
        if type in ("oshash", "phash")
    ]


def _enum(word: str | None) -> str | None:
    return None if word is None else word.upper()


def _id_at(stash_ids: list[StashId], endpoint: str) -> str | None:
    return next(
        (each.stash_id for each in stash_ids if each.endpoint == endpoint), None
    )


def moments(
    number: int, step: timedelta = timedelta(hours=1)
) -> tuple[datetime, datetime]:
    """Return when a row was created and updated."""
    moment = _FIRST_MOMENT + number * step
    return moment, moment + timedelta(days=1)


def _uuid(rng: Generator) -> str:
    return str(uuid.UUID(bytes=rng.bytes(16), version=4))
