"""Where slow requests spent their time and failed ones failed, by their log line."""

import base64
import logging

import pytest
from django.test import Client

from stashsense.api.authentication import api_key
from stashsense.observability.logs import FIELDS

# What a picture of somebody goes through, in this order.
RECOGNITION = ["decode", "detect", "align", "embed", "match"]
LOGGER = "stashsense.observability.middleware"


@pytest.fixture
def line_of(caplog):
    """Asks with the key; returns the fields of the line that is left."""
    caplog.set_level(logging.INFO, logger=LOGGER)

    def line_of(path, body):
        headers = {"X-Api-Key": api_key()}
        Client().post(path, body, content_type="application/json", headers=headers)
        [line] = [getattr(r, FIELDS) for r in caplog.records if r.name == LOGGER]
        return line

    return line_of


def stages_of(line):
    """Return the names of the line's stages, by when each was left first."""
    return [stage.partition(":")[0] for stage in line["stages_ms"].split(",")]


@pytest.fixture
def _everything_is_slow(settings):
    settings.SLOW_REQUEST_SECONDS = 0


@pytest.mark.usefixtures("_everything_is_slow")
def test_a_slow_picture_names_what_it_went_through(line_of, served, small_world):
    picture = small_world.known_pictures(1)[0]
    encoded = base64.b64encode(picture.jpeg).decode()

    line = line_of("/identify", {"image_base64": encoded})

    assert (line["status"], line["slow"]) == (200, True)
    assert stages_of(line)[:6] == ["wait", *RECOGNITION]


@pytest.mark.usefixtures("_everything_is_slow")
def test_a_slow_scene_names_what_it_went_through(line_of, stash):
    line = line_of("/identify/scene", {"scene_id": "1"})

    assert (line["status"], line["slow"]) == (200, True)
    assert set(stages_of(line)) >= {"stash", "extract", "detect", "embed", "match"}


@pytest.mark.usefixtures("_everything_is_slow")
def test_a_slow_gallery_names_what_its_threads_did(line_of, stash):
    line = line_of("/identify/gallery", {"gallery_id": "1"})

    assert (line["status"], line["slow"]) == (200, True)
    assert set(stages_of(line)) >= {"stash", "fetch", *RECOGNITION}


def test_what_is_quick_names_no_stages(line_of, served, small_world, settings):
    settings.SLOW_REQUEST_SECONDS = 3600
    picture = small_world.known_pictures(1)[0]

    line = line_of(
        "/identify", {"image_base64": base64.b64encode(picture.jpeg).decode()}
    )

    assert line["status"] == 200
    assert {"slow", "stages_ms", "failed_stage"} & set(line) == set()


def test_a_picture_that_cannot_be_read_failed_while_it_was_decoded(line_of, served):
    line = line_of("/identify", {"image_base64": "aGVsbG8="})

    assert (line["status"], line["code"]) == (400, "unreadable_image")
    assert line["failed_stage"] == "decode"
    assert line["stages_ms"].startswith("wait:")
    assert "decode:" in line["stages_ms"]


def test_an_address_that_cannot_be_asked_failed_while_it_was_fetched(line_of, served):
    line = line_of("/identify", {"image_url": "http://127.0.0.1:9/a.jpg"})

    assert line["status"] == 400
    assert line["failed_stage"] == "fetch"


def test_a_stash_that_is_away_failed_in_the_question_to_it(line_of, served, settings):
    settings.STASH_URL = "http://127.0.0.1:9"

    line = line_of("/stash/search-performers", {"query": "a"})

    assert (line["status"], line["code"]) == (503, "stash_unreachable")
    assert line["failed_stage"] == "stash"


def test_a_scene_without_its_stash_failed_in_the_question_to_it(
    line_of, served, settings
):
    settings.STASH_URL = "http://127.0.0.1:9"

    line = line_of("/identify/scene", {"scene_id": "1"})

    assert line["code"] == "stash_unreachable"
    assert line["failed_stage"] == "stash"
