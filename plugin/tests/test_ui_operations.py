"""Operations: what goes on, what begins by itself, what is kept of the library."""

import pytest
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.browser

ROUTE = "/plugins/stash-sense/operations"


def states(sense):
    return [job["status"] for job in sense.service.ask("GET", "/queue")[1]["jobs"]]


def test_a_run_is_begun_and_followed_to_its_end_and_then_forgotten(stash_page, sense):
    stash_page.open(ROUTE)
    stash_page.press("Duplicate performers")

    stash_page.wait(lambda: states(sense) == ["completed"], "it does not complete")
    stash_page.wait_for_text("Completed", within=".stash-sense-table")
    stash_page.wait_for_text("Asked for in Stash", within=".stash-sense-table")
    stash_page.take_picture("operations")
    stash_page.press("Forget what has ended")
    stash_page.press("Forget what has ended", within=".modal-dialog")

    stash_page.wait_for_text("Nothing has ended yet.")
    assert states(sense) == []


def test_a_run_that_waits_for_a_stash_box_is_stopped(stash_page, sense):
    sense.box.faults.hang = True
    stash_page.open(ROUTE)
    stash_page.press("Performers changed upstream")
    stash_page.press("Stop: Performers changed upstream")

    stash_page.wait(lambda: states(sense) == ["cancelled"], "it does not stop")
    stash_page.wait_for_text("Stopped", within=".stash-sense-table")
    stash_page.find_labelled("Go on: Performers changed upstream")


def test_what_begins_by_itself_is_chosen_and_kept(stash_page, sense):
    stash_page.open(ROUTE)
    Select(stash_page.find_labelled("How often: Duplicate performers")).select_by_value(
        "24"
    )
    stash_page.flip("#stash-sense-schedule-duplicate_performer")

    def schedule():
        rows = sense.service.ask("GET", "/queue/schedules")[1]["schedules"]
        return next(
            (each for each in rows if each["type"] == "duplicate_performer"), None
        )

    stash_page.wait(
        lambda: (row := schedule()) and row["enabled"] and row["interval_hours"] == 24,
        "the schedule is another",
    )


def test_a_scene_that_failed_twice_is_listed_with_the_reason(stash_page, sense):
    sense.service.ask("POST", "/identify/scene", {"scene_id": "2"})
    sense.service.change_rows(
        "UPDATE recognition_fingerprint SET attempt_count = 2, "
        "error = 'Not one frame could be decoded.'"
    )

    stash_page.open(ROUTE)

    stash_page.wait_for_text("Not one frame could be decoded.")
    stash_page.press("Try again")
    stash_page.wait_for_text("Everything that was looked at could be seen.")
