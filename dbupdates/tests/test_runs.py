"""A run's life: progress, the end that somebody asks for, the end nobody foresaw."""

import threading
import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from dbupdates import runs, store
from dbupdates.exceptions import TooLateToCancel
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import CANCELLABLE, IN_PROGRESS, SWAP, Phase, Progress
from dbupdates.tests.conftest import ASKER, IMPATIENT, names_in
from dbupdates.tests.updating import NEW, OLD, active_version, log_of, update
from dbupdates.updates import request_import, request_update
from stashsense import stopping

WORKING = [phase for phase in CANCELLABLE if phase != Phase.QUEUED]


@pytest.fixture
def builder(large_builder):
    return large_builder


def assert_nothing_happened(world):
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == []
    assert names_in(world.data_dir / "releases") == [OLD]


@pytest.mark.parametrize("phase", WORKING)
def test_a_cancel_is_obeyed_in_every_phase_before_the_swap(
    preparing, world, published, phase
):
    run = request_update(asker=ASKER)
    asked_at: list[float] = []

    def cancel(progress):
        if progress.phase == phase and not asked_at:
            runs.cancel_run(UpdateRun.objects.get(), asker=ASKER)
            asked_at.append(time.monotonic())

    execute_run(run.pk, listener=cancel, patience=IMPATIENT)

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert time.monotonic() - asked_at[0] < 2
    assert "Cancelled by api" in log_of(run)
    assert_nothing_happened(world)
    assert DatabaseRelease.objects.get(version=NEW).status == "available"
    assert update().phase == Phase.COMPLETE


@pytest.fixture
def held_staging(world, monkeypatch):
    """Hold what a deletion of files holds; return what is done at the first pause."""
    at_pause: list[Any] = []
    real_pause = runs.RunningUpdate.pause

    def pause(running, seconds):
        while at_pause:
            at_pause.pop()()
        real_pause(running, seconds)

    monkeypatch.setattr(runs.RunningUpdate, "pause", pause)
    with ExitStack() as held:
        held.enter_context(store.exclusive())
        at_pause.append(held.close)
        yield at_pause


def test_a_run_waits_until_files_have_been_deleted(published, held_staging):
    run = update()

    assert (run.phase, run.error) == (Phase.COMPLETE, "")
    assert "waits for that" in log_of(run)
    assert active_version() == NEW


def test_an_import_waits_too(world, archive, held_staging):
    run = request_import(archive, asker=ASKER, is_activating=True)

    execute_run(run.pk)

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE
    assert active_version() == NEW


def test_a_cancel_is_obeyed_while_a_run_waits(world, published, held_staging):
    held_staging[:] = [lambda: runs.cancel_run(UpdateRun.objects.get(), asker=ASKER)]

    run = update()

    assert run.phase == Phase.CANCELLED
    assert_nothing_happened(world)


@pytest.mark.django_db(transaction=True)
def test_a_cancel_is_obeyed_while_the_server_says_nothing(world, published):
    published.faults.stall_after_bytes = 100_000
    run = request_update(asker=ASKER)
    pause = threading.Event()

    def cancel_once_it_stalls():
        while not UpdateRun.objects.filter(done_bytes__gt=0).exists():
            assert not pause.wait(0.02)
        runs.cancel_run(UpdateRun.objects.get(), asker=ASKER)
        connection.close()

    canceller = threading.Thread(target=cancel_once_it_stalls)
    canceller.start()
    execute_run(run.pk)
    canceller.join()

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert_nothing_happened(world)


@pytest.mark.parametrize("phase", WORKING)
def test_a_stop_of_the_service_keeps_what_was_fetched(
    preparing, world, published, phase, monkeypatch
):
    run = request_update(asker=ASKER)
    is_stopping: list[bool] = []
    monkeypatch.setattr(stopping, "is_asked", lambda: bool(is_stopping))

    def stop(progress):
        # At once, but for the download, of which there is to be something.
        if progress.phase == phase and (
            progress.done_bytes or phase != Phase.DOWNLOADING
        ):
            is_stopping.append(True)

    execute_run(run.pk, listener=stop, patience=IMPATIENT)

    run.refresh_from_db()
    assert (run.phase, run.error_code) == (Phase.FAILED, "update_interrupted")
    assert run.is_resumable
    assert active_version() == OLD
    assert names_in(world.data_dir / "staging") == [f"update-{run.job_id}"]
    is_stopping.clear()
    before = published.sent_archive_bytes
    assert update().phase == Phase.COMPLETE
    if phase not in (Phase.MODELS, Phase.DOWNLOADING):
        # The tail of the archive is asked for anew, to see that it is the same.
        assert published.sent_archive_bytes - before <= 2 * 65536


@pytest.mark.parametrize(
    "phase", [Phase.SWAPPING, Phase.RELOADING, Phase.COMPLETE, Phase.FAILED]
)
def test_what_has_begun_to_swap_or_has_ended_is_not_cancelled(world, phase):
    run = UpdateRun.objects.create(kind="activation", asked_by="api", phase=phase)

    with pytest.raises(TooLateToCancel, match=f"is {phase}, too late"):
        runs.cancel_run(run, asker=ASKER)

    run.refresh_from_db()
    assert (run.phase, run.is_cancel_asked) == (phase, False)


def test_a_cancel_that_comes_just_before_the_swap_wins(world, published, monkeypatch):
    real_enter = runs.RunningUpdate.enter

    def enter(running, phase):
        if phase == Phase.SWAPPING:
            runs.cancel_run(UpdateRun.objects.get(pk=running.run.pk), asker=ASKER)
        real_enter(running, phase)

    monkeypatch.setattr(runs.RunningUpdate, "enter", enter)

    run = update()

    assert run.phase == Phase.CANCELLED
    assert active_version() == OLD


@pytest.mark.parametrize("phase", IN_PROGRESS)
def test_the_database_allows_one_run_in_progress(world, phase):
    UpdateRun.objects.create(kind="import", asked_by="api", phase=phase)
    UpdateRun.objects.create(kind="import", asked_by="api", phase=Phase.FAILED)

    with pytest.raises(IntegrityError), transaction.atomic():
        UpdateRun.objects.create(kind="download", asked_by="api")


def test_an_error_that_nobody_foresaw_is_written_and_raised(
    world, published, monkeypatch, caplog
):
    def broken(*_, **__):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("dbupdates.execution.stage_release", broken)
    run = request_update(asker=ASKER)

    with pytest.raises(ZeroDivisionError):
        execute_run(run.pk, patience=IMPATIENT)

    run.refresh_from_db()
    assert (run.phase, run.error) == (
        Phase.FAILED,
        "ZeroDivisionError; the log says more.",
    )
    assert "secret detail" in caplog.text
    assert active_version() == OLD
    assert not store.is_run_held(run.job_id)


def test_a_run_that_gets_no_folder_fails_and_does_not_stand_in_the_way(
    world, published
):
    run = request_update(asker=ASKER)
    staging_dir = world.data_dir / "staging"
    staging_dir.write_bytes(b"in the way")

    execute_run(run.pk)

    run.refresh_from_db()
    assert run.phase == Phase.FAILED
    assert "staging" in run.error
    assert active_version() == OLD
    staging_dir.unlink()
    assert update().phase == Phase.COMPLETE


@pytest.mark.parametrize("phase", SWAP)
def test_a_swap_that_gets_no_folder_is_finished_once_there_is_one(
    world, published, phase, die
):
    run = die(request_update(asker=ASKER), phase)
    staging_dir = world.data_dir / "staging"
    staging_dir.rename(world.data_dir / "elsewhere")
    staging_dir.write_bytes(b"in the way")

    execute_run(run.pk)

    run.refresh_from_db()
    assert (run.phase, run.attempt_count) == (phase, 1)
    staging_dir.unlink()
    execute_run(run.pk)
    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE
    assert active_version() == NEW


def test_a_time_limit_of_the_background_is_written_too(world, published, monkeypatch):
    # django-q2's is no Exception.
    def too_long(*_, **__):
        raise SystemExit("timed out")

    monkeypatch.setattr("dbupdates.execution.stage_release", too_long)
    run = request_update(asker=ASKER)

    with pytest.raises(SystemExit):
        execute_run(run.pk, patience=IMPATIENT)

    run.refresh_from_db()
    assert (run.phase, run.is_resumable) == (Phase.FAILED, True)


def test_progress_is_told_in_the_row(world, published, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_SECONDS", 0)
    seen = []
    run = request_update(asker=ASKER)

    def look(progress):
        row = UpdateRun.objects.get()
        seen.append((row.phase, row.percent, row.done_bytes, row.total_bytes))

    execute_run(run.pk, listener=look, patience=IMPATIENT)

    phases = [*dict.fromkeys(phase for phase, *_ in seen)]
    assert phases == [Phase.DOWNLOADING, Phase.EXTRACTING, Phase.VERIFYING]
    percents = [percent for _, percent, *_ in seen]
    assert percents == sorted(percents)
    assert all(done <= total for *_, done, total in seen)
    assert any(0 < done < total for *_, done, total in seen)


def test_the_time_left_follows_from_the_rate(world):
    run = UpdateRun(phase=Phase.DOWNLOADING, done_bytes=250, total_bytes=1000)
    assert run.seconds_left is None

    run.bytes_per_second = 50.0
    assert run.seconds_left == 15

    run.phase = Phase.COMPLETE
    assert run.seconds_left is None


def test_the_rate_is_that_of_the_last_seconds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    rate = runs._Rate()

    for second in range(60):
        now[0] = second
        rate.see(1000 * second)

    assert rate.bytes_per_second == pytest.approx(1000)


def test_a_listener_hears_of_every_step(world, published):
    heard: list[Progress] = []
    run = request_update(asker=ASKER)

    execute_run(run.pk, listener=heard.append, patience=IMPATIENT)

    assert all(isinstance(each, Progress) for each in heard)
    assert {each.phase for each in heard} == {
        Phase.DOWNLOADING,
        Phase.EXTRACTING,
        Phase.VERIFYING,
    }
