"""Rows that tests put into the stand-in Stash."""

import itertools

from demo.stash.generated import generated_library
from demo.stash.library import (
    Library,
    MediaFile,
    Performer,
    Scene,
    StashId,
    Studio,
    Tag,
    now,
)

BOX = "https://box.example/graphql"
OTHER_BOX = "https://other.example/graphql"


def empty_library() -> Library:
    """Return a library of nothing but two studios and two tags."""
    return generated_library(studios=2, tags=2, linked_share=0)


def add_performer(library, name, *, ids=(), **facts) -> Performer:
    """Add a performer with ids given as (endpoint, id); their id is the next one."""
    number = str(max(map(int, library.performers), default=0) + 1)
    moment = now()
    performer = Performer(number, moment, moment, name=name, **facts)
    performer.stash_ids = [StashId(box, each, moment) for box, each in ids]
    library.performers[number] = performer
    return performer


def add_scene(library, *, performers=(), ids=(), files=(), **facts) -> Scene:
    """Add a scene of these files, one where none is given."""
    number = str(max(map(int, library.scenes), default=0) + 1)
    moment = now()
    scene = Scene(number, moment, moment, **facts)
    scene.performer_ids = [each.id for each in performers]
    scene.stash_ids = [StashId(box, each, moment) for box, each in ids]
    scene.file_ids = [file.id for file in files or [add_file(library)]]
    library.scenes[number] = scene
    return scene


_ADDED_FILES = itertools.count(1)


def add_file(library, *, phash=None, oshash=None, **facts) -> MediaFile:
    """Add a video file of an hour, 1080p, of 1 GB."""
    number = str(max(map(int, library.files), default=0) + 1)
    moment = now()
    fingerprints = {"oshash": oshash or f"{next(_ADDED_FILES):016x}"}
    if phash is not None:
        fingerprints["phash"] = f"{phash:x}"
    given = {
        "name": f"video {number}.mp4",
        "size": 1_000_000_000,
        "width": 1920,
        "height": 1080,
        "duration": 3600.0,
        "video_codec": "h264",
        "audio_codec": "aac",
        "frame_rate": 25.0,
        "bit_rate": 2_000_000,
        "format": "mp4",
        **facts,
    }
    file = MediaFile(
        id=number,
        fingerprints=fingerprints,
        created_at=moment,
        updated_at=moment,
        mod_time=moment,
        **given,
    )
    library.files[number] = file
    return file


def link(row, box_row, server) -> None:
    """Give a row of the library the id of a stash-box's."""
    row.stash_ids.append(StashId(server.endpoint, box_row.id, now()))
    row.updated_at = now()


def add_tag(library, name, **facts) -> Tag:
    number = str(max(map(int, library.tags), default=0) + 1)
    tag = Tag(number, now(), now(), name=name, **facts)
    library.tags[number] = tag
    return tag


def add_studio(library, name, **facts) -> Studio:
    number = str(max(map(int, library.studios), default=0) + 1)
    studio = Studio(number, now(), now(), name=name, **facts)
    library.studios[number] = studio
    return studio


def touch(row) -> None:
    """Have Stash know that the row was edited."""
    row.updated_at = now()
