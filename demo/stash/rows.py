"""The rows of a drawn library as a scan and its owner would have left them."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.identity import Identity
from demo.seeds import Namespace, generator
from demo.stash import sprites
from demo.stash.library import (
    MEDIA_DIR_NAME,
    Gallery,
    Image,
    Library,
    MediaFile,
    Performer,
    Scene,
    StashBox,
    StashId,
    Studio,
    Tag,
    as_time,
)
from demo.stash.plans import LibraryPlan, PerformerPlan, PicturePlan
from demo.stash.video import probe_video
from demo.world import DOMAINS, Person

# Rows follow each other by an hour, so that sorting by time tells them apart.
_FIRST_MOMENT = datetime(2025, 3, 1, 10, tzinfo=UTC)
# As Stash writes what stash-boxes have enums for.
_EYE_WORDS = ("Brown", "Blue", "Green", "Hazel")
_CUPS = ("A", "B", "C", "D")


def endpoint_of(domain: str) -> str:
    """Return the address that stash ids of a box name."""
    return f"https://{domain}/graphql"


def file_stem(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def fill_rows(library: Library, plan: LibraryPlan) -> None:
    """Add every row but the files, which have to be drawn first."""
    library.stash_boxes = [
        StashBox(endpoint_of(domain), DOMAINS[domain], api_key="drawn-key")
        for domain in plan.domains
    ]
    for number, name in enumerate(plan.tags, start=1):
        library.tags[str(number)] = Tag(
            *_row(number), name=name, stash_ids=_name_ids(plan, "tag", name)
        )
    for number, name in enumerate(plan.studios, start=1):
        library.studios[str(number)] = Studio(
            *_row(number), name=name, stash_ids=_name_ids(plan, "studio", name)
        )
    for number, performer in enumerate(plan.performers, start=1):
        library.performers[str(number)] = _performer(plan, performer, number)
    for number in range(1, len(plan.scenes) + 1):
        library.scenes[str(number)] = _scene(plan, number)
    for number, gallery in enumerate(plan.galleries, start=1):
        library.galleries[str(number)] = Gallery(
            *_row(number),
            title=gallery.title,
            folder_name=f"{MEDIA_DIR_NAME}/{file_stem(gallery.title)}",
            scene_ids=[] if gallery.scene is None else [str(gallery.scene + 1)],
        )
    _fill_images(library, plan)


def iter_pictures(plan: LibraryPlan) -> Iterator[tuple[str, PicturePlan]]:
    """Yield the name and the plan of every picture, those of galleries first."""
    for gallery in plan.galleries:
        for number, picture in enumerate(gallery.pictures, start=1):
            stem = file_stem(gallery.title)
            yield f"{MEDIA_DIR_NAME}/{stem}/{number:02}.jpg", picture
    for number, picture in enumerate(plan.images, start=1):
        yield f"{MEDIA_DIR_NAME}/images/{number:02}.jpg", picture


def video_file(
    folder: Path, name: str, *, file_id: str, phash: str | None
) -> MediaFile:
    """Return the row of a video as a scan finds it."""
    path = folder / name
    facts = probe_video(path)
    fingerprints = {"oshash": sprites.oshash(path)}
    if phash is not None:
        fingerprints["phash"] = phash
    return MediaFile(
        id=file_id,
        name=name,
        size=path.stat().st_size,
        width=facts.width,
        height=facts.height,
        fingerprints=fingerprints,
        created_at=_moment(int(file_id)),
        updated_at=_moment(int(file_id)),
        mod_time=_moment(int(file_id)),
        format=facts.format,
        duration=facts.duration,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        frame_rate=facts.frame_rate,
        bit_rate=facts.bit_rate,
    )


def image_file(
    folder: Path, name: str, *, file_id: str, size: tuple[int, int]
) -> MediaFile:
    return MediaFile(
        id=file_id,
        name=name,
        size=(folder / name).stat().st_size,
        width=size[0],
        height=size[1],
        fingerprints={"md5": sprites.md5(folder / name)},
        created_at=_moment(int(file_id)),
        updated_at=_moment(int(file_id)),
        mod_time=_moment(int(file_id)),
        format="jpeg",
    )


def _scene(plan: LibraryPlan, number: int) -> Scene:
    scene = plan.scenes[number - 1]
    rng = generator(Namespace.STASH_ROW, plan.world.seed, 2, number)
    stash_ids, urls = [], []
    if scene.has_stash_id:
        if plan.is_detailed:
            urls.append(f"https://scenes.example.org/{file_stem(scene.title)}")
        bare_id = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        endpoint = endpoint_of(plan.domains[0])
        stash_ids.append(StashId(endpoint, bare_id, _moment(number)))
    second_file = plan.second_file_id(number - 1)
    return Scene(
        *_row(number),
        title=scene.title,
        urls=urls,
        date=f"{_FIRST_MOMENT + timedelta(days=number):%Y-%m-%d}",
        file_ids=[str(number)] + ([] if second_file is None else [second_file]),
        performer_ids=[str(place + 1) for place in scene.tagged],
        tag_ids=[str(place + 1) for place in scene.tags],
        studio_id=None if scene.studio is None else str(scene.studio + 1),
        stash_ids=stash_ids,
        has_cover=scene.has_cover,
        has_sprite=scene.has_sprite,
        gallery_ids=[
            str(place)
            for place, gallery in enumerate(plan.galleries, start=1)
            if gallery.scene == number - 1
        ],
    )


def _fill_images(library: Library, plan: LibraryPlan) -> None:
    gallery_ids = [
        [str(place)]
        for place, gallery in enumerate(plan.galleries, start=1)
        for _ in gallery.pictures
    ] + [[] for _ in plan.images]
    for number, (_, picture) in enumerate(iter_pictures(plan), start=1):
        library.images[str(number)] = Image(
            *_row(number),
            file_ids=[str(len(plan.scenes) + number)],
            gallery_ids=gallery_ids[number - 1],
            performer_ids=[str(place + 1) for place in picture.tagged],
        )


def _performer(plan: LibraryPlan, planned: PerformerPlan, number: int) -> Performer:
    person = plan.world.people[planned.person]
    rng = generator(Namespace.STASH_ROW, plan.world.seed, 1, number)
    name = planned.name or person.name
    performer = Performer(*_row(number), name=name, country=person.country)
    performer.hair_color = _hair_word(person.identity)
    performer.birthdate = f"{rng.integers(1970, 2004)}-{rng.integers(1, 13):02}-15"
    performer.gender = "FEMALE" if rng.random() < 0.5 else "MALE"
    if rng.random() < 0.5:
        performer.alias_list = [person.name.split()[0]]
    if plan.is_detailed:
        _describe(performer, plan.world.seed, number)
    if planned.has_picture:
        performer.picture_name = f"performers/{number}.jpg"
    if planned.has_stash_id:
        performer.stash_ids.append(_own_stash_id(person, number))
    if planned.has_second_stash_id:
        other = next(each for each in DOMAINS if each != person.domain)
        bare_id = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        performer.stash_ids.append(
            StashId(endpoint_of(other), bare_id, _moment(number))
        )
    return performer


def _describe(performer: Performer, seed: int, number: int) -> None:
    """Add what nobody can see in a face."""
    rng = generator(Namespace.STASH_ROW, seed, 3, number)
    performer.eye_color = _EYE_WORDS[rng.integers(len(_EYE_WORDS))]
    performer.height_cm = int(rng.integers(155, 195))
    if performer.gender == "FEMALE":
        bust = f"{rng.integers(30, 40)}{_CUPS[rng.integers(len(_CUPS))]}"
        waist = int(rng.integers(22, 32))
        performer.measurements = f"{bust}-{waist}-{waist + rng.integers(8, 14)}"
    performer.urls = [f"https://people.example.org/{file_stem(performer.name)}"]


def _name_ids(plan: LibraryPlan, kind: str, name: str) -> list[StashId]:
    """Return the ids of a tag or studio, which have no place in a world."""
    if not plan.is_detailed:
        return []
    bare_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {name}"))
    return [StashId(endpoint_of(plan.domains[0]), bare_id, _moment(0))]


def _own_stash_id(person: Person, number: int) -> StashId:
    domain, _, bare_id = person.universal_id.partition(":")
    return StashId(endpoint_of(domain), bare_id, _moment(number))


def _hair_word(identity: Identity) -> str:
    return "Brunette" if sum(identity.hair.colour) < 300 else "Blonde"


def _row(number: int) -> tuple[str, str, str]:
    """Return id, created_at and updated_at."""
    return str(number), _moment(number), _moment(number)


def _moment(number: int) -> str:
    return as_time(_FIRST_MOMENT + timedelta(hours=number))
