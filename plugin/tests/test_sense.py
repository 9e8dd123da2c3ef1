"""The running service that tests of the plugin share, and what they leave behind."""

import pytest

from plugin.tests.sense import FIRST_VERSION

pytestmark = pytest.mark.service


def test_it_identifies_the_people_of_a_scene_of_the_demo_stash(sense):
    wanted = {"scene_id": "1"}

    status, job = sense.service.ask("POST", "/identify/scene/jobs", wanted)
    address = f"/identify/jobs/{job['job_id']}"
    sense.service.wait_until(
        lambda: sense.service.ask("GET", address)[1]["state"] == "complete", "the job"
    )

    assert status == 202
    people = sense.service.ask("GET", address)[1]["result"]["persons"]
    matches = [person["best_match"] for person in people]
    names = {match["name"] for match in matches if match}
    assert {sense.library.performers[each].name for each in ("1", "2")} <= names


def test_an_update_goes_through_to_its_end_and_is_undone_for_the_next_test(sense):
    version = sense.publish_newer_release(notes="More people.")

    sense.service.ask("POST", "/database/update", {"version": version})
    sense.service.wait_until(
        lambda: sense.service.ask("GET", "/health")[1]["release"] == version,
        "the update",
    )

    sense.reset()
    assert sense.service.ask("GET", "/health")[1]["release"] == FIRST_VERSION
    assert sense.service.ask("GET", "/database/update/status")[1]["phase"] is None


def test_a_reset_leaves_nothing_of_what_went_on(sense):
    ask = sense.service.ask
    sense.library.performers["1"].name = "Somebody Else"
    sense.stash.version = "0.28.1"
    begun = [
        ask("POST", "/recommendations/analysis/duplicate_performer/run", {}),
        ask("POST", "/recommendations/fingerprints/generate", {}),
        ask("PUT", "/settings", {"settings": {"face_candidates": 7}}),
    ]

    sense.reset()

    assert {status for status, _ in begun} <= {200, 202}, begun
    assert sense.library.performers["1"].name != "Somebody Else"
    assert sense.stash.version == "0.30.1"
    assert sense.service.rows("SELECT 1 FROM recommendations_analysisrun") == []
    assert sense.service.rows("SELECT 1 FROM recognition_fingerprint") == []
    assert ask("GET", "/recommendations")[1]["total"] == 0
    assert sense.service.rows("SELECT 1 FROM stashsense_preference") == []
