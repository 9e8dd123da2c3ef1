"""Updating a scene: lists by what differs, so that nobody's change is lost."""

import pytest

from recommendations.models import ActionRecord
from recommendations.tests.actions.world import (
    changed,
    done,
    mutations,
    recommend,
    records,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(library):
    scene = library.scenes["1"]
    scene.title, scene.urls, scene.studio_id = "Old", ["https://a.example"], "1"
    scene.performer_ids, scene.tag_ids = ["1", "2"], ["1"]
    return scene


@pytest.fixture
def row():
    return recommend("upstream_scene_changes", "1", target_type="scene")


def test_urls_are_added_to_those_that_somebody_added_since(api, stash, scene, row):
    stash.faults.meanwhile["BulkSceneUpdate"] = lambda: scene.urls.append("https://m")
    scene.urls = ["https://a.example/", "https://since.example"]

    done(
        api,
        "update-scene",
        scene_id="1",
        fields={"_url_add": ["https://A.example", "https://b.example"]},
    )

    first, *more = scene.urls
    assert first == "https://a.example/"
    assert sorted(more) == ["https://b.example", "https://m", "https://since.example"]
    row.refresh_from_db()
    assert row.status == "resolved"


@pytest.mark.usefixtures("version")
def test_fields_and_lists_become_what_was_sent_and_nothing_else_is(
    api, stash, library, scene, row
):
    before = snapshot(library)

    answer = done(
        api,
        "update-scene",
        scene_id="1",
        fields={"title": "New", "date": "2020-02-03", "urls": ["https://b.example"]},
        performer_ids=["2", "3"],
        tag_ids=[],
        studio_id="2",
    )

    assert (scene.title, scene.date, scene.studio_id) == ("New", "2020-02-03", "2")
    assert scene.urls == ["https://b.example"]
    assert (scene.performer_ids, scene.tag_ids) == (["2", "3"], [])
    assert answer["scene"] == {"id": "1", "title": "New"}
    assert changed(library, before) == {("scenes", "1")}
    assert told_of(row) == ("resolved", "update-scene")


def test_who_is_added_meanwhile_stays(api, stash, library, scene):
    stash.faults.meanwhile["BulkSceneUpdate"] = lambda: (
        scene.performer_ids.append("5") if "5" not in scene.performer_ids else None
    )

    done(api, "update-scene", scene_id="1", performer_ids=["2", "3"])

    assert scene.performer_ids == ["2", "5", "3"]


def test_some_are_added_and_some_removed_without_naming_the_rest(
    api, stash, library, scene
):
    done(
        api,
        "update-scene",
        scene_id="1",
        add_performer_ids=["4"],
        remove_performer_ids=["1"],
        add_tag_ids=["2"],
    )

    assert scene.performer_ids == ["2", "4"]
    assert scene.tag_ids == ["1", "2"]
    assert (scene.title, scene.studio_id) == ("Old", "1")


def test_a_studio_stays_unless_it_is_to_be_cleared(api, stash, library, scene):
    done(api, "update-scene", scene_id="1", fields={"code": "X"}, studio_id=None)
    assert scene.studio_id == "1"

    done(api, "update-scene", scene_id="1", clear_studio=True)
    assert scene.studio_id is None


def test_a_failure_between_adding_and_removing_tells_what_was_done(
    api, stash, library, scene, row
):
    calls = []

    def second_fails():
        calls.append(1)
        return "database is locked" if len(calls) == 2 else None

    stash.faults.meanwhile["BulkSceneUpdate"] = second_fails

    answer = refused(
        api,
        *("update-scene", 502, "stash_error"),
        scene_id="1",
        performer_ids=["2", "3"],
    )

    assert scene.performer_ids == ["1", "2", "3"]
    assert answer["done_before"] == ["Set and added performer_ids of scene 1."]
    assert told_of(row) == ("pending", "")
    record = ActionRecord.objects.get()
    assert record.after["steps"] == answer["done_before"]
    assert "database is locked" in record.error


def test_of_two_stash_boxes_only_the_named_ones_changes_are_resolved(
    api, stash, library, scene
):
    first, second = (
        recommend("upstream_scene_changes", "1", target_type="scene", endpoint=box)
        for box in ("https://a.example/graphql", "https://b.example/graphql")
    )

    done(api, "update-scene", scene_id="1", fields={"title": "New"})
    assert told_of(first) == told_of(second) == ("pending", "")

    done(
        api,
        "update-scene",
        scene_id="1",
        fields={"title": "Newer"},
        recommendation_id=second.pk,
    )
    assert told_of(first) == ("pending", "")
    assert told_of(second) == ("resolved", "update-scene")


def test_a_performer_that_is_not_there_is_refused_and_closes_nothing(
    api, stash, library, scene, row
):
    before = snapshot(library)

    refused(
        api,
        *("update-scene", 404, "stash_not_found"),
        scene_id="1",
        performer_ids=["1", "2", "77"],
    )

    assert changed(library, before) == set()
    assert told_of(row) == ("pending", "")
    assert records() == [("update-scene", "failed")]


def test_a_dry_run_tells_what_then_happens(api, stash, library, scene, row):
    before = snapshot(library)
    asked = {"scene_id": "1", "fields": {"title": "New"}, "performer_ids": ["2"]}

    plan = done(api, "update-scene", dry_run=True, **asked)["plan"]

    assert plan["changes"] == {"title": {"before": "Old", "after": "New"}}
    assert plan["performer_ids"] == {"added": [], "removed": ["1"]}
    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")
    assert done(api, "update-scene", **asked)["plan"] == plan


def test_a_scene_that_is_gone_closes_its_recommendation(api, stash, library, row):
    del library.scenes["1"]

    refused(
        api,
        *("update-scene", 409, "target_gone"),
        scene_id="1",
        fields={"title": "New"},
    )

    assert told_of(row) == ("resolved", "target_gone")
    assert row.resolution_details["reason"] == "Scene 1 not found."


def test_a_title_identifies_nobody(api, stash, library):
    row = recommend("unidentified_scenes", "1", target_type="scene")
    asked = {"scene_id": "1", "fields": {"title": "New"}, "recommendation_id": row.pk}

    refused(api, "update-scene", 409, "wrong_recommendation", **asked)

    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")
