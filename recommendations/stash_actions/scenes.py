"""Updating a scene: by what is added and removed, so that nobody's change is lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.analyzers.upstream_comparison import decided_fields
from recommendations.models import Recommendation
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.changing import changes_to, only_changed
from recommendations.stash_actions.fitting import (
    UNIDENTIFIED_SCENES,
    UPSTREAM_SCENE,
    about,
)
from recommendations.stash_actions.values import (
    URL_ADD,
    Fields,
    as_stash_input,
    read_fields,
)
from stashsense.integrations.stash_inputs import BulkIds, BulkTexts, Mode
from stashsense.integrations.stash_library_types import FullScene

# Told apart from None, which takes the studio away.
KEEP = object()


@dataclass(frozen=True, kw_only=True)
class ListChange:
    """What becomes of performers or tags: `wanted` replaces, the others change some."""

    wanted: Sequence[int] | None = None
    added: Sequence[int] = ()
    removed: Sequence[int] = ()

    def against(self, current: Iterable[int]) -> "Difference":
        has = list(current)
        wanted = set(has if self.wanted is None else self.wanted)
        wanted = (wanted | set(self.added)) - set(self.removed)
        return Difference(
            tuple(sorted(wanted - set(has))),
            tuple(each for each in has if each not in wanted),
        )


@dataclass(frozen=True)
class Difference:
    added: tuple[int, ...]
    removed: tuple[int, ...]

    def told(self) -> dict[str, list[str]]:
        return {
            "added": [str(each) for each in self.added],
            "removed": [str(each) for each in self.removed],
        }


def update_scene(
    context: ActionContext,
    scene_id: int,
    fields: Fields,
    *,
    performers: ListChange = ListChange(),
    tags: ListChange = ListChange(),
    studio_id: object = KEEP,
) -> Outcome:
    """Write the fields and lists; lists by what they differ in from now.

    Resolves the scene's pending upstream changes, where they are of one stash-box.
    """
    values = read_fields("scene", fields)
    if studio_id is not KEEP:
        values["studio_id"] = studio_id
    asked = {name.removesuffix("_id") for name in values}
    asked |= {"urls"} if URL_ADD in values else set()
    asked |= {*_asked_lists(performers=performers, tags=tags)}
    context = _with_upstream_changes(context, scene_id, asked)
    # Nobody is identified by a title.
    settled = {UPSTREAM_SCENE}
    settled |= {UNIDENTIFIED_SCENES} if "performers" in asked else set()
    deed = Deed(
        "update-scene",
        "scene",
        str(scene_id),
        about(settled, "scene", scene_id),
    )
    with acting(context, deed) as act:
        scene = act.target(lambda: act.stash.library.get_full_scene(scene_id))
        written = as_stash_input("scene", values, local=scene, has_career_dates=False)
        changes = changes_to(scene, written)
        lists = {
            "performer_ids": performers.against(each.id for each in scene.performers),
            "tag_ids": tags.against(each.id for each in scene.tags),
        }
        plan = {
            "scene_id": str(scene.id),
            "changes": changes,
            **{name: each.told() for name, each in lists.items()},
        }
        if not act.begin(plan, scene):
            return Outcome(plan, is_dry_run=True)
        _send(act, scene, only_changed(written, changes), lists)
        after = act.read_after(lambda: act.stash.library.get_full_scene(scene.id))
        title = after.title if after is not None else written.get("title", scene.title)
        return Outcome(plan, {"scene": {"id": str(scene.id), "title": title}})


def _send(
    act: Act,
    scene: FullScene,
    written: Mapping[str, Any],
    lists: Mapping[str, Difference],
) -> None:
    """Send what is set and added as one change, and what is removed as another.

    After a failure between the two the scene has everything that it is to have, and
    what was to be taken from it.
    """
    first = {key: each for key, each in written.items() if key != "urls"}
    second: dict[str, Any] = {}
    for name, each in lists.items():
        if each.added:
            first[name] = BulkIds(Mode.ADD, each.added)
        if each.removed:
            second[name] = BulkIds(Mode.REMOVE, each.removed)
    if "urls" in written:
        new = [url for url in written["urls"] if url not in scene.urls]
        old = [url for url in scene.urls if url not in written["urls"]]
        first |= {"urls": BulkTexts(Mode.ADD, new)} if new else {}
        second |= {"urls": BulkTexts(Mode.REMOVE, old)} if old else {}
    for values, step in ((first, "Set and added"), (second, "Removed")):
        if values:
            act.stash.writes.bulk_update_scenes([scene.id], values)
            act.did(f"{step} {', '.join(values)} of scene {scene.id}.")


def _asked_lists(**lists: ListChange) -> list[str]:
    return [
        name
        for name, each in lists.items()
        if each.wanted is not None or each.added or each.removed
    ]


def _with_upstream_changes(
    context: ActionContext, scene_id: int, asked: set[str]
) -> ActionContext:
    """Return the context with the recommendation that clients do not name.

    Nothing of what it proposes was asked for: then it is not what they act on.
    """
    if context.recommendation_id is not None or context.is_dry_run:
        return context
    rows = Recommendation.objects.filter(
        type=UPSTREAM_SCENE, target_type="scene", target_id=str(scene_id)
    ).pending()
    found = list(rows[:2])
    # Of two stash-boxes it is not known whose changes were accepted.
    if len(found) != 1 or found[0].details.get("is_gone_upstream"):
        return context
    proposed = decided_fields(found[0].details)
    if proposed and not proposed & asked:
        return context
    return ActionContext(
        asker=context.asker,
        recommendation_id=found[0].pk,
        is_dry_run=context.is_dry_run,
        is_confirmed=context.is_confirmed,
    )
