"""The end of an update: every process serves the release, or none keeps it."""

import re

import pytest

from dbupdates import store, swap
from dbupdates.exceptions import InsufficientMemory, UpdateInProgress
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease
from dbupdates.progress import Phase
from dbupdates.services import import_release, purge_old_releases, purge_release
from dbupdates.tests.builder import ReleaseBuilder
from dbupdates.tests.conftest import ASKER, follower, names_in, serving
from dbupdates.tests.updating import NEW, OLD, active_version, log_of, update
from dbupdates.updates import request_activation
from stashsense.tests import databases


def test_a_run_is_complete_when_every_process_serves_the_release(
    world, published, processes
):
    processes[1], processes[2] = follower(1), follower(2)

    run = update()

    assert run.phase == Phase.COMPLETE
    assert (run.ready_count, run.process_count) == (2, 2)


def test_a_process_that_has_unloaded_follows_without_loading(
    world, published, processes
):
    processes[1], processes[2] = follower(1), follower(2, is_unloaded=True)

    run = update()

    assert run.phase == Phase.COMPLETE
    assert (run.ready_count, run.process_count) == (2, 2)
    assert "1 of 2 processes have nothing loaded" in log_of(run)
    assert "1 of 2 processes serve it; each loaded it beside" in log_of(run)


def test_a_process_that_has_unloaded_holds_no_memory_that_it_could_let_go(
    world, archive, processes
):
    version = import_release(archive).version
    files = store.iter_file_paths(version)
    sizes = {name: path.stat().st_size for name, path in files}
    # Enough together with what a process holds that serves a release as large.
    free = {"available_memory_bytes": swap.index_bytes(sizes) // 2}
    noted: list[str] = []
    processes[1] = serving(version, **free)
    swap.require_memory(sizes, noted.append)
    assert "lets go of that first" in noted[0]

    processes[1] = serving(version, **free, is_unloaded=True)

    with pytest.raises(InsufficientMemory):
        swap.require_memory(sizes, noted.append)


def test_a_process_that_cannot_load_it_brings_the_former_release_back(
    world, published, processes
):
    def fails_on_the_new_one():
        if active_version() == NEW:
            return serving(OLD, pid=2, failed_version=NEW, problem="out of paper")
        return serving(active_version(), pid=2)

    processes[1], processes[2] = follower(1), fails_on_the_new_one

    run = update()

    assert run.phase == Phase.FAILED
    assert run.error_code == "swap_failed"
    assert re.search(
        r"web:2 cannot serve it: out of paper\. Release 2026\.01\.01 is active",
        run.error,
    )
    assert active_version() == OLD
    assert DatabaseRelease.objects.get(version=NEW).status == "retired"
    assert names_in(world.data_dir / "staging") == []


@pytest.mark.parametrize("needed", [OLD, NEW])
def test_what_a_swap_may_need_is_not_deleted(world, published, processes, needed):
    def somebody_deletes():
        if active_version() == NEW:
            with pytest.raises(UpdateInProgress):
                purge_release(DatabaseRelease.objects.get(version=needed))
            assert purge_old_releases(kept_count=0) == []
            return serving(OLD, failed_version=NEW, problem="out of paper")
        return serving(active_version())

    processes[1] = somebody_deletes

    run = update()

    assert run.phase == Phase.FAILED
    assert active_version() == OLD
    assert names_in(world.data_dir / "releases") == [OLD, NEW]


def test_a_release_that_waits_to_be_activated_is_not_deleted(world, published):
    update()
    old = DatabaseRelease.objects.get(version=OLD)
    run = request_activation(old, asker=ASKER)

    with pytest.raises(
        UpdateInProgress, match=rf"2026\.01\.01 is needed .*{run.job_id}"
    ):
        purge_release(old)

    execute_run(run.pk)
    assert active_version() == OLD
    purge_release(DatabaseRelease.objects.get(version=NEW))
    assert names_in(world.data_dir / "releases") == [OLD]


@databases.one_host
def test_why_a_release_cannot_be_served_is_told_even_when_there_is_no_way_back(
    world, published, processes
):
    def lose_the_former_one():
        if active_version() == NEW:
            if store.has_release(OLD):
                store.remove(OLD)
            return serving(OLD, failed_version=NEW, problem="out of paper")
        return serving(active_version())

    processes[1] = lose_the_former_one

    run = update()

    assert (run.phase, run.error_code) == (Phase.FAILED, "swap_failed")
    assert re.search(
        r"cannot serve it: out of paper\. Going back to release 2026\.01\.01 failed "
        r"too: The files of release 2026\.01\.01 are gone",
        run.error,
    )
    assert active_version() == NEW
    assert names_in(world.data_dir / "staging") == []


def test_a_first_release_that_cannot_be_served_leaves_none_active(
    world, published, processes
):
    DatabaseRelease.objects.filter(version=OLD).delete()
    processes[1] = lambda: serving("", failed_version=NEW, problem="no")

    run = update()

    assert run.phase == Phase.FAILED
    assert active_version() is None
    assert DatabaseRelease.objects.get(version=NEW).status == "staged"


def test_a_process_that_never_answers_is_not_waited_for_without_end(
    world, published, processes, monkeypatch
):
    monkeypatch.setattr("dbupdates.swap.RELOAD_SECONDS", 0.05)
    processes[1] = serving(OLD)

    run = update()

    assert run.phase == Phase.FAILED
    assert "0 of 1 processes serve it" in run.error
    assert active_version() == OLD


def test_processes_that_unload_first_are_told_of(world, published, processes):
    processes[1] = follower(1, has_unloaded_first=True)

    run = update()

    assert "let go of the former release first" in log_of(run)


def test_rolling_back_is_a_run_too(world, published):
    update()

    run = request_activation(DatabaseRelease.objects.get(version=OLD), asker=ASKER)
    execute_run(run.pk)

    run.refresh_from_db()
    assert (run.kind, run.phase) == ("activation", Phase.COMPLETE)
    assert active_version() == OLD


def test_the_releases_before_the_former_one_are_deleted(world, simulator, inbox):
    for day in (18, 19, 20):
        version = f"2026.02.{day}"
        builder = ReleaseBuilder(version, seed=day)
        simulator.publish(version, builder.write_zip(inbox))
        assert update(version).phase == Phase.COMPLETE

    assert names_in(world.data_dir / "releases") == ["2026.02.19", "2026.02.20"]
    assert dict(DatabaseRelease.objects.values_list("version", "status")) == {
        "2026.02.20": "active",
        "2026.02.19": "retired",
        "2026.02.18": "purged",
        OLD: "purged",
    }
