"""Deleting a scene, or files of a scene that keeps another one."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from recommendations.exceptions import ActionRefused
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.fitting import (
    DUPLICATE_SCENE_FILES,
    about,
    among_scenes,
)
from recommendations.stash_actions.telling import told_file, told_scene
from stashsense.integrations.stash_library_types import FullScene, LibraryFile


def delete_scene(
    context: ActionContext, scene_id: int, *, deletes_files: bool
) -> Outcome:
    """Remove the scene with what was generated for it; its files only if asked to.

    As one of two duplicates it is removed only while the other is there: TargetGone
    where that is gone, and ActionRefused where files go and the other has none.
    """
    deed = Deed(
        "delete-scene",
        "scene",
        str(scene_id),
        among_scenes([scene_id]),
        is_destructive=True,
    )
    with acting(context, deed) as act:
        scene = act.target(lambda: act.stash.library.get_full_scene(scene_id))
        others = _duplicates(act, scene, deletes_files=deletes_files)
        plan = {
            **_deletion_plan(scene, deletes_files=deletes_files),
            "duplicates_kept": [told_scene(each) for each in others],
        }
        if not act.begin(plan, scene):
            return Outcome(plan, is_dry_run=True)
        act.stash.writes.destroy_scene(
            scene.id, delete_file=deletes_files, delete_generated=True
        )
        act.keep_after({})
        return Outcome(plan, {"deleted": plan})


def _duplicates(act: Act, scene: FullScene, *, deletes_files: bool) -> list[FullScene]:
    """Return what the scene is a duplicate of by the recommendation, read freshly."""
    if act.recommendation is None:
        return []
    ids = act.recommendation.target_id.split(":")
    others = [
        act.target(partial(act.stash.library.get_full_scene, int(each)))
        for each in ids
        if each != str(scene.id)
    ]
    for each in others:
        if deletes_files and not each.files:
            raise ActionRefused(
                f"Scene {each.id}, which would be kept, has no file; nothing was "
                "changed.",
                facts={"scene_id": str(each.id)},
            )
    return others


def _deletion_plan(scene: FullScene, *, deletes_files: bool) -> dict[str, Any]:
    files = [told_file(each) for each in scene.files]
    return {
        "scene": told_scene(scene),
        "files_deleted": files if deletes_files else [],
        "files_kept": [] if deletes_files else files,
        "freed_bytes": sum(f.size_bytes for f in scene.files) if deletes_files else 0,
        "lost": {
            "markers": [each.title for each in scene.markers],
            "play_count": scene.play_count,
            "o_counter": scene.o_counter,
            "stash_ids": [each.stash_id for each in scene.stash_ids],
        },
    }


def delete_scene_files(
    context: ActionContext,
    scene_id: int,
    *,
    file_ids: Sequence[int],
    keeper_id: int,
) -> Outcome:
    """Delete files of the scene from the disk, with the kept one made primary first.

    Raises ActionRefused where one of them is not the scene's, as it is now, or the kept
    one would go.
    """
    deed = Deed(
        "delete-scene-files",
        "scene",
        str(scene_id),
        about((DUPLICATE_SCENE_FILES,), "scene", scene_id),
        is_destructive=True,
    )
    with acting(context, deed) as act:
        scene = act.target(lambda: act.stash.library.get_full_scene(scene_id))
        keeper, deleted = _parted(scene, file_ids, keeper_id)
        is_primary = scene.files[0].id == keeper.id
        plan = {
            "scene": told_scene(scene),
            "primary_file": told_file(keeper),
            "changes_primary_file": not is_primary,
            "files_deleted": [told_file(each) for each in deleted],
            "files_kept": [told_file(f) for f in scene.files if f not in deleted],
            "freed_bytes": sum(each.size_bytes for each in deleted),
        }
        if not act.begin(plan, scene):
            return Outcome(plan, is_dry_run=True)
        if not is_primary:
            act.stash.writes.set_primary_file(scene.id, keeper.id)
            act.did(f"Made file {keeper.id} the primary one of scene {scene.id}.")
        act.stash.writes.delete_files([each.id for each in deleted])
        act.did(f"Deleted files {', '.join(str(each.id) for each in deleted)}.")
        act.read_after(lambda: act.stash.library.get_full_scene(scene.id))
        return Outcome(plan, {"deleted": plan["files_deleted"]})


def _parted(
    scene: FullScene, file_ids: Sequence[int], keeper_id: int
) -> tuple[LibraryFile, list[LibraryFile]]:
    """Return the file that stays whatever happens, and those that go."""
    files = {each.id: each for each in scene.files}
    wanted = list(dict.fromkeys(file_ids))
    strange = [each for each in (*wanted, keeper_id) if each not in files]
    facts = {"scene_id": str(scene.id), "files": [told_file(f) for f in scene.files]}
    if strange:
        shown = ", ".join(str(each) for each in strange[:10])
        raise ActionRefused(
            f"Scene {scene.id} has no file {shown}; nothing was changed.", facts=facts
        )
    if keeper_id in wanted:
        raise ActionRefused(
            f"File {keeper_id} cannot be both kept and deleted; nothing was changed.",
            facts=facts,
        )
    if not wanted:
        raise ActionRefused("There is no file to delete.", facts=facts)
    return files[keeper_id], [files[each] for each in wanted]
