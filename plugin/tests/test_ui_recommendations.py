"""The list of recommendations in a browser: filters, pages, and many at once."""

import pytest

from recommendations.tests.libraries import add_scene

pytestmark = pytest.mark.browser

PAGE = "/plugins/stash-sense/recommendations"
ROWS = ".stash-sense-row"


@pytest.fixture
def many(tidying):
    """Thirty of one type and three of another; the ids of the thirty."""
    details = {"scene_title": "Many Files", "files": [{}, {}], "potential_savings": 9}
    scenes = [add_scene(tidying.library).id for _ in range(30)]
    rows = [(scene_id, {"details": details}) for scene_id in scenes]
    ids = tidying.write_many("duplicate_scene_files", rows)
    people = [{"name": "Ada"}, {"name": "Bea"}]
    tidying.write_many(
        "unidentified_scenes",
        [
            (scene_id, {"details": {"scene_title": "Who", "people": people}})
            for scene_id in scenes[:3]
        ],
    )
    return ids


def rows_on(page, count):
    page.wait(lambda: len(page.find_all(ROWS)) == count, f"{count} rows")


def choose_type(page, name):
    page.click(f".stash-sense-type[href$='type={name}']")


def statuses(tidying, ids):
    return {tidying.get(id)["status"] for id in ids}


def test_what_is_listed_is_in_the_address(many, stash_page):
    stash_page.open(PAGE)
    rows_on(stash_page, 25)
    stash_page.wait_for_text("All types\n33", within=".stash-sense-types")
    stash_page.wait_for_text("Ada and Bea are in Who, but not tagged", within=ROWS)
    stash_page.take_picture("recommendations-list")

    choose_type(stash_page, "duplicate_scene_files")
    stash_page.wait_for_text("1\N{EN DASH}25 of 30")
    stash_page.press("Next", within=".stash-sense-paging")
    rows_on(stash_page, 5)
    assert stash_page.path() == f"{PAGE}?type=duplicate_scene_files&page=2"
    stash_page.browser.refresh()
    rows_on(stash_page, 5)
    stash_page.press("Dismissed 0")
    stash_page.wait_for_text("Nothing was dismissed here.")
    stash_page.browser.back()
    rows_on(stash_page, 5)
    stash_page.browser.back()
    rows_on(stash_page, 25)
    stash_page.be_a_phone()
    stash_page.take_picture("recommendations-list-phone")

    assert stash_page.path() == f"{PAGE}?type=duplicate_scene_files"


def test_those_chosen_are_dismissed_and_taken_back(many, tidying, stash_page):
    stash_page.open(f"{PAGE}?type=duplicate_scene_files&page=2")
    rows_on(stash_page, 5)
    here = many[:5]

    stash_page.press("All on this page")
    stash_page.press("Dismiss 5…")
    stash_page.press("Dismiss 5", within=".modal-footer")
    # The page that is not there any more gives way to the one before.
    rows_on(stash_page, 25)
    assert statuses(tidying, here) == {"dismissed"}
    assert statuses(tidying, many[5:]) == {"pending"}
    stash_page.press("Dismissed 5")
    rows_on(stash_page, 5)
    stash_page.press("All on this page")
    stash_page.press("Take 5 dismissals back…")
    stash_page.press("Do these 5")
    stash_page.wait_for_text("5 done.")
    stash_page.press("Close", within=".modal-footer")
    stash_page.wait_for_text("Nothing was dismissed here.")

    assert statuses(tidying, here) == {"pending"}


def test_one_that_was_decided_meanwhile_is_told(many, tidying, stash_page):
    stash_page.open(f"{PAGE}?type=duplicate_scene_files&page=2")
    rows_on(stash_page, 5)
    stash_page.press("All on this page")
    path = f"/recommendations/{many[0]}/resolve"
    assert tidying.sense.service.ask("POST", path, {"action": "by hand"})[0] == 200

    stash_page.press("Dismiss 5…")
    stash_page.press("Dismiss 5", within=".modal-footer")
    stash_page.wait_for_text("4 dismissed. These were not:")

    assert f"{many[0]} was resolved before" in stash_page.text_of(".modal-body")


def test_one_that_changed_since_it_was_listed_is_not_dismissed(
    many, tidying, stash_page
):
    stash_page.open(f"{PAGE}?type=duplicate_scene_files&page=2")
    rows_on(stash_page, 5)
    stash_page.press("All on this page")
    tidying.sense.service.change_rows(
        "UPDATE recommendations_recommendation "
        f"SET updated_at = '2026-11-20 13:00:00' WHERE id = {many[0]}"
    )

    stash_page.press("Dismiss 5…")
    stash_page.press("Dismiss 5", within=".modal-footer")
    stash_page.wait_for_text("4 dismissed. These were not:")

    assert statuses(tidying, many[:1]) == {"pending"}
    assert statuses(tidying, many[1:5]) == {"dismissed"}


def test_all_of_a_type_are_dismissed_for_good(many, tidying, stash_page):
    stash_page.open(f"{PAGE}?type=duplicate_scene_files")
    rows_on(stash_page, 25)

    stash_page.press("Dismiss all 30 of this type…")
    stash_page.wait_for_text("30 at this moment", within=".modal-body")
    stash_page.click("#stash-sense-permanent-true")
    stash_page.press("Dismiss 30", within=".modal-footer")
    stash_page.wait_for_text("Nothing waits for a decision here.")

    assert statuses(tidying, many) == {"dismissed"}
    dismissals = "SELECT COUNT(*) FROM recommendations_dismissal WHERE is_permanent"
    assert tidying.sense.service.rows(dismissals) == [(30,)]
    assert len(tidying.pending("unidentified_scenes")) == 3


def test_what_the_stash_box_says_is_taken_of_several(tidying, stash_page):
    ours, _ = tidying.a_performer_changed_upstream()
    tag, _ = tidying.a_tag_changed_upstream()
    tidying.find("upstream_performer_changes")
    tidying.find("upstream_tag_changes")
    # Afterwards: the analyses would close what was only written.
    both = tidying.a_performer_changed_on_both_sides()
    scene = tidying.a_scene_that_would_lose_its_studio()
    ours.alias_list.append("Added Since")
    stash_page.open(PAGE)
    rows_on(stash_page, 4)

    stash_page.press("All on this page")
    stash_page.press("Take what the stash-box says of 4…")
    stash_page.wait_for_text("1991-05-06", within=".modal-body")
    stash_page.press("Do it", within=".modal-footer")
    stash_page.wait_for_text("1 done, 3 left for you to look at.")
    stash_page.take_picture("recommendations-take-theirs")
    stash_page.press("Close", within=".modal-footer")
    rows_on(stash_page, 3)

    assert (ours.height_cm, ours.birthdate) == (170, "1991-05-06")
    assert ours.alias_list == ["Bee", "Bea U", "Added Since", "Beatrix"]
    assert tag.name == "Seaside"
    assert both.height_cm == 165
    assert scene.studio_id == "1"


def test_all_sure_scene_matches_are_accepted(tidying, stash_page):
    linked = [tidying.a_scene_known_there(name) for name in ("a", "b", "c")]
    assert len(tidying.find("scene_fingerprint_match")) == 3
    stash_page.open(f"{PAGE}?type=scene_fingerprint_match")
    rows_on(stash_page, 3)

    stash_page.press("Accept all of high confidence…")
    stash_page.press("Accept 3", within=".modal-footer")
    stash_page.wait_for_text("3 accepted.")
    stash_page.press("Close", within=".modal-footer")
    stash_page.wait_for_text("Nothing waits for a decision here.")

    for scene, upstream in linked:
        assert [each.stash_id for each in scene.stash_ids] == [upstream.id]


def test_an_analysis_is_run_from_the_list(tidying, stash_page):
    stash_page.open(f"{PAGE}?type=duplicate_performer")
    stash_page.wait_for_text("Nothing waits for a decision here.")
    tidying.two_performers_who_are_one()

    stash_page.press("Look for them now")
    rows_on(stash_page, 1)

    stash_page.wait_for_text("1 found, 1 of them new.")
