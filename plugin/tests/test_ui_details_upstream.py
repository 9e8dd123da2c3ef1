"""What changed at a stash-box, field by field."""

import pytest

from plugin.tests.details_pages import (
    choose,
    confirm,
    open_page,
    picture,
    plan_text,
    wait_for_outcome,
)
from recommendations.tests.box_rows import box_performer
from recommendations.tests.libraries import add_performer, link

pytestmark = pytest.mark.browser


def test_fields_are_written_as_they_were_chosen(tidying, harness, stash_page):
    ours, _ = tidying.a_performer_changed_upstream()
    (found,) = tidying.find("upstream_performer_changes")
    open_page(stash_page, found)
    picture(stash_page, tidying, "details-upstream-performer")

    stash_page.click("#stash-sense-choice-birthdate-mine")
    stash_page.click("#stash-sense-choice-ethnicity-own")
    stash_page.fill("Ethnicity, in your words", "Persian")
    # "Bea U" goes; "Bee" stays, "Beatrix" comes.
    stash_page.click("#stash-sense-entry-aliases-1")
    stash_page.press("Show what is written…")
    shown = plan_text(stash_page)
    assert "Height (cm)" in shown
    assert "Born" not in shown
    assert ours.height_cm == 160
    picture(stash_page, tidying, "details-upstream-plan")
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert (ours.height_cm, ours.birthdate) == (170, "1990-01-01")
    assert ours.ethnicity == "Persian"
    assert ours.alias_list == ["Bee", "Beatrix"]
    sent = [each for each in harness.asked if each["mode"] == "rec_update_performer"]
    assert [each.get("dry_run", False) for each in sent] == [True, False]


def test_a_name_that_another_tag_has_is_left_out(tidying, stash_page):
    tag, _ = tidying.a_tag_changed_upstream()
    (found,) = tidying.find("upstream_tag_changes")
    open_page(stash_page, found)

    stash_page.press("Show what is written…")
    stash_page.wait_for_text("Both of these, side by side", within=".modal-body")
    picture(stash_page, tidying, "details-name-collision")
    stash_page.press("Leave the name as it is", within=".modal-body")
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert (tag.name, tag.description) == ("Seaside", "By the sea.")


def test_performers_of_one_name_can_be_merged_from_there(tidying, stash_page):
    theirs = box_performer(tidying.box, "Hal Twice")
    ours = add_performer(tidying.library, "Hal")
    link(ours, theirs, tidying.sense.box)
    namesake = add_performer(tidying.library, "Hal Twice")
    (found,) = tidying.find("upstream_performer_changes")
    open_page(stash_page, found)

    stash_page.press("Show what is written…")
    stash_page.press("They are one: merge…", within=".modal-body")
    stash_page.wait_for_text("Hal Twice will be gone. Hal stays.")
    stash_page.press("Merge for good")
    stash_page.wait(lambda: namesake.id not in tidying.library.performers)
    # Nothing is in the way of the name any more.
    assert tidying.get(found["id"])["status"] == "pending"
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert ours.name == "Hal Twice"


def test_the_parent_of_a_studio_is_the_one_that_was_pointed_at(tidying, stash_page):
    studio, parent = tidying.a_studio_changed_upstream()
    (found,) = tidying.find("upstream_studio_changes")
    open_page(stash_page, found)

    stash_page.press("Show what is written…")
    stash_page.wait_for_text("Which studio is the parent", within=".modal-body")
    stash_page.press("It is this one", within=".modal-body")
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert (studio.name, studio.parent_id) == ("Label", parent.id)


def test_the_cast_of_a_scene_is_added_linked_and_created(tidying, stash_page):
    scene, _ = tidying.a_scene_changed_upstream()
    found = next(
        each
        for each in tidying.find("upstream_scene_changes")
        if each["target_id"] == scene.id
    )
    open_page(stash_page, found)
    assert not stash_page.find_labelled("Show what is written…").is_enabled()
    picture(stash_page, tidying, "details-upstream-scene")

    choose(stash_page, "Who is Dora Namesake here?", "link")
    choose(stash_page, "Who is Edda Unknown here?", "create")
    stash_page.press("Show what is written…")
    assert "Edda Unknown is created" in plan_text(stash_page)
    names = [each.name for each in tidying.library.performers.values()]
    assert "Edda Unknown" not in names
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    performers = tidying.library.performers
    cast = [performers[each].name for each in scene.performer_ids]
    assert cast == [
        "Somebody Without Ids", "Cora Linked", "Dora Namesake", "Edda Unknown",
    ]  # fmt: skip
    assert (scene.title, scene.date) == ("The New Title", "2024-02-03")
    dora = next(each for each in performers.values() if each.name == "Dora Namesake")
    assert [each.endpoint for each in dora.stash_ids] == [tidying.endpoint]


def test_what_was_merged_upstream_is_linked_anew(tidying, stash_page):
    theirs, target = (box_performer(tidying.box, "Ida") for _ in range(2))
    ours = add_performer(tidying.library, "Ida")
    link(ours, theirs, tidying.sense.box)
    tidying.find("upstream_performer_changes")
    tidying.box.merge("PERFORMER", [theirs.id], target.id)
    (found,) = tidying.find("upstream_performer_changes")
    open_page(stash_page, found)

    stash_page.press("Link it with that one…")
    confirm(stash_page, "Write it")
    wait_for_outcome(stash_page)

    assert [each.stash_id for each in ours.stash_ids] == [target.id]
