"""From Stash's JSON to our types; what does not fit is a StashError that says where."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from stashsense.exceptions import StashSenseError
from stashsense.integrations.stash_address import StashAddress
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_types import (
    Fingerprint,
    PicturedPerformer,
    StashBoxConnection,
    StashBoxEndpoint,
    StashGallery,
    StashId,
    StashImage,
    StashPerformer,
    StashScene,
    SystemStatus,
    TaggedItem,
    TaggedPerformer,
    VideoFile,
)


@dataclass(frozen=True)
class Node:
    """An object of an answer, and where in it; every reader raises `error`."""

    fields: dict[str, Any]
    where: str
    whose: str = "Stash's"
    error: type[StashSenseError] = StashError

    @classmethod
    def of(
        cls,
        value: object,
        where: str,
        *,
        whose: str = "Stash's",
        error: type[StashSenseError] = StashError,
    ) -> "Node":
        if not isinstance(value, dict):
            raise error(f"{whose} answer has no object at {where}.")
        return cls(value, where, whose, error)

    def child(self, name: str) -> "Node":
        return self._of(self.fields.get(name), self._at(name))

    def optional(self, name: str) -> "Node | None":
        return None if self.fields.get(name) is None else self.child(name)

    def children(self, name: str) -> list["Node"]:
        return [
            self._of(value, f"{self._at(name)}.{index}")
            for index, value in enumerate(self._list(name))
        ]

    def text(self, name: str) -> str:
        return _clean(self._of_type(name, str, "text"))

    def optional_text(self, name: str) -> str:
        """Return the text, "" for none."""
        return "" if self.fields.get(name) is None else self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise self._error(name, "list of texts")
        return tuple(_clean(value) for value in values)

    def optional_texts(self, name: str) -> tuple[str, ...]:
        """Return the texts, none where there is no list."""
        return () if self.fields.get(name) is None else self.texts(name)

    def integer(self, name: str) -> int:
        value = self.fields.get(name)
        if not _is_number(value) or value != value // 1:
            raise self._error(name, "whole number")
        return int(value)

    def optional_integer(self, name: str) -> int | None:
        return None if self.fields.get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        value = self.fields.get(name)
        if not _is_number(value):
            raise self._error(name, "number")
        return float(value)

    def optional_number(self, name: str) -> float | None:
        return None if self.fields.get(name) is None else self.number(name)

    def flag(self, name: str) -> bool:
        """Return whether it is so; what the answer does not tell of is not."""
        value = self.fields.get(name)
        if not isinstance(value, bool | None):
            raise self._error(name, "yes or no")
        return bool(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object as it is, an empty one for none."""
        return {} if self.fields.get(name) is None else self.child(name).fields

    def id(self, name: str = "id") -> int:
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise self._error(name, "id")
        return int(value)

    def moment(self, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self._error(name, "time") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def optional_moment(self, name: str) -> datetime | None:
        return None if self.fields.get(name) is None else self.moment(name)

    def url(self, name: str, address: StashAddress) -> str | None:
        """Return an address of Stash's as reached from here, None where it has none."""
        text = self.optional_text(name)
        return address.rebased(text) if text else None

    def _of(self, value: object, where: str) -> "Node":
        return Node.of(value, where, whose=self.whose, error=self.error)

    def _list(self, name: str) -> list[Any]:
        value: list[Any] = self._of_type(name, list, "list")
        return value

    def _of_type(self, name: str, kind: type, expected: str) -> Any:
        value = self.fields.get(name)
        if not isinstance(value, kind):
            raise self._error(name, expected)
        return value

    def _error(self, name: str, expected: str) -> StashSenseError:
        return self.error(f"{self.whose} answer has no {expected} at {self._at(name)}.")

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name


def read_system_status(node: Node) -> SystemStatus:
    return SystemStatus(
        status=node.text("status"),
        database_schema=node.optional_integer("databaseSchema"),
        app_schema=node.integer("appSchema"),
    )


def read_stash_box(node: Node) -> StashBoxEndpoint:
    return StashBoxEndpoint(
        endpoint=node.text("endpoint"),
        name=node.text("name"),
        max_requests_per_minute=node.optional_integer("max_requests_per_minute"),
    )


def read_stash_box_connection(node: Node) -> StashBoxConnection:
    return StashBoxConnection(
        endpoint=node.text("endpoint"),
        name=node.text("name"),
        max_requests_per_minute=node.optional_integer("max_requests_per_minute"),
        api_key=node.optional_text("api_key").strip(),
    )


def read_scene(node: Node, address: StashAddress) -> StashScene:
    paths = node.child("paths")
    return StashScene(
        id=node.id(),
        title=node.optional_text("title"),
        files=tuple(_video(file) for file in node.children("files")),
        performers=_tagged(node),
        stream_url=paths.url("stream", address),
        screenshot_url=paths.url("screenshot", address),
        vtt_url=paths.url("vtt", address),
        sprite_url=paths.url("sprite", address),
        updated_at=node.moment("updated_at"),
    )


def read_image(node: Node, address: StashAddress) -> StashImage:
    files, paths = node.children("visual_files"), node.child("paths")
    first = files[0] if files else None
    is_clip = first is not None and first.text("__typename") == "VideoFile"
    return StashImage(
        id=node.id(),
        title=node.optional_text("title"),
        image_url=paths.url("image", address),
        thumbnail_url=paths.url("thumbnail", address),
        width=first.integer("width") if first else 0,
        height=first.integer("height") if first else 0,
        clip=_video(first) if first and is_clip else None,
        performers=_tagged(node),
        updated_at=node.moment("updated_at"),
    )


def read_gallery(node: Node) -> StashGallery:
    return StashGallery(
        id=node.id(),
        title=node.optional_text("title"),
        image_count=node.integer("image_count"),
        performers=_tagged(node),
    )


def read_tagged_item(node: Node) -> TaggedItem:
    return TaggedItem(node.id(), node.optional_text("title"), _tagged(node))


def read_tagged_performer(node: Node) -> TaggedPerformer:
    return TaggedPerformer(node.id(), node.text("name"), read_stash_ids(node))


def read_pictured_performer(node: Node, address: StashAddress) -> PicturedPerformer:
    return PicturedPerformer(
        id=node.id(),
        name=node.text("name"),
        stash_ids=read_stash_ids(node),
        image_url=node.url("image_path", address),
        image_count=node.integer("image_count"),
        updated_at=node.moment("updated_at"),
    )


def read_performer(node: Node, address: StashAddress) -> StashPerformer:
    return StashPerformer(
        id=node.id(),
        name=node.text("name"),
        disambiguation=node.optional_text("disambiguation"),
        alias_list=node.texts("alias_list"),
        image_url=node.url("image_path", address),
        stash_ids=read_stash_ids(node),
    )


def _tagged(node: Node) -> tuple[TaggedPerformer, ...]:
    return tuple(read_tagged_performer(child) for child in node.children("performers"))


def read_stash_ids(node: Node) -> tuple[StashId, ...]:
    return tuple(
        StashId(
            endpoint=child.text("endpoint"),
            stash_id=child.text("stash_id"),
            updated_at=child.optional_moment("updated_at"),
        )
        for child in node.children("stash_ids")
    )


def _video(node: Node) -> VideoFile:
    return VideoFile(
        id=node.id(),
        basename=node.text("basename"),
        duration_seconds=node.number("duration"),
        width=node.integer("width"),
        height=node.integer("height"),
        frame_rate=node.number("frame_rate"),
        video_codec=node.text("video_codec"),
        size_bytes=node.integer("size"),
        fingerprints=tuple(
            Fingerprint(child.text("type"), child.text("value"))
            for child in node.children("fingerprints")
        ),
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    # JSON's 1e999 is read as infinity; a number of more digits overflows as a float.
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e18
    )


def _clean(text: str) -> str:
    """Return the text without halves of characters, which nothing could encode."""
    return text.encode(errors="replace").decode()
