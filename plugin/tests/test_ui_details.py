"""Recommendations one by one: decided, acted on, refused."""

import json

import pytest

from demo.stash.library import StashId, now
from plugin.tests.details_pages import (
    PAGE,
    READS,
    confirm,
    open_page,
    picture,
    plan_text,
    wait_for_outcome,
)
from recommendations.tests.libraries import add_performer, add_scene

pytestmark = pytest.mark.browser


def test_a_recommendation_is_dismissed_with_a_reason_and_taken_back(
    tidying, stash_page
):
    _, id = tidying.a_link_missing()
    open_page(stash_page, id)

    stash_page.press("Dismiss…")
    stash_page.fill("Why (if you like)", "It is <b>not</b> them")
    stash_page.click("#stash-sense-permanent-true")
    stash_page.press("Dismiss", within=".modal-footer")
    wait_for_outcome(stash_page, "Dismissed for good.")
    assert tidying.get(id)["status"] == "dismissed"
    assert stash_page.run("return document.activeElement.innerText").startswith(
        "Dismissed for good."
    )
    standing = stash_page.text_of(".stash-sense-standing")
    assert "for good" in standing
    assert "because: It is <b>not</b> them" in standing
    reason = "SELECT reason, is_permanent FROM recommendations_dismissal"
    assert tidying.sense.service.rows(reason) == [("It is <b>not</b> them", 1)]

    stash_page.press("Take the dismissal back")
    wait_for_outcome(stash_page, "It waits for a decision again.")
    assert tidying.get(id)["status"] == "pending"


def test_performers_are_merged_as_the_dry_run_said(tidying, harness, stash_page):
    keeper, other = tidying.two_performers_who_are_one()
    (found,) = tidying.find("duplicate_performer")
    open_page(stash_page, found)
    picture(stash_page, tidying, "details-duplicate-performers")

    stash_page.press("Show what a merge does…")
    shown = plan_text(stash_page)
    assert "Ada Z will be gone. Ada Lux stays." in shown
    assert "1 scene gets Ada Lux" in shown
    assert "Gender: NON_BINARY; FEMALE stays" in shown
    picture(stash_page, tidying, "details-merge-plan")
    assert other.id in tidying.library.performers
    confirm(stash_page, "Merge for good")
    wait_for_outcome(stash_page)

    assert other.id not in tidying.library.performers
    assert keeper.urls == ["https://z.example"]
    assert tidying.get(found["id"])["resolution_action"] == "merge-performers"
    real = [each for each in harness.asked if each.get("confirm")]
    assert [len(each["plan_digest"]) for each in real] == [64]
    assert real[0]["seen_at"] == found["updated_at"]


def test_the_other_one_is_kept_where_somebody_says_so(tidying, stash_page):
    keeper, other = tidying.two_performers_who_are_one()
    (found,) = tidying.find("duplicate_performer")
    open_page(stash_page, found)

    stash_page.click(f"#stash-sense-keeper-{other.id}")
    stash_page.press("Show what a merge does…")
    confirm(stash_page, "Merge for good")
    wait_for_outcome(stash_page)

    assert keeper.id not in tidying.library.performers
    assert other.id in tidying.library.performers


def test_a_plan_that_changed_is_shown_again_before_anything_is_done(
    tidying, stash_page
):
    _, other = tidying.two_performers_who_are_one()
    (found,) = tidying.find("duplicate_performer")
    open_page(stash_page, found)
    stash_page.press("Show what a merge does…")
    assert "1 scene gets" in plan_text(stash_page)

    add_scene(tidying.library, title="Tagged meanwhile", performers=[other])
    confirm(stash_page, "Merge for good")
    stash_page.wait_for_text("The library changed meanwhile", within=".modal-body")
    assert "2 scenes get" in plan_text(stash_page)
    assert other.id in tidying.library.performers
    confirm(stash_page, "Merge for good")
    wait_for_outcome(stash_page)

    assert other.id not in tidying.library.performers


def test_files_are_deleted_after_it_was_said_which(tidying, stash_page):
    scene, poor, good = tidying.a_scene_of_two_files()
    (found,) = tidying.find("duplicate_scene_files")
    open_page(stash_page, found)
    picture(stash_page, tidying, "details-duplicate-files")

    stash_page.press("Show what deleting 1 file does…")
    shown = plan_text(stash_page)
    assert "Deleted from the disk, 3 GB" in shown
    assert shown.index(poor.name) < shown.index("These stay on the disk")
    assert (
        f"{good.name} becomes the scene\N{RIGHT SINGLE QUOTATION MARK}s primary file."
        in shown
    )
    picture(stash_page, tidying, "details-delete-files-plan")
    assert scene.file_ids == [poor.id, good.id]
    confirm(stash_page, "Delete 1 file")
    wait_for_outcome(stash_page)

    assert scene.file_ids == [good.id]
    assert poor.id not in tidying.library.files


@pytest.mark.parametrize("with_files", [False, True])
def test_a_scene_is_deleted_with_or_without_its_files(tidying, stash_page, with_files):
    first, second = tidying.a_scene_twice()
    (file_id,) = second.file_ids
    (found,) = tidying.find("duplicate_scenes")
    open_page(stash_page, found)
    picture(stash_page, tidying, "details-duplicate-scenes")

    stash_page.press("Delete the other…")
    assert "These stay on the disk" in plan_text(stash_page)
    if with_files:
        stash_page.click("#stash-sense-delete-files")
        stash_page.wait_for_text("Deleted from the disk, 1 GB", within=".modal-body")
        picture(stash_page, tidying, "details-delete-scene-plan")
        confirm(stash_page, "Delete the scene and its file")
    else:
        confirm(stash_page, "Delete the scene, keep its files")
    wait_for_outcome(stash_page)

    assert second.id not in tidying.library.scenes
    assert first.id in tidying.library.scenes
    assert (file_id in tidying.library.files) is not with_files


def test_scenes_are_merged_and_no_file_is_lost(tidying, stash_page):
    first, second = tidying.a_scene_twice()
    files = [*first.file_ids, *second.file_ids]
    (found,) = tidying.find("duplicate_scenes")
    open_page(stash_page, found)

    stash_page.press("Merge into the kept one…")
    assert "Files that move" in plan_text(stash_page)
    confirm(stash_page, "Merge for good")
    wait_for_outcome(stash_page)

    assert second.id not in tidying.library.scenes
    assert first.file_ids == files


def test_a_scene_match_is_accepted(tidying, stash_page):
    scene, upstream = tidying.a_scene_known_there()
    (found,) = tidying.find("scene_fingerprint_match")
    open_page(stash_page, found)
    picture(stash_page, tidying, "details-scene-match")

    stash_page.press("It is this scene")
    wait_for_outcome(stash_page)

    assert [each.stash_id for each in scene.stash_ids] == [upstream.id]


def test_people_join_a_scene_all_at_once(tidying, stash_page):
    scene, id = tidying.people_seen_in_a_scene()
    open_page(stash_page, id)
    assert not stash_page.find_labelled("Add 2 people").is_enabled()

    stash_page.press("Create whoever is not here")
    picture(stash_page, tidying, "details-unidentified-scene")
    stash_page.press("Add 2 people")
    assert "Fay Elsewhere is created" in plan_text(stash_page)
    assert scene.performer_ids == []
    confirm(stash_page, "Add 2 people")
    wait_for_outcome(stash_page)

    names = [tidying.library.performers[each].name for each in scene.performer_ids]
    assert names == [tidying.library.performers["1"].name, "Fay Elsewhere"]
    assert tidying.get(id)["status"] == "resolved"


def test_who_was_created_is_not_created_again_by_a_second_try(tidying, stash_page):
    scene, id = tidying.people_seen_in_a_scene()
    open_page(stash_page, id)
    stash_page.press("Create whoever is not here")
    stash_page.press("Add 2 people")
    stash_page.find(".stash-sense-dialog .stash-sense-plan")
    faults = tidying.sense.stash.faults
    faults.meanwhile["BulkSceneUpdate"] = lambda: "disk I/O error"

    stash_page.press("Add 2 people", within=".modal-footer")
    stash_page.find(".modal-body .stash-sense-problem")
    faults.meanwhile.clear()
    stash_page.press("Add 2 people", within=".modal-footer")
    wait_for_outcome(stash_page)

    names = [each.name for each in tidying.library.performers.values()]
    assert names.count("Fay Elsewhere") == 1
    assert len(scene.performer_ids) == 2


def test_nobody_is_created_for_what_changed_since_it_was_shown(tidying, stash_page):
    scene, id = tidying.people_seen_in_a_scene()
    open_page(stash_page, id)
    stash_page.press("Create whoever is not here")
    stash_page.press("Add 2 people")
    stash_page.find(".stash-sense-dialog .stash-sense-plan")
    tidying.sense.service.change_rows(
        "UPDATE recommendations_recommendation "
        f"SET updated_at = '2026-11-20 13:00:00' WHERE id = {id}"
    )

    stash_page.press("Add 2 people", within=".modal-footer")
    stash_page.wait_for_text("has changed since it was looked at")

    names = [each.name for each in tidying.library.performers.values()]
    assert "Fay Elsewhere" not in names
    assert scene.performer_ids == []


def test_a_missing_link_is_given(tidying, stash_page):
    performer, id = tidying.a_link_missing()
    open_page(stash_page, id)
    stash_page.wait_for_text("Aliases: Gilbert")
    picture(stash_page, tidying, "details-missing-link")

    stash_page.press("Link them…")
    confirm(stash_page, "Link")
    wait_for_outcome(stash_page)

    assert [each.endpoint for each in performer.stash_ids] == [tidying.endpoint]


def test_a_missing_link_is_given_to_somebody_else(tidying, stash_page):
    performer, id = tidying.a_link_missing()
    meant = add_performer(tidying.library, "Gilbert Meant")
    open_page(stash_page, id)

    stash_page.press("It is somebody else here…")
    stash_page.fill("Name of a performer", "Gilbert")
    stash_page.press("Search")
    stash_page.press("This one")
    confirm(stash_page, "Link")
    wait_for_outcome(stash_page)

    assert performer.stash_ids == []
    assert [each.endpoint for each in meant.stash_ids] == [tidying.endpoint]
    assert tidying.get(id)["resolution_action"] == "linked-to-another"


# What somebody else did meanwhile


def test_what_changed_since_it_was_shown_is_told_and_nothing_is_done(
    tidying, stash_page
):
    ours, theirs = tidying.a_performer_changed_upstream()
    (found,) = tidying.find("upstream_performer_changes")
    open_page(stash_page, found)
    stash_page.click("#stash-sense-choice-birthdate-mine")
    theirs.height = 180
    tidying.box.touch(theirs)
    tidying.find("upstream_performer_changes")

    stash_page.press("Show what is written…")
    stash_page.wait_for_text("has changed since it was looked at")
    stash_page.wait_for_text("New or different: Height (cm).")
    assert ours.height_cm == 160
    # What was chosen of the other fields is as it was.
    assert stash_page.find("#stash-sense-choice-birthdate-mine").is_selected()
    stash_page.press("Show what is written…")
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert (ours.height_cm, ours.birthdate) == (180, "1990-01-01")


def test_what_somebody_else_decided_is_told(tidying, stash_page):
    keeper, other = tidying.two_performers_who_are_one()
    (found,) = tidying.find("duplicate_performer")
    open_page(stash_page, found)
    body = {
        "destination_id": keeper.id,
        "source_ids": [other.id],
        "recommendation_id": found["id"],
        "confirm": True,
    }
    path = "/recommendations/actions/merge-performers"
    assert tidying.sense.service.ask("POST", path, body)[0] == 200

    stash_page.press("Show what a merge does…")
    stash_page.wait_for_text("By now it is Resolved.")

    assert not stash_page.has(".stash-sense-dialog")
    assert stash_page.text_of(".stash-sense-standing").startswith("Resolved")


def test_what_is_gone_from_stash_closes_it(tidying, stash_page):
    performer, id = tidying.a_link_missing()
    open_page(stash_page, id)
    stash_page.press("Link them…")
    stash_page.find(".stash-sense-dialog .stash-sense-plan")
    del tidying.library.performers[performer.id]

    stash_page.press("Link", within=".modal-footer")
    stash_page.wait_for_text("By now it is Resolved.")

    assert tidying.get(id)["resolution_action"] == "target_gone"


# What holds of all of them


def test_looking_writes_nothing(tidying, harness, stash_page):
    """Neither through the sidecar nor in Stash itself."""
    ids = plant_all(tidying)
    before = written(tidying)
    since = len(harness.asked)

    for id in ids:
        open_page(stash_page, id)
        stash_page.wait(lambda: not stash_page.has(".stash-sense-busy"))

    assert {each["mode"] for each in harness.asked[since:]} <= READS
    assert written(tidying) == before


def plant_all(tidying):
    """Plant one of each type; return the ids of what is found."""
    tidying.people_seen_in_a_scene()
    tidying.a_link_missing()
    tidying.two_performers_who_are_one()
    tidying.a_scene_of_two_files()
    tidying.a_scene_twice()
    tidying.a_performer_changed_upstream()
    tidying.a_tag_changed_upstream()
    tidying.a_studio_changed_upstream()
    tidying.a_scene_changed_upstream()
    tidying.a_scene_known_there()
    types = (
        *("duplicate_performer", "duplicate_scene_files", "duplicate_scenes"),
        *("upstream_performer_changes", "upstream_tag_changes"),
        *("upstream_studio_changes", "upstream_scene_changes"),
        "scene_fingerprint_match",
    )
    for type in types:
        assert tidying.find(type), type
    found = tidying.sense.service.ask("GET", "/recommendations?status=pending")[1]
    assert len({each["type"] for each in found["recommendations"]}) == 10
    return [each["id"] for each in found["recommendations"]]


def written(tidying):
    library = tidying.library
    rows = (library.performers, library.scenes, library.studios, library.tags)
    return [repr(each) for kind in rows for each in kind.values()]


def test_nothing_of_hostile_texts_runs_and_nothing_scrolls_sideways(
    tidying, stash_page
):
    hostile = [
        "<script>window.stashSenseHit = 1</script>",
        "<img src=x onerror='window.stashSenseHit = 1'>",
        '\u202eevil\u202c {count, plural, other {#}} &amp; "quotes" 😀',
        "ש" * 300,
        "x" * 10_000,
    ]
    members = [
        add_performer(
            tidying.library,
            f"{name} {place}",
            alias_list=[f"alias {name}"],
            ids=[("javascript:alert(1)", "a")],
        )
        for place, name in enumerate(hostile)
    ]
    for each in members:
        each.stash_ids = [StashId("https://theporndb.net/graphql", "x", now())]
    (found,) = tidying.find("duplicate_performer")
    stash_page.be_a_phone()

    for path in (
        f"{PAGE}?type=duplicate_performer",
        f"{PAGE}/{found['id']}",
    ):
        stash_page.open(path)
        stash_page.wait_for_text("onerror")
        wide = "return document.documentElement.scrollWidth > window.innerWidth"
        assert not stash_page.run(wide)
    stash_page.press("Show what a merge does…")
    stash_page.find(".stash-sense-plan")

    assert stash_page.run("return window.stashSenseHit") is None


def test_details_that_cannot_be_shown_leave_the_frame_in_use(tidying, stash_page):
    id = tidying.write(
        "duplicate_scenes", "1:2", details={"scene_a_summary": {"title": "A"}}
    )
    other = tidying.write("some_new_type", "7", details={"what": json.dumps("x")})

    open_page(stash_page, id)
    open_page(stash_page, other)
    stash_page.wait_for_text("This version of the plugin does not know this type.")
    stash_page.press("Dismiss…")
    stash_page.press("Dismiss", within=".modal-footer")
    wait_for_outcome(stash_page, "Dismissed.")

    assert tidying.get(other)["status"] == "dismissed"


def test_the_next_one_is_a_button_away(tidying, stash_page):
    details = {"scene_title": "One of many", "files": []}
    ids = tidying.write_many(
        "duplicate_scene_files",
        [(number, {"details": details}) for number in range(901, 906)],
    )
    open_page(stash_page, ids[2])

    stash_page.press("Next")
    stash_page.wait(lambda: stash_page.path() == f"{PAGE}/{ids[1]}")
    stash_page.press("Previous")
    stash_page.wait(lambda: stash_page.path() == f"{PAGE}/{ids[2]}")
    stash_page.press("Previous")
    stash_page.wait(lambda: stash_page.path() == f"{PAGE}/{ids[3]}")
    stash_page.press("Previous")
    stash_page.wait(lambda: stash_page.path() == f"{PAGE}/{ids[4]}")
    stash_page.press("Previous")
    stash_page.wait_for_text("There is no other one.")

    assert stash_page.path() == f"{PAGE}/{ids[4]}"
