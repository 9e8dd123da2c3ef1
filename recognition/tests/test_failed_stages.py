"""Which stage a failed request failed in, as its line of the log says."""

import logging

import pytest
from django.test import Client

from stashsense.api.authentication import api_key
from stashsense.observability.logs import FIELDS

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
