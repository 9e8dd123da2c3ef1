"""Runs that another host works at, of which only a row tells."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from dbupdates import store, tasks
from dbupdates.exceptions import UpdateInProgress
from dbupdates.liveness import SILENT_AFTER, beating, is_at_work
from dbupdates.models import UpdateRun
from dbupdates.progress import Phase
from dbupdates.reconcile import reconcile
from dbupdates.tests.conftest import ASKER, names_in
from dbupdates.tests.updating import work_at_queue
from dbupdates.updates import request_update
from stashsense import hosts
from stashsense.tests import databases
from stashsense.tests.waiting import wait_until


@pytest.fixture
def run_elsewhere(world, published, die):
    """Return a run that another host has in its hands: it reloads."""
    published.publish("2026.02.17", b"zip")
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    OrmQ.objects.all().delete()
    return said_by("another-host", run, ago=timedelta(0))


def said_by(host_id, run, *, ago):
    heartbeat_at = timezone.now() - ago
    UpdateRun.objects.filter(pk=run.pk).update(
        host_id=host_id, heartbeat_at=heartbeat_at
    )
    run.refresh_from_db()
    return run


def tell_nobody(_sentence):
    pass


def test_a_run_that_is_alive_on_another_host_is_left_to_it(run_elsewhere):
    assert is_at_work(run_elsewhere)

    reconcile(tell_nobody)
    tasks.look_after_other_hosts()

    assert not OrmQ.objects.exists()
    with pytest.raises(UpdateInProgress):
        request_update(asker=ASKER, version="2026.02.17")


def test_a_run_of_a_host_that_has_fallen_silent_is_finished(run_elsewhere):
    said_by("another-host", run_elsewhere, ago=SILENT_AFTER)

    tasks.look_after_other_hosts()
    work_at_queue()

    run_elsewhere.refresh_from_db()
    assert run_elsewhere.phase == Phase.COMPLETE


def test_a_dead_run_of_this_host_is_not_waited_for(run_elsewhere):
    said_by(hosts.own_id(), run_elsewhere, ago=timedelta(0))

    assert not is_at_work(run_elsewhere)


@databases.many_hosts
@pytest.mark.django_db(transaction=True)
def test_a_run_says_again_and_again_that_it_lives(run_elsewhere, monkeypatch):
    monkeypatch.setattr("dbupdates.liveness.BEAT_SECONDS", 0.01)
    run = said_by("another-host", run_elsewhere, ago=SILENT_AFTER)
    before = run.heartbeat_at

    with beating(run):
        wait_until(lambda: UpdateRun.objects.get(pk=run.pk).heartbeat_at > before)


def test_what_was_fetched_in_vain_goes_at_the_next_start(world):
    staging = world.data_dir / "staging"
    with store.fetching_folder("2026.02.18"):
        pass
    for name in ("fetch-2026.02.17", "fetch-2026.02.18"):
        (staging / name).mkdir()

    with store.fetching_folder("2026.02.18"):
        reconcile(tell_nobody)

        assert names_in(staging) == ["fetch-2026.02.18"]
