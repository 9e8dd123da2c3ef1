"""What is made of a feed's answers."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dbupdates.exceptions import FeedError
from dbupdates.feed import fetch_feed, parse_feed

DIGEST = 64 * "a"


def entry(tag, **facts):
    asset = {
        "name": "release.zip",
        "size": 1_478_000_000,
        "browser_download_url": f"https://github.com/x/{tag}/release.zip",
        "digest": f"sha256:{DIGEST}",
        "state": "uploaded",
    } | facts.pop("asset", {})
    return {
        "tag_name": tag,
        "name": f"Release {tag}",
        "body": "More faces.",
        "draft": False,
        "prerelease": False,
        "published_at": "2026-02-18T10:00:00Z",
        "assets": [asset],
    } | facts


def parsed(content, *, is_secure=True):
    return parse_feed(json.dumps(content).encode(), is_secure=is_secure)


def versions(content):
    return [str(release.version) for release in parsed(content)]


def test_a_release_is_read_as_github_describes_it():
    [release] = parsed([entry("v2026.02.18")])

    assert str(release.version) == "2026.02.18"
    assert (release.title, release.notes) == ("Release v2026.02.18", "More faces.")
    assert release.published_at == datetime(2026, 2, 18, 10, tzinfo=UTC)
    assert release.archive_url == "https://github.com/x/v2026.02.18/release.zip"
    assert release.archive_bytes == 1_478_000_000
    assert release.archive_sha256 == DIGEST


def test_versions_are_ordered_by_their_numbers():
    feed = [entry("2026.2.9"), entry("v2026.02.18"), entry("2025.12.31")]

    assert versions(feed) == ["2026.02.18", "2026.02.09", "2025.12.31"]


def test_what_is_no_finished_release_is_passed_over():
    feed = [
        entry("2026.03.01", prerelease=True),
        entry("2026.03.02", draft=True),
        entry("2026.03.03-rc1"),
        entry("models"),
        entry("2026.02.18"),
    ]

    assert versions(feed) == ["2026.02.18"]


def test_a_single_release_is_a_feed_too():
    assert versions(entry("2026.02.18")) == ["2026.02.18"]


@pytest.mark.parametrize(
    "asset",
    [
        {"name": "notes.txt"},
        {"state": "starter"},
        {"browser_download_url": "ftp://example.org/release.zip"},
        {"browser_download_url": "http://example.org/release.zip"},
        {"browser_download_url": None},
        {"browser_download_url": "https://[bad/release.zip"},
        {"browser_download_url": "https://example.org/" + 3000 * "x"},
    ],
)
def test_a_release_without_a_zip_that_can_be_had_has_no_archive(asset):
    [release] = parsed([entry("2026.02.18", asset=asset)])

    assert (release.archive_url, release.archive_bytes) == ("", 0)


@pytest.mark.parametrize("assets", [None, [], {}, [None], ["x"], 7])
def test_strange_assets_are_no_archive(assets):
    [release] = parsed([entry("2026.02.18", assets=assets)])

    assert release.archive_url == ""


def test_an_insecure_feed_may_name_insecure_archives():
    asset = {"browser_download_url": "http://127.0.0.1/release.zip"}

    [release] = parsed([entry("2026.02.18", asset=asset)], is_secure=False)

    assert release.archive_url == "http://127.0.0.1/release.zip"


@pytest.mark.parametrize("digest", [None, "", "md5:00", "sha256:xyz", 7])
def test_a_digest_that_is_none_is_left_out(digest):
    [release] = parsed([entry("2026.02.18", asset={"digest": digest, "size": -1})])

    assert (release.archive_sha256, release.archive_bytes) == ("", 0)


def test_halves_of_characters_and_sizes_beyond_all_sense_fit_into_a_row():
    asset = {"size": 10**20}

    [release] = parsed([entry("2026.02.18", body="a \ud83d face", asset=asset)])

    assert (release.notes, release.archive_bytes) == ("a ? face", 0)


def test_text_of_other_kinds_is_left_out():
    [release] = parsed(
        [entry("2026.02.18", name=None, body=7, published_at="yesterday")]
    )

    assert (release.title, release.notes, release.published_at) == ("", "", None)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff\xfe", b"[1]", b'{"message": "Not Found"}', b"[" * 10_000],
)
def test_an_answer_that_is_no_feed_is_told(body):
    with pytest.raises(FeedError, match="feed's answer is no"):
        parse_feed(body, is_secure=True)


# Over HTTP


@pytest.fixture
def url(simulator, tmp_path):
    simulator.publish("2026.02.18", b"an archive")
    return simulator.feed_url


def test_an_unchanged_feed_is_not_sent_again(url, simulator):
    first = fetch_feed(url)
    second = fetch_feed(url, etag=first.etag)

    assert first.releases
    assert (second.releases, second.etag) == (None, first.etag)
    assert [request.status for request in simulator.feed_requests()] == [200, 304]


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_a_status_that_is_no_success_is_told(url, simulator, status):
    simulator.faults.feed_status = status

    with pytest.raises(FeedError, match=f"answered with status {status}") as caught:
        fetch_feed(url)

    assert caught.value.closed_until is None


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "120"}, 120),
        (403, {"Retry-After": "60"}, 60),
        (403, {"X-RateLimit-Remaining": "0"}, 600),
        (429, {"Retry-After": "soon"}, 600),
        (429, {"Retry-After": "99999999999"}, 7200),
        (429, {"X-RateLimit-Reset": "99999999999999999999"}, 600),
    ],
)
def test_a_rate_limit_says_when_to_come_back(url, simulator, status, headers, seconds):
    simulator.faults.feed_status = status
    simulator.faults.feed_headers = headers
    expected = timezone.now() + timedelta(seconds=seconds)

    with pytest.raises(FeedError, match="rate limit") as caught:
        fetch_feed(url)

    assert caught.value.closed_until is not None
    # A busy machine may take seconds between the two.
    assert abs((caught.value.closed_until - expected).total_seconds()) < 30


def test_the_moment_that_a_rate_limit_is_reset_is_kept(url, simulator):
    reset = int((timezone.now() + timedelta(minutes=30)).timestamp())
    simulator.faults.feed_status = 403
    simulator.faults.feed_headers = {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(reset),
    }

    with pytest.raises(FeedError) as caught:
        fetch_feed(url)

    assert caught.value.closed_until == datetime.fromtimestamp(reset, UTC)


def test_an_answer_without_end_is_cut_off(url, simulator, monkeypatch):
    monkeypatch.setattr("dbupdates.feed.MAX_ANSWER_BYTES", 1000)
    simulator.faults.feed_body = b" " * 1_000_000

    with pytest.raises(FeedError, match="more than 1000 bytes"):
        fetch_feed(url)


def test_a_feed_that_is_not_there_is_told_without_its_address():
    with pytest.raises(FeedError) as caught:
        fetch_feed("http://127.0.0.1:9/releases?token=secret")

    assert str(caught.value) == (
        "127.0.0.1 could not be asked: there is no connection to it."
    )


def test_a_feed_that_drips_is_left(url, simulator, monkeypatch):
    monkeypatch.setattr("dbupdates.feed.ANSWER_SECONDS", 0.5)
    simulator.faults.feed_drips = True

    with pytest.raises(FeedError, match="to answer"):
        fetch_feed(url)


def test_a_feed_is_not_followed_to_where_it_must_not_lead(url, simulator):
    simulator.faults.feed_status = 302
    simulator.faults.feed_headers = {"Location": "ftp://127.0.0.1/feed"}

    with pytest.raises(FeedError, match="not HTTP"):
        fetch_feed(url)
