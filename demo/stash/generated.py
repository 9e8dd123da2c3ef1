"""Large libraries without a single file: rows as tidy-ups meet them, by the thousand.

Everything follows from the seed. What lies behind the addresses of videos and sprites
is 404.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.stash.library import (
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

ENDPOINT = "https://stashdb.org/graphql"
# Under which no file lies.
_FOLDER = Path("/generated-library")
_FIRST_MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
_LINKED_AT = as_time(_FIRST_MOMENT)
_SECOND_FILE_SHARE = 0.05
_SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
_GIVEN_NAMES = ("Ada", "Bea", "Cleo", "Dora", "Elsa", "Fay", "Gia", "Hana", "Ivy", "Jo")
_FAMILY_NAMES = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Oak", "Pine", "Yew")


def generated_library(
    *,
    scenes: int = 0,
    performers: int = 0,
    studios: int = 50,
    tags: int = 200,
    phash_share: float = 0.7,
    linked_share: float = 0.6,
    endpoint: str = ENDPOINT,
    seed: int = 1,
) -> Library:
    """Return a library of as many rows, with ids from 1 on.

    `phash_share` of the files have a perceptual hash, each a different one;
    `linked_share` of scenes, performers, tags and studios have an id at `endpoint`.
    One scene in twenty has a second file. Later rows are younger by a minute.
    """
    chance = random.Random(seed)
    library = Library(_FOLDER)
    library.stash_boxes = [StashBox(endpoint, "StashDB", api_key="generated-key")]

    def stash_ids() -> list[StashId]:
        if chance.random() >= linked_share:
            return []
        stash_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return [StashId(endpoint, stash_id, _LINKED_AT)]

    for number in range(1, tags + 1):
        name = f"tag {number}"
        library.tags[str(number)] = Tag(*_row(number), name=name, stash_ids=stash_ids())
    for number in range(1, studios + 1):
        name = f"Studio {number}"
        library.studios[str(number)] = Studio(
            *_row(number), name=name, stash_ids=stash_ids()
        )
    for number in range(1, performers + 1):
        performer = _performer(number, chance, list(library.tags))
        performer.stash_ids = stash_ids()
        library.performers[performer.id] = performer
    links = list(library.performers), list(library.tags), list(library.studios)
    for number in range(1, scenes + 1):
        scene = _scene(number, chance, *links)
        scene.stash_ids = stash_ids()
        count = 2 if chance.random() < _SECOND_FILE_SHARE else 1
        for _ in range(count):
            file = _file(len(library.files) + 1, chance, phash_share=phash_share)
            library.files[file.id] = file
            scene.file_ids.append(file.id)
        library.scenes[scene.id] = scene
    return library


def _row(number: int) -> tuple[str, str, str]:
    moment = as_time(_FIRST_MOMENT + timedelta(minutes=number))
    return str(number), moment, moment


def _performer(number: int, chance: random.Random, tags: Sequence[str]) -> Performer:
    given, family = chance.choice(_GIVEN_NAMES), chance.choice(_FAMILY_NAMES)
    return Performer(
        *_row(number),
        # The number keeps names apart, as Stash wants them.
        name=f"{given} {family} {number}",
        gender="FEMALE",
        birthdate=f"{chance.randint(1970, 2004)}-{chance.randint(1, 12):02}-01",
        country=chance.choice(("US", "CZ", "DE", "JP")),
        height_cm=chance.randint(150, 185),
        alias_list=[f"{given} {number}"] if number % 3 == 0 else [],
        tag_ids=chance.sample(tags, min(2, len(tags))),
    )


def _scene(
    number: int,
    chance: random.Random,
    performers: Sequence[str],
    tags: Sequence[str],
    studios: Sequence[str],
) -> Scene:
    day = _FIRST_MOMENT + timedelta(days=chance.randint(0, 2000))
    return Scene(
        *_row(number),
        title=f"Scene {number}",
        date=day.date().isoformat() if chance.random() < 0.8 else None,
        studio_id=chance.choice(studios) if studios else None,
        performer_ids=chance.sample(performers, min(2, len(performers))),
        tag_ids=chance.sample(tags, min(3, len(tags))),
        urls=[f"https://example.com/scenes/{number}"],
    )


def _file(number: int, chance: random.Random, *, phash_share: float) -> MediaFile:
    width, height = chance.choice(_SIZES)
    file_id, created_at, updated_at = _row(number)
    fingerprints = {"oshash": f"{chance.getrandbits(64):016x}"}
    if chance.random() < phash_share:
        fingerprints["phash"] = _hash(chance)
    duration = chance.uniform(60, 3600)
    return MediaFile(
        id=file_id,
        name=f"media/{number // 1000:04}/scene-{number}.mp4",
        size=int(duration * 1_000_000),
        width=width,
        height=height,
        fingerprints=fingerprints,
        created_at=created_at,
        updated_at=updated_at,
        mod_time=updated_at,
        format="mp4",
        duration=duration,
        video_codec="h264",
        audio_codec="aac",
        frame_rate=25.0,
        bit_rate=8_000_000,
    )


def _hash(chance: random.Random) -> str:
    """Return 64 bits as Stash writes them, without leading zeros."""
    return f"{chance.getrandbits(64):x}"
