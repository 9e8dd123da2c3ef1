"""The mutations, with the surprises that Stash's own have."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from demo.stash.exchange import Info
from demo.stash.inputs import Input, apply_input, require_row
from demo.stash.library import (
    Image,
    Job,
    Library,
    MediaFile,
    Performer,
    Scene,
    Studio,
    Tag,
    now,
)
from demo.stash.merges import destroy_row, performer_merge, scene_merge, tags_merge


def _library(info: Info) -> Library:
    return info.context.library


def _updater(kind: str) -> Callable[..., Any]:
    def update(_root: None, info: Info, input: Input) -> Any:
        library = _library(info)
        row = require_row(library, kind, input["id"])
        file_id = input.get("primary_file_id")
        if file_id is not None and file_id not in row.file_ids:
            raise GraphQLError(f"file with id {file_id} not found on the {kind[:-1]}")
        apply_input(library, row, input)
        if file_id is not None:
            others = (each for each in row.file_ids if each != file_id)
            row.file_ids = [file_id, *others]
        return row

    return update


def _bulk_updater(kind: str) -> Callable[..., Any]:
    def update(_root: None, info: Info, input: Input) -> list[Any]:
        library = _library(info)
        rows = [require_row(library, kind, each) for each in input.get("ids") or ()]
        for row in rows:
            apply_input(library, row, input)
        return rows

    return update


def _creator(kind: str, row_type: type[Any]) -> Callable[..., Any]:
    def create(_root: None, info: Info, input: Input) -> Any:
        library = _library(info)
        rows: dict[str, Any] = getattr(library, kind)
        moment = now()
        row = row_type(library.next_id(rows), moment, moment)
        apply_input(library, row, input)
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
        for row in [require_row(library, kind, each) for each in wanted]:
            has_no_file = given.get("delete_file") or given.get("destroy_file_entry")
            for file_id in getattr(row, "file_ids", ()) if has_no_file else ():
                del library.files[file_id]
            destroy_row(library, kind, row)
        return True

    return destroy


def _delete_files(_root: None, info: Info, ids: Sequence[str]) -> bool:
    """Delete files, of which none may be the first of a scene or an image."""
    library = _library(info)
    files: list[MediaFile] = [require_row(library, "files", each) for each in ids]
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
    scene = require_row(library, "scenes", input["scene_id"])
    file = require_row(library, "files", input["file_id"])
    for other in library.scenes.values():
        if file.id in other.file_ids[:1]:
            raise GraphQLError("cannot reassign a primary file")
    for other in library.scenes.values():
        if file.id in other.file_ids:
            other.file_ids.remove(file.id)
    scene.file_ids.append(file.id)
    return True


def _set_fingerprints(_root: None, info: Info, input: Input) -> bool:
    file = require_row(_library(info), "files", input["id"])
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
    scenes = [require_row(library, "scenes", each) for each in ids]
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
    "sceneMerge": scene_merge,
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
    "performerMerge": performer_merge,
    "tagCreate": _creator("tags", Tag),
    "tagUpdate": _updater("tags"),
    "tagsMerge": tags_merge,
    "studioCreate": _creator("studios", Studio),
    "studioUpdate": _updater("studios"),
    "deleteFiles": _delete_files,
    "destroyFiles": _delete_files,
    "fileSetFingerprints": _set_fingerprints,
    "metadataGenerate": _generate,
    "stopJob": _stop_job,
    "configurePlugin": _configure_plugin,
}
