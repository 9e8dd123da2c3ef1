"""From Stash's JSON to the rows of the library."""

from datetime import datetime
from typing import Any

from stashsense.integrations.stash_address import StashAddress
from stashsense.integrations.stash_answers import Node, read_stash_ids
from stashsense.integrations.stash_library_types import (
    FullScene,
    LeanScene,
    LibraryFile,
    NamedRow,
    PerformerName,
    PerformerRow,
    SceneGroup,
    SceneMarker,
    SceneRow,
    StudioRow,
    TagRow,
)
from stashsense.integrations.stash_types import Fingerprint, is_own_image

_SITES = {"twitter": "https://twitter.com", "instagram": "https://instagram.com"}


def read_lean_scene(node: Node) -> LeanScene:
    files = node.children("files")
    studio = node.optional("studio")
    return LeanScene(
        id=node.id(),
        date=node.optional_text("date"),
        studio_id=studio.id() if studio else None,
        performer_ids=tuple(each.id() for each in node.children("performers")),
        stash_ids=read_stash_ids(node),
        phashes=tuple(
            phash for file in files if (phash := file.optional_text("phash"))
        ),
        duration_seconds=files[0].number("duration") if files else None,
    )


def read_scene_row(node: Node) -> SceneRow:
    return SceneRow(**_scene_row(node))


def read_full_scene(node: Node, address: StashAddress) -> FullScene:
    return FullScene(
        **_scene_row(node),
        code=node.optional_text("code"),
        details=node.optional_text("details"),
        director=node.optional_text("director"),
        urls=node.texts("urls"),
        rating100=node.optional_integer("rating100"),
        tags=_named_rows(node, "tags"),
        galleries=_named_rows(node, "galleries", name="title"),
        groups=tuple(
            SceneGroup(
                _named_row(each.child("group")), each.optional_integer("scene_index")
            )
            for each in node.children("groups")
        ),
        markers=tuple(_marker(each) for each in node.children("scene_markers")),
        play_count=node.optional_integer("play_count") or 0,
        play_duration_seconds=node.optional_number("play_duration") or 0.0,
        play_history=_moments(node, "play_history"),
        o_counter=node.optional_integer("o_counter") or 0,
        o_history=_moments(node, "o_history"),
        resume_seconds=node.optional_number("resume_time") or 0.0,
        screenshot_url=node.child("paths").url("screenshot", address),
        custom_fields=node.mapping("custom_fields"),
    )


def read_performer_name(node: Node) -> PerformerName:
    return PerformerName(**_performer_name(node))


def read_performer_row(node: Node, address: StashAddress) -> PerformerRow:
    image_url = node.url("image_path", address)
    return PerformerRow(
        **_performer_name(node),
        **_performer_texts(node),
        height_cm=node.optional_integer("height_cm"),
        weight=node.optional_integer("weight"),
        penis_length=node.optional_number("penis_length"),
        urls=read_urls(node),
        tags=_named_rows(node, "tags"),
        image_url=image_url,
        has_own_image=is_own_image(image_url),
        scene_count=node.integer("scene_count"),
        image_count=node.integer("image_count"),
        gallery_count=node.integer("gallery_count"),
        is_favorite=node.flag("favorite"),
        ignores_auto_tag=node.flag("ignore_auto_tag"),
        rating100=node.optional_integer("rating100"),
        updated_at=node.moment("updated_at"),
        custom_fields=node.mapping("custom_fields"),
    )


def read_tag_row(node: Node, address: StashAddress) -> TagRow:
    return TagRow(
        id=node.id(),
        name=node.text("name"),
        sort_name=node.optional_text("sort_name"),
        aliases=node.texts("aliases"),
        description=node.optional_text("description"),
        parents=_named_rows(node, "parents"),
        stash_ids=read_stash_ids(node) if "stash_ids" in node.fields else (),
        image_url=node.url("image_path", address),
        scene_count=node.integer("scene_count"),
        is_favorite=node.flag("favorite"),
        ignores_auto_tag=node.flag("ignore_auto_tag"),
        updated_at=node.moment("updated_at"),
        custom_fields=node.mapping("custom_fields"),
    )


def read_studio_row(node: Node, address: StashAddress) -> StudioRow:
    parent = node.optional("parent_studio")
    return StudioRow(
        id=node.id(),
        name=node.text("name"),
        aliases=node.texts("aliases"),
        details=node.optional_text("details"),
        parent=_named_row(parent) if parent else None,
        urls=read_urls(node),
        stash_ids=read_stash_ids(node),
        tags=_named_rows(node, "tags") if "tags" in node.fields else (),
        image_url=node.url("image_path", address),
        scene_count=node.integer("scene_count"),
        rating100=node.optional_integer("rating100"),
        is_favorite=node.flag("favorite"),
        ignores_auto_tag=node.flag("ignore_auto_tag"),
        updated_at=node.moment("updated_at"),
        custom_fields=node.mapping("custom_fields"),
    )


_PERFORMER_TEXTS = (
    "gender", "birthdate", "death_date", "ethnicity", "country", "eye_color",
    "hair_color", "measurements", "fake_tits", "circumcised", "career_length",
    "career_start", "career_end", "tattoos", "piercings", "details",
)  # fmt: skip


def _scene_row(node: Node) -> dict[str, Any]:
    studio = node.optional("studio")
    return {
        "id": node.id(),
        "title": node.optional_text("title"),
        "date": node.optional_text("date"),
        "updated_at": node.moment("updated_at"),
        "is_organized": node.flag("organized"),
        "studio": _named_row(studio) if studio else None,
        "performers": _named_rows(node, "performers"),
        "stash_ids": read_stash_ids(node),
        "files": tuple(_file(each) for each in node.children("files")),
    }


def _performer_name(node: Node) -> dict[str, Any]:
    return {
        "id": node.id(),
        "name": node.text("name"),
        "disambiguation": node.optional_text("disambiguation"),
        "alias_list": node.texts("alias_list"),
        "stash_ids": read_stash_ids(node),
    }


def _performer_texts(node: Node) -> dict[str, Any]:
    return {name: node.optional_text(name) for name in _PERFORMER_TEXTS}


def _file(node: Node) -> LibraryFile:
    return LibraryFile(
        id=node.id(),
        path=node.text("path"),
        basename=node.text("basename"),
        size_bytes=node.integer("size"),
        duration_seconds=node.number("duration"),
        width=node.integer("width"),
        height=node.integer("height"),
        video_codec=node.text("video_codec"),
        audio_codec=node.text("audio_codec"),
        frame_rate=node.number("frame_rate"),
        bit_rate=node.integer("bit_rate"),
        fingerprints=tuple(
            Fingerprint(child.text("type"), child.text("value"))
            for child in node.children("fingerprints")
        ),
    )


def _marker(node: Node) -> SceneMarker:
    return SceneMarker(
        id=node.id(),
        title=node.text("title"),
        seconds=node.number("seconds"),
        primary_tag=_named_row(node.child("primary_tag")),
        tags=_named_rows(node, "tags"),
    )


def _named_row(node: Node, name: str = "name") -> NamedRow:
    return NamedRow(node.id(), node.optional_text(name))


def _named_rows(node: Node, key: str, *, name: str = "name") -> tuple[NamedRow, ...]:
    return tuple(_named_row(each, name) for each in node.children(key))


def _moments(node: Node, key: str) -> tuple[datetime, ...]:
    moments = (Node({key: text}, node.where) for text in node.texts(key))
    return tuple(each.moment(key) for each in moments)


def read_urls(node: Node) -> tuple[str, ...]:
    """Return the urls, whichever fields the version keeps them in.

    People wrote names without an address into two of them; made addresses they go back
    into their own field when the list is written.
    """
    if node.fields.get("urls") is not None:
        return node.texts("urls")
    kept = ((key, node.optional_text(key)) for key in ("url", *_SITES))
    return tuple(_url_of(key, text) for key, text in kept if text)


def _url_of(key: str, text: str) -> str:
    if key not in _SITES or "://" in text:
        return text
    return f"https://{text}" if "/" in text else f"{_SITES[key]}/{text.lstrip('@')}"
