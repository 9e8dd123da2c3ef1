"""One line for every request, and the id that ties an answer to it."""

import json
import logging
import sys

import pytest
from django.test import Client

from stashsense.api.authentication import api_key
from stashsense.exceptions import StashSenseError
from stashsense.observability import trace
from stashsense.observability.logs import (
    FIELDS,
    HasTracebackFilter,
    JsonFormatter,
    RequestIdFilter,
    TextFormatter,
)
from stashsense.tests.signing import SigningClient

pytestmark = pytest.mark.django_db
LOGGER = "stashsense.observability.middleware"


@pytest.fixture
def _key(settings):
    settings.API_KEY = "right-key"
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.fixture
def lines(caplog):
    """Return the fields of each line that requests have left, after they did."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    return lambda: [getattr(r, FIELDS) for r in caplog.records if r.name == LOGGER]


def test_a_request_leaves_one_line_with_route_status_and_time(client, lines):
    client.get("/recommendations/12?api_key=secret", headers={"X-Api-Key": "wrong"})

    [line] = lines()
    assert line["ms"] >= 0
    assert line | {"ms": 0} == {
        "method": "GET",
        "path": "/recommendations/12",
        "route": "/recommendations/<str:rec_id>",
        "status": 401,
        "ms": 0,
        "caller": "nobody",
        "client": "127.0.0.1",
        "code": "wrong_api_key",
        "failed_stage": "-",
        "stages_ms": "-",
    }


def test_time_in_the_database_is_a_stage(client, lines, settings):
    settings.SLOW_REQUEST_SECONDS = 0

    client.cookies["stash_sense_session"] = "x" * 32
    client.get("/queue")

    assert lines()[0]["stages_ms"].startswith("database:")


@pytest.mark.usefixtures("_key")
def test_who_asks_is_told(admin_client, lines):
    Client().get("/queue", headers={"X-Api-Key": "right-key"})
    SigningClient().get("/queue")
    admin_client.get("/queue")
    Client().get("/health")

    assert [line["caller"] for line in lines()] == [
        "key",
        "plugin",
        "user:admin",
        "nobody",
    ]


@pytest.mark.parametrize("sent", ["abc-123", "0.A_b", "x" * 64])
def test_a_safe_id_is_kept(client, sent):
    assert client.get("/health", headers={"X-Request-Id": sent})["X-Request-Id"] == sent


@pytest.mark.parametrize(
    "sent", [None, "", "x" * 65, "a b", "-a", "a;b", "\x1b[2J", "ключ", "a\tb"]
)
def test_any_other_id_is_replaced(client, sent):
    headers = {} if sent is None else {"X-Request-Id": sent}

    answered = client.get("/health", headers=headers)["X-Request-Id"]

    assert answered != sent
    assert len(answered) == 16
    assert int(answered, 16) >= 0


def test_what_is_slow_says_where_the_time_went(client, lines, settings):
    settings.SLOW_REQUEST_SECONDS = 0

    client.get("/health")

    assert lines()[0]["slow"] is True
    assert "stages_ms" in lines()[0]


def test_what_fails_failed_in_the_innermost_stage():
    @trace.stage("outer")
    def fail():
        with trace.stage("quick"):
            pass
        with trace.stage("inner"):
            raise StashSenseError("no")

    with trace.following("abc") as request, pytest.raises(StashSenseError):
        fail()

    assert request.failed_stage == "inner"
    assert [*request.stages] == ["quick", "inner", "outer"]
    assert trace.current() is None


def record(message, *, fields=None, error=None):
    info = (type(error), error, None) if error else None
    made = logging.LogRecord("a.b", logging.INFO, "x.py", 1, message, (), info)
    if fields is not None:
        setattr(made, FIELDS, fields)
    RequestIdFilter().filter(made)
    return made


def test_a_line_of_json_is_one_line_whatever_is_in_it():
    fields = {"path": '/a\nb"c', "status": 200}

    with trace.following("abc"):
        line = JsonFormatter().format(record("two\nlines", fields=fields))

    assert "\n" not in line
    read = json.loads(line)
    assert read["message"] == "two\nlines"
    assert (read["path"], read["status"]) == ('/a\nb"c', 200)
    assert (read["request_id"], read["level"], read["logger"]) == ("abc", "info", "a.b")


def test_a_line_of_text_is_one_line_whatever_fields_hold():
    fields = {"path": "/a\nGET /b status=200", "status": 404}

    line = TextFormatter("{request_id} {message}", style="{").format(
        record("request", fields=fields)
    )

    assert line == '- request path="/a\\nGET /b status=200" status=404'


def test_tracebacks_are_in_the_line():
    try:
        raise ValueError("odd")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()

    read = json.loads(JsonFormatter().format(made))

    assert "ValueError: odd" in read["traceback"]
    assert HasTracebackFilter().filter(made)
    assert not HasTracebackFilter().filter(record("Not Found: /x"))
