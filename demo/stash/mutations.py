"""What mutations do to the rows, with the surprises that Stash's own have.

An absent key keeps what is there and null clears it; lists are replaced as a whole;
bulk updates add and remove. Each change also sets `updated_at`.
"""

import base64
import binascii
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from demo.stash import finding
from demo.stash.exchange import Info
from demo.stash.library import (
    Image,
    Job,
    Library,
    MediaFile,
    Performer,
    Row,
    Scene,
    StashId,
    Studio,
    Tag,
    now,
)

Input = Mapping[str, Any]

# Keys of inputs that are no columns, and those that name the row itself.
_NOT_COLUMNS = {"id", "ids", "clientMutationId", "primary_file_id", "url"}
# Keys that take pictures, and where these are kept.
_PICTURES = {"image": "picture", "cover_image": "cover_image"}
# Which rows the ids of a key have to name.
_LINKS = {
    "performer_ids": "performers",
    "tag_ids": "tags",
    "gallery_ids": "galleries",
    "scene_ids": "scenes",
    "parent_ids": "tags",
    "studio_id": "studios",
    "parent_id": "studios",
}


def _library(info: Info) -> Library:
    return info.context.library


def _require(library: Library, kind: str, row_id: str) -> Any:
    rows: Mapping[str, Any] = getattr(library, kind)
    if finding.require_id(row_id) not in rows:
        raise GraphQLError(f"{kind[:-1]} with id {row_id} not found")
    return rows[row_id]


def _apply(library: Library, row: Any, given: Input) -> None:
    """Write what the input names into the row, all of it or nothing."""
    changes = {
        _PICTURES.get(key, key): _value(library, row, key, value)
        for key, value in given.items()
        if key not in _NOT_COLUMNS
    }
    if "url" in given:
        # From the days when there was one.
        changes["urls"] = [given["url"]] if given["url"] else []
    _refuse_taken_name(library, row, changes.get("name"))
    for key, value in changes.items():
        setattr(row, key, value)
    row.updated_at = now()


def _value(library: Library, row: Any, key: str, value: Any) -> Any:
    if key in _PICTURES:
        return None if value is None else _data_url(value)
    if key == "stash_ids":
        return _stash_ids(value or [])
    if key == "custom_fields":
        return _custom_fields(row.custom_fields, value)
    if isinstance(value, dict):
        values = value.get("ids", value.get("values")) or []
        value = _in_bulk(getattr(row, key), values, value["mode"])
    if key in _LINKS:
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                _require(library, _LINKS[key], each)
    if value is None:
        return _empty_value(row, key)
    # Twice the same link would break a unique index.
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


def _empty_value(row: Any, key: str) -> Any:
    """Return what a row has that was never given any."""
    [column] = [each for each in dataclasses.fields(row) if each.name == key]
    if column.default_factory is not dataclasses.MISSING:
        return column.default_factory()
    return column.default


def _in_bulk(current: list[str], values: Sequence[str], mode: str) -> list[str]:
    if mode == "ADD":
        return [*current, *(v for v in values if v not in current)]
    if mode == "REMOVE":
        return [each for each in current if each not in values]
    return list(values)


def _stash_ids(given: Sequence[Input]) -> list[StashId]:
    unique = {(each["endpoint"], each["stash_id"]): each for each in given}
    return [
        StashId(endpoint, stash_id, each.get("updated_at") or now())
        for (endpoint, stash_id), each in unique.items()
    ]


def _custom_fields(current: dict[str, Any], given: Any) -> dict[str, Any]:
    if not given:
        return current
    if not {"full", "partial", "remove"} & given.keys():
        return dict(given)
    fields = dict(given["full"] or {}) if "full" in given else dict(current)
    fields |= given.get("partial") or {}
    for name in given.get("remove") or ():
        fields.pop(name, None)
    return fields


def _data_url(text: str) -> bytes:
    """Return the picture of a data URL; Stash would fetch any other address."""
    head, _, data = text.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise GraphQLError("the stand-in takes pictures as base64 data URLs only")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise GraphQLError(f"illegal base64 data: {error}") from error


def _refuse_taken_name(library: Library, row: Row, name: str | None) -> None:
    if name is None or not isinstance(row, Tag | Studio | Performer):
        return
    rows: Mapping[str, Any] = getattr(library, f"{type(row).__name__.lower()}s")
    for other in rows.values():
        is_same = other.name.lower() == name.lower() and other.id != row.id
        if is_same and isinstance(row, Performer):
            is_same = (other.disambiguation or "") == (row.disambiguation or "")
        if is_same:
            raise GraphQLError(
                f"{type(row).__name__} with name '{name}' already exists"
            )


def _updater(kind: str) -> Callable[..., Any]:
    def update(_root: None, info: Info, input: Input) -> Any:
        library = _library(info)
        row = _require(library, kind, input["id"])
        if input.get("primary_file_id") is not None:
            _make_primary(row, input["primary_file_id"])
        _apply(library, row, input)
        return row

    return update


def _make_primary(row: Any, file_id: str) -> None:
    if file_id not in row.file_ids:
        raise GraphQLError(f"file with id {file_id} is not associated with the row")
    row.file_ids = [file_id, *(each for each in row.file_ids if each != file_id)]


def _bulk_updater(kind: str) -> Callable[..., Any]:
    def update(_root: None, info: Info, input: Input) -> list[Any]:
        library = _library(info)
        rows = [_require(library, kind, each) for each in input.get("ids") or ()]
        for row in rows:
            _apply(library, row, input)
        return rows

    return update


def _creator(kind: str, row_type: type[Any]) -> Callable[..., Any]:
    def create(_root: None, info: Info, input: Input) -> Any:
        library = _library(info)
        rows: dict[str, Any] = getattr(library, kind)
        moment = now()
        row = row_type(library.next_id(rows), moment, moment)
        row.disambiguation = input.get("disambiguation")
        _apply(library, row, input)
        rows[row.id] = row
        return row

    return create


def _scenes_update(root: None, info: Info, input: Sequence[Input]) -> list[Any]:
    update = _updater("scenes")
    return [update(root, info, each) for each in input]


def _destroyer(kind: str) -> Callable[..., bool]:
    def destroy(
        _root: None,
        info: Info,
        input: Input | None = None,
        ids: Sequence[str] | None = None,
    ) -> bool:
        library = _library(info)
        given = input or {}
        wanted = ids or given.get("ids") or [given["id"]]
        for row in [_require(library, kind, each) for each in wanted]:
            has_no_file = given.get("delete_file") or given.get("destroy_file_entry")
            for file_id in getattr(row, "file_ids", ()) if has_no_file else ():
                del library.files[file_id]
            _destroy(library, kind, row)
        return True

    return destroy


def _destroy(library: Library, kind: str, row: Row) -> None:
    """Remove the row and every link to it."""
    del getattr(library, kind)[row.id]
    for each in _tagged_rows(library):
        ids = getattr(each, f"{kind[:-1]}_ids", None)
        if ids is not None and row.id in ids:
            ids.remove(row.id)


def _tagged_rows(library: Library) -> list[Any]:
    return [
        *library.scenes.values(),
        *library.images.values(),
        *library.galleries.values(),
        *library.performers.values(),
    ]


def _merge_sources(library: Library, kind: str, input: Input) -> tuple[Any, list[Any]]:
    """Return destination and sources, which have to be others."""
    destination = _require(library, kind, input["destination"])
    sources = [_require(library, kind, each) for each in input["source"]]
    if not sources or destination in sources:
        raise GraphQLError("cannot merge into itself or from nothing")
    return destination, sources


def _relink(library: Library, key: str, sources: Sequence[Row], to: Row) -> None:
    """Put what names a source to the destination instead."""
    gone = {source.id for source in sources}
    for row in _tagged_rows(library):
        ids = getattr(row, key, [])
        if gone.intersection(ids):
            moved = [to.id if each in gone else each for each in ids]
            setattr(row, key, list(dict.fromkeys(moved)))


def _performer_merge(_root: None, info: Info, input: Input) -> Performer:
    """Move links and tags; stash ids, aliases, urls and the picture are lost."""
    library = _library(info)
    destination, sources = _merge_sources(library, "performers", input)
    values = input.get("values") or {}
    if "url" in values:
        raise GraphQLError("legacy URL fields are not supported in a merge")
    _relink(library, "performer_ids", sources, destination)
    for source in sources:
        destination.tag_ids += [
            each for each in source.tag_ids if each not in destination.tag_ids
        ]
        _destroy(library, "performers", source)
    _apply(library, destination, values)
    assert isinstance(destination, Performer), destination
    return destination


def _scene_merge(_root: None, info: Info, input: Input) -> Scene:
    """Move the files; everything else of the sources is lost but for `values`."""
    library = _library(info)
    destination, sources = _merge_sources(library, "scenes", input)
    for source in sources:
        destination.file_ids += source.file_ids
        _destroy(library, "scenes", source)
    _apply(library, destination, input.get("values") or {})
    assert isinstance(destination, Scene), destination
    return destination


def _tags_merge(_root: None, info: Info, input: Input) -> Tag:
    """Move links; the sources' names become aliases."""
    library = _library(info)
    destination, sources = _merge_sources(library, "tags", input)
    _relink(library, "tag_ids", sources, destination)
    for source in sources:
        destination.aliases += [source.name, *source.aliases]
        _destroy(library, "tags", source)
    _apply(library, destination, input.get("values") or {})
    assert isinstance(destination, Tag), destination
    return destination


def _delete_files(_root: None, info: Info, ids: Sequence[str]) -> bool:
    """Delete files, of which none may be the first of a scene or an image."""
    library = _library(info)
    files: list[MediaFile] = [_require(library, "files", each) for each in ids]
    owners: list[Scene | Image] = [*library.scenes.values(), *library.images.values()]
    primary = {row.file_ids[0] for row in owners if row.file_ids}
    for file in files:
        if file.id in primary:
            raise GraphQLError(f"cannot delete primary file {library.path_of(file)}")
    for file in files:
        for owner in owners:
            if file.id in owner.file_ids:
                owner.file_ids.remove(file.id)
        del library.files[file.id]
    return True


def _assign_file(_root: None, info: Info, input: Input) -> bool:
    library = _library(info)
    scene = _require(library, "scenes", input["scene_id"])
    file = _require(library, "files", input["file_id"])
    for other in library.scenes.values():
        if file.id in other.file_ids[:1]:
            raise GraphQLError("cannot reassign a primary file")
    for other in library.scenes.values():
        if file.id in other.file_ids:
            other.file_ids.remove(file.id)
    scene.file_ids.append(file.id)
    return True


def _set_fingerprints(_root: None, info: Info, input: Input) -> bool:
    file = _require(_library(info), "files", input["id"])
    for each in input["fingerprints"]:
        if each["type"] in ("md5", "oshash"):
            raise GraphQLError(f"cannot modify {each['type']} fingerprint")
        if each.get("value") is None:
            file.fingerprints.pop(each["type"], None)
        else:
            file.fingerprints[each["type"]] = f"{int(each['value'], 16):x}"
    return True


def _generate(_root: None, info: Info, input: Input) -> str:
    """Bring out covers and sprites, at once; no scenes named means all of them."""
    library = _library(info)
    ids = input.get("sceneIDs") or list(library.scenes)
    scenes = [_require(library, "scenes", each) for each in ids]
    for scene in scenes:
        scene.has_cover = scene.has_cover or bool(input.get("covers"))
        scene.has_sprite = scene.has_sprite or bool(input.get("sprites"))
    moment = now()
    job = Job(
        id=str(len(library.jobs) + 1),
        status="FINISHED",
        description="Generating...",
        add_time=moment,
        progress=1.0,
        start_time=moment,
        end_time=moment,
    )
    library.jobs.append(job)
    return job.id


def _stop_job(_root: None, info: Info, job_id: str) -> bool:
    for job in _library(info).jobs:
        if job.id == job_id and job.status in ("READY", "RUNNING"):
            job.status = "CANCELLED"
    return True


def _configure_plugin(
    _root: None, info: Info, plugin_id: str, input: dict[str, Any]
) -> dict[str, Any]:
    """Replace all settings of the plugin."""
    _library(info).plugin_settings[plugin_id] = input
    return input


MUTATIONS: dict[str, Callable[..., Any]] = {
    "sceneUpdate": _updater("scenes"),
    "scenesUpdate": _scenes_update,
    "bulkSceneUpdate": _bulk_updater("scenes"),
    "sceneMerge": _scene_merge,
    "sceneDestroy": _destroyer("scenes"),
    "scenesDestroy": _destroyer("scenes"),
    "sceneAssignFile": _assign_file,
    "imageUpdate": _updater("images"),
    "bulkImageUpdate": _bulk_updater("images"),
    "galleryUpdate": _updater("galleries"),
    "bulkGalleryUpdate": _bulk_updater("galleries"),
    "performerCreate": _creator("performers", Performer),
    "performerUpdate": _updater("performers"),
    "bulkPerformerUpdate": _bulk_updater("performers"),
    "performerDestroy": _destroyer("performers"),
    "performersDestroy": _destroyer("performers"),
    "performerMerge": _performer_merge,
    "tagCreate": _creator("tags", Tag),
    "tagUpdate": _updater("tags"),
    "tagsMerge": _tags_merge,
    "studioCreate": _creator("studios", Studio),
    "studioUpdate": _updater("studios"),
    "deleteFiles": _delete_files,
    "destroyFiles": _delete_files,
    "fileSetFingerprints": _set_fingerprints,
    "metadataGenerate": _generate,
    "stopJob": _stop_job,
    "configurePlugin": _configure_plugin,
}
