"""The release simulator, asked by an ordinary client."""

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
import requests
from django.core.management import CommandError, call_command

import demo
from dbupdates.tests.builder import ReleaseBuilder
from demo.release_simulator import Faults, ReleaseSimulator

LIMIT_SECONDS = 10
CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def simulator():
    with ReleaseSimulator() as simulator:
        yield simulator


@pytest.fixture
def archive_file(tmp_path):
    path = tmp_path / "some.zip"
    path.write_bytes(CONTENT)
    return path


def get(url, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(url, headers=named, timeout=LIMIT_SECONDS)


def test_the_feed_lists_what_is_published_newest_first(simulator):
    simulator.publish("2026.01.01", CONTENT, published_at="2026-01-01T00:00:00Z")
    simulator.publish("2026.03.01", None, published_at="2026-03-01T00:00:00Z")
    simulator.publish(
        "2026.02.01",
        CONTENT,
        tag="v2026.02.01",
        notes="More faces.",
        is_prerelease=True,
        published_at="2026-02-01T00:00:00Z",
        asset_name="a b.zip",
        has_digest=False,
    )

    newest, middle, oldest = get(simulator.feed_url).json()

    assert newest["assets"] == []
    assert (middle["tag_name"], middle["body"]) == ("v2026.02.01", "More faces.")
    assert middle["prerelease"]
    assert middle["assets"][0]["digest"] is None
    assert get(middle["assets"][0]["browser_download_url"]).content == CONTENT
    assert oldest["assets"] == [
        {
            "name": "stash-sense-data-2026.01.01.zip",
            "size": len(CONTENT),
            "browser_download_url": simulator.archive_url("2026.01.01"),
            "digest": f"sha256:{DIGEST}",
            "content_type": "application/zip",
            "state": "uploaded",
        }
    ]


def test_the_latest_release_is_neither_draft_nor_prerelease(simulator):
    url = f"{simulator.feed_url}/latest"
    assert get(url).status_code == 404
    simulator.publish("2026.01.01", None)
    simulator.publish("2026.02.01", None, is_draft=True)
    simulator.publish("2026.03.01", None, is_prerelease=True)

    latest = get(url).json()

    assert latest["tag_name"] == "2026.01.01"


def test_the_feed_need_not_be_read_again_until_it_changes(simulator):
    simulator.publish("2026.01.01", None)
    etag = get(simulator.feed_url).headers["ETag"]

    same = get(simulator.feed_url, If_None_Match=etag)
    simulator.withdraw("2026.01.01")
    changed = get(simulator.feed_url, If_None_Match=etag)

    assert (same.status_code, same.content) == (304, b"")
    assert (changed.status_code, changed.json()) == (200, [])
    assert [r.status for r in simulator.feed_requests()] == [200, 304, 200]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=1000-", 1000, 102_399),
        ("bytes=-5", 102_395, 102_399),
        ("bytes=102000-999999", 102_000, 102_399),
        ("bytes=-999999", 0, 102_399),
    ],
)
@pytest.mark.parametrize("is_file", [True, False])
def test_ranges_are_answered(simulator, archive_file, asked, first, last, is_file):
    simulator.publish("2026.01.01", archive_file if is_file else CONTENT)

    answer = get(simulator.archive_url("2026.01.01"), Range=asked)

    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/102400"
    assert simulator.sent_archive_bytes == last + 1 - first


@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=102400-", 416), ("bytes=-0", 416), ("bytes=5-2", 200), ("lines=1-2", 200)],
)
def test_ranges_that_are_none_are_answered_as_such(simulator, asked, status):
    simulator.publish("2026.01.01", CONTENT)

    assert get(simulator.archive_url("2026.01.01"), Range=asked).status_code == status


def test_a_condition_holds_until_the_archive_is_published_again(simulator):
    simulator.publish("2026.01.01", CONTENT)
    url = simulator.archive_url("2026.01.01")
    head = get(url).headers

    def status(condition):
        return get(url, Range="bytes=0-9", If_Range=condition).status_code

    before = [status(head["ETag"]), status(head["Last-Modified"]), status('"x"')]
    simulator.publish("2026.01.01", CONTENT)
    after = [status(head["ETag"]), status(head["Last-Modified"])]

    assert before == [206, 206, 200]
    assert after == [200, 200]


def test_faults_of_the_feed(simulator):
    simulator.faults.feed_status = 403
    simulator.faults.feed_headers = {"X-RateLimit-Remaining": "0"}
    simulator.faults.feed_body = b"<html>"
    refused = get(simulator.feed_url)

    simulator.faults = Faults()

    assert (refused.status_code, refused.content) == (403, b"<html>")
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert get(simulator.feed_url).json() == []


def test_faults_of_an_archive(simulator, archive_file):
    simulator.publish("2026.01.01", archive_file)
    url = simulator.archive_url("2026.01.01")
    simulator.faults = Faults(
        archive_statuses=[503],
        archive_status_headers={"Retry-After": "1"},
        drop_after_bytes=[1000],
        ignore_range=True,
        weak_etag=True,
        etag_suffix="-b",
        redirect_archives_to="self",
    )

    unavailable = get(url, Range="bytes=0-9")
    with pytest.raises(requests.RequestException):
        get(url)
    whole = get(url, Range="bytes=0-9")

    assert unavailable.status_code == 503
    assert unavailable.headers["Retry-After"] == "1"
    assert whole.content == CONTENT
    assert whole.headers["ETag"] == 'W/"2026.01.01-1-b"'
    assert [(r.status, r.sent_bytes) for r in simulator.archive_requests()] == [
        (302, 0),
        (503, 2),
        (302, 0),
        (200, 1000),
        (302, 0),
        (200, len(CONTENT)),
    ]


def test_stopping_ends_an_answer_that_stalls(simulator):
    simulator.publish("2026.01.01", CONTENT)
    simulator.faults.stall_after_bytes = 1000

    url = simulator.archive_url("2026.01.01")
    with requests.get(url, stream=True, timeout=LIMIT_SECONDS) as answer:
        beginning = answer.raw.read(1000)
        simulator.stop()
        rest = answer.raw.read1()

    assert (beginning, rest) == (CONTENT[:1000], b"")


def test_a_corrupted_member_is_told_by_its_zip_alone(simulator, tmp_path):
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as written:
        written.writestr("good", b"good" * 100)
        written.writestr("bad", b"bad" * 100)
    published = path.read_bytes()
    simulator.publish("2026.01.01", path)

    simulator.corrupt("2026.01.01", "bad")

    content = get(simulator.archive_url("2026.01.01")).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() == "bad"
    asset = get(simulator.feed_url).json()[0]["assets"][0]
    assert asset["digest"] == f"sha256:{hashlib.sha256(published).hexdigest()}"
    assert path.read_bytes() == published


def test_what_is_not_there_is_not_found(simulator):
    simulator.publish("2026.01.01", None)

    for path in ("/", "/archives/2026.01.01/a.zip", "/archives/x/a.zip", "/releases/x"):
        assert get(simulator.feed_url.replace("/releases", path)).status_code == 404
    with pytest.raises(ValueError, match="no archive"):
        simulator.archive_url("2026.01.01")


@pytest.mark.parametrize("manifest", [None, {"version": "2026.01.01"}])
def test_the_command_refuses_what_is_no_release(tmp_path, manifest):
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as written:
        if manifest:
            written.writestr("manifest.json", json.dumps(manifest))

    with pytest.raises(CommandError, match="is no release"):
        call_command("demo_feed", str(path))


def test_the_command_serves_releases_until_it_is_interrupted(tmp_path):
    path = ReleaseBuilder().write_zip(tmp_path)

    with subprocess.Popen(
        [sys.executable, "manage.py", "demo_feed", "--port=0", str(path)],
        cwd=Path(demo.__file__).parent.parent,
        env=os.environ | {"DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        # A shell has what it runs in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        serving, setting = process.stdout.readline(), process.stdout.readline()
        url = setting.strip().removeprefix("STASH_SENSE_RELEASE_FEED=")
        (release,) = get(url).json()
        process.send_signal(signal.SIGINT)

    assert serving.startswith(f"Serving {release['tag_name']}.")
    assert release["assets"][0]["size"] == path.stat().st_size
    assert process.returncode == 0
