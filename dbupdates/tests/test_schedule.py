"""Looking for releases by itself, and installing them in a window."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q.models import Schedule

from dbupdates import tasks
from dbupdates.exceptions import UpdateInProgress
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, ReleaseFeed, UpdatePolicy, UpdateRun
from dbupdates.published import (
    CHECK_INTERVAL,
    check_feed,
    feed_status,
    get_to_know_feed,
)
from dbupdates.schedule import ensure_schedule, is_in_window
from dbupdates.tests.conftest import ASKER, IMPATIENT
from dbupdates.tests.updating import NEW, OLD, active_version, update
from dbupdates.updates import request_activation
from stashsense.tests import databases


def policy(**facts):
    always = {"window_start": time(0), "window_end": time(0)}
    UpdatePolicy.objects.update_or_create(pk=1, defaults=always | facts)


def let_a_day_pass():
    get_to_know_feed()
    day_ago = timezone.now() - timedelta(hours=25)
    ReleaseFeed.objects.update(known_since=day_ago)
    ReleaseFeed.objects.exclude(asked_at=None).update(asked_at=day_ago)


@pytest.fixture
def day_old_world(world, published):
    """Return a service that was set up a day ago, and a feed with a newer release."""
    let_a_day_pass()
    return world


def test_the_background_looks_now_and_then(db):
    ensure_schedule()
    ensure_schedule()

    [schedule] = Schedule.objects.filter(func="dbupdates.tasks.follow_policy")
    assert schedule.minutes == 15


@databases.many_hosts
def test_other_hosts_are_looked_after_every_minute(db):
    ensure_schedule()

    [schedule] = Schedule.objects.filter(func="dbupdates.tasks.look_after_other_hosts")
    assert schedule.minutes == 1


def test_a_fresh_start_asks_nobody(world, published):
    tasks.follow_policy()
    tasks.follow_policy()

    assert published.feed_requests() == []
    status, feed = feed_status(), ReleaseFeed.objects.get()
    assert (status.asked_at, feed.asked_at) == (None, None)
    assert status.next_check_at == feed.known_since + CHECK_INTERVAL


def test_a_check_that_fell_due_while_nobody_looked_is_made_at_the_next_look(
    world, published
):
    tasks.follow_policy()
    let_a_day_pass()

    tasks.follow_policy()

    assert len(published.feed_requests()) == 1


def test_a_check_by_hand_puts_off_the_next_one(day_old_world, published):
    asked_at = check_feed(is_forced=True).asked_at
    assert asked_at is not None

    tasks.follow_policy()

    assert len(published.feed_requests()) == 1
    assert feed_status().next_check_at == asked_at + CHECK_INTERVAL


def test_a_feed_that_wants_to_be_left_alone_is_not_expected_to_be_asked(
    day_old_world, published
):
    closed_until = timezone.now() + timedelta(hours=3)
    ReleaseFeed.objects.update(closed_until=closed_until)

    tasks.follow_policy()

    assert published.feed_requests() == []
    assert feed_status().next_check_at == closed_until


def test_a_check_is_made_once_a_day_and_nothing_is_installed(day_old_world, published):
    tasks.follow_policy()
    tasks.follow_policy()
    assert len(published.feed_requests()) == 1
    let_a_day_pass()

    tasks.follow_policy()

    assert len(published.feed_requests()) == 2
    assert DatabaseRelease.objects.get(version=NEW).status == "available"
    assert not UpdateRun.objects.exists()


def test_checks_can_be_turned_off(day_old_world, published):
    policy(is_checking=False)

    tasks.follow_policy()

    assert published.feed_requests() == []
    assert feed_status().next_check_at is None


def test_a_new_release_is_installed_when_that_is_on(day_old_world, published):
    policy(is_installing=True)

    tasks.follow_policy()

    run = UpdateRun.objects.get()
    assert (run.version, run.asked_by) == (NEW, "schedule")
    execute_run(run.pk, patience=IMPATIENT)
    assert active_version() == NEW
    tasks.follow_policy()
    assert UpdateRun.objects.count() == 1


def test_outside_its_window_nothing_is_installed(day_old_world, published):
    now = timezone.localtime()
    policy(
        is_installing=True,
        window_start=(now + timedelta(hours=2)).time(),
        window_end=(now + timedelta(hours=3)).time(),
    )

    tasks.follow_policy()

    assert not UpdateRun.objects.exists()


def test_what_a_person_went_back_from_is_not_installed_again(day_old_world, published):
    policy(is_installing=True)
    update()
    run = request_activation(DatabaseRelease.objects.get(version=OLD), asker=ASKER)
    execute_run(run.pk)
    let_a_day_pass()

    tasks.follow_policy()

    assert active_version() == OLD
    assert UpdateRun.objects.count() == 2


def test_what_was_refused_is_not_fetched_again_each_day(day_old_world, published):
    policy(is_installing=True)
    published.corrupt(NEW, "faces.json")
    tasks.follow_policy()
    execute_run(UpdateRun.objects.get().pk, patience=IMPATIENT)
    let_a_day_pass()

    tasks.follow_policy()

    assert UpdateRun.objects.count() == 1


def test_a_download_that_failed_is_tried_again_after_an_hour(day_old_world, published):
    policy(is_installing=True)
    published.faults.archive_statuses = 50 * [404]
    tasks.follow_policy()
    execute_run(UpdateRun.objects.get().pk, patience=IMPATIENT)
    tasks.follow_policy()
    assert UpdateRun.objects.count() == 1
    UpdateRun.objects.update(ended_at=timezone.now() - timedelta(hours=2))

    tasks.follow_policy()

    assert UpdateRun.objects.count() == 2


def test_what_met_another_is_tried_again_after_an_hour(day_old_world, published):
    policy(is_installing=True)
    UpdateRun.objects.create(
        kind="download",
        asked_by="schedule",
        version=NEW,
        phase="failed",
        error_code=UpdateInProgress.code,
        ended_at=timezone.now() - timedelta(hours=2),
    )

    tasks.follow_policy()

    assert UpdateRun.objects.count() == 2


def test_an_update_in_progress_is_not_disturbed(day_old_world, published):
    policy(is_installing=True)
    tasks.follow_policy()

    tasks.follow_policy()

    assert UpdateRun.objects.count() == 1


def test_a_feed_that_fails_is_no_failure_of_the_task(day_old_world, published):
    published.faults.feed_status = 500

    tasks.follow_policy()

    assert "500" in ReleaseFeed.objects.get().error


@pytest.mark.parametrize(
    ("start", "end", "hour", "is_inside"),
    [
        (time(3), time(6), 3, True),
        (time(3), time(6), 5, True),
        (time(3), time(6), 6, False),
        (time(3), time(6), 2, False),
        (time(22), time(4), 23, True),
        (time(22), time(4), 3, True),
        (time(22), time(4), 12, False),
        (time(1), time(1), 12, True),
    ],
)
def test_a_window_is_in_local_time_and_may_span_midnight(
    settings, start, end, hour, is_inside
):
    settings.TIME_ZONE = "Europe/Amsterdam"
    moment = datetime(2026, 7, 1, hour, 30, tzinfo=ZoneInfo("Europe/Amsterdam"))
    window = UpdatePolicy(window_start=start, window_end=end)

    assert is_in_window(window, moment.astimezone(ZoneInfo("UTC"))) is is_inside
