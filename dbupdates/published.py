"""What is published, as every process of the service knows it: rows, not memory."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from dbupdates.exceptions import FeedError
from dbupdates.feed import FeedAnswer, PublishedRelease, fetch_feed
from dbupdates.models import DatabaseRelease, ReleaseFeed, UpdatePolicy
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

# GitHub allows 60 questions an hour to an address.
FRESH_SECONDS = 600
# Of checks that nobody asked for, while the policy has them.
CHECK_INTERVAL = timedelta(days=1)

Status = DatabaseRelease.Status


@dataclass(frozen=True)
class FeedStatus:
    """What is known about updates, and what kept it from being known better.

    `latest` is the newest published release, whether or not it can be downloaded;
    `error` is "" when the last attempt to ask succeeded; `next_check_at` is None where
    nobody asks unasked, and lies in the past while a check is overdue.
    """

    active: DatabaseRelease | None
    latest: DatabaseRelease | None
    error: str
    asked_at: datetime | None
    next_check_at: datetime | None

    @property
    def is_newer(self) -> bool:
        """Whether a release newer than the active one is published."""
        if self.latest is None:
            return False
        return self.active is None or self.latest.version_key > self.active.version_key

    @property
    def is_update_available(self) -> bool:
        """Whether there is something newer that can be had."""
        return self.is_newer and self.latest is not None and self.latest.is_obtainable


def check_feed(*, is_forced: bool = False) -> FeedStatus:
    """Return what is published, asking the feed when the last answer is old.

    Forced, it is asked however fresh the answer is, unless it wants to be left alone.
    A failure is told in `error`; what was known stays known. Never raises for it.
    """
    feed = get_to_know_feed()
    if _take_turn(feed, is_forced=is_forced):
        feed.refresh_from_db()
        _ask(feed)
    feed.refresh_from_db()
    return feed_status(feed)


def get_to_know_feed() -> ReleaseFeed:
    """Return the row of the feed, made now where there is none; nobody is asked."""
    feed, _ = ReleaseFeed.objects.get_or_create(url=settings.RELEASE_FEED)
    return feed


def feed_status(feed: ReleaseFeed | None = None) -> FeedStatus:
    """Return what was known already, without asking anybody."""
    feed = feed or ReleaseFeed.objects.filter(url=settings.RELEASE_FEED).first()
    latest_version = feed.latest_version if feed else ""
    return FeedStatus(
        active=DatabaseRelease.objects.active(),
        latest=DatabaseRelease.objects.filter(version=latest_version).first(),
        error=feed.error if feed else "",
        asked_at=feed.asked_at if feed else None,
        next_check_at=_next_check_at(feed),
    )


def _next_check_at(feed: ReleaseFeed | None) -> datetime | None:
    if not UpdatePolicy.current().is_checking:
        return None
    if feed is None:
        # The background makes the row when it looks at the policy first.
        return timezone.now() + CHECK_INTERVAL
    # Whoever has just set this up has asked for nothing yet.
    due_at = (feed.asked_at or feed.known_since) + CHECK_INTERVAL
    return max(due_at, feed.closed_until) if feed.closed_until else due_at


def _take_turn(feed: ReleaseFeed, *, is_forced: bool) -> bool:
    """Return whether this caller is the one to ask; others use what there is."""
    now = timezone.now()
    open_now = Q(closed_until=None) | Q(closed_until__lte=now)
    due = Q() if is_forced else Q(asked_at=None) | Q(asked_at__lte=_fresh_since(now))
    rows = ReleaseFeed.objects.filter(open_now, due, pk=feed.pk)
    return bool(rows.update(asked_at=now, closed_until=None))


def _fresh_since(now: datetime) -> datetime:
    return now - timedelta(seconds=FRESH_SECONDS)


def _ask(feed: ReleaseFeed) -> None:
    try:
        answer = fetch_feed(feed.url, etag=feed.etag)
    except FeedError as error:
        logger.warning("The release feed could not be read: %s", error)
        ReleaseFeed.objects.filter(pk=feed.pk).update(
            error=str(error), closed_until=error.closed_until
        )
        return
    with in_turn():
        _keep(feed, answer)


def _keep(feed: ReleaseFeed, answer: FeedAnswer) -> None:
    news: dict[str, str] = {}
    if answer.releases is not None:
        for published in answer.releases:
            _keep_release(published)
        versions = [str(published.version) for published in answer.releases]
        _forget_withdrawn(versions)
        news = {"latest_version": versions[0] if versions else ""}
        # What the other feeds list is not what the rows say any more: none of them may
        # answer that nothing has changed.
        ReleaseFeed.objects.exclude(pk=feed.pk).update(etag="", asked_at=None)
    ReleaseFeed.objects.filter(pk=feed.pk).update(
        etag=answer.etag, answered_at=timezone.now(), error="", **news
    )


def _keep_release(published: PublishedRelease) -> None:
    facts = {
        "title": published.title,
        "notes": published.notes,
        "published_at": published.published_at,
        "archive_url": published.archive_url,
        "archive_bytes": published.archive_bytes,
        "archive_sha256": published.archive_sha256,
    }
    version = str(published.version)
    release, is_new = DatabaseRelease.objects.get_or_create(
        version=version, defaults={**facts, "status": Status.AVAILABLE}
    )
    if is_new:
        logger.info("Release %s is published", version)
        return
    identity = ("archive_url", "archive_bytes", "archive_sha256")
    if any(getattr(release, name) != facts[name] for name in identity):
        # Another archive than the one that was refused.
        DatabaseRelease.objects.filter(pk=release.pk, status=Status.REJECTED).update(
            status=Status.AVAILABLE, reason=""
        )
    DatabaseRelease.objects.filter(pk=release.pk).update(**facts)


def _forget_withdrawn(versions: list[str]) -> None:
    """Drop what is not offered any more; what was ever here keeps its row."""
    gone = DatabaseRelease.objects.exclude(version__in=versions)
    gone.filter(status=Status.AVAILABLE, staged_at=None).delete()
    gone.exclude(archive_url="").update(
        archive_url="", archive_bytes=0, archive_sha256=""
    )
