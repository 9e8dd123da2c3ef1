"""Merging scenes: nothing that only one of them has is lost."""

import pytest

from demo.stash.generated import generated_library
from recommendations.tests.actions.world import (
    BOX,
    DRAWN,
    changed,
    done,
    linked,
    mutations,
    recommend,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenes(library):
    """Two scenes that are one, of which each has what the other lacks."""
    library.groups = {"1": "First", "2": "Second"}
    into, source = library.scenes["1"], library.scenes["2"]
    into.title, into.details, into.date, into.studio_id = "Kept", "", None, None
    source.title, source.details, source.date = "Lost", "Long", "2020-01-02"
    source.studio_id, source.code, source.director = "2", "X-1", "Somebody"
    into.performer_ids, source.performer_ids = ["1"], ["1", "2"]
    into.tag_ids, source.tag_ids = ["1"], ["2"]
    into.urls, source.urls = ["https://a.example"], ["https://b.example"]
    into.stash_ids, source.stash_ids = [linked("a")], [linked("b")]
    into.groups = [{"group_id": "1", "scene_index": 1}]
    source.groups = [{"group_id": "2", "scene_index": 7}]
    source.rating100, source.organized = 60, True
    into.play_history = ["2024-01-01T00:00:00Z"]
    source.play_history = ["2024-02-01T00:00:00Z"]
    source.o_history = ["2024-03-01T00:00:00Z"]
    into.play_duration, source.play_duration = 10.0, 5.0
    marker = {"id": "1", "title": "There", "seconds": 3.0, "primary_tag_id": "1"}
    source.markers = [{**marker, "tag_ids": []}]
    source.cover_image = DRAWN
    return into, source


def merge(client, **more):
    more.setdefault("confirm", True)
    return done(client, "merge-scenes", destination_id="1", source_ids=["2"], **more)


def test_all_that_the_source_alone_has_arrives_in_every_version(
    api, stash, library, scenes, version
):
    into, source = scenes
    files = [*into.file_ids, *source.file_ids]
    before = snapshot(library)

    answer = merge(api)

    assert (into.title, into.details, into.date) == ("Kept", "Long", "2020-01-02")
    assert (into.code, into.director, into.studio_id) == ("X-1", "Somebody", "2")
    assert (into.rating100, into.organized) == (60, True)
    assert into.performer_ids == ["1", "2"]
    assert into.tag_ids == ["1", "2"]
    assert into.urls == ["https://a.example", "https://b.example"]
    assert {(s.endpoint, s.stash_id) for s in into.stash_ids} == {
        (BOX, "a"),
        (BOX, "b"),
    }
    assert [(g["group_id"], g["scene_index"]) for g in into.groups] == [
        ("1", 1),
        ("2", 7),
    ]
    assert len(into.play_history) == 2
    assert len(into.o_history) == 1
    assert into.play_duration == 15.0
    assert [each["title"] for each in into.markers] == ["There"]
    assert into.cover_image == DRAWN
    assert into.file_ids == files
    assert set(library.files) == set(before["files"])
    assert answer["result"]["id"] == "1"
    assert changed(library, before) == {("scenes", "1"), ("scenes", "2")}


def test_a_dry_run_changes_nothing_and_tells_what_then_happens(
    api, stash, library, scenes
):
    row = recommend("duplicate_scenes", "1:2", target_type="scene")
    before = snapshot(library)

    plan = merge(api, dry_run=True, confirm=False, recommendation_id=row.pk)["plan"]

    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert plan["changes"]["details"] == {"before": None, "after": "Long"}
    assert plan["changes"]["performer_ids"]["after"] == ["1", "2"]
    assert plan["cover_from"] == "2"
    assert plan["moved_plays"] == 1
    assert {"scene_id": "2", "field": "title", "value": "Lost", "kept": "Kept"} in plan[
        "lost"
    ]
    assert merge(api, recommendation_id=row.pk)["plan"] == plan
    assert told_of(row) == ("resolved", "merge-scenes")


def test_the_destinations_own_cover_is_not_lost_by_the_merge(
    api, stash, library, scenes
):
    own = b"\xff\xd8\xff its own"
    scenes[0].cover_image = own

    plan = merge(api)["plan"]

    assert plan["cover_from"] == "1"
    assert scenes[0].cover_image == own
    # Older versions lose it unless they are told.
    (sent,) = [r for r in stash.graphql_requests() if r.operation == "SceneMerge"]
    assert sent.variables["input"]["values"]["cover_image"].startswith(
        "data:image/jpeg"
    )


def test_no_selection_of_the_answer_asks_for_a_count(api, stash, scenes):
    merge(api)

    (sent,) = [r for r in stash.graphql_requests() if r.operation == "SceneMerge"]
    assert "count" not in sent.query


def test_a_failing_merge_leaves_both(api, stash, library, scenes):
    row = recommend("duplicate_scenes", "1:2", target_type="scene")
    before = snapshot(library)
    stash.faults.meanwhile["SceneMerge"] = lambda: "disk I/O error"

    answer = refused(
        api,
        *("merge-scenes", 502, "stash_error"),
        destination_id="1",
        source_ids=["2"],
        confirm=True,
        recommendation_id=row.pk,
    )

    assert "disk I/O error" in answer["detail"]
    assert changed(library, before) == set()
    assert told_of(row) == ("pending", "")


def test_a_scene_that_is_gone_closes_the_recommendation(api, stash, library, scenes):
    row = recommend("duplicate_scenes", "1:2", target_type="scene")
    del library.scenes["2"]
    before = snapshot(library)

    refused(
        api,
        *("merge-scenes", 409, "target_gone"),
        destination_id="1",
        source_ids=["2"],
        confirm=True,
        recommendation_id=row.pk,
    )

    assert told_of(row) == ("resolved", "target_gone")
    assert changed(library, before) == set()


def test_custom_fields_are_carried_where_scenes_have_them(api, stash, library, scenes):
    stash.version = "0.31.0"
    scenes[0].custom_fields = {"a": 1}
    scenes[1].custom_fields = {"a": 2, "b": 3}

    merge(api)

    assert scenes[0].custom_fields == {"a": 1, "b": 3}


def test_several_sources_are_merged_in_their_order(api, stash, library, scenes):
    library.scenes["3"].details, scenes[1].details = "Other", ""
    scenes[0].details = ""

    done(
        api,
        "merge-scenes",
        destination_id="1",
        source_ids=["2", "3"],
        confirm=True,
    )

    assert scenes[0].details == "Other"
    assert set(library.scenes) == set(generated_library(scenes=8).scenes) - {"2", "3"}
