"""Servers that refuse, break off, stay silent or talk nonsense; callers who leave."""

import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from stashsense.downloads.exceptions import DownloadError
from stashsense.downloads.exchange import Answer, redirect_target
from stashsense.downloads.fetcher import TAIL_BYTES, Patience
from stashsense.downloads.tests.downloads import (
    CONTENT,
    DIGEST,
    TOTAL,
    VERSION,
    Cancelled,
    canned_host,
    downloading_threads,
    journal_of,
    opener,
    ranges_asked,
    serving,
)
from stashsense.tests.waiting import wait_until


@pytest.fixture
def simulator():
    with serving() as simulator:
        yield simulator


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def opened(simulator, folder):
    return opener(simulator, folder)


def test_a_server_that_does_only_tails_is_read_from_the_beginning(opened):
    tail = '206 OK\nETag: "1"\nContent-Range: bytes 2-2/3\nContent-Length: 1\n\nc'
    whole = '200 OK\nETag: "1"\nContent-Length: 3\n\nabc'

    with canned_host(tail, whole, tail, whole) as url, opened(url=url) as archive:
        archive.fetch_all(sha256=False)

    assert archive.path.read_bytes() == b"abc"


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204])
def test_a_refusal_is_told_at_once(simulator, opened, status):
    simulator.faults.archive_statuses = [status]

    with (
        pytest.raises(DownloadError, match=rf"127\.0\.0\.1 .*status {status}"),
        opened(),
    ):
        pytest.fail("not reached")

    assert len(simulator.archive_requests()) == 1


def test_servers_in_trouble_are_asked_again(simulator, opened):
    simulator.faults.archive_statuses = [500, 503]

    with opened() as archive:
        simulator.faults.archive_statuses = [408, 502]
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST


def test_a_server_that_stays_in_trouble_is_given_up(simulator, opened, folder):
    with opened() as archive:
        archive.fetch(0, 500_000)
        simulator.faults.archive_statuses = [500] * 10

        with pytest.raises(DownloadError, match=r"status 500\. Gave up after 3 att"):
            archive.fetch_all(sha256=True)

    assert len(simulator.archive_requests()) == 5
    assert journal_of(folder)["present"][0] == [0, 500_000]


def test_a_server_that_names_a_time_is_asked_then(simulator, opened):
    simulator.faults.archive_statuses = [429]
    simulator.faults.archive_status_headers = {"Retry-After": "1"}
    patience = Patience(first_delay_seconds=0.01, longest_delay_seconds=0.5)
    began_at = time.monotonic()

    with opened(patience=patience) as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert time.monotonic() - began_at >= 1


def test_a_server_that_wants_peace_for_long_is_given_up(simulator, opened):
    simulator.faults.archive_statuses = [429]
    simulator.faults.archive_status_headers = {"Retry-After": "3600"}

    with pytest.raises(DownloadError, match=r"status 429.* 3600 s"), opened():
        pytest.fail("not reached")

    assert len(simulator.archive_requests()) == 1


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_a_time_to_ask_again_is_seconds_or_a_date(value, least, most):
    answer = Answer("host", 429, {"Retry-After": value})

    assert answer.retry_after_seconds is not None
    assert least <= answer.retry_after_seconds <= most


def test_a_time_to_ask_again_that_is_to_come_is_counted_from_now():
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1))

    seconds = Answer("host", 429, {"Retry-After": in_an_hour}).retry_after_seconds

    assert seconds is not None
    assert 3_000 <= seconds <= 3_601


@pytest.mark.parametrize("value", ["", "soon", "-5", "9" * 5000])
def test_a_time_to_ask_again_may_be_nonsense(value):
    assert Answer("host", 429, {"Retry-After": value}).retry_after_seconds is None


def test_bodies_that_are_always_too_short_are_given_up(simulator, opened):
    simulator.faults.truncate = True
    simulator.publish(VERSION, CONTENT[:300_000])

    with (
        pytest.raises(DownloadError, match=r"127\.0\.0\.1: .*ended .*Gave up after 3"),
        opened() as archive,
    ):
        archive.fetch_all(sha256=True)


def test_redirects_are_followed(simulator, opened):
    simulator.faults.redirect_archives_to = "self"

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert [request.status for request in simulator.archive_requests()] == [
        302,
        206,
        302,
        206,
    ]


def test_redirects_without_end_are_not(simulator, opened):
    simulator.faults.redirect_archives_to = simulator.archive_url(VERSION)

    with pytest.raises(DownloadError, match="more than 5 times"), opened():
        pytest.fail("not reached")


def test_messages_keep_the_secrets_of_an_address(simulator, opened):
    simulator.faults.redirect_archives_to = "self"
    simulator.faults.archive_statuses = [403]

    with pytest.raises(DownloadError) as told, opened():
        pytest.fail("not reached")

    assert "secret" not in str(told.value)
    assert str(told.value) == "127.0.0.1 answered with status 403."


@pytest.mark.parametrize(
    "location",
    [
        "http://host/a",
        "ftp://host/a",
        "file:///etc/passwd",
        "//host:80/a",
        "javascript:",
    ],
)
def test_redirects_lead_neither_out_of_tls_nor_out_of_http(location):
    if location.startswith("//"):
        assert redirect_target("https://here/b", location) == f"https:{location}"
        return

    with pytest.raises(DownloadError, match="here redirects"):
        redirect_target("https://here/b", location)


@pytest.mark.parametrize("url", ["ftp://host/a", "nothing", "http://", "http://[/a"])
def test_addresses_that_are_none_are_told(opened, url):
    with pytest.raises(DownloadError, match="cannot be used"), opened(url=url):
        pytest.fail("not reached")


def test_a_host_that_is_not_there_is_given_up(opened):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with (
        pytest.raises(DownloadError, match=r"127\.0\.0\.1: .*Gave up after 3 attempts"),
        opened(url=f"http://127.0.0.1:{port}/a.zip?token=secret") as _,
    ):
        pytest.fail("not reached")


def test_a_silent_server_counts_as_a_broken_connection(simulator, opened):
    simulator.faults.stall_after_bytes = 300_000
    patience = Patience(stall_seconds=0.2, attempts=2, first_delay_seconds=0.01)

    with opened(patience=patience) as archive:
        archive.fetch(0, 1_000_000)

    asked = ranges_asked(simulator)[1:]
    assert asked[1:3] == ["bytes=300000-999999", "bytes=600000-999999"]


def test_a_silent_server_can_be_left_and_resumed(simulator, opened):
    simulator.faults.stall_after_bytes = 300_000
    heard = [(0.0, 0)]

    def cancel(present_bytes):
        heard.append((time.monotonic(), present_bytes))
        if heard[-2][1] == present_bytes > 300_000:
            raise Cancelled

    with pytest.raises(Cancelled), opened(on_present=cancel) as archive:
        archive.fetch_all(sha256=True)
    left_after = time.monotonic() - heard[-2][0]
    wait_until(lambda: not downloading_threads())
    simulator.faults.stall_after_bytes = None

    with opened() as again:
        assert again.present_bytes == 300_000 + TAIL_BYTES
        assert again.fetch_all(sha256=True) == DIGEST
    assert left_after < 1


def test_a_server_that_answers_nothing_can_be_left(opened):
    def cancel(_present_bytes):
        raise Cancelled

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip"
        began_at = time.monotonic()
        with pytest.raises(Cancelled), opened(url=url, on_present=cancel):
            pytest.fail("not reached")

    assert time.monotonic() - began_at < 1


def test_a_pause_between_attempts_can_be_left(simulator, opened):
    def cancel(_present_bytes):
        raise Cancelled

    simulator.faults.archive_statuses = [503]
    began_at = time.monotonic()

    with (
        pytest.raises(Cancelled),
        opened(patience=Patience(first_delay_seconds=20), on_present=cancel),
    ):
        pytest.fail("not reached")

    assert time.monotonic() - began_at < 1


@pytest.mark.parametrize("ignore_range", [False, True])
def test_an_archive_that_is_too_large_is_refused_unread(
    simulator, opened, folder, ignore_range
):
    simulator.faults.ignore_range = ignore_range

    with (
        pytest.raises(DownloadError, match=f"{TOTAL} bytes; at most {TOTAL - 1}"),
        opened(max_bytes=TOTAL - 1),
    ):
        pytest.fail("not reached")

    assert (folder / "archive.zip").stat().st_size == 0


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (["200 OK\nConnection: close\n\nabc"], "how large"),
        (["206 OK\nContent-Length: 3\n\nabc"], "how large"),
        (["206 OK\nContent-Range: bytes 5-2/3\nContent-Length: 1\n\na"], "how large"),
        ([f"200 OK\nContent-Length: {'9' * 5000}\n\nabc"], "how large"),
        (["416 No\nContent-Length: 0\n\n"] * 2, "how large"),
        (
            ["206 OK\nContent-Range: bytes 0-2/3\nContent-Length: 4\n\nabcd"],
            "more than the 3 bytes",
        ),
        (["200 OK\nContent-Encoding: gzip\nContent-Length: 3\n\nabc"], "compressed"),
        (["nonsense\n\n"] * 3, "Gave up"),
    ],
)
def test_answers_that_make_no_sense_are_told(opened, answers, message):
    with (
        canned_host(*answers) as url,
        pytest.raises(DownloadError) as told,
        opened(url=url),
    ):
        pytest.fail("not reached")

    assert message in str(told.value)
    assert "secret" not in str(told.value)


def test_a_server_that_refuses_tails_is_asked_for_all(opened):
    answers = ["416 No\nContent-Length: 0\n\n", "200 OK\nContent-Length: 3\n\nabc"]

    with canned_host(*answers) as url, opened(url=url) as archive:
        archive.fetch_all(sha256=False)

    assert archive.path.read_bytes() == b"abc"
