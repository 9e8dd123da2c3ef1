"""When runs start by themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations import runs, schedules
from recommendations.exceptions import InvalidSchedule, UnknownSchedule
from recommendations.models import AnalysisRun, AnalysisSchedule
from recommendations.tasks import look_after_analyses
from recommendations.tests.analyses import ListAnalyzer, ask, ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _analyses(stash, registered):
    registered(ListAnalyzer(["1"]))


def hours_from_now(moment):
    return round((moment - timezone.now()).total_seconds() / 3600, 2)


def make_due(**facts):
    past = timezone.now() - timedelta(minutes=1)
    AnalysisSchedule.objects.update(next_run_at=past, **facts)


def test_every_type_has_a_schedule_that_is_off():
    found = schedules.all_schedules()

    assert [row.type for row in found] == [
        "database_update",
        "fingerprint_generation",
        "list",
    ]
    assert not any(row.is_enabled or row.next_run_at for row in found)


def test_a_schedule_that_is_switched_on_starts_an_interval_from_now():
    row = schedules.set_schedule("list", is_enabled=True, interval_hours=24)

    assert hours_from_now(row.next_run_at) == 24
    off = schedules.set_schedule("list", is_enabled=False, interval_hours=24)
    assert off.next_run_at is None


def test_a_changed_interval_moves_the_next_start():
    schedules.set_schedule("list", is_enabled=True, interval_hours=720)
    AnalysisSchedule.objects.update(last_run_at=timezone.now() - timedelta(hours=30))

    row = schedules.set_schedule("list", is_enabled=True, interval_hours=48)
    assert hours_from_now(row.next_run_at) == 18

    row = schedules.set_schedule("list", is_enabled=True, interval_hours=24)
    assert hours_from_now(row.next_run_at) == 0


@pytest.mark.parametrize("hours", [0, -1, 5, 23.5, float("nan"), float("inf")])
def test_an_interval_that_is_not_allowed_is_refused(hours):
    with pytest.raises(InvalidSchedule, match="24, 48"):
        schedules.set_schedule("list", is_enabled=True, interval_hours=hours)

    assert not AnalysisSchedule.objects.exists()


def test_an_unknown_type_and_a_strange_priority_are_refused():
    with pytest.raises(UnknownSchedule):
        schedules.set_schedule("other", is_enabled=True, interval_hours=24)
    with pytest.raises(InvalidSchedule):
        schedules.set_schedule("list", is_enabled=True, interval_hours=24, priority=-1)


def test_what_is_due_begins_once():
    schedules.set_schedule("list", is_enabled=True, interval_hours=24, priority=7)
    make_due()

    look_after_analyses()
    look_after_analyses()

    run = AnalysisRun.objects.get()
    assert (run.asked_by, run.priority) == ("schedule", 7)
    row = AnalysisSchedule.objects.get()
    assert hours_from_now(row.next_run_at) == 24
    assert row.last_run_at is not None


def test_what_is_due_while_it_runs_waits_for_the_next_time():
    schedules.set_schedule("list", is_enabled=True, interval_hours=24)
    run = ask()
    make_due()

    look_after_analyses()

    assert AnalysisRun.objects.get() == run
    assert ended(run).state == "completed"


def test_a_schedule_that_is_off_or_refused_starts_nothing(settings):
    schedules.set_schedule("list", is_enabled=False, interval_hours=24)
    make_due()
    look_after_analyses()
    assert not AnalysisRun.objects.exists()

    schedules.set_schedule("list", is_enabled=True, interval_hours=24)
    make_due()
    settings.STASH_URL = ""
    look_after_analyses()

    assert not AnalysisRun.objects.exists()


def test_the_background_gives_room_to_what_is_queued():
    run = ask()
    AnalysisRun.objects.filter(pk=run.pk).update(state="queued", slice_number=0)

    runs.look_after_runs()

    run.refresh_from_db()
    assert run.state == "running"


def test_a_schedule_that_is_stored_as_it_was_starts_when_it_would_have():
    schedules.set_schedule("list", is_enabled=True, interval_hours=168)
    soon = timezone.now() + timedelta(hours=1)
    AnalysisSchedule.objects.update(next_run_at=soon)

    row = schedules.set_schedule(
        "list", is_enabled=True, interval_hours=168, priority=5
    )

    assert (row.next_run_at, row.priority) == (soon, 5)
