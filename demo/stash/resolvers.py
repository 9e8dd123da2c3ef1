"""How a row becomes the fields of an answer."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode
from zlib import crc32

from graphql import GraphQLError

from demo.stash import criteria, finding
from demo.stash.exchange import Info
from demo.stash.library import (
    Gallery,
    Image,
    Library,
    MediaFile,
    Performer,
    Row,
    Scene,
    Studio,
    Tagged,
)
from demo.stash.queries import QUERIES, Resolver, general, plugins
from demo.stash.urls import LEGACY, legacy_url


def _library(info: Info) -> Library:
    return info.context.library


def _url(info: Info, path: str, **query: str) -> str:
    exchange = info.context
    words = f"?{urlencode(query)}" if query else ""
    return f"{exchange.base_url}{path}{words}"


def _stamp(row: Row) -> str:
    """Return what changes with the row, to be put behind the address of a picture."""
    return str(int(criteria.as_moment(row.updated_at).timestamp()))


# Media


def _scene_paths(scene: Scene, info: Info) -> dict[str, str]:
    file = _library(info).primary_file(scene)
    scene_hash = file.scene_hash if file is not None else ""
    path = f"/scene/{scene.id}"
    return {
        "screenshot": _url(info, f"{path}/screenshot", t=_stamp(scene)),
        "preview": _url(info, f"{path}/preview"),
        "stream": _stream_url(info, f"{path}/stream"),
        "webp": _url(info, f"{path}/webp"),
        # Filled whether the files are there or not.
        "vtt": _url(info, f"/scene/{scene_hash}_thumbs.vtt"),
        "sprite": _url(info, f"/scene/{scene_hash}_sprite.jpg"),
        "funscript": _url(info, f"{path}/funscript"),
        "interactive_heatmap": _url(info, f"{path}/interactive_heatmap"),
        "caption": _url(info, f"{path}/caption"),
    }


def _stream_url(info: Info, path: str) -> str:
    exchange = info.context
    return _url(info, path, **{"apikey": exchange.api_key} if exchange.api_key else {})


def _scene_streams(scene: Scene, info: Info) -> list[dict[str, str]]:
    if not scene.file_ids:
        return []
    path = f"/scene/{scene.id}/stream"
    return [
        {
            "url": _stream_url(info, path),
            "mime_type": "video/mp4",
            "label": "Direct stream",
        },
        {
            "url": _stream_url(info, f"{path}.mp4"),
            "mime_type": "video/mp4",
            "label": "MP4",
        },
    ]


def _image_paths(image: Image, info: Info) -> dict[str, str]:
    stamp = _stamp(image)
    addresses = {
        kind: _url(info, f"/image/{image.id}/{kind}", t=stamp)
        for kind in ("image", "thumbnail")
    }
    # Only clips have a preview; an address would be shown as a video.
    return {**addresses, "preview": ""}


def _gallery_image(gallery: Gallery, info: Info, index: int) -> Image:
    images = _library(info).images_of(gallery.id)
    if not 0 <= index < len(images):
        raise GraphQLError("image index out of range")
    return images[index]


def _image_path(row: Row, info: Info) -> str:
    query = {"t": _stamp(row)}
    has_own = getattr(row, "picture", None) or getattr(row, "picture_name", None)
    if not has_own:
        query["default"] = "true"
    return _url(info, f"/{type(row).__name__.lower()}/{row.id}/image", **query)


def _files(row: Tagged, info: Info) -> list[MediaFile]:
    return finding.files_of(_library(info), row)


def _folder(path: str) -> dict[str, str]:
    # Folders are no rows here; a number made of the path is the same every time.
    return {"id": str(crc32(path.encode())), "path": path}


def _parent_folder(file: MediaFile, info: Info) -> dict[str, str]:
    return _folder(str(_library(info).path_of(file).parent))


def _file_type(file: MediaFile, _info: Info, _type: object) -> str:
    return "VideoFile" if file.is_video else "ImageFile"


_FILE_FIELDS: dict[str, Resolver] = {
    "path": lambda file, info: str(_library(info).path_of(file)),
    "basename": lambda file, _: file.name.split("/")[-1],
    "parent_folder_id": lambda file, info: _parent_folder(file, info)["id"],
    "parent_folder": _parent_folder,
    "fingerprint": lambda file, _, type: file.fingerprints.get(type),
    "fingerprints": lambda file, _: [
        {"type": kind, "value": value} for kind, value in file.fingerprints.items()
    ],
}


# Links between rows


def _follow(kind: str, attribute: str) -> Resolver:
    """Return a resolver of the rows whose ids the attribute holds."""

    def resolve(row: Any, info: Info) -> list[Any]:
        rows: Mapping[str, Any] = getattr(_library(info), kind)
        return [rows[each] for each in getattr(row, attribute)]

    return resolve


def _follow_one(kind: str, attribute: str) -> Resolver:
    def resolve(row: Any, info: Info) -> Any:
        return getattr(_library(info), kind).get(getattr(row, attribute))

    return resolve


def _linked(kind: str) -> Resolver:
    """Return a resolver of the rows that name this one."""

    def resolve(row: Row, info: Info) -> list[Any]:
        return _links(info, kind, type(row)).get(row.id, [])

    return resolve


def _links(info: Info, kind: str, to: type[Row]) -> Mapping[str, list[Any]]:
    """Return the rows of a kind by the ids of what they name, found once a request."""
    links = info.context.links
    if (kind, to) not in links:
        by_id: dict[str, list[Any]] = {}
        attribute = f"{to.__name__.lower()}_ids"
        for row in getattr(_library(info), kind).values():
            ids = getattr(row, attribute, ())
            if to is Studio:
                ids = [row.studio_id] if row.studio_id else []
            for each in ids:
                by_id.setdefault(each, []).append(row)
        links[kind, to] = by_id
    return cast("Mapping[str, list[Any]]", links[kind, to])


def _count(kind: str) -> Resolver:
    rows = _linked(kind)
    return lambda row, info: len(rows(row, info))


def _performer_count(performer: Performer, info: Info) -> int:
    """Return with how many others the performer is in a scene, image or gallery."""
    ids = {
        each
        for kind in ("scenes", "images", "galleries")
        for row in _links(info, kind, Performer).get(performer.id, [])
        for each in row.performer_ids
    }
    return len(ids - {performer.id})


_TAGGED: dict[str, Resolver] = {
    "performers": _follow("performers", "performer_ids"),
    "tags": _follow("tags", "tag_ids"),
    "studio": _follow_one("studios", "studio_id"),
}
_COUNTS = {
    "scene_count": _count("scenes"),
    "image_count": _count("images"),
    "gallery_count": _count("galleries"),
    "performer_count": _count("performers"),
}


def _group(each: Mapping[str, Any], info: Info) -> dict[str, str]:
    group_id = each["group_id"]
    return {"id": group_id, "name": _library(info).groups[group_id]}


def _legacy_url(field: str) -> Resolver:
    return lambda row, _: legacy_url(row.urls, field)


FIELDS: dict[str, dict[str, Resolver]] = {
    "Query": QUERIES,
    "ConfigResult": {"general": general, "plugins": plugins},
    "Scene": {
        **_TAGGED,
        "files": _files,
        "paths": _scene_paths,
        "sceneStreams": _scene_streams,
        "galleries": _follow("galleries", "gallery_ids"),
        "scene_markers": lambda scene, _: scene.markers,
        "groups": lambda scene, _: scene.groups,
        "movies": lambda scene, _: scene.groups,
        "play_count": lambda scene, _: len(scene.play_history),
        "o_counter": lambda scene, _: len(scene.o_history),
        "last_played_at": lambda scene, _: max(scene.play_history, default=None),
    },
    "Image": {
        **_TAGGED,
        "files": _files,
        "visual_files": _files,
        "paths": _image_paths,
        "galleries": _follow("galleries", "gallery_ids"),
    },
    "Gallery": {
        **_TAGGED,
        # Galleries of folders have no file.
        "files": lambda *_: [],
        "folder": lambda row, info: _folder(finding.path_of(_library(info), row)),
        "scenes": _follow("scenes", "scene_ids"),
        "image_count": _count("images"),
        "cover": lambda row, info: next(iter(_library(info).images_of(row.id)), None),
        "image": _gallery_image,
        "paths": lambda row, info: {
            "cover": _url(info, f"/gallery/{row.id}/cover", t=_stamp(row)),
            "preview": _url(info, f"/gallery/{row.id}/preview"),
        },
    },
    "Performer": {
        **_COUNTS,
        "tags": _follow("tags", "tag_ids"),
        "scenes": _linked("scenes"),
        "performer_count": _performer_count,
        "image_path": _image_path,
        **{field: _legacy_url(field) for field in LEGACY},
    },
    "Tag": {
        **_COUNTS,
        "parents": _follow("tags", "parent_ids"),
        "children": lambda row, info: [
            tag for tag in _library(info).tags.values() if row.id in tag.parent_ids
        ],
        "image_path": _image_path,
    },
    "Studio": {
        "scene_count": _count("scenes"),
        "image_count": _count("images"),
        "gallery_count": _count("galleries"),
        "tags": _follow("tags", "tag_ids"),
        "parent_studio": _follow_one("studios", "parent_id"),
        "child_studios": lambda row, info: [
            each for each in _library(info).studios.values() if each.parent_id == row.id
        ],
        "image_path": _image_path,
        "url": lambda row, _: next(iter(row.urls), None),
    },
    "SceneMarker": {
        "primary_tag": lambda each, info: _library(info).tags[each["primary_tag_id"]],
        "tags": lambda each, info: [
            _library(info).tags[tag_id] for tag_id in each.get("tag_ids", ())
        ],
    },
    "SceneGroup": {"group": _group},
    "SceneMovie": {"movie": _group},
    "VideoFile": _FILE_FIELDS,
    "ImageFile": _FILE_FIELDS,
    "Job": {
        "addTime": lambda job, _: job.add_time,
        "startTime": lambda job, _: job.start_time,
        "endTime": lambda job, _: job.end_time,
        "subTasks": lambda *_: None,
    },
}

TYPES = {"BaseFile": _file_type, "VisualFile": _file_type}
