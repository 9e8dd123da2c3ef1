"""What Stash tells of, as far as it is about who is in what."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\D.*)?", re.DOTALL)


class StashVersion(NamedTuple):
    """Ordered as versions are; builds after a release count as that release."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the version that "v0.30.1-12-gabcdef" names; None where none is."""
        found = _VERSION.fullmatch(text.strip())
        return found and cls(int(found[1]), int(found[2]), int(found[3] or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class SystemStatus:
    """Whether Stash is ready: `status` is OK, SETUP or NEEDS_MIGRATION."""

    status: str
    database_schema: int | None
    app_schema: int

    @property
    def is_ready(self) -> bool:
        return self.status == "OK"


@dataclass(frozen=True)
class StashBoxEndpoint:
    """A stash-box that Stash is configured with.

    `max_requests_per_minute` is None where Stash does not tell, and 0 for its default.
    """

    endpoint: str
    name: str
    max_requests_per_minute: int | None

    @property
    def domain(self) -> str:
        return endpoint_domain(self.endpoint)


@dataclass(frozen=True)
class StashBoxConnection(StashBoxEndpoint):
    """A stash-box with the key that Stash has for it, "" where it has none."""

    api_key: str = field(repr=False)

    @property
    def is_usable(self) -> bool:
        return bool(self.api_key)


@dataclass(frozen=True)
class StashId:
    """The id that a stash-box gives to something; `updated_at` from Stash 0.28 on."""

    endpoint: str
    stash_id: str
    updated_at: datetime | None = field(default=None, compare=False)

    @property
    def universal_id(self) -> str:
        """ "stashdb.org:<id>" for the endpoint https://stashdb.org/graphql."""
        return f"{endpoint_domain(self.endpoint)}:{self.stash_id}"


@dataclass(frozen=True)
class TaggedPerformer:
    """A performer of the library, by what tells them from others."""

    id: int
    name: str
    stash_ids: tuple[StashId, ...]

    @cached_property
    def universal_ids(self) -> frozenset[str]:
        return frozenset(stash_id.universal_id for stash_id in self.stash_ids)


@dataclass(frozen=True)
class PicturedPerformer(TaggedPerformer):
    """A performer of the library, by what there is to learn their face from.

    `image_count` is of all images they are tagged in, with others or alone.
    """

    image_url: str | None
    image_count: int
    updated_at: datetime

    @property
    def has_own_image(self) -> bool:
        """False where the image is the picture that Stash has for everybody."""
        return is_own_image(self.image_url)


@dataclass(frozen=True)
class PerformersPage:
    """Some of the library's performers, and how many there are in all."""

    performers: list[PicturedPerformer]
    total_count: int
    is_last: bool


@dataclass(frozen=True)
class StashPerformer:
    """A performer of the library, by what people recognise in a list."""

    id: int
    name: str
    disambiguation: str
    alias_list: tuple[str, ...]
    image_url: str | None
    stash_ids: tuple[StashId, ...]

    @property
    def has_own_image(self) -> bool:
        """False where the image is the picture that Stash has for everybody."""
        return is_own_image(self.image_url)


@dataclass(frozen=True)
class Fingerprint:
    """`kind` is oshash, md5 or phash; a phash is hex without leading zeros."""

    kind: str
    value: str


@dataclass(frozen=True)
class VideoFile:
    """A file with moving pictures. Sizes are as stored: a rotation is not in them."""

    id: int
    basename: str
    duration_seconds: float
    width: int
    height: int
    frame_rate: float
    video_codec: str
    size_bytes: int
    fingerprints: tuple[Fingerprint, ...]

    def fingerprint(self, kind: str) -> str | None:
        return next((f.value for f in self.fingerprints if f.kind == kind), None)


@dataclass(frozen=True)
class StashScene:
    """A scene; the first of its files is the one that its addresses play.

    Addresses are given where Stash has no such file too: they answer 404 then, or for
    the screenshot a placeholder.
    """

    id: int
    title: str
    files: tuple[VideoFile, ...]
    performers: tuple[TaggedPerformer, ...]
    stream_url: str | None
    screenshot_url: str | None
    vtt_url: str | None
    sprite_url: str | None
    updated_at: datetime


@dataclass(frozen=True)
class StashImage:
    """An image; its size is that of its first file, 0 where it has none.

    A `clip` is an image that moves: what `image_url` answers is a video then.
    """

    id: int
    title: str
    image_url: str | None
    thumbnail_url: str | None
    width: int
    height: int
    clip: VideoFile | None
    performers: tuple[TaggedPerformer, ...]
    updated_at: datetime


@dataclass(frozen=True)
class StashGallery:
    """A gallery; its images are asked for by themselves."""

    id: int
    title: str
    image_count: int
    performers: tuple[TaggedPerformer, ...]


@dataclass(frozen=True)
class TaggedItem:
    """A scene, image or gallery, by who is tagged in it."""

    id: int
    title: str
    performers: tuple[TaggedPerformer, ...]


@dataclass(frozen=True)
class Media:
    """A file that Stash served; `content_type` is without parameters, lower case."""

    content_type: str
    data: bytes = field(repr=False)

    @property
    def is_placeholder(self) -> bool:
        """Whether it is the drawing that stands for a cover or image that is not there.

        Stash answers that with 200 like any picture.
        """
        return self.content_type == "image/svg+xml"


def is_own_image(image_url: str | None) -> bool:
    query = urlsplit(image_url or "?default=true").query
    return parse_qs(query).get("default") != ["true"]


def endpoint_domain(endpoint: str) -> str:
    """Return the host of a stash-box's address, lower case, without a port."""
    try:
        return urlsplit(endpoint).hostname or endpoint
    except ValueError:
        return endpoint
