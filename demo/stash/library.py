"""The rows of a stand-in library, and the folder they and their media lie in.

Rows are mutable on purpose: mutations change them in memory, tests look at them, and
`load_library` gives them fresh again. The folder is never written to here.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LIBRARY_NAME = "library.json"
ANSWERS_NAME = "answers.json"
MEDIA_DIR_NAME = "media"
GENERATED_DIR_NAME = "generated"


@dataclass
class StashId:
    endpoint: str
    stash_id: str
    updated_at: str


@dataclass
class MediaFile:
    """A video or a picture on the disk; `name` is relative to the library's folder.

    `fingerprints` maps md5, oshash and phash to their texts.
    """

    id: str
    name: str
    size: int
    width: int
    height: int
    fingerprints: dict[str, str]
    created_at: str
    updated_at: str
    mod_time: str
    format: str
    duration: float | None = None
    video_codec: str = ""
    audio_codec: str = ""
    frame_rate: float = 0.0
    bit_rate: int = 0

    @property
    def is_video(self) -> bool:
        return self.duration is not None

    @property
    def scene_hash(self) -> str:
        """What generated files are named by."""
        return self.fingerprints.get("oshash", "")


@dataclass
class Row:
    id: str
    created_at: str
    updated_at: str


@dataclass
class Tagged(Row):
    """What performers, tags and a studio may be linked to."""

    title: str = ""
    code: str = ""
    details: str = ""
    date: str | None = None
    rating100: int | None = None
    organized: bool = False
    urls: list[str] = field(default_factory=list)
    file_ids: list[str] = field(default_factory=list)
    performer_ids: list[str] = field(default_factory=list)
    tag_ids: list[str] = field(default_factory=list)
    studio_id: str | None = None
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scene(Tagged):
    """`cover` and `sprite` name files that may wait to be generated."""

    director: str = ""
    gallery_ids: list[str] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    # Markers have id, title, seconds, primary_tag_id and tag_ids; groups have group_id
    # and scene_index.
    markers: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    play_history: list[str] = field(default_factory=list)
    o_history: list[str] = field(default_factory=list)
    play_duration: float = 0.0
    resume_time: float = 0.0
    has_cover: bool = True
    has_sprite: bool = True
    # A picture that sceneUpdate was given, in place of the generated one.
    cover_image: bytes | None = None


@dataclass
class Image(Tagged):
    photographer: str = ""
    gallery_ids: list[str] = field(default_factory=list)


@dataclass
class Gallery(Tagged):
    photographer: str = ""
    folder_name: str = ""
    scene_ids: list[str] = field(default_factory=list)


@dataclass
class Performer(Row):
    """`picture_name` is relative to the folder; without one a stock picture is sent."""

    name: str = ""
    disambiguation: str | None = None
    gender: str | None = None
    birthdate: str | None = None
    death_date: str | None = None
    country: str | None = None
    ethnicity: str | None = None
    eye_color: str | None = None
    hair_color: str | None = None
    height_cm: int | None = None
    weight: int | None = None
    measurements: str | None = None
    fake_tits: str | None = None
    penis_length: float | None = None
    circumcised: str | None = None
    career_length: str | None = None
    career_start: str | None = None
    career_end: str | None = None
    tattoos: str | None = None
    piercings: str | None = None
    details: str | None = None
    rating100: int | None = None
    favorite: bool = False
    ignore_auto_tag: bool = False
    alias_list: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    tag_ids: list[str] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)
    picture_name: str | None = None
    # What performerUpdate was given, in place of that.
    picture: bytes | None = None


@dataclass
class Tag(Row):
    name: str = ""
    sort_name: str | None = None
    description: str | None = None
    favorite: bool = False
    ignore_auto_tag: bool = False
    aliases: list[str] = field(default_factory=list)
    parent_ids: list[str] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)
    # What tagUpdate was given.
    picture: bytes | None = None


@dataclass
class Studio(Row):
    name: str = ""
    details: str | None = None
    rating100: int | None = None
    favorite: bool = False
    ignore_auto_tag: bool = False
    parent_id: str | None = None
    aliases: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    tag_ids: list[str] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)
    # What studioUpdate was given.
    picture: bytes | None = None


@dataclass
class StashBox:
    endpoint: str
    name: str
    api_key: str = ""
    max_requests_per_minute: int = 240


@dataclass
class Job:
    id: str
    status: str
    description: str
    add_time: str
    progress: float | None = None
    error: str | None = None
    start_time: str | None = None
    end_time: str | None = None


@dataclass(frozen=True)
class Appearance:
    """Somebody seen in a scene, in seconds; a stranger has a number and no id."""

    universal_id: str | None
    stranger: int | None
    begin: float
    end: float


@dataclass
class Library:
    folder: Path
    scenes: dict[str, Scene] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    galleries: dict[str, Gallery] = field(default_factory=dict)
    performers: dict[str, Performer] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    studios: dict[str, Studio] = field(default_factory=dict)
    files: dict[str, MediaFile] = field(default_factory=dict)
    # Names of groups, which drawn libraries have none of.
    groups: dict[str, str] = field(default_factory=dict)
    stash_boxes: list[StashBox] = field(default_factory=list)
    # By scene id, and by image id with no times.
    answers: dict[str, list[Appearance]] = field(default_factory=dict)
    image_answers: dict[str, list[str | None]] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    plugin_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Held by every request while it reads or changes rows.
    lock: threading.RLock = field(default_factory=threading.RLock)

    def path_of(self, file: MediaFile) -> Path:
        return self.folder / file.name

    def primary_file(self, row: Tagged) -> MediaFile | None:
        return self.files[row.file_ids[0]] if row.file_ids else None

    def sprite_path(self, file: MediaFile) -> Path:
        return self._generated("vtt", f"{file.scene_hash}_sprite.jpg")

    def vtt_path(self, file: MediaFile) -> Path:
        return self._generated("vtt", f"{file.scene_hash}_thumbs.vtt")

    def cover_path(self, file: MediaFile) -> Path:
        return self._generated("screenshots", f"{file.scene_hash}.jpg")

    def _generated(self, kind: str, name: str) -> Path:
        return self.folder / GENERATED_DIR_NAME / kind / name

    def images_of(self, gallery_id: str) -> list[Image]:
        return [i for i in self.images.values() if gallery_id in i.gallery_ids]

    def next_id(self, rows: Mapping[str, object]) -> str:
        return str(max((int(each) for each in rows), default=0) + 1)


def now() -> str:
    """Return the time as Stash writes it."""
    return as_time(datetime.now(UTC))


def as_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_KINDS: dict[str, type[Any]] = {
    "scenes": Scene,
    "images": Image,
    "galleries": Gallery,
    "performers": Performer,
    "tags": Tag,
    "studios": Studio,
    "files": MediaFile,
}


def save_library(library: Library, *, recipe: Mapping[str, Any]) -> None:
    """Write what the folder's media are; the answers go into a file of their own."""
    content: dict[str, Any] = {"recipe": recipe}
    for kind in _KINDS:
        rows: dict[str, Any] = getattr(library, kind)
        content[kind] = [asdict(row) for row in rows.values()]
    content["stash_boxes"] = [asdict(box) for box in library.stash_boxes]
    answers = {
        "scenes": {
            key: [asdict(appearance) for appearance in appearances]
            for key, appearances in library.answers.items()
        },
        "images": library.image_answers,
    }
    for name, value in ((LIBRARY_NAME, content), (ANSWERS_NAME, answers)):
        text = json.dumps(value, indent=1)
        (library.folder / name).write_text(text, encoding="utf-8")


def read_recipe(folder: Path) -> Mapping[str, Any] | None:
    """Return what the folder was drawn by, or None where there is no library."""
    path = folder / LIBRARY_NAME
    if not path.is_file():
        return None
    recipe: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["recipe"]
    return recipe


def load_library(folder: Path) -> Library:
    """Return the library of a drawn folder, as it was drawn."""
    content = json.loads((folder / LIBRARY_NAME).read_text(encoding="utf-8"))
    answers = json.loads((folder / ANSWERS_NAME).read_text(encoding="utf-8"))
    library = Library(folder)
    for kind, row_type in _KINDS.items():
        rows = [_row(row_type, values) for values in content[kind]]
        setattr(library, kind, {row.id: row for row in rows})
    library.stash_boxes = [StashBox(**box) for box in content["stash_boxes"]]
    library.answers = {
        key: [Appearance(**each) for each in appearances]
        for key, appearances in answers["scenes"].items()
    }
    library.image_answers = answers["images"]
    return library


def _row(row_type: Callable[..., Any], values: dict[str, Any]) -> Any:
    if "stash_ids" in values:
        values["stash_ids"] = [StashId(**each) for each in values["stash_ids"]]
    return row_type(**values)
