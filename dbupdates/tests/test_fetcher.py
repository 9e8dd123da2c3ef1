"""Archives over real HTTP, from a server that does what servers do."""

import errno
import hashlib
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

import dbupdates
from dbupdates.exceptions import DownloadError, InsufficientDiskSpace
from dbupdates.exchange import Answer, redirect_target
from dbupdates.fetcher import TAIL_BYTES, Patience, open_archive
from dbupdates.partial_file import ByteRanges
from demo.release_simulator import ReleaseSimulator

VERSION = "2026.03.01"
CONTENT = random.Random(1).randbytes(3 * 1024**2)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
TOTAL = len(CONTENT)
# More than any body has: the request is left alone.
NEVER = 10**12
LIMIT_SECONDS = 30
HASTY = Patience(
    connect_seconds=5,
    stall_seconds=5,
    attempts=3,
    first_delay_seconds=0.01,
    longest_delay_seconds=0.02,
    restarts=2,
)


class Cancelled(Exception):
    pass


@pytest.fixture
def simulator():
    with ReleaseSimulator() as simulator:
        simulator.publish(VERSION, CONTENT)
        yield simulator
    wait_until(lambda: not downloading_threads())


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "download"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(simulator, folder):
    """Return what opens the simulator's archive in the folder."""

    def open_it(*, url="", max_bytes=TOTAL, patience=HASTY, on_present=ignore):
        return open_archive(
            url or simulator.archive_url(VERSION),
            folder,
            max_bytes=max_bytes,
            patience=patience,
            on_present=on_present,
        )

    return open_it


@pytest.fixture
def leave_after(opened):
    """Return what leaves a folder with the tail and so many bytes of the beginning."""

    def leave(byte_count):
        with opened() as archive:
            archive.fetch(0, byte_count)

    return leave


def ignore(present_bytes):
    """Hear and say nothing."""


def downloading_threads():
    return [thread for thread in threading.enumerate() if thread.name == "download"]


def wait_until(condition):
    until = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < until
        threading.Event().wait(0.01)


def ranges_asked(simulator):
    return [request.headers.get("range") for request in simulator.archive_requests()]


def journal_of(folder):
    return json.loads((folder / "archive.json").read_text())


@contextmanager
def canned_host(*answers):
    """Yield the address of a host that gives these answers, a connection for each."""

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(LIMIT_SECONDS)
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(65536)
                head, _, body = answer.partition("\n\n")
                lines = head.replace("\n", "\r\n")
                connection.sendall(f"HTTP/1.1 {lines}\r\n\r\n{body}".encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip?token=secret"
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()


def test_a_plain_download_is_the_same_bytes_and_asks_for_none_twice(simulator, opened):
    heard: list[int] = []

    with opened(on_present=heard.append) as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT
    assert archive.has_ranges
    assert archive.total_bytes == archive.present_bytes == archive.fetched_bytes
    assert simulator.sent_archive_bytes == TOTAL
    assert heard[-1] == TOTAL
    probe, rest = simulator.archive_requests()
    assert probe.headers["range"] == f"bytes=-{TAIL_BYTES}"
    assert rest.headers["range"] == f"bytes=0-{TOTAL - TAIL_BYTES - 1}"
    assert rest.headers["if-range"] == f'"{VERSION}-1"'
    assert rest.headers["accept-encoding"] == "identity"
    assert rest.headers["user-agent"] == "stash-sense"


def test_nobody_who_wants_no_digest_gets_one(opened):
    with opened() as archive:
        assert archive.fetch_all(sha256=False) is None

    assert archive.path.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [0, 1, 1000, TAIL_BYTES, TAIL_BYTES + 1])
def test_archives_of_the_size_of_the_tail_and_less_arrive(simulator, opened, size):
    simulator.publish(VERSION, CONTENT[:size])

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert archive.path.read_bytes() == CONTENT[:size]
    assert digest == hashlib.sha256(CONTENT[:size]).hexdigest()


def test_a_dropped_connection_is_taken_up_where_it_broke(simulator, opened):
    simulator.faults.drop_after_bytes = [NEVER, 1_000_000, 500_000]

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT
    last = TOTAL - TAIL_BYTES - 1
    assert ranges_asked(simulator)[1:] == [
        f"bytes=0-{last}",
        f"bytes=1000000-{last}",
        f"bytes=1500000-{last}",
    ]
    assert simulator.sent_archive_bytes == archive.fetched_bytes == TOTAL


def test_a_tail_that_breaks_off_comes_with_the_rest(simulator, opened):
    simulator.faults.drop_after_bytes = [1000]

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT


def test_a_download_that_was_left_is_resumed(simulator, opened, folder):
    def cancel(present_bytes):
        if present_bytes > 1_000_000:
            raise Cancelled

    simulator.faults.bytes_per_second = 4_000_000
    with pytest.raises(Cancelled), opened(on_present=cancel) as first:
        first.fetch_all(sha256=True)
    simulator.faults.bytes_per_second = None
    present_bytes = sum(stop - start for start, stop in journal_of(folder)["present"])

    with opened() as second:
        digest = second.fetch_all(sha256=True)

    assert digest == DIGEST
    assert second.path.read_bytes() == CONTENT
    assert present_bytes > 1_000_000
    assert second.fetched_bytes == TOTAL - present_bytes + TAIL_BYTES


def test_a_killed_download_is_resumed(simulator, opened, folder):
    simulator.faults.bytes_per_second = 400_000
    script = (
        "import sys; from pathlib import Path\n"
        "from dbupdates.fetcher import open_archive\n"
        "with open_archive(sys.argv[1], Path(sys.argv[2]), max_bytes=10**9,\n"
        "                  on_present=lambda _: None) as archive:\n"
        "    archive.fetch_all(sha256=True)"
    )
    url = simulator.archive_url(VERSION)
    with subprocess.Popen(
        [sys.executable, "-c", script, url, str(folder)],
        cwd=Path(dbupdates.__file__).parent.parent,
    ) as process:
        wait_until(
            lambda: (
                (folder / "archive.json").exists()
                and journal_of(folder)["present"][0][0] == 0
            )
        )
        process.send_signal(signal.SIGKILL)
    simulator.faults.bytes_per_second = None

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT
    assert archive.fetched_bytes < TOTAL


def test_nothing_is_fetched_again_of_a_finished_download(opened):
    with opened() as first:
        first.fetch_all(sha256=False)

    with opened() as second:
        digest = second.fetch_all(sha256=True)

    assert digest == DIGEST
    assert second.fetched_bytes == TAIL_BYTES


def test_another_archive_at_the_same_address_starts_clean(
    simulator, opened, leave_after
):
    leave_after(1_000_000)
    changed = CONTENT[::-1]
    simulator.publish(VERSION, changed)

    with opened() as archive:
        assert archive.present_bytes == TAIL_BYTES
        digest = archive.fetch_all(sha256=True)

    assert digest == hashlib.sha256(changed).hexdigest()
    assert archive.path.read_bytes() == changed


def test_an_archive_that_changes_while_it_is_fetched_is_fetched_anew(simulator, opened):
    changed = CONTENT[:2_000_000][::-1]

    with opened() as archive:
        archive.fetch(0, 1_000_000)
        simulator.publish(VERSION, changed)
        digest = archive.fetch_all(sha256=True)

    assert digest == hashlib.sha256(changed).hexdigest()
    assert archive.path.read_bytes() == changed
    assert archive.total_bytes == len(changed)


def test_readers_are_told_of_a_change_and_the_next_attempt_is_clean(simulator, opened):
    changed = CONTENT[::-1]

    with opened() as archive:
        archive.fetch(0, 1_000_000)
        simulator.publish(VERSION, changed)
        with pytest.raises(DownloadError, match="changed on the server"):
            archive.reader().read(2_000_000)
    with opened() as again:
        digest = again.fetch_all(sha256=True)

    assert digest == hashlib.sha256(changed).hexdigest()


def test_an_archive_that_keeps_changing_is_given_up(simulator, opened):
    def change(_present_bytes):
        simulator.publish(VERSION, CONTENT)

    simulator.faults.bytes_per_second = 200_000
    simulator.faults.drop_after_bytes = [NEVER, 100_000] * 4

    with (
        pytest.raises(DownloadError, match=r"127\.0\.0\.1: .* 3 times"),
        opened(on_present=change) as archive,
    ):
        archive.fetch_all(sha256=True)


def test_a_server_that_ignores_ranges_is_asked_once(simulator, opened):
    simulator.faults.ignore_range = True

    with opened() as archive:
        assert not archive.has_ranges
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT
    assert len(simulator.archive_requests()) == 1


def test_a_server_that_ignores_ranges_begins_again_after_a_break(simulator, opened):
    simulator.faults.ignore_range = True
    simulator.faults.drop_after_bytes = [1_000_000, 2_000_000]

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT
    assert archive.fetched_bytes == 3_000_000 + TOTAL


def test_a_server_that_stops_doing_ranges_is_read_from_the_beginning(simulator, opened):
    with opened() as archive:
        simulator.faults.ignore_range = True
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT


def test_a_server_that_does_only_tails_is_read_from_the_beginning(opened):
    tail = '206 OK\nETag: "1"\nContent-Range: bytes 2-2/3\nContent-Length: 1\n\nc'
    whole = '200 OK\nETag: "1"\nContent-Length: 3\n\nabc'

    with canned_host(tail, whole, tail, whole) as url, opened(url=url) as archive:
        archive.fetch_all(sha256=False)

    assert archive.path.read_bytes() == b"abc"


def test_a_server_that_changes_its_kind_of_etag_is_taken_for_a_change(
    simulator, opened
):
    with opened() as archive:
        simulator.faults.weak_etag = True
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.path.read_bytes() == CONTENT


def test_without_validators_an_earlier_attempt_is_not_trusted(
    simulator, opened, leave_after
):
    simulator.faults.no_validators = True
    leave_after(1_000_000)

    with opened() as archive:
        assert archive.present_bytes == TAIL_BYTES
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert "if-range" not in simulator.archive_requests()[-1].headers


def test_a_weak_etag_gives_way_to_the_time_of_change(simulator, opened, leave_after):
    simulator.faults.weak_etag = True
    leave_after(1_000_000)

    with opened() as archive:
        digest = archive.fetch_all(sha256=True)

    assert digest == DIGEST
    assert archive.fetched_bytes < TOTAL
    assert simulator.archive_requests()[-1].headers["if-range"].endswith(" GMT")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204])
def test_a_refusal_is_told_at_once(simulator, opened, status):
    simulator.faults.archive_statuses = [status]

    with (
        pytest.raises(DownloadError, match=rf"127\.0\.0\.1 .*status {status}"),
        opened(),
    ):
        pytest.fail("not reached")

    assert len(simulator.archive_requests()) == 1


def test_a_refusal_keeps_what_is_present(simulator, opened, leave_after):
    leave_after(1_000_000)
    simulator.faults.archive_statuses = [404]

    with pytest.raises(DownloadError, match="404"), opened():
        pytest.fail("not reached")

    with opened() as archive:
        assert archive.present_bytes > 1_000_000
        assert archive.fetch_all(sha256=True) == DIGEST


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
        (format_datetime(datetime.now(UTC) + timedelta(hours=1)), 3000, 3601),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_a_time_to_ask_again_is_seconds_or_a_date(value, least, most):
    answer = Answer("host", 429, {"Retry-After": value})

    assert answer.retry_after_seconds is not None
    assert least <= answer.retry_after_seconds <= most


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


def test_one_member_of_a_zip_is_read_with_little_more(simulator, opened):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as written:
        written.writestr("large", CONTENT)
        written.writestr("manifest.json", b"{}" * 100)
        written.writestr("larger", CONTENT * 2)
    size = len(memory.getvalue())
    simulator.publish(VERSION, memory.getvalue())

    with (
        opened(max_bytes=size) as archive,
        zipfile.ZipFile(archive.reader()) as members,
    ):
        content = members.read("manifest.json")

    assert content == b"{}" * 100
    assert archive.fetched_bytes == simulator.sent_archive_bytes < size / 50
    assert archive.path.stat().st_size == size
    assert archive.path.stat().st_blocks * 512 < size / 20


def test_all_of_a_zip_can_be_read_through_the_reader(simulator, opened):
    with opened() as archive:
        reader = archive.reader()
        reader.seek(-5, os.SEEK_END)
        assert reader.read() == CONTENT[-5:]
        assert reader.read() == b""
        reader.seek(0)
        assert reader.read() == CONTENT
        with pytest.raises(OSError, match="before the beginning"):
            reader.seek(-1)


def test_a_range_that_is_present_is_not_fetched_again(simulator, opened):
    with opened() as archive:
        archive.fetch(100_000, 200_000)
        archive.fetch(150_000, 250_000)
        archive.fetch(100_000, 250_000)
        missing_bytes = archive.missing_bytes(0, 300_000)

    assert ranges_asked(simulator)[1:] == ["bytes=100000-199999", "bytes=200000-249999"]
    assert missing_bytes == 150_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "archive.json").write_text("{"),
        lambda folder: (folder / "archive.json").write_text("[]"),
        lambda folder: (folder / "archive.json").unlink(),
        lambda folder: (folder / "archive.zip").unlink(),
        lambda folder: (folder / "archive.zip").write_bytes(b"short"),
        lambda folder: edit_journal(folder, present=[[0, TOTAL + 1]]),
        lambda folder: edit_journal(folder, present=[[5, 5]]),
        lambda folder: edit_journal(folder, present=[["0", 5]]),
        lambda folder: edit_journal(folder, present=None),
        lambda folder: edit_journal(folder, url="http://elsewhere/"),
    ],
)
def test_a_journal_that_cannot_be_right_is_not_believed(
    opened, leave_after, folder, damage
):
    leave_after(1_000_000)
    damage(folder)

    with opened() as archive:
        assert archive.present_bytes == TAIL_BYTES
        assert archive.fetch_all(sha256=True) == DIGEST


def edit_journal(folder, **changes):
    journal = journal_of(folder) | changes
    (folder / "archive.json").write_text(json.dumps(journal))


def test_the_journal_is_for_nobody_else(opened, folder):
    with opened() as archive:
        archive.fetch(0, 10)

    assert (folder / "archive.json").stat().st_mode & 0o077 == 0


def test_a_full_disk_is_told_as_such(opened):
    with pytest.raises(InsufficientDiskSpace, match="disk is full"), opened():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_other_errors_of_the_caller_stay_as_they_are(opened):
    with pytest.raises(PermissionError), opened():
        raise PermissionError


def test_ranges_join_where_they_meet():
    ranges = ByteRanges()

    for start, stop in [(10, 20), (40, 50), (20, 30), (5, 12), (45, 60)]:
        ranges.add(start, stop)

    assert ranges.spans == [(5, 30), (40, 60)]
    assert ranges.total_bytes == 45
    assert ranges.missing(0, 70) == [(0, 5), (30, 40), (60, 70)]
    assert ranges.missing(10, 20) == []
    assert ranges.missing(20, 35) == [(30, 35)]
    assert ranges.missing(32, 35) == [(32, 35)]
