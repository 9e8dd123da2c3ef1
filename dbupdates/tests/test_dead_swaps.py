"""Swaps whose process died or was interrupted: finished, or gone back from."""

import re

import pytest
from django_q.models import OrmQ

from dbupdates import runs, store, tasks
from dbupdates.exceptions import InvalidRelease, UpdateInProgress
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import SWAP, Phase
from dbupdates.reconcile import go_on_with_dead_run, reconcile
from dbupdates.tests.conftest import (
    ASKER,
    IMPATIENT,
    Killed,
    follower,
    names_in,
    serving,
)
from dbupdates.tests.updating import NEW, OLD, active_version, log_of, work_at_queue
from dbupdates.updates import request_activation, request_update

# Published, and never asked for but to be refused.
OLD_BUT_PUBLISHED = "2026.02.17"


def follower_but(version):
    """Return a process that serves whatever is active, but for one release."""

    def report():
        if active_version() == version:
            return serving(OLD, failed_version=version, problem="out of paper")
        return follower()()

    return report


def tell_nobody(_sentence):
    pass


@pytest.mark.parametrize("phase", [Phase.SWAPPING, Phase.RELOADING])
def test_a_dead_swap_is_finished_before_the_next_update(world, published, die, phase):
    published.publish(OLD_BUT_PUBLISHED, b"zip")
    run = die(request_update(asker=ASKER), phase)
    OrmQ.objects.all().delete()

    with pytest.raises(UpdateInProgress, match=run.job_id):
        request_update(asker=ASKER, version=OLD_BUT_PUBLISHED)
    work_at_queue()

    run.refresh_from_db()
    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert active_version() == NEW
    assert names_in(world.data_dir / "staging") == []


def test_a_dead_swap_goes_back_when_a_process_cannot_load_the_release(
    world, published, die, processes
):
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    OrmQ.objects.all().delete()
    processes[1] = follower_but(NEW)

    with pytest.raises(UpdateInProgress):
        request_activation(DatabaseRelease.objects.get(version=OLD), asker=ASKER)
    work_at_queue()

    run.refresh_from_db()
    assert (run.phase, run.error_code) == (Phase.FAILED, "swap_failed")
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == []


def test_a_swap_that_its_process_dies_of_twice_is_gone_back_from(
    world, published, die, processes
):
    processes[1] = follower_but(NEW)
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    die(run, Phase.RELOADING)

    go_on_with_dead_run()
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.FAILED
    assert "died 2 times, the last time while reloading" in run.error
    assert f"Release {OLD} is active again." in run.error
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == []


def test_a_swap_that_its_process_died_of_twice_stays_if_all_serve_the_release(
    world, published, die, processes
):
    processes[1] = follower(1)
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    die(run, Phase.RELOADING)

    go_on_with_dead_run()
    work_at_queue()

    run.refresh_from_db()
    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert active_version() == NEW


def test_going_back_is_not_tried_without_end(world, published, die, processes):
    def die_while_going_back():
        if active_version() == OLD and UpdateRun.objects.get().phase in SWAP:
            raise Killed
        return follower_but(NEW)()

    processes[1] = die_while_going_back
    run = request_update(asker=ASKER)
    for _ in range(runs.MAX_ATTEMPTS + 1):
        die(run, None)

    execute_run(run.pk)

    run.refresh_from_db()
    assert (run.phase, run.attempt_count) == (Phase.FAILED, 3)
    assert re.search(r"died 3 times.*web:1 cannot serve it: out of paper", run.error)
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == []


def test_a_swap_that_is_interrupted_from_the_keyboard_goes_to_the_background(
    world, published, processes
):
    def interrupt():
        if active_version() == NEW:
            raise KeyboardInterrupt
        return serving(OLD)

    run = request_update(asker=ASKER)
    OrmQ.objects.all().delete()
    processes[1] = interrupt
    with pytest.raises(KeyboardInterrupt):
        execute_run(run.pk, patience=IMPATIENT)
    processes[1] = follower(1)

    work_at_queue()

    run.refresh_from_db()
    assert (run.phase, run.attempt_count) == (Phase.COMPLETE, 1)
    assert "Interrupted while reloading" in log_of(run)
    assert active_version() == NEW


def test_the_background_looks_for_dead_runs_now_and_then(world, published, die):
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    OrmQ.objects.all().delete()

    tasks.follow_policy()
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE


@pytest.mark.parametrize("end", ["complete", "failed", "cancelled"])
def test_a_run_is_held_until_its_end_is_written(world, published, monkeypatch, end):
    real_end, asked = runs.end_run, []

    def end_run(run, *args, **facts):
        with pytest.raises(UpdateInProgress):
            request_update(asker=ASKER, version=OLD_BUT_PUBLISHED)
        asked.append(run.job_id)
        real_end(run, *args, **facts)

    def disturb(progress):
        if end == "failed" and progress.phase == Phase.VERIFYING:
            raise InvalidRelease("as good as none")
        if end == "cancelled" and progress.phase == Phase.VERIFYING:
            runs.cancel_run(UpdateRun.objects.get(), asker=ASKER)

    published.publish(OLD_BUT_PUBLISHED, b"zip")
    run = request_update(asker=ASKER, version=NEW)
    monkeypatch.setattr(runs, "end_run", end_run)

    execute_run(run.pk, listener=disturb, patience=IMPATIENT)

    run.refresh_from_db()
    assert asked == [run.job_id]
    assert run.phase == end
    assert run.error == ("as good as none" if end == "failed" else "")
    assert names_in(world.data_dir / "staging") == []


@pytest.mark.parametrize("look", ["replaced process", "start"])
def test_the_folder_of_a_run_that_died_once_it_had_ended_is_removed(
    world, published, monkeypatch, look
):
    def die(_job_id):
        raise Killed

    run = request_update(asker=ASKER)
    with monkeypatch.context() as patch:
        patch.setattr(store, "remove_run_folder", die)
        with pytest.raises(Killed):
            execute_run(run.pk, patience=IMPATIENT)
    folder = world.data_dir / "staging" / f"update-{run.job_id}"
    assert names_in(folder) == []

    if look == "start":
        reconcile(tell_nobody)
    else:
        go_on_with_dead_run()

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE
    assert names_in(world.data_dir / "staging") == []
