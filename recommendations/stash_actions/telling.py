"""Rows of Stash as JSON knows them: for the audit, for plans, and for answers."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stashsense.integrations.stash_library_types import (
    FullScene,
    LibraryFile,
    PerformerName,
    StudioRow,
    TagRow,
)

Entity = PerformerName | TagRow | StudioRow


def told(value: object) -> Any:
    """Return the value with nothing in it but what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: told(getattr(value, each.name))
            for each in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): told(each) for key, each in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [told(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def digest_of_plan(plan: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the plan as JSON: keys in order, no blanks, in UTF-8."""
    text = json.dumps(
        told(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    # A lone surrogate is no UTF-8; a path of a file can have one.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def told_entity(row: Entity) -> dict[str, Any]:
    """Return a performer, tag or studio by what people tell them apart by."""
    names: dict[str, Any] = {"id": str(row.id), "name": row.name}
    if isinstance(row, PerformerName):
        names["disambiguation"] = row.disambiguation or None
        names["alias_list"] = list(row.alias_list)
    else:
        names["aliases"] = list(row.aliases)
    ids = [
        {"endpoint": each.endpoint, "stash_id": each.stash_id} for each in row.stash_ids
    ]
    return {**names, "stash_ids": ids}


def told_file(file: LibraryFile) -> dict[str, Any]:
    """Return a file by what people recognise it by, its path as Stash sees it."""
    return {
        "id": str(file.id),
        "path": file.path,
        "size": file.size_bytes,
        "duration": file.duration_seconds,
        "width": file.width,
        "height": file.height,
        "video_codec": file.video_codec,
    }


def told_scene(scene: FullScene) -> dict[str, Any]:
    """Return a scene by what people recognise it by."""
    return {
        "id": str(scene.id),
        "title": scene.title,
        "date": scene.date or None,
        "studio": scene.studio and scene.studio.name,
        "performers": [each.name for each in scene.performers],
        "files": [told_file(each) for each in scene.files],
    }
