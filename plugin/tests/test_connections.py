"""Stash and the sidecar as they should not be: away, slow, strange, old."""

import json

import pytest

from plugin.stash_sense import http_exchange
from plugin.stash_sense.http_exchange import Address, TooSlow, exchange
from plugin.stash_sense.modes import MODES
from plugin.stash_sense.operations import STASH_SECONDS
from plugin.stash_sense.refusals import BadArguments
from plugin.stash_sense.sidecar import HEALTH_SECONDS, LAST_SECONDS
from plugin.stash_sense.stash import sidecar_address
from plugin.tests.backend import run
from plugin.tests.conftest import SESSION, answering, hang_up

HEALTH = {"status": "healthy", "database_loaded": True, "version": "1.2.0"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://stash", "file:///etc/passwd", "javascript:alert(1)", "http://", "http:",
        "//elsewhere:5000", "localhost:5000", "http://user:pass@stash:5000",
        "http://user@stash", "http://stash:5000/?a=b", "http://stash:5000/#a",
        "http://stash:port", "http://stash:99999", "http://stash:0", "http://[::1",
        "http://sta sh", "http://stash\r\nHost: a", "http://stash\x00", "http://\u017ftash",
        "http://stash\\@elsewhere", "http://" + "a" * 600,
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_not_asked(url):
    with pytest.raises(BadArguments, match="Sidecar URL"):
        sidecar_address(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:5000", "http://localhost:5000"),
        ("HTTP://Stash.local", "http://stash.local:80"),
        ("https://stash.example/sense/", "https://stash.example:443/sense"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_address_is_read(url, shown):
    assert str(sidecar_address(url)) == shown


@pytest.mark.parametrize("stored", ["text", 7, ["sidecarUrl"], True])
def test_settings_that_are_none_are_told(backend, stash, stored):
    stash.library.plugin_settings["stash-sense"] = stored

    output = backend.call("queue_status")

    assert output["code"] == "stash_refused"
    assert "save them anew" in output["error"]


def test_the_address_is_told_where_it_is_no_address(backend):
    backend.set(sidecarUrl="http://user:secret@stash:5000")

    output = backend.call("queue_status")

    assert output["code"] == "bad_arguments"
    assert "secret" not in json.dumps(output)


def test_a_sidecar_that_is_not_there_is_told_with_its_address(backend):
    backend.set(sidecarUrl="http://127.0.0.1:9")

    for mode in ("health", "queue_status"):
        output = backend.call(mode)
        assert output["code"] == "sidecar_unreachable"
        assert "http://127.0.0.1:9" in output["error"]
        assert "refused" in output["error"]


def test_a_name_that_nobody_has_is_told(backend):
    backend.set(sidecarUrl="http://no-such-host.invalid:5000")

    ended = backend.run("health")

    assert ended.output["code"] in ("sidecar_unreachable", "sidecar_timeout")
    assert ended.seconds < 20


def test_an_answer_that_never_ends_is_given_up(stranger):
    def drip(handler):
        handler.send_head(200, {"Content-Length": "1000000"})
        while not handler.server.stopping.wait(0.05):
            handler.wfile.write(b" ")

    host = stranger(drip)
    address = Address("http", "127.0.0.1", host.server_port)

    with pytest.raises(TooSlow):
        exchange(address, "GET", "/", {}, None, 0.4, 1000)


def test_silence_is_told_as_a_time_out_within_20_seconds(backend, stranger):
    stranger(lambda handler: handler.keep_silent())

    ended = backend.run("queue_status")

    assert ended.output["code"] == "sidecar_timeout"
    assert ended.seconds < 20


def test_who_hangs_up_after_reading_may_have_done_it(backend, stranger):
    host = stranger(hang_up)

    output = backend.call("rec_run_analysis", analysis_type="duplicate_scene_files")

    assert output["code"] == "sidecar_timeout"
    assert "the server hung up" in output["error"]
    assert "before you ask for it again" in output["error"]
    assert len(host.asked) == 1


def test_the_bounds_leave_python_two_of_the_20_seconds_to_start():
    longest = max(mode.seconds for mode in MODES.values())

    assert STASH_SECONDS + longest + LAST_SECONDS + HEALTH_SECONDS <= 18


def test_an_endless_answer_is_not_kept(stranger):
    host = stranger(answering(b"x" * 2000))
    address = Address("http", "127.0.0.1", host.server_port)

    with pytest.raises(http_exchange.TooLarge):
        exchange(address, "GET", "/", {}, None, 5, 1999)
    assert len(exchange(address, "GET", "/", {}, None, 5, 2000).body) == 2000


@pytest.mark.parametrize(
    "answer",
    [
        answering(b"<html>router</html>", Content_Type="text/html"),
        answering(b"<html>no</html>", status=404, Content_Type="text/html"),
        answering(b"", status=500),
        answering(b"[" * 100_000, Content_Type="application/json"),
        answering(b'{"detail": "Not Found"}', status=404),
        answering(b"", status=302, Location="http://127.0.0.1:9/"),
        answering(b"\xff", status=200),
    ],
)
def test_what_is_no_stash_sense_is_told_so(backend, stranger, answer):
    host = stranger(answer)

    for mode in ("health", "queue_status"):
        output = backend.call(mode)
        assert output["code"] == "sidecar_not_ours", output
        assert host.url in output["error"]


def test_a_redirect_is_not_followed(backend, stranger):
    elsewhere = stranger(answering(b"{}"))
    stranger(answering(b"", status=307, Location=f"{elsewhere.url}/health"))

    assert backend.call("queue_status")["code"] == "sidecar_not_ours"
    assert elsewhere.asked == []


def service_of(told, status=404, body=b'{"detail": "Not Found"}'):
    """Return what answers health with this, and everything else so."""

    def answer(handler):
        if handler.path == "/health":
            answering(json.dumps(told).encode())(handler)
        else:
            answering(body, status=status)(handler)

    return answer


@pytest.mark.parametrize("version", [None, "0.9.9", "nonsense", 1])
def test_a_sidecar_of_the_predecessor_is_too_old(backend, stranger, version):
    stranger(service_of({**HEALTH, "version": version}))

    assert not backend.call("health")["is_compatible"]
    output = backend.call("unknown_list")
    assert output["code"] == "sidecar_too_old"
    assert "/identify/unknown" in output["error"]


def test_a_route_that_is_not_there_yet_is_told_with_the_version(backend, stranger):
    body = b'{"detail": "There is nothing at this path.", "code": "no_route"}'
    stranger(service_of(HEALTH, body=body))

    output = backend.call("unknown_list")

    assert output["code"] == "sidecar_too_old"
    assert output["facts"] == {"version": "1.2.0"}


def test_a_page_of_a_proxy_is_told_as_an_error(backend, stranger):
    stranger(service_of(HEALTH, status=502, body=b"<html>bad gateway</html>"))

    output = backend.call("unknown_list")

    assert (output["code"], output["status"]) == ("sidecar_error", 502)


def test_how_long_to_wait_is_passed_on(backend, stranger):
    body = b'{"detail": "A swap.", "code": "database_updating", "other": 7}'
    stranger(answering(body, status=503, Retry_After="10"))

    output = backend.call("unknown_list")

    assert output == {
        "error": "A swap.",
        "code": "database_updating",
        "status": 503,
        "facts": {"other": 7, "retry_after": 10},
    }


def test_clocks_that_are_apart_are_told(backend, stranger):
    body = b'{"detail": "It is 900 seconds ahead.", "code": "signature_expired"}'
    stranger(answering(body, status=401))

    output = backend.call("unknown_list")

    assert output["code"] == "sidecar_unauthorized"
    assert "clocks" in output["error"]
    assert "900 seconds" in output["error"]


def test_a_path_that_a_proxy_puts_before_it_is_not_signed(backend, stranger):
    host = stranger(answering(b"[]"))
    backend.set(sidecarUrl=f"{host.url}/sense/")

    backend.call("settings_get", key="a:b")

    ((_, path, headers, _),) = host.asked
    assert path == "/sense/settings/a%3Ab"
    assert headers["accept"].startswith("application/json")


def test_stash_is_asked_with_the_session_and_for_json(backend, stash):
    backend.call("queue_status")

    (asked,) = stash.requests
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["cookie"] == f"session={SESSION}"
    assert asked.variables == {"plugins": ["stash-sense"]}


def test_a_session_that_has_ended_is_told(backend, stash):
    connection = backend.document("queue_status")
    stash.session = "another"

    output = run(json.dumps(connection).encode()).output

    assert (output["code"], output["status"]) == ("stash_refused", 401)
    assert "sign in" in output["error"]


@pytest.mark.parametrize(
    "changed",
    [
        None,
        [],
        {},
        {"Scheme": "gopher"},
        {"Host": 7},
        {"Port": "http"},
        {"Port": True},
        {"Port": 70000},
        {"SessionCookie": {"Name": "session", "Value": "a\r\nHost: b"}},
        {"Host": "127.0.0.1", "Port": 9},
    ],
)
def test_a_stash_that_cannot_be_asked_is_told(backend, changed):
    document = backend.document("queue_status")
    if changed:
        document["server_connection"].update(changed)
    else:
        document["server_connection"] = changed

    output = run(json.dumps(document).encode()).output

    assert output["code"] == "stash_refused"


@pytest.mark.parametrize("version", ["0.25.0", "0.30.1", "0.31.0"])
def test_every_stash_that_has_operations_is_understood(
    backend, sidecar, stash, version
):
    stash.version = version

    assert "error" not in backend.call("queue_status")
