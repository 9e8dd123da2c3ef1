"""Tasks as Stash runs them: progress and log on stderr, and SIGKILL for a stop."""

import json
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from dbupdates.models import UpdateRun
from dbupdates.tests.conftest import (  # noqa: F401
    archive,
    builder,
    data_dir,
    inbox,
    published,
    simulator,
)
from plugin.stash_sense import work as work_module
from plugin.stash_sense.refusals import SidecarUnreachable
from plugin.stash_sense.sidecar import Sidecar
from plugin.stash_sense.stash import Settings
from plugin.stash_sense.tasks import match_again
from plugin.stash_sense.work import Work
from plugin.tests.conftest import answering, hang_up
from recognition import library_runs
from recognition.models import LibraryRun
from recognition.tests.library_world import ASKER, work
from recommendations.models import AnalysisRun
from recommendations.tests.analyses import ListAnalyzer, ask
from recommendations.tests.conftest import registered  # noqa: F401
from stashsense.tests.waiting import wait_until

PATIENCE_SECONDS = 60


class Task:
    """One start of a task, with what it tells while it goes on."""

    def __init__(self, process):
        self.process = process
        self.progress, self.logged = [], []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                told = line.decode("ascii")
                assert (told[0], told[2]) == ("\x01", "\x02")
                if told[1] == "p":
                    self.progress.append(float(told[3:]))
                else:
                    self.logged.append((told[1], told[3:].rstrip()))

    def stop(self):
        """Do as Stash does when the user stops it."""
        self.process.send_signal(signal.SIGKILL)

    def ended(self):
        """Return what Stash reads; its end comes with the process's own."""
        with self.process.stdout as stdout:
            written = stdout.read()
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert not self._reader.is_alive()
        return json.loads(written) if written else None

    def is_over(self):
        return self.process.poll() is not None


@pytest.fixture
def task(backend):
    started = []

    def start(mode):
        started.append(Task(backend.start(mode)))
        return started[-1]

    yield start
    for each in started:
        if not each.is_over():
            each.stop()
            each.ended()


@contextmanager
def background(task):
    """Do what is queued as long as the task goes on."""
    while not task.is_over():
        # What a test breaks on purpose.
        with suppress(ZeroDivisionError):
            work()
        time.sleep(0.02)
    yield task.ended()


def test_all_analyses_run_one_after_the_other(sidecar, registered, task):  # noqa: F811
    registered(ListAnalyzer("ab", type="one"), ListAnalyzer("cd", type="two"))

    started = task("task_run_analyses")
    with background(started) as answer:
        assert answer == {"output": "All 2 analyses are done."}

    first, second = AnalysisRun.objects.order_by("pk")
    assert (first.type, second.type) == ("one", "two")
    assert first.ended_at is not None
    assert first.ended_at <= second.created_at
    assert {first.asked_by, second.asked_by} == {"plugin"}
    assert started.progress == sorted(started.progress)
    assert 0.5 in started.progress
    assert ("i", "List begins.") in started.logged


def test_an_analysis_that_fails_keeps_no_other_back(sidecar, registered, task):  # noqa: F811
    def fail(work):
        raise ZeroDivisionError

    registered(ListAnalyzer([fail], type="one"), ListAnalyzer("c", type="two"))

    started = task("task_run_analyses")
    with background(started) as answer:
        assert answer["error"].startswith("1 of 2 analyses failed: List.")

    states = AnalysisRun.objects.order_by("pk").values_list("state", flat=True)
    assert [*states] == ["failed", "completed"]
    assert any(level == "e" for level, _ in started.logged)


def test_a_stop_in_stash_stops_what_the_task_began(sidecar, registered, task):  # noqa: F811
    registered(ListAnalyzer("ab", type="one"))
    started = task("task_run_analyses")
    wait_until(lambda: AnalysisRun.objects.exists(), within=PATIENCE_SECONDS)

    started.stop()

    # Nothing holds on to what Stash reads.
    begun_at = time.monotonic()
    assert started.ended() is None
    assert time.monotonic() - begun_at < 5
    wait_until(
        lambda: AnalysisRun.objects.get().state == AnalysisRun.State.CANCELLED,
        within=PATIENCE_SECONDS,
    )


def test_what_went_on_before_is_followed_and_not_stopped(sidecar, registered, task):  # noqa: F811
    registered(ListAnalyzer("ab", type="one"))
    run = ask("one")
    started = task("task_run_analyses")
    goes_on = ("i", "This goes on already, and is followed.")
    wait_until(lambda: goes_on in started.logged, within=PATIENCE_SECONDS)

    started.stop()
    started.ended()
    again = task("task_run_analyses")
    wait_until(lambda: goes_on in again.logged, within=PATIENCE_SECONDS)
    run.refresh_from_db()
    assert run.is_in_progress

    with background(again) as answer:
        assert answer == {"output": "All 1 analyses are done."}


def test_every_scene_is_looked_at_and_then_listed(sidecar, registered, task):  # noqa: F811
    registered(ListAnalyzer("ab", type="unidentified_scenes"))
    started = task("task_identify_scenes")
    (run,) = wait_until(lambda: [*LibraryRun.objects.all()], within=PATIENCE_SECONDS)

    LibraryRun.objects.update(total_count=4, done_count=2)
    wait_until(
        lambda: any(0.4 < each < 0.6 for each in started.progress),
        within=PATIENCE_SECONDS,
    )
    library_runs.end_run(run, LibraryRun.State.COMPLETE)

    with background(started) as answer:
        assert answer == {"output": "0 identified, 0 failed, 0 were known or parked."}
    assert (run.kind, run.asked_by) == ("identify", "plugin")
    assert AnalysisRun.objects.get().state == AnalysisRun.State.COMPLETED


@pytest.mark.parametrize("mode", ["task_identify_scenes", "task_match_again"])
def test_a_stop_ends_that_run_through_the_library_alone(sidecar, task, mode):
    other = library_runs.queue_run(LibraryRun.Kind.LOCAL, asker=ASKER)
    started = task(mode)
    wait_until(lambda: LibraryRun.objects.count() == 2, within=PATIENCE_SECONDS)

    started.stop()
    started.ended()

    wait_until(
        lambda: LibraryRun.objects.filter(state="cancelled").count() == 1,
        within=PATIENCE_SECONDS,
    )
    other.refresh_from_db()
    assert other.is_in_progress


def test_a_run_that_is_stopped_elsewhere_is_told(sidecar, task):
    started = task("task_match_again")
    (run,) = wait_until(lambda: [*LibraryRun.objects.all()], within=PATIENCE_SECONDS)

    library_runs.stop_run(run)

    answer = started.ended()
    assert answer == {"error": "Matching again was stopped in Stash Sense."}


def test_a_feed_that_cannot_be_read_is_told(sidecar, task, settings):
    settings.RELEASE_FEED = "http://127.0.0.1:9/feed"

    answer = task("task_update_database").ended()

    assert answer["error"].startswith("It is not known whether there is one")


def test_an_update_is_fetched_and_a_stop_cancels_it(sidecar, published, task):  # noqa: F811
    started = task("task_update_database")
    run = wait_until(lambda: UpdateRun.objects.first(), within=PATIENCE_SECONDS)

    started.stop()
    started.ended()

    wait_until(
        lambda: UpdateRun.objects.get(pk=run.pk).phase == "cancelled",
        within=PATIENCE_SECONDS,
    )
    assert run.asked_by == "plugin"


def test_an_update_that_fails_is_told_with_its_reason(sidecar, published, task):  # noqa: F811
    published.corrupt("2026.02.18", "faces.json")

    started = task("task_update_database")
    with background(started) as answer:
        assert answer["error"].startswith("The update failed: ")


RUN = {
    "id": 3, "kind": "rematch", "status": "complete", "progress_pct": 100,
    "message": None, "error_message": None,
}  # fmt: skip


def test_a_swap_in_between_is_waited_out(stranger, task):
    answers = [
        answering(b'{"detail": "A swap.", "code": "database_updating"}', status=503),
        answering(b'{"job_id": 3, "message": "Begun."}'),
        answering(b"<html>bad gateway</html>", status=502),
        answering(json.dumps({"status": "healthy", "database_loaded": True}).encode()),
        answering(json.dumps(RUN).encode()),
    ]
    host = stranger(lambda handler: answers.pop(0)(handler))

    started = task("task_match_again")
    answer = started.ended()

    assert answer == {"output": "All that is kept was matched with the active release."}
    assert [method for method, *_ in host.asked] == [
        "POST",
        "POST",
        "GET",
        "GET",
        "GET",
    ]
    assert [text for level, text in started.logged if level == "w"]


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_was_broken_off_is_looked_for_and_not_begun_twice(stranger, task, goes_on):
    latest = [{**RUN, "status": "running"}] if goes_on else []
    answers = [
        hang_up,
        answering(json.dumps({"runs": latest}).encode()),
        answering(json.dumps(RUN).encode()),
    ]
    host = stranger(lambda handler: answers.pop(0)(handler))

    answer = task("task_match_again").ended()

    assert ("output" in answer) == goes_on
    asked = [method for method, *_ in host.asked]
    assert asked == ["POST", "GET", "GET"][: 3 if goes_on else 2]


def test_a_sidecar_that_stays_away_is_given_up(monkeypatch):
    monkeypatch.setattr(work_module, "_PATIENCE_SECONDS", 0.5)
    settings = Settings("http://127.0.0.1:9", None, None, False)
    told: list[Any] = []
    waiting = Work(
        Sidecar(settings),
        threading.Event(),
        told.append,
        lambda *line: told.append(line),
    )

    with pytest.raises(SidecarUnreachable):
        match_again(waiting)

    assert len(told) == 1


def test_a_task_without_stash_is_told_at_the_top(backend, stash):
    backend.set(sidecarUrl="ftp://a")

    assert "http or https" in backend.run("task_run_analyses").answer["error"]
