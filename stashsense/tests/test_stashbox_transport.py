"""HTTP to a stash-box that is busy, refuses, lies or dawdles; and the key."""

import dataclasses
import logging
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from demo.stashbox.content import fill_performers
from demo.stashbox.testing import Box, Faults, StashBoxServer
from stashsense.integrations.shared_rate_limiter import SharedRateLimiter
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_errors import (
    StashBoxBusy,
    StashBoxError,
    StashBoxUnauthorized,
    StashBoxUnreachable,
    UnknownStashBox,
)
from stashsense.tests.stashbox_clients import QUICK, client_of

KEY = "header.payload-of-a-key.signature"
PATIENCE_SECONDS = 20


class Stopped(Exception):
    """What a run raises when it is asked to end."""


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def performer_id(box):
    return fill_performers(box, 1)[0]


@pytest.fixture
def server(box):
    with StashBoxServer(box, api_key=KEY) as server:
        yield server


@pytest.fixture
def limit_path(tmp_path):
    return tmp_path / "limit"


@pytest.fixture
def client(server, limit_path):
    return client_of(server, limit_path)


def fail(client, error_class):
    with pytest.raises(error_class) as error:
        client.search_performers("anna")
    assert type(error.value) is error_class
    shown = "".join(traceback.format_exception(error.value))
    assert KEY not in shown
    return error.value


# Who asks


def test_a_question_carries_the_key_and_one_connection_is_kept(
    server, client, performer_id, monkeypatch
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    for _ in range(5):
        client.get_performer(performer_id)

    assert server.connection_count == 1
    assert server.requests[0].headers["apikey"] == KEY
    assert server.requests[0].headers["accept"] == "application/json"


def test_the_key_is_in_no_representation_and_no_log(server, client, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults = Faults(statuses=[500])

    client.search_performers("anna")

    assert "asking again" in caplog.text
    assert KEY not in f"{client!r}{vars(client)!r}{caplog.text}"


def test_a_key_that_the_box_repeats_is_taken_out_of_its_message(server, client):
    server.faults = Faults(refusals={"SearchPerformers": f"no scenes for {KEY}"})

    assert str(fail(client, StashBoxError)).endswith("no scenes for [key]")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "stashdb.org",
        "ftp://box/graphql",
        "http://me:secret@box/graphql",
        "http://[",
    ],
)
def test_what_can_be_no_address_is_refused(endpoint, limit_path):
    with pytest.raises(UnknownStashBox) as error:
        StashBoxClient(
            endpoint, KEY, limiter=SharedRateLimiter(limit_path, 60), name="Box"
        )

    assert str(error.value) == "Box has no valid address."


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(
    server, limit_path, key
):
    with pytest.raises(UnknownStashBox, match="no usable key for Box") as error:
        client_of(server, limit_path, api_key=key)

    assert not key or key not in str(error.value)


# Refusals


def test_a_wrong_key_is_said_to_be_wrong(server, client):
    server.api_key = "another"

    error = fail(client, StashBoxUnauthorized)

    assert "Box does not accept the key that Stash has for it (401)" in str(error)
    assert server.request_count == 1


@pytest.mark.parametrize("message", ["not authorized", "Unauthenticated."])
def test_a_key_without_the_right_is_refused_in_graphql(server, client, message):
    server.faults = Faults(refusals={"SearchPerformers": message})

    assert message.strip(".") in str(fail(client, StashBoxUnauthorized))


def test_a_redirect_is_not_followed(server, client):
    server.faults = Faults(status=302)

    assert "redirects elsewhere" in str(fail(client, StashBoxError))


# Too often


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_box_that_wants_a_pause_gets_it_from_everybody(server, limit_path, form):
    began_at = time.time()
    in_two_seconds = format_datetime(
        datetime.fromtimestamp(began_at + 2, UTC), usegmt=True
    )
    wanted = "1" if form == "seconds" else in_two_seconds
    server.faults = Faults(statuses=[429], retry_after=wanted)
    client, other = (client_of(server, limit_path) for _ in range(2))
    threads = [
        threading.Thread(target=each.search_performers, args=["anna"])
        for each in (client, other)
    ]

    threads[0].start()
    while server.request_count < 1 or not other.limiter.pause_seconds():
        assert time.time() < began_at + PATIENCE_SECONDS
    threads[1].start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    # A date has whole seconds, so that of a pause of two at least one is left.
    assert time.time() - began_at >= 1
    assert [request.status for request in server.requests] == [429, 200, 200]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_pause_too_long_to_wait_for_is_told_and_kept(server, limit_path, form):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    server.faults = Faults(
        statuses=[429], retry_after="300" if form == "seconds" else later
    )

    first = fail(client_of(server, limit_path), StashBoxBusy)
    second = fail(client_of(server, limit_path), StashBoxBusy)

    assert 290 < second.retry_after_seconds <= first.retry_after_seconds <= 300
    assert server.request_count == 1


def test_a_limit_without_a_time_is_waited_for_longer_each_time(server, client):
    server.faults = Faults(status=429)

    error = fail(client, StashBoxBusy)

    assert server.request_count == QUICK.attempts
    assert error.retry_after_seconds == 1


# Bad days


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_box_in_trouble_is_asked_again(server, client, performer_id, status):
    server.faults = Faults(statuses=[status, status])

    assert client.get_performer(performer_id).id == performer_id
    assert server.request_count == 3


def test_a_box_that_stays_in_trouble_is_given_up(server, client):
    server.faults = Faults(status=503)
    assert "answered with status 503" in str(fail(client, StashBoxUnreachable))

    server.faults = Faults(status=500)
    assert "with status 500" in str(fail(client, StashBoxError))

    assert server.request_count == 2 * QUICK.attempts


def test_a_web_page_is_said_to_be_one(server, client):
    server.faults = Faults(body=b"<!DOCTYPE html><title>Just a moment...</title>")

    assert "with a web page, not with data" in str(fail(client, StashBoxError))


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"data": []}', b"null"])
def test_what_is_no_answer_is_said_to_be_none(server, client, body):
    server.faults = Faults(body=body, content_type="application/json")

    assert "with something else than data" in str(fail(client, StashBoxError))


def test_data_of_another_kind_says_where(server, client):
    body = b'{"data": {"searchPerformers": {"performers": [7]}}}'
    server.faults = Faults(body=body, content_type="application/json")

    expected = "Box's answer has no object at data.searchPerformers.performers.0."
    assert str(fail(client, StashBoxError)) == expected


def test_half_an_answer_is_asked_for_again(server, client):
    server.faults = Faults(cut=True)

    assert "broke the connection off" in str(fail(client, StashBoxUnreachable))
    assert server.request_count == QUICK.attempts


def test_a_box_that_is_down_is_unreachable_and_may_come_back(
    server, client, performer_id
):
    server.go_down()
    assert "refused the connection" in str(fail(client, StashBoxUnreachable))

    server.come_back()

    assert client.get_performer(performer_id).id == performer_id


def test_a_box_that_never_answers_is_given_up(server, limit_path):
    server.faults = Faults(hang=True)
    patience = dataclasses.replace(QUICK, stall_seconds=0.2)

    error = fail(client_of(server, limit_path, patience=patience), StashBoxUnreachable)

    assert str(error) == "Box cannot be reached: it did not answer in time."
    assert server.request_count == 1


# Stopping


def stopping_after(condition):
    def check():
        if condition():
            raise Stopped

    return check


def test_a_run_that_waits_for_a_dawdling_box_can_be_stopped(server, client):
    server.faults = Faults(hang=True)
    began_at = time.monotonic()
    stopped = client.stopped_by(stopping_after(lambda: server.request_count > 0))

    with pytest.raises(Stopped):
        stopped.search_performers("anna")

    assert time.monotonic() - began_at < 5


def test_a_run_that_waits_for_the_end_of_a_pause_can_be_stopped(server, limit_path):
    patience = dataclasses.replace(QUICK, longest_delay_seconds=60)
    client = client_of(server, limit_path, patience=patience)
    server.faults = Faults(statuses=[429], retry_after="50")
    began_at = time.monotonic()
    stopped = client.stopped_by(stopping_after(client.limiter.pause_seconds))

    with pytest.raises(Stopped):
        stopped.search_performers("anna")

    assert time.monotonic() - began_at < 5
    assert server.request_count == 1


def test_who_is_not_stopped_gets_the_answer(client, performer_id):
    stopped = client.stopped_by(stopping_after(lambda: False))

    assert stopped.get_performer(performer_id).id == performer_id
