"""Deleting scenes and files: only what was named, and never what is kept."""

import pytest

from recommendations.models import ActionRecord
from recommendations.tests.actions.world import (
    changed,
    done,
    mutations,
    recommend,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db

SCENE = "2"


@pytest.fixture
def files(library):
    """The ids of a scene's three files, the primary one first."""
    for scene in library.scenes.values():
        scene.file_ids = scene.file_ids[:1]
    scene = library.scenes[SCENE]
    used = {each.file_ids[0] for each in library.scenes.values()}
    template = library.files[scene.file_ids[0]]
    for number in ("901", "902"):
        values = {**vars(template), "id": number, "name": f"{number}.mp4"}
        library.files[number] = type(template)(**values)
        scene.file_ids.append(number)
    library.files = {
        k: f for k, f in library.files.items() if k in used or int(k) > 900
    }
    return scene.file_ids


@pytest.fixture
def row(files):
    return recommend("duplicate_scene_files", SCENE, target_type="scene")


def request(files, deleted, keeper, **more):
    return {
        "scene_id": SCENE,
        "file_ids_to_delete": deleted,
        "keep_file_id": keeper,
        "all_file_ids": sorted(files, reverse=True),
        "confirm": True,
        **more,
    }


@pytest.mark.usefixtures("version")
def test_the_kept_file_is_made_primary_before_the_others_go(
    api, stash, library, files, row
):
    before = snapshot(library)
    first, second, third = files

    answer = done(
        api,
        "delete-scene-files",
        **request(files, [first, second], third, recommendation_id=row.pk),
    )

    assert library.scenes[SCENE].file_ids == [third]
    assert changed(library, before) == {
        ("scenes", SCENE),
        ("files", first),
        ("files", second),
    }
    assert mutations(stash) == ["SceneUpdate", "DeleteFiles"]
    assert [each["id"] for each in answer["deleted"]] == [first, second]
    assert told_of(row) == ("resolved", "delete-scene-files")


def test_a_primary_file_that_is_kept_stays_what_it_is(api, stash, library, files):
    first, second, third = files

    done(api, "delete-scene-files", **request(files, [second], first))

    assert mutations(stash) == ["DeleteFiles"]
    assert library.scenes[SCENE].file_ids == [first, third]


def test_a_dry_run_tells_which_files_go_and_how_large_they_are(
    api, stash, library, files
):
    before = snapshot(library)
    first, second, third = files
    asked = request(files, [first], second)

    plan = done(api, "delete-scene-files", **{**asked, "confirm": False}, dry_run=True)[
        "plan"
    ]

    (gone,) = plan["files_deleted"]
    file = library.files[first]
    assert gone["path"] == str(library.path_of(file))
    assert plan["freed_bytes"] == gone["size"] == file.size
    assert plan["primary_file"]["id"] == second
    assert [each["id"] for each in plan["files_kept"]] == [second, third]
    assert changed(library, before) == set()
    assert not ActionRecord.objects.exists()
    assert done(api, "delete-scene-files", **asked)["plan"] == plan
    assert first not in library.files


@pytest.mark.parametrize(
    ("deleted", "keeper"),
    [
        (["901", "902"], "902"),
        (["901"], "77777"),
        (["901", "77777"], "902"),
    ],
    ids=["the kept one", "a strange keeper", "a strange file"],
)
def test_files_that_must_not_go_are_refused_and_nothing_is_changed(
    api, stash, library, files, row, deleted, keeper
):
    before = snapshot(library)

    answer = refused(
        api,
        *("delete-scene-files", 409, "action_refused"),
        **request(files, deleted, keeper, recommendation_id=row.pk),
    )

    assert {each["id"] for each in answer["files"]} == set(files)
    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")


def test_a_file_of_another_scene_is_refused(api, stash, library, files):
    other = library.scenes["3"].file_ids[0]

    refused(
        api,
        *("delete-scene-files", 409, "action_refused"),
        **request(files, [other], files[0]),
    )

    assert other in library.files


def test_a_failing_deletion_leaves_every_file_and_says_what_was_done(
    api, stash, library, files, row
):
    stash.faults.meanwhile["DeleteFiles"] = lambda: "read-only file system"

    answer = refused(
        api,
        *("delete-scene-files", 502, "stash_error"),
        **request(files, files[:1], files[1], recommendation_id=row.pk),
    )

    assert set(files) <= set(library.files)
    assert len(answer["done_before"]) == 1
    assert told_of(row) == ("pending", "")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("delete-scene", {"scene_id": SCENE, "delete_file": True}),
        (
            "delete-scene-files",
            {"scene_id": SCENE, "file_ids_to_delete": ["901"], "keep_file_id": "902"},
        ),
        ("merge-scenes", {"destination_id": "1", "source_ids": ["2"]}),
    ],
)
def test_nothing_is_sent_without_a_confirmation(api, stash, files, name, body):
    refused(api, name, 400, "confirmation_required", **body)

    assert stash.requests == []


def test_a_scene_is_deleted_and_its_files_stay(api, stash, library, files):
    before = snapshot(library)

    answer = done(api, "delete-scene", scene_id=SCENE, confirm=True)

    assert changed(library, before) == {("scenes", SCENE)}
    deleted = answer["deleted"]
    assert deleted["files_deleted"] == []
    assert [each["id"] for each in deleted["files_kept"]] == files


def test_a_scene_is_deleted_with_its_files_where_that_is_said(
    api, stash, library, files
):
    before = snapshot(library)
    row = recommend("duplicate_scenes", f"1:{SCENE}", target_type="scene")
    asked = {"scene_id": SCENE, "delete_file": True, "recommendation_id": row.pk}

    plan = done(api, "delete-scene", dry_run=True, **asked)["plan"]

    assert changed(library, before) == set()
    answer = done(api, "delete-scene", confirm=True, **asked)
    assert answer["plan"] == plan
    assert changed(library, before) == {
        ("scenes", SCENE),
        *(("files", each["id"]) for each in plan["files_deleted"]),
    }
    assert told_of(row) == ("resolved", "delete-scene")


def test_another_scene_than_the_recommendations_is_not_deleted(
    api, stash, library, files
):
    row = recommend("duplicate_scenes", "1:3", target_type="scene")
    before = snapshot(library)

    refused(
        api,
        *("delete-scene", 409, "wrong_recommendation"),
        scene_id=SCENE,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert changed(library, before) == set()
    assert told_of(row) == ("pending", "")


def test_a_scene_that_goes_between_reading_and_deleting_closes_the_recommendation(
    api, stash, library, files
):
    row = recommend("duplicate_scenes", f"1:{SCENE}", target_type="scene")
    stash.faults.meanwhile["SceneDestroy"] = lambda: library.scenes.pop(SCENE) and None

    refused(
        api,
        *("delete-scene", 409, "target_gone"),
        scene_id=SCENE,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert told_of(row) == ("resolved", "target_gone")


@pytest.fixture
def pair(files):
    """A recommendation of two scenes that show the same."""
    return recommend("duplicate_scenes", f"1:{SCENE}", target_type="scene")


def test_a_duplicate_is_deleted_only_while_the_other_one_is_there(
    api, stash, library, pair
):
    del library.scenes["1"]
    before = snapshot(library)
    asked = {"scene_id": SCENE, "delete_file": True, "recommendation_id": pair.pk}

    refused(api, "delete-scene", 409, "target_gone", **asked, confirm=True)

    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert told_of(pair) == ("resolved", "target_gone")


def test_the_last_files_of_two_duplicates_are_not_deleted(api, stash, library, pair):
    library.scenes["1"].file_ids = []
    before = snapshot(library)
    asked = {"scene_id": SCENE, "delete_file": True, "recommendation_id": pair.pk}

    refused(api, "delete-scene", 409, "action_refused", **asked, confirm=True)

    assert changed(library, before) == set()
    assert told_of(pair) == ("pending", "")


def test_what_is_kept_of_two_duplicates_is_told(api, stash, library, pair):
    asked = {"scene_id": SCENE, "recommendation_id": pair.pk}

    plan = done(api, "delete-scene", **asked, dry_run=True)["plan"]

    assert [each["id"] for each in plan["duplicates_kept"]] == ["1"]
    assert done(api, "delete-scene", **asked, confirm=True)["plan"] == plan
