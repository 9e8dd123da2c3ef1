"""What the library tells of its scenes, performers, tags and studios, row by row.

Texts that Stash lacks are "". What a version of Stash does not know is empty here.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stashsense.integrations.stash_types import Fingerprint, StashId


@dataclass(frozen=True)
class NamedRow:
    """Something by its id and its name, which of a gallery is the title."""

    id: int
    name: str


@dataclass(frozen=True)
class LibraryFile:
    """A video file as a scan found it; the path is as Stash sees it."""

    id: int
    path: str
    basename: str
    size_bytes: int
    duration_seconds: float
    width: int
    height: int
    video_codec: str
    audio_codec: str
    frame_rate: float
    bit_rate: int
    fingerprints: tuple[Fingerprint, ...]

    def fingerprint(self, kind: str) -> str | None:
        return next((f.value for f in self.fingerprints if f.kind == kind), None)


@dataclass(frozen=True, slots=True)
class LeanScene:
    """What tells duplicates apart, and no more: a library has a hundred thousand.

    `phashes` are those of the files that have one, the primary file's first;
    `duration_seconds` is the primary file's, None where there is no file.
    """

    id: int
    date: str
    studio_id: int | None
    performer_ids: tuple[int, ...]
    stash_ids: tuple[StashId, ...]
    phashes: tuple[str, ...]
    duration_seconds: float | None


@dataclass(frozen=True)
class SceneRow:
    """A scene by what people recognise it by; the first file is the primary one."""

    id: int
    title: str
    date: str
    updated_at: datetime
    is_organized: bool
    studio: NamedRow | None
    performers: tuple[NamedRow, ...]
    stash_ids: tuple[StashId, ...]
    files: tuple[LibraryFile, ...]


@dataclass(frozen=True)
class SceneMarker:
    id: int
    title: str
    seconds: float
    primary_tag: NamedRow
    tags: tuple[NamedRow, ...]


@dataclass(frozen=True)
class SceneGroup:
    """A group, called movie before Stash 0.27, and the scene's place in it."""

    group: NamedRow
    scene_index: int | None


@dataclass(frozen=True)
class FullScene(SceneRow):
    """Everything of a scene that a merge or an update might lose."""

    code: str
    details: str
    director: str
    urls: tuple[str, ...]
    rating100: int | None
    tags: tuple[NamedRow, ...]
    galleries: tuple[NamedRow, ...]
    groups: tuple[SceneGroup, ...]
    markers: tuple[SceneMarker, ...]
    play_count: int
    play_duration_seconds: float
    play_history: tuple[datetime, ...]
    o_counter: int
    o_history: tuple[datetime, ...]
    resume_seconds: float
    screenshot_url: str | None
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PerformerName:
    """A performer by what names and finds them."""

    id: int
    name: str
    disambiguation: str
    alias_list: tuple[str, ...]
    stash_ids: tuple[StashId, ...]


@dataclass(frozen=True)
class PerformerRow(PerformerName):
    """Everything of a performer that a merge or an update might lose.

    Before Stash 0.27 `urls` are its url, twitter and instagram, as they are there.
    """

    gender: str
    birthdate: str
    death_date: str
    ethnicity: str
    country: str
    eye_color: str
    hair_color: str
    height_cm: int | None
    weight: int | None
    measurements: str
    fake_tits: str
    penis_length: float | None
    circumcised: str
    career_length: str
    career_start: str
    career_end: str
    tattoos: str
    piercings: str
    urls: tuple[str, ...]
    details: str
    tags: tuple[NamedRow, ...]
    image_url: str | None
    has_own_image: bool
    scene_count: int
    image_count: int
    gallery_count: int
    is_favorite: bool
    ignores_auto_tag: bool
    rating100: int | None
    updated_at: datetime
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TagRow:
    """A tag; stash ids from Stash 0.30 on."""

    id: int
    name: str
    sort_name: str
    aliases: tuple[str, ...]
    description: str
    parents: tuple[NamedRow, ...]
    stash_ids: tuple[StashId, ...]
    image_url: str | None
    scene_count: int
    is_favorite: bool
    ignores_auto_tag: bool
    updated_at: datetime
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudioRow:
    """A studio; before Stash 0.30 it has one url at most."""

    id: int
    name: str
    aliases: tuple[str, ...]
    details: str
    parent: NamedRow | None
    urls: tuple[str, ...]
    stash_ids: tuple[StashId, ...]
    tags: tuple[NamedRow, ...]
    image_url: str | None
    scene_count: int
    rating100: int | None
    is_favorite: bool
    ignores_auto_tag: bool
    updated_at: datetime
    custom_fields: dict[str, Any] = field(default_factory=dict)
