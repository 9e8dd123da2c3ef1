"""What the queries return: rows that are found, and what the server tells of itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from graphql import GraphQLError

from demo.stash import finding
from demo.stash.exchange import Info
from demo.stash.library import (
    GENERATED_DIR_NAME,
    MEDIA_DIR_NAME,
    Gallery,
    Image,
    Library,
    MediaFile,
    Performer,
    Scene,
    Studio,
    Tag,
)

Resolver = Callable[..., Any]
_PLAIN_VERSION = "0000000"


def _library(info: Info) -> Library:
    return info.context.library


def _find_one(kind: str) -> Resolver:
    def resolve(
        _root: None,
        info: Info,
        id: str | None = None,
        checksum: str | None = None,
    ) -> Any:
        rows: Mapping[str, Any] = getattr(_library(info), kind)
        if id is not None:
            return rows.get(finding.require_id(id))
        if checksum is not None:
            return _by_hash(_library(info), rows, "md5", checksum)
        return None

    return resolve


def _by_hash(library: Library, rows: Mapping[str, Any], kind: str, value: str) -> Any:
    for row in rows.values():
        hashes = [f.fingerprints.get(kind) for f in finding.files_of(library, row)]
        if value in hashes:
            return row
    return None


def _find_scene_by_hash(_root: None, info: Info, input: Mapping[str, str]) -> Any:
    library = _library(info)
    for name, kind in (("oshash", "oshash"), ("checksum", "md5")):
        if input.get(name):
            return _by_hash(library, library.scenes, kind, input[name])
    return None


def _find_many(kind: str, row_type: type[Any], filter_name: str) -> Resolver:
    def resolve(
        _root: None,
        info: Info,
        ids: list[str] | None = None,
        filter: Mapping[str, Any] | None = None,
        **filters: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        library = _library(info)
        row_filter = filters.get(filter_name)
        found: finding.Found[Any] = finding.Found(
            library,
            _candidates(info, kind, row_filter or {}),
            row_filter=row_filter,
            ids=ids,
            paging=filter,
            sorts=finding.KINDS[row_type],
        )
        totals = {
            name: partial(_total, name, library, found)
            for name in ("duration", "filesize", "size", "megapixels")
        }
        return {"count": lambda _: found.count, kind: found.page, **totals}

    return resolve


def _candidates(
    info: Info, kind: str, row_filter: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the rows to look at: for a stash id, those that have it, at any box."""
    rows: Mapping[str, Any] = getattr(_library(info), kind)
    criterion = row_filter.get("stash_id_endpoint") or {}
    stash_id = criterion.get("stash_id")
    if criterion.get("modifier") != "EQUALS" or not stash_id or "OR" in row_filter:
        return rows
    links = info.context.links
    if kind not in links:
        links[kind] = {}
        for row in rows.values():
            for each in row.stash_ids:
                links[kind].setdefault(each.stash_id, {})[row.id] = row
    return cast("Mapping[str, Any]", links[kind].get(stash_id, {}))


def _total(
    name: str, library: Library, found: finding.Found[Any], _info: Info
) -> float:
    files: list[MediaFile] = []
    for row in found.all:
        if isinstance(row, MediaFile):
            files.append(row)
        else:
            files += finding.files_of(library, row) if hasattr(row, "file_ids") else []
    if name == "duration":
        return sum(file.duration or 0.0 for file in files)
    if name == "megapixels":
        return sum(file.width * file.height for file in files) / 1e6
    return sum(file.size for file in files)


def _find_file(
    _root: None,
    info: Info,
    id: str | None = None,
    path: str | None = None,
) -> MediaFile:
    library = _library(info)
    for file in library.files.values():
        if file.id == id or (path and str(library.path_of(file)) == path):
            return file
    raise GraphQLError("file not found")


def _find_duplicates(
    _root: None,
    info: Info,
    distance: int | None = None,
    duration_diff: float | None = None,
) -> list[list[Scene]]:
    # A negative difference, the default, is any.
    return finding.duplicate_scenes(
        _library(info),
        distance=distance or 0,
        duration_diff=-1 if duration_diff is None else duration_diff,
    )


# The server


def _system_status(_root: None, info: Info) -> dict[str, Any]:
    folder = _library(info).folder
    return {
        "status": "OK",
        "appSchema": 74,
        "databaseSchema": 74,
        "databasePath": str(folder / "stash-go.sqlite"),
        "configPath": str(folder / "config.yml"),
        "os": "linux",
        "workingDir": str(folder),
        "homeDir": str(folder),
        "ffmpegPath": "",
        "ffprobePath": "",
    }


def general(_config: object, info: Info) -> dict[str, Any]:
    exchange = info.context
    folder = exchange.library.folder
    media = {"path": str(folder / MEDIA_DIR_NAME)}
    return {
        "apiKey": exchange.api_key,
        "stashBoxes": exchange.library.stash_boxes,
        "stashes": [{**media, "excludeVideo": False, "excludeImage": False}],
        "generatedPath": str(folder / GENERATED_DIR_NAME),
        "videoFileNamingAlgorithm": "OSHASH",
        "parallelTasks": 1,
        "deleteTrashPath": "",
        "spriteScreenshotSize": 160,
        "useCustomSpriteInterval": False,
        "spriteInterval": 30.0,
        "minimumSprites": 10,
        "maximumSprites": 500,
    }


def plugins(
    _config: object, info: Info, include: list[str] | None = None
) -> dict[str, Any]:
    settings = _library(info).plugin_settings
    return {k: v for k, v in settings.items() if include is None or k in include}


def _find_job(_root: None, info: Info, input: Mapping[str, str]) -> object | None:
    jobs = _library(info).jobs
    return next((job for job in jobs if job.id == input["id"]), None)


def _job_queue(_root: None, info: Info) -> list[Any] | None:
    """Return what has not ended; nothing rather than an empty list."""
    ended = ("FINISHED", "CANCELLED", "FAILED")
    return [job for job in _library(info).jobs if job.status not in ended] or None


QUERIES: dict[str, Resolver] = {
    "version": lambda _, info: {
        "version": f"v{info.context.version}",
        "hash": _PLAIN_VERSION,
        "build_time": "2025-12-18 00:00:00",
    },
    "systemStatus": _system_status,
    "configuration": lambda *_: {},
    "findScene": _find_one("scenes"),
    "findSceneByHash": _find_scene_by_hash,
    "findScenes": _find_many("scenes", Scene, "scene_filter"),
    "findDuplicateScenes": _find_duplicates,
    "findImage": _find_one("images"),
    "findImages": _find_many("images", Image, "image_filter"),
    "findGallery": _find_one("galleries"),
    "findGalleries": _find_many("galleries", Gallery, "gallery_filter"),
    "findPerformer": _find_one("performers"),
    "findPerformers": _find_many("performers", Performer, "performer_filter"),
    "allPerformers": lambda _, info: list(_library(info).performers.values()),
    "findTag": _find_one("tags"),
    "findTags": _find_many("tags", Tag, "tag_filter"),
    "findStudio": _find_one("studios"),
    "findStudios": _find_many("studios", Studio, "studio_filter"),
    "findFile": _find_file,
    "findFiles": _find_many("files", MediaFile, "file_filter"),
    "findJob": _find_job,
    "jobQueue": _job_queue,
}
