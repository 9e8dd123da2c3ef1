"""What answers the fields of the stand-in stash-box's schema."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from demo.stash.library import as_time
from demo.stashbox.rows import (
    Appearance,
    Box,
    BoxUrl,
    Edit,
    Fingerprint,
    Performer,
    Row,
    Scene,
    Studio,
    Tag,
)

MAX_SCENES_PER_CALL = 40
IMAGE_SIDE_PX = 600


@dataclass(frozen=True)
class Exchange:
    """`base_url` is how the client came; without `is_known` it may read nothing."""

    box: Box
    base_url: str
    is_known: bool


Info = GraphQLResolveInfo[Exchange]
Resolver = Callable[..., Any]


def _needs_role(resolver: Resolver) -> Resolver:
    """Refuse who sent no key, as the field's role would have it."""

    def resolve(root: object, info: Info, **arguments: Any) -> Any:
        if not info.context.is_known:
            raise GraphQLError("not authorized")
        return resolver(root, info, **arguments)

    return resolve


def _find(target_type: str) -> Resolver:
    def resolve(
        _root: object, info: Info, id: str | None = None, name: str | None = None
    ) -> Any:
        rows = info.context.box.rows(target_type)
        if id is not None:
            _require_uuid(id)
            return rows.get(id)
        wanted = (name or "").lower()
        return next((row for row in rows.values() if row.name.lower() == wanted), None)

    return resolve


def _require_uuid(id: str) -> None:
    try:
        uuid.UUID(id)
    except ValueError:
        raise GraphQLError(f"uuid: incorrect UUID format in string {id!r}") from None


_SORT_KEYS: dict[str, Callable[[Any], Any]] = {
    "UPDATED_AT": lambda row: row.updated,
    "CREATED_AT": lambda row: row.created,
    "NAME": lambda row: row.name.lower(),
    "TITLE": lambda row: (row.title or "").lower(),
    "DATE": lambda row: row.release_date or "",
}


def _query(target_type: str, list_name: str, text_name: str) -> Resolver:
    """Return a page of what is neither deleted nor merged away."""

    def resolve(_root: object, info: Info, input: dict[str, Any]) -> dict[str, Any]:
        box = info.context.box
        wanted = (input.get(text_name) or "").lower()
        rows = [
            row
            for row in box.rows(target_type).values()
            if not row.deleted and wanted in (getattr(row, text_name) or "").lower()
        ]
        return _page(box, rows, input, list_name, _SORT_KEYS[input["sort"]])

    return resolve


def _page(
    box: Box,
    rows: list[Any],
    input: dict[str, Any],
    list_name: str,
    key: Callable[[Any], Any],
) -> dict[str, Any]:
    if next(box.calls) % 2:
        # Equal ones keep their order while sorting, whichever they had before.
        rows.reverse()
    rows.sort(key=key, reverse=input["direction"] == "DESC")
    if input["page"] < 1 or input["per_page"] < 1:
        raise GraphQLError("OFFSET must not be negative")
    start = (input["page"] - 1) * input["per_page"]
    return {"count": len(rows), list_name: rows[start : start + input["per_page"]]}


def _query_edits(_root: object, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    box = info.context.box
    if "target_id" in input and "target_type" not in input:
        raise GraphQLError("target_id needs target_type")
    names = ("status", "operation", "applied", "target_type", "target_id")
    edits = [
        edit
        for edit in box.edits
        if all(getattr(edit, name) == input[name] for name in names if name in input)
    ]
    is_closed = input["sort"] == "CLOSED_AT"
    if is_closed:
        edits = [edit for edit in edits if edit.closed is not None]
    return _page(
        box,
        edits,
        input,
        "edits",
        lambda edit: edit.closed if is_closed else edit.created,
    )


def _by_fingerprints(
    _root: object, info: Info, fingerprints: Sequence[Sequence[dict[str, str]]]
) -> list[list[Scene]]:
    if len(fingerprints) > MAX_SCENES_PER_CALL:
        raise GraphQLError("too many scenes")
    box = info.context.box
    scenes = [scene for scene in box.scenes.values() if not scene.deleted]
    return [
        [scene for scene in scenes if _has_one(scene, each, box.phash_distance)]
        for each in fingerprints
    ]


def _has_one(scene: Scene, asked: Sequence[dict[str, str]], distance: int) -> bool:
    for query in asked:
        if query["algorithm"] == "MD5":
            continue
        allowed = distance if query["algorithm"] == "PHASH" else 0
        for own in scene.fingerprints:
            if own.algorithm == query["algorithm"]:
                bits = int(own.hash, 16) ^ int(query["hash"], 16)
                if bits.bit_count() <= allowed:
                    return True
    return False


def _search_performers(
    _root: object,
    info: Info,
    term: str,
    limit: int | None = None,
    page: int | None = None,
    per_page: int | None = None,
) -> dict[str, Any]:
    words = term.lower().split()
    found = [
        performer
        for performer in info.context.box.performers.values()
        if not performer.deleted
        and all(
            word in " ".join([performer.name, *performer.aliases]).lower()
            for word in words
        )
    ]
    found.sort(key=lambda performer: performer.name.lower() != term.lower())
    size = per_page or limit or 10
    start = ((page or 1) - 1) * size
    return {"count": len(found), "performers": found[start : start + size]}


def _images(row: Performer | Scene | Studio, info: Info) -> list[dict[str, Any]]:
    return [
        {
            "id": image_id,
            "url": f"{info.context.base_url}/images/{image_id}",
            "width": IMAGE_SIDE_PX,
            "height": IMAGE_SIDE_PX,
        }
        for image_id in row.images
    ]


def _site(url: BoxUrl, _info: Info) -> dict[str, str]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"site {url.site}")),
        "name": url.site,
    }


def _scene_count(performer: Performer, info: Info) -> int:
    scenes = info.context.box.scenes.values()
    return sum(
        performer.id in {each.performer_id for each in scene.performers}
        for scene in scenes
        if not scene.deleted
    )


def _merge_sources(edit: Edit, info: Info) -> list[Row]:
    rows = info.context.box.rows(edit.target_type)
    return [rows[id] for id in edit.merge_source_ids]


def _hash(fingerprint: Fingerprint, _info: Info) -> str:
    return f"{int(fingerprint.hash, 16):016x}"


def _time(name: str) -> Resolver:
    def resolve(row: object, _info: Info) -> str | None:
        moment = getattr(row, name)
        return None if moment is None else as_time(moment)

    return resolve


_TIMES = {"created": _time("created"), "updated": _time("updated")}
FIELDS: dict[str, dict[str, Resolver]] = {
    "Query": {
        **{
            f"find{name}": _needs_role(_find(name.upper()))
            for name in ("Performer", "Scene", "Studio", "Tag")
        },
        "queryPerformers": _needs_role(_query("PERFORMER", "performers", "name")),
        "queryScenes": _needs_role(_query("SCENE", "scenes", "title")),
        "queryStudios": _needs_role(_query("STUDIO", "studios", "name")),
        "queryTags": _needs_role(_query("TAG", "tags", "name")),
        "queryEdits": _needs_role(_query_edits),
        "findScenesBySceneFingerprints": _needs_role(_by_fingerprints),
        "searchPerformers": _needs_role(_search_performers),
        "me": _needs_role(lambda *_: {"id": "1", "name": "demo"}),
        "version": lambda *_: {
            "version": "v0.10.2",
            "hash": "0000000",
            "build_time": "2026-07-02 00:00:00",
        },
    },
    "URL": {"site": _site},
    "Performer": {**_TIMES, "images": _images, "scene_count": _scene_count},
    "Tag": _TIMES,
    "Scene": {
        **_TIMES,
        "images": _images,
        "studio": lambda scene, info: info.context.box.studios.get(scene.studio_id),
        "tags": lambda scene, info: [info.context.box.tags[id] for id in scene.tag_ids],
    },
    "Studio": {
        **_TIMES,
        "images": _images,
        "parent": lambda studio, info: info.context.box.studios.get(studio.parent_id),
    },
    "PerformerAppearance": {
        "performer": lambda each, info: info.context.box.performers[each.performer_id],
        "as": lambda each, _info: each.credited_as,
    },
    "Fingerprint": {
        "hash": _hash,
        "reports": lambda *_: 0,
        "created": lambda *_: "2024-01-01T00:00:00Z",
        "updated": lambda *_: "2024-01-01T00:00:00Z",
    },
    "Edit": {
        "target": lambda edit, info: info.context.box.rows(edit.target_type).get(
            edit.target_id
        ),
        "merge_sources": _merge_sources,
        "created": _time("created"),
        "updated": _time("closed"),
        "closed": _time("closed"),
    },
}
TYPE_NAMES: dict[type, str] = {
    Performer: "Performer",
    Scene: "Scene",
    Studio: "Studio",
    Tag: "Tag",
    Appearance: "PerformerAppearance",
}
