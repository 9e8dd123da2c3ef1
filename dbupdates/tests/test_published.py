"""What every process knows of the feed, kept in rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dbupdates.models import DatabaseRelease, ReleaseFeed
from dbupdates.published import check_feed, feed_status
from dbupdates.tests.factories import DatabaseReleaseFactory
from demo.release_simulator import ReleaseSimulator

pytestmark = pytest.mark.usefixtures("world")


def age(**moments):
    """Let the feed's moments be so many seconds ago."""
    ReleaseFeed.objects.update(
        **{
            name: timezone.now() - timedelta(seconds=seconds)
            for name, seconds in moments.items()
        }
    )


def test_a_published_release_is_known_and_available(published, archive):
    status = check_feed()

    assert status.is_update_available
    assert status.error == ""
    release = DatabaseRelease.objects.get(version="2026.02.18")
    assert status.latest == release
    assert release.status == "available"
    assert release.archive_url == published.archive_url("2026.02.18")
    assert release.archive_bytes == archive.stat().st_size
    assert len(release.archive_sha256) == 64


def test_an_answer_serves_everybody_for_ten_minutes(published):
    check_feed()
    check_feed()
    assert len(published.feed_requests()) == 1

    age(asked_at=601)
    check_feed()

    assert [request.status for request in published.feed_requests()] == [200, 304]


def test_a_forced_check_asks_at_once(published):
    check_feed()
    published.publish("2026.02.19", None)

    status = check_feed(is_forced=True)

    assert status.latest
    assert status.latest.version == "2026.02.19"


def test_an_unchanged_feed_keeps_what_is_known(published):
    check_feed()
    status = check_feed(is_forced=True)

    assert status.is_update_available
    assert status.error == ""


def test_an_error_keeps_the_last_good_answer(published):
    check_feed()
    published.faults.feed_status = 500

    status = check_feed(is_forced=True)

    assert "status 500" in status.error
    assert status.is_update_available
    assert feed_status().error == status.error

    published.faults.feed_status = None
    assert check_feed(is_forced=True).error == ""


def test_an_error_is_not_asked_for_again_and_again(published):
    published.faults.feed_status = 500
    check_feed()
    check_feed()

    assert len(published.feed_requests()) == 1


def test_a_rate_limit_is_obeyed_even_when_forced(published):
    published.faults.feed_status = 429
    published.faults.feed_headers = {"Retry-After": "300"}
    assert "rate limit" in check_feed().error

    check_feed(is_forced=True)
    assert len(published.feed_requests()) == 1

    published.faults.feed_status = None
    age(closed_until=1)
    assert check_feed(is_forced=True).error == ""


def test_a_release_without_a_zip_is_latest_and_no_update(simulator):
    simulator.publish("2026.02.18", None)

    status = check_feed()

    assert status.latest
    assert (status.latest.version, status.is_newer) == ("2026.02.18", True)
    assert not status.is_update_available
    assert status.error == ""


def test_an_older_release_is_no_update(simulator):
    simulator.publish("2025.06.01", b"zip")

    assert not check_feed().is_update_available


def test_a_pre_release_is_no_update(simulator):
    simulator.publish("2026.02.18", b"zip", is_prerelease=True)

    status = check_feed()

    assert (status.latest, status.is_update_available) == (None, False)


def test_a_withdrawn_release_is_forgotten(published):
    check_feed()
    published.withdraw("2026.02.18")

    status = check_feed(is_forced=True)

    assert status.latest is None
    assert not DatabaseRelease.objects.filter(version="2026.02.18").exists()
    assert DatabaseRelease.objects.get(version="2026.01.01").is_active


@pytest.fixture
def other_feed():
    with ReleaseSimulator() as simulator:
        simulator.publish("2026.02.19", b"another zip")
        yield simulator


def test_a_feed_that_is_gone_back_to_lists_what_it_did(published, other_feed, settings):
    purged = DatabaseReleaseFactory(version="2026.02.01", status="purged")
    published.publish(purged.version, b"zip")
    check_feed()
    settings.RELEASE_FEED = other_feed.feed_url
    status = check_feed()
    assert status.latest
    assert status.latest.version == "2026.02.19"
    assert not DatabaseRelease.objects.filter(version="2026.02.18").exists()

    settings.RELEASE_FEED = published.feed_url
    status = check_feed()

    assert status.error == ""
    assert status.latest
    assert status.latest.version == "2026.02.18"
    assert status.is_update_available
    purged.refresh_from_db()
    assert purged.archive_url == published.archive_url(purged.version)
    assert not DatabaseRelease.objects.filter(version="2026.02.19").exists()


def test_garbage_is_told_and_changes_nothing(published):
    check_feed()
    published.faults.feed_body = b"<html>maintenance</html>"

    status = check_feed(is_forced=True)

    assert "no JSON" in status.error
    assert status.is_update_available


def test_before_the_first_check_nothing_is_known():
    status = feed_status()

    assert (status.latest, status.error, status.asked_at) == (None, "", None)
    assert not status.is_update_available
