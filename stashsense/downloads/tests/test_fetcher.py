"""Archives over real HTTP: what is fetched, what is kept, what is believed."""

import errno
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import stashsense
from stashsense.downloads import partial_file
from stashsense.downloads.exceptions import DownloadError, InsufficientDiskSpace
from stashsense.downloads.fetcher import TAIL_BYTES
from stashsense.downloads.partial_file import ByteRanges
from stashsense.downloads.tests.downloads import (
    CONTENT,
    DIGEST,
    NEVER,
    TOTAL,
    VERSION,
    Cancelled,
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


@pytest.fixture
def leave_after(opened):
    """Return what leaves a folder with the tail and so many bytes of the beginning."""

    def leave(byte_count):
        with opened() as archive:
            archive.fetch(0, byte_count)

    return leave


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
        "from stashsense.downloads.fetcher import open_remote_file\n"
        "with open_remote_file(sys.argv[1], Path(sys.argv[2]), max_bytes=10**9,\n"
        "    on_present=lambda _: None) as archive:\n"
        "    archive.fetch_all(sha256=True)"
    )
    url = simulator.archive_url(VERSION)
    with subprocess.Popen(
        [sys.executable, "-c", script, url, str(folder / "archive.zip")],
        cwd=Path(stashsense.__file__).parent.parent,
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


def test_what_the_journal_speaks_of_survives_a_loss_of_power(
    simulator, opened, folder, monkeypatch
):
    """What is on the disk is what was there at the last fsync, at worst."""
    archive_path, journal_path = folder / "archive.zip", folder / "archive.json"
    on_disk = [b""]
    seen = set()
    real_fsync = os.fsync

    def fsync(descriptor):
        real_fsync(descriptor)
        if os.path.samestat(os.fstat(descriptor), archive_path.stat()):
            on_disk[0] = archive_path.read_bytes()

    def look(_present_bytes):
        spans = journal_of(folder)["present"] if journal_path.exists() else []
        for start, stop in spans:
            seen.add((start, stop))
            assert on_disk[0][start:stop] == CONTENT[start:stop]

    monkeypatch.setattr(partial_file, "JOURNAL_BYTES", 100_000)
    monkeypatch.setattr("os.fsync", fsync)
    monkeypatch.setattr("stashsense.downloads.fetcher.REPORT_SECONDS", 0)

    with opened(on_present=look) as archive:
        archive.fetch_all(sha256=True)
    look(TOTAL)

    assert len(seen) > 2


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


def test_a_refusal_keeps_what_is_present(simulator, opened, leave_after):
    leave_after(1_000_000)
    simulator.faults.archive_statuses = [404]

    with pytest.raises(DownloadError, match="404"), opened():
        pytest.fail("not reached")

    with opened() as archive:
        assert archive.present_bytes > 1_000_000
        assert archive.fetch_all(sha256=True) == DIGEST


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
