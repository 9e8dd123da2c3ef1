"""Runs of analyses: begun when there is room, worked at in slices, stopped, gone on."""

import os
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection

from recommendations import execution, runs
from recommendations.analyzers.base import Resource, Step
from recommendations.exceptions import (
    AnalysisInProgress,
    AnalysisNotEnded,
    UnknownAnalysis,
)
from recommendations.models import AnalysisRun, Recommendation
from recommendations.tests.analyses import (
    ASKER,
    ListAnalyzer,
    ask,
    ended,
    finding,
    queued_tasks,
    work,
)
from recommendations.tests.holding import hold_by
from stashsense import stopping
from stashsense.integrations.stash_errors import StashNotConfigured, StashUnreachable

State = AnalysisRun.State

pytestmark = pytest.mark.django_db(transaction=True)


def targets(status="pending"):
    rows = Recommendation.objects.filter(status=status).order_by("pk")
    return [row.target_id for row in rows]


def test_what_an_analysis_finds_is_recommended_once_it_is_found(stash, registered):
    seen = []
    registered(ListAnalyzer(["1", lambda _: seen.append(targets()), "2"]))

    run = ended(ask())

    assert seen == [["1"]]
    assert targets() == ["1", "2"]
    assert run.state == State.COMPLETED
    assert (run.total_count, run.done_count) == (3, 3)
    assert (run.found_count, run.created_count) == (2, 2)
    assert run.percent == 100


def test_a_run_is_worked_at_in_slices_and_goes_on_where_it_was(stash, registered):
    analyzer = ListAnalyzer(["1", "2", "3"])
    registered(analyzer)

    run = ended(ask(), seconds=0)

    assert analyzer.began == [0, 1, 2, 3]
    assert targets() == ["1", "2", "3"]
    assert run.created_count == 3


def test_a_slice_lasts_for_its_time_after_an_analysis_got_ready(
    stash, registered, monkeypatch
):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Ready(ListAnalyzer):
        def analyze(self, work):
            clock[0] += 60
            yield from super().analyze(work)

    analyzer = Ready(["1", "2", "3"])
    registered(analyzer)

    ended(ask(), seconds=20)

    assert analyzer.began == [0]


def test_a_second_pass_keeps_ids_and_resolves_what_is_gone(stash, registered):
    registered(ListAnalyzer(["1", "2"]))
    ended(ask())
    ids = {row.target_id: row.pk for row in Recommendation.objects.all()}
    registered(ListAnalyzer(["2", "3"]))

    run = ended(ask())

    assert targets() == ["2", "3"]
    assert Recommendation.objects.get(target_id="2").pk == ids["2"]
    gone = Recommendation.objects.get(target_id="1")
    assert (gone.status, gone.resolution_action) == ("resolved", "auto_resolved")
    assert (run.found_count, run.created_count) == (2, 1)


def test_what_was_found_survives_a_run_that_fails_and_nothing_is_swept(
    stash, registered
):
    registered(ListAnalyzer(["1", "2"]))
    ended(ask())

    def fail(_):
        raise StashUnreachable("Stash cannot be reached.")

    registered(ListAnalyzer(["3", fail, "1"]))
    run = ended(ask())

    assert run.state == State.FAILED
    assert (run.error, run.error_code) == (
        "Stash cannot be reached.",
        "stash_unreachable",
    )
    assert targets() == ["1", "2", "3"]


def test_a_failed_run_is_tried_again_from_its_cursor(stash, registered):
    def fail(_):
        raise StashUnreachable("Stash cannot be reached.")

    registered(ListAnalyzer(["1", fail, "2"]))
    failed = ended(ask())
    analyzer = ListAnalyzer(["1", lambda _: None, "2"])
    registered(analyzer)

    again = ended(runs.retry_run(failed, asker=ASKER))

    assert again.state == State.COMPLETED
    assert analyzer.began == [1]
    # What the first attempt found belongs to the pass and is not swept.
    assert targets() == ["1", "2"]
    with pytest.raises(AnalysisNotEnded):
        runs.retry_run(again, asker=ASKER)


def test_a_mistake_of_ours_fails_the_run_and_is_raised(stash, registered, caplog):
    def fail(_):
        raise ZeroDivisionError

    registered(ListAnalyzer(["1", fail]))
    run = ask()

    with pytest.raises(ZeroDivisionError):
        work(run)

    run.refresh_from_db()
    assert (run.state, run.error) == (
        State.FAILED,
        "ZeroDivisionError; the log says more.",
    )
    assert targets() == ["1"]


def test_a_stop_ends_the_run_at_once_and_keeps_what_was_found(stash, registered):
    def stop(_):
        runs.stop_run(run)

    registered(ListAnalyzer(["1", stop, "2"]))
    run = ask()

    work(run)

    assert run.state == State.CANCELLED
    assert targets() == ["1"]
    assert not runs.stop_run(run)


def test_a_stop_is_seen_by_a_long_step_within_seconds(stash, registered):
    begun, left = threading.Event(), threading.Event()

    def long_step(work):
        begun.set()
        try:
            while not left.wait(0.01):
                work.check()
        finally:
            left.set()

    registered(ListAnalyzer([long_step, "2"]))
    run = ask()

    def work_there():
        try:
            execution.work_at_slice(run.pk, 1)
        finally:
            connection.close()

    worker = threading.Thread(target=work_there)
    worker.start()
    begun.wait(5)
    runs.stop_run(run)

    assert left.wait(5)
    worker.join()
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert targets() == []


def test_a_stop_is_seen_while_stash_does_not_answer(stash, registered):
    begun, left = threading.Event(), threading.Event()

    def ask_stash(work):
        begun.set()
        try:
            work.stash.get_version()
        finally:
            left.set()

    registered(ListAnalyzer([ask_stash]))
    run = ask()
    stash.faults.hang = True

    def work_there():
        try:
            execution.work_at_slice(run.pk, 1)
        finally:
            connection.close()

    worker = threading.Thread(target=work_there)
    worker.start()
    begun.wait(5)
    runs.stop_run(run)

    assert left.wait(5)
    worker.join()
    stash.faults.hang = False


def test_a_stopped_service_leaves_the_run_for_the_next_start(
    stash, registered, monkeypatch
):
    def stop_service(_):
        monkeypatch.setattr(stopping, "is_asked", lambda: True)

    analyzer = ListAnalyzer(["1", stop_service, "2"])
    registered(analyzer)
    run = work(ask())
    assert (run.state, run.held_until) == (State.RUNNING, None)
    monkeypatch.undo()
    registered(analyzer)
    analyzer.items[1] = "middle"

    runs.look_after_runs()
    run = ended(run)

    assert run.state == State.COMPLETED
    assert targets() == ["1", "middle", "2"]


def test_a_run_whose_process_died_goes_on_and_is_given_up_after_three_deaths(
    stash, registered
):
    registered(ListAnalyzer(["1"]))
    run = ask()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for _ in range(execution.MAX_DEATHS):
        hold_by(run, dead.pid)
        runs.look_after_runs()

    run = work(run)

    assert run.state == State.FAILED
    assert "died 3 times" in run.error


def test_a_run_that_is_held_is_not_worked_at_twice(stash, registered):
    analyzer = ListAnalyzer(["1"])
    registered(analyzer)
    run = ask()
    hold_by(run, os.getpid())

    execution.work_at_slice(run.pk, run.slice_number)
    runs.look_after_runs()

    assert analyzer.began == []
    assert AnalysisRun.objects.get().slice_number == run.slice_number


def test_a_slice_that_was_overtaken_does_nothing(stash, registered):
    analyzer = ListAnalyzer(["1"])
    registered(analyzer)
    run = ask()

    execution.work_at_slice(run.pk, run.slice_number - 1)

    assert analyzer.began == []


def test_one_run_of_a_type_goes_on_at_a_time(stash, registered):
    registered(ListAnalyzer())
    first = ask()

    with pytest.raises(AnalysisInProgress):
        ask()

    assert AnalysisRun.objects.get() == first


def test_an_unknown_type_and_a_missing_stash_are_refused(stash, registered, settings):
    registered(ListAnalyzer())

    with pytest.raises(UnknownAnalysis, match="list"):
        ask("nonsense")
    settings.STASH_URL = ""
    with pytest.raises(StashNotConfigured):
        ask()

    assert not AnalysisRun.objects.exists()


def test_runs_of_a_resource_are_bounded_and_the_urgent_ones_begin_first(
    stash, registered
):
    names = ["a", "b", "c", "d"]
    registered(*(ListAnalyzer(type=name, resource=Resource.NETWORK) for name in names))
    all_of_them = {name: ask(name) for name in names[:3]}
    all_of_them["d"] = ask("d", priority=1)

    states = {name: run_state(run) for name, run in all_of_them.items()}
    assert states == {"a": "running", "b": "running", "c": "queued", "d": "queued"}

    ended(all_of_them["a"])

    assert run_state(all_of_them["d"]) == "running"
    assert run_state(all_of_them["c"]) == "queued"
    assert all(name == runs.TASK for name, _ in queued_tasks())


def run_state(run):
    run.refresh_from_db()
    return run.state


def test_a_queued_run_that_is_stopped_never_begins(stash, registered):
    registered(*(ListAnalyzer(type=name, resource=Resource.GPU) for name in "ab"))
    first, second = ask("a"), ask("b")

    runs.stop_run(second)
    ended(first)

    assert run_state(second) == "cancelled"
    assert second.started_at is None


def test_a_failing_store_leaves_neither_findings_nor_progress(stash, registered):
    broken = finding("2")
    object.__setattr__(broken, "confidence", 7.0)
    registered(ListAnalyzer(["1", broken]))
    run = ask()

    with pytest.raises(Exception, match="confidence"):
        work(run)

    run.refresh_from_db()
    assert (run.done_count, run.cursor) == (1, {"place": 1})
    assert targets() == ["1"]


def test_an_old_run_that_is_tried_again_resolves_nothing_a_newer_one_saw(
    stash, registered
):
    def fail(_):
        raise StashUnreachable("Stash cannot be reached.")

    registered(ListAnalyzer(["1", fail, "2"]))
    old = ended(ask())
    registered(ListAnalyzer(["1", "2"]))
    ended(ask())

    registered(ListAnalyzer(["1", lambda _: None, "2"]))
    ended(runs.retry_run(old, asker=ASKER))

    assert targets() == ["1", "2"]


def test_deaths_are_counted_until_a_step_that_can_be_gone_on_from(stash, registered):
    class Endless(ListAnalyzer):
        def analyze(self, work):
            yield Step(done_count=1, total_count=2)
            deaths.append(work_rows.get().death_count)
            yield Step(cursor={"place": 1})

    work_rows = AnalysisRun.objects
    deaths: list[int] = []
    registered(Endless())
    run = ask()
    run.rows_in_progress.update(death_count=2)

    run = ended(run)

    assert deaths == [2]
    assert run.death_count == 0
