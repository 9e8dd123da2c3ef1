"""The overview: how it is, updates, what waits, how far the library is."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from benchmarks.kill_update import wait_until_settled
from benchmarks.whole_service import manage
from demo.release_simulator import Faults

pytestmark = pytest.mark.browser

ROUTE = "/plugins/stash-sense"


def serves(sense):
    return sense.service.ask("GET", "/database/info")[1]["version"]


def test_an_update_is_offered_agreed_to_watched_and_complete(stash_page, sense):
    version = sense.publish_newer_release(notes="People of the spring.\n* Many more")
    # All of it is sent, so slowly that it can be watched.
    sense.feed.faults = Faults(ignore_range=True, bytes_per_second=150_000)
    stash_page.open(ROUTE)

    stash_page.click("button.stash-sense-update")
    dialog = stash_page.text_of(".stash-sense-dialog")
    stash_page.take_picture("dashboard-update")
    stash_page.press("Download and activate", within=".modal-dialog")

    assert f"Update to release {version}?" in dialog
    assert "People of the spring." in dialog
    stash_page.wait_for_text(f"Update to {version}: downloading")
    stash_page.wait_for_text(" left", within=".stash-sense-progress")
    stash_page.take_picture("dashboard-updating")
    stash_page.wait_for_text(f"Release {version} is served.")
    stash_page.wait_for_text(f"Release {version} was activated on")
    assert "That is the newest." in stash_page.text_of(".stash-sense-dashboard")
    assert serves(sense) == version


def test_the_overview_tells_how_it_is_and_offers_the_update(stash_page, sense):
    version = sense.publish_newer_release()

    stash_page.open(ROUTE)
    stash_page.wait_for_text(f"Update to {version}")
    stash_page.wait_for_text("0 of 2 scenes looked at")
    stash_page.wait_for_text("Missing stash-box links")

    stash_page.take_picture("dashboard")
    text = stash_page.text_of(".stash-sense-dashboard")
    assert "Ready" in text
    assert "1 of 2 scenes have performers" in text
    assert "Last looked for on " in text
    assert ". The next look is on " in text
    stash_page.be_a_phone()
    stash_page.take_picture("dashboard-phone")
    assert stash_page.run(
        "return document.documentElement.scrollWidth <= window.innerWidth"
    )


def test_an_update_that_fails_says_why_and_what_is_served(stash_page, sense):
    version = sense.publish_newer_release()
    sense.feed.faults = Faults(archive_statuses=[404] * 9)
    stash_page.open(ROUTE)

    stash_page.click("button.stash-sense-update")
    stash_page.press("Download and activate", within=".modal-dialog")

    stash_page.wait_for_text(f"The change to release {version} failed")
    alert = stash_page.text_of(".stash-sense-dashboard .alert-danger")
    assert "404" in alert
    assert "The former one is still served." in alert
    assert serves(sense) != version


def test_an_update_that_was_over_before_it_was_seen_is_told(stash_page, sense):
    version = sense.publish_newer_release()
    stash_page.open(ROUTE)
    stash_page.wait_for_text(f"Update to {version}")

    sense.service.ask("POST", "/database/update", {"version": version})
    wait_until_settled(sense.service)

    # The page looks every quarter of a minute.
    stash_page.wait_for_text(f"Release {version} is served.")
    stash_page.wait_for_text("That is the newest.")


def test_the_former_release_is_activated_again(stash_page, sense):
    before = serves(sense)
    version = sense.publish_newer_release()
    sense.service.ask("POST", "/database/update", {"version": version})
    # Whatever is older than the former release has been purged by then.
    wait_until_settled(sense.service)
    stash_page.open(ROUTE)
    stash_page.wait_for_text(f"Release {version} is served.")

    stash_page.click("details summary")
    stash_page.press("Activate", within="details")
    stash_page.press("Activate", within=".modal-dialog")

    stash_page.wait_for_text(f"Release {before} is served.")
    assert serves(sense) == before


def test_a_former_release_that_has_gone_is_told_and_leaves_the_list(stash_page, sense):
    before = serves(sense)
    version = sense.publish_newer_release()
    sense.service.ask("POST", "/database/update", {"version": version})
    wait_until_settled(sense.service)
    sense.service.ask("POST", f"/database/releases/{before}/activate")
    wait_until_settled(sense.service)
    stash_page.open(ROUTE)
    stash_page.click("details summary")
    stash_page.wait_for_text(version, within="details")
    manage(sense.service.data_dir, "purge_releases", version)

    stash_page.press("Activate", within="details")
    stash_page.press("Activate", within=".modal-dialog")
    stash_page.wait_for_text("purged, not installed", within=".modal-dialog")
    stash_page.press("Cancel", within=".modal-dialog")

    stash_page.wait(
        lambda: not any(version in e.text for e in stash_page.find_all("details")),
        "the release is still in the list",
    )


def test_escape_leaves_the_dialog_and_the_focus_where_it_was(stash_page, sense):
    sense.publish_newer_release()
    stash_page.open(ROUTE)
    opener = stash_page.find("button.stash-sense-update")
    opener.send_keys(Keys.ENTER)
    stash_page.find(".modal-dialog")

    stash_page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)

    stash_page.wait(lambda: not stash_page.has(".modal-dialog"), "it stays")
    stash_page.wait(
        lambda: stash_page.browser.switch_to.active_element == opener,
        "the focus is lost",
    )


def test_the_rest_of_the_library_is_identified(stash_page):
    stash_page.open(ROUTE)

    stash_page.press("Identify the rest")

    stash_page.wait_for_text("2 of 2 scenes looked at (100%)")


def test_an_analysis_is_begun_and_its_count_leads_to_the_list(stash_page, sense):
    stash_page.open(ROUTE)
    stash_page.press("Look for: Duplicate performers")

    def has_completed():
        runs = sense.service.ask("GET", "/recommendations/analysis/runs")[1]
        return [run["status"] for run in runs] == ["completed"]

    stash_page.wait(has_completed, "the run has not completed")
    stash_page.find(".stash-sense-types a").click()
    assert stash_page.path() == f"{ROUTE}/recommendations?type=duplicate_performer"


def test_a_sidecar_that_is_away_is_told_with_what_to_check(stash_page, harness):
    harness.configure("stash-sense", sidecarUrl="http://127.0.0.1:9")

    stash_page.open(ROUTE)

    stash_page.wait_for_text("http://127.0.0.1:9")
    problem = stash_page.find(".stash-sense-problem")
    assert "Is the sidecar running" in problem.text
    # The rest of the page would say nothing else.
    assert stash_page.find_all(".stash-sense-update") == []
    problem.find_element(By.TAG_NAME, "button")


def test_nothing_is_asked_while_the_page_is_hidden(stash_page, harness):
    stash_page.open(ROUTE)
    stash_page.wait_for_text("Missing stash-box links")
    stash_page.run(
        "Object.defineProperty(document, 'hidden', { get: () => window.isAway });"
        "window.isAway = true;"
        "document.dispatchEvent(new Event('visibilitychange'));"
    )
    # What was under way may still end.
    asked = stash_page.wait_for_silence(lambda: len(harness.asked))

    stash_page.run(
        "window.isAway = false;document.dispatchEvent(new Event('visibilitychange'));"
    )

    stash_page.wait(lambda: len(harness.asked) > asked, "nothing is asked again")
