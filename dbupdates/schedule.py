"""Looking for releases by itself, and installing them when the policy says so."""

import logging
from datetime import datetime, time, timedelta

from django.utils import timezone

from dbupdates.exceptions import DatabaseUpdateError
from dbupdates.models import DatabaseRelease, UpdatePolicy, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import check_feed, feed_status, get_to_know_feed
from dbupdates.runs import Asker
from dbupdates.updates import request_update
from stashsense import hosts
from stashsense.schedules import ensure

logger = logging.getLogger(__name__)

TASK = "dbupdates.tasks.follow_policy"
# How often the policy is looked at; a window of an hour is not missed.
LOOK_MINUTES = 15
HOSTS_TASK = "dbupdates.tasks.look_after_other_hosts"
RETRY_INTERVAL = timedelta(hours=1)
# Of errors that say nothing about the release.
_PASSING = ("update_interrupted", "download_failed", "update_in_progress")


def ensure_schedule() -> None:
    """Have the background look at the policy now and then, and at other hosts."""
    ensure(TASK, "Look for releases", minutes=LOOK_MINUTES)
    if hosts.are_many():
        ensure(HOSTS_TASK, "Look for updates of hosts that died", minutes=1)


def follow_policy() -> None:
    """Check for releases once a day, and install a new one in its window.

    A feed that nobody has asked yet is asked a day after it became known: a start asks
    nobody.
    """
    policy = UpdatePolicy.current()
    now = timezone.now()
    status = feed_status(get_to_know_feed())
    if status.next_check_at is not None and status.next_check_at <= now:
        status = check_feed(is_forced=True)
    if not policy.is_installing or not is_in_window(policy, now):
        return
    if status.latest is None or not status.is_update_available:
        return
    if was_tried(status.latest):
        return
    try:
        request_update(
            asker=Asker(UpdateRun.Asker.SCHEDULE), version=status.latest.version
        )
    except DatabaseUpdateError as error:
        logger.warning("Release %s is not installed: %s", status.latest, error)


def is_in_window(policy: UpdatePolicy, now: datetime) -> bool:
    """Return whether releases may be installed now; a window may span midnight."""
    start, end = policy.window_start, policy.window_end
    local: time = timezone.localtime(now).time()
    if start == end:
        return True
    if start < end:
        return start <= local < end
    return local >= start or local < end


def was_tried(release: DatabaseRelease) -> bool:
    """Return whether the release was served, refused, cancelled or failed before.

    A person may have gone back from it, and what failed once would fail each day. An
    attempt that was interrupted, found no connection or met another counts for an hour.
    """
    if release.activated_at is not None:
        return True
    if release.status == DatabaseRelease.Status.REJECTED:
        return True
    ended = UpdateRun.objects.filter(
        version=release.version, phase__in=(Phase.FAILED, Phase.CANCELLED)
    )
    of_itself = ended.exclude(error_code__in=_PASSING)
    just_now = ended.filter(ended_at__gte=timezone.now() - RETRY_INTERVAL)
    return of_itself.exists() or just_now.exists()
