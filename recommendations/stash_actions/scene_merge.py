"""Merging scenes: files and markers by Stash's merge, everything else by its values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from recommendations.exceptions import ActionRefused
from recommendations.stash_actions.acting import (
    ActionContext,
    Deed,
    Outcome,
    StashAccess,
    acting,
)
from recommendations.stash_actions.changing import (
    changes_to,
    lost_custom_fields,
    not_kept,
)
from recommendations.stash_actions.fitting import among_scenes
from recommendations.stash_actions.pictures import find_stash_picture
from recommendations.stash_actions.telling import told, told_file, told_scene
from stashsense.integrations.stash_errors import StashNotFound
from stashsense.integrations.stash_inputs import CustomFields
from stashsense.integrations.stash_library_types import FullScene, SceneGroup
from stashsense.integrations.stash_types import StashId, StashVersion

# Before, a merge lost the cover of the destination.
_KEEPS_COVER_SINCE = StashVersion(0, 31)
_SIMPLE = ("title", "code", "details", "director", "date", "rating100")


@dataclass(frozen=True)
class SceneMergePlan:
    """What the destination is to have; `values` is what Stash has to be told."""

    destination: FullScene
    sources: tuple[FullScene, ...]
    values: dict[str, Any]
    cover: str | None
    cover_from: int | None

    def told(self) -> dict[str, Any]:
        values = {key: each for key, each in self.values.items() if key not in _COMPLEX}
        changes = changes_to(self.destination, values)
        if "groups" in self.values:
            before = [_group(each) for each in self.destination.groups]
            after = [_group(each) for each in self.values["groups"]]
            changes["groups"] = {"before": before, "after": after}
        for key, attribute in _LISTS.items():
            if key in self.values:
                rows = getattr(self.destination, attribute)
                changes[key] = {
                    "before": [str(each.id) for each in rows],
                    "after": [str(each) for each in self.values[key]],
                }
        return {
            "destination": told_scene(self.destination),
            "removed_scenes": [told_scene(each) for each in self.sources],
            "changes": changes,
            "moved_files": [told_file(f) for s in self.sources for f in s.files],
            "moved_markers": [told(m) for s in self.sources for m in s.markers],
            "moved_plays": sum(len(s.play_history) for s in self.sources),
            "moved_o_counts": sum(len(s.o_history) for s in self.sources),
            "cover_from": self.cover_from and str(self.cover_from),
            "lost": _lost(self.destination, self.sources, self.values),
        }


_LISTS = {
    "performer_ids": "performers",
    "tag_ids": "tags",
    "gallery_ids": "galleries",
}
_COMPLEX = {*_LISTS, "groups", "custom_fields", "play_duration", "cover_image"}


def merge_scenes(
    context: ActionContext, destination_id: int, source_ids: Sequence[int]
) -> Outcome:
    """Put the sources' files, history and missing metadata into the destination.

    The sources are gone afterwards; no file is deleted.
    """
    sources = list(dict.fromkeys(source_ids))
    if destination_id in sources or not sources:
        raise ActionRefused("A scene is merged with others, not with itself.")
    deed = Deed(
        "merge-scenes",
        "scene",
        str(destination_id),
        among_scenes([destination_id, *sources]),
        is_destructive=True,
    )
    with acting(context, deed) as act:
        library = act.stash.library

        def read() -> tuple[FullScene, ...]:
            wanted = [destination_id, *sources]
            found = {each.id: each for each in library.find_full_scenes(wanted)}
            for each in wanted:
                if each not in found:
                    raise StashNotFound(f"Scene {each} not found.")
            return tuple(found[each] for each in wanted)

        destination, *others = act.target(read)
        plan = _plan(act.stash, destination, others)
        shown = plan.told()
        if not act.begin(shown, [destination, *others]):
            return Outcome(shown, is_dry_run=True)
        values = dict(plan.values)
        if plan.cover is not None:
            values["cover_image"] = plan.cover
        written = act.stash.writes.merge_scenes(
            sources, destination.id, values=values, play_history=True, o_history=True
        )
        act.did(f"Merged scenes {_listed(sources)} into {destination.id}.")
        after = act.read_after(lambda: library.get_full_scene(destination.id))
        result = {**told_scene(after or destination), "not_kept": not_kept(written)}
        return Outcome(shown, {"result": result})


def _plan(
    stash: StashAccess, destination: FullScene, sources: Sequence[FullScene]
) -> SceneMergePlan:
    cover, cover_from = _cover(stash, destination, sources)
    return SceneMergePlan(
        destination,
        tuple(sources),
        _values(destination, sources),
        cover,
        cover_from,
    )


def _values(destination: FullScene, sources: Sequence[FullScene]) -> dict[str, Any]:
    """Return what the destination lacks and a source has, the first source's first."""
    values: dict[str, Any] = {}
    for name in _SIMPLE:
        if not getattr(destination, name):
            found = next(filter(None, (getattr(s, name) for s in sources)), None)
            if found:
                values[name] = found
    if destination.studio is None:
        studio = next(filter(None, (each.studio for each in sources)), None)
        if studio is not None:
            values["studio_id"] = studio.id
    if not destination.is_organized and any(each.is_organized for each in sources):
        values["organized"] = True
    for key, attribute in _LISTS.items():
        has = [each.id for each in getattr(destination, attribute)]
        more = chain.from_iterable(getattr(each, attribute) for each in sources)
        joined = _joined(has, (each.id for each in more))
        if joined != has:
            values[key] = joined
    _join_rest(values, destination, sources)
    return values


def _join_rest(
    values: dict[str, Any], destination: FullScene, sources: Sequence[FullScene]
) -> None:
    urls = _joined(destination.urls, chain.from_iterable(s.urls for s in sources))
    if len(urls) > len(destination.urls):
        values["urls"] = urls
    ids: list[StashId] = _joined(
        destination.stash_ids, chain.from_iterable(s.stash_ids for s in sources)
    )
    if len(ids) > len(destination.stash_ids):
        values["stash_ids"] = ids
    groups: dict[int, SceneGroup] = {}
    for scene in (destination, *sources):
        for each in scene.groups:
            groups.setdefault(each.group.id, each)
    if len(groups) > len(destination.groups):
        values["groups"] = list(groups.values())
    seconds = sum(each.play_duration_seconds for each in sources)
    if seconds:
        values["play_duration"] = destination.play_duration_seconds + seconds
    fields: dict[str, Any] = {}
    for source in reversed(sources):
        fields |= source.custom_fields
    new = {k: v for k, v in fields.items() if k not in destination.custom_fields}
    if new:
        values["custom_fields"] = CustomFields(partial=new)


def _joined(has: Iterable[Any], more: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys([*has, *more]))


def _cover(
    stash: StashAccess, destination: FullScene, sources: Sequence[FullScene]
) -> tuple[str | None, int | None]:
    """Return the picture that Stash has to be given, and the scene that it is from."""
    own = find_stash_picture(stash.client, destination.screenshot_url)
    if own is not None:
        is_lost = stash.version < _KEEPS_COVER_SINCE
        return (own if is_lost else None), destination.id
    for source in sources:
        picture = find_stash_picture(stash.client, source.screenshot_url)
        if picture is not None:
            return picture, source.id
    return None, None


def _lost(
    destination: FullScene, sources: Sequence[FullScene], values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what sources say otherwise than what the destination will say."""
    lost: list[tuple[FullScene, str, Any, Any]] = []
    studio = next(
        (each.studio for each in (destination, *sources) if each.studio), None
    )
    for source in sources:
        for name in _SIMPLE:
            theirs = getattr(source, name)
            kept = values.get(name, getattr(destination, name))
            if theirs and theirs != kept:
                lost.append((source, name, theirs, kept))
        if studio is not None and source.studio not in (None, studio):
            lost.append((source, "studio", source.studio.name, studio.name))
    lost += [
        (source, f"custom_fields.{name}", theirs, kept)
        for source, name, theirs, kept in lost_custom_fields(
            destination.custom_fields, [(s, s.custom_fields) for s in sources], values
        )
    ]
    return [
        {"scene_id": str(source.id), "field": name, "value": theirs, "kept": kept}
        for source, name, theirs, kept in lost
    ]


def _group(each: SceneGroup) -> dict[str, Any]:
    return {"id": str(each.group.id), "scene_index": each.scene_index}


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
