"""A process that works at analyses as the background does, and tells what it took.

It is asked on its standard input, a line of JSON for each question, and answers with a
line on its standard output. So its memory is that of an analysis, and the stand-ins
that it asks are in another process.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from benchmarks.data_folder import ROOT
from benchmarks.memory import memory_of
from benchmarks.stages import StageClock, watch_nothing
from stashsense.processes import end_with_parent

WAITING, ANSWERING, READING = "waiting", "answering", "reading"
PAIRING, SCORING, STORING = "pairing", "scoring", "storing"
PEOPLE, DESCRIBING = "people", "describing"

_PEOPLE_A_TRANSACTION = 5_000
_FOUND_AT_ONCE = 2_000


class AnalysisProcess:
    """The process as its parent sees it; `analysis_process` starts one."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, what: str, **facts: Any) -> Any:
        """Return what the function of that name in this module answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, facts]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the analysing process ended")
        return json.loads(answer)


@contextmanager
def analysis_process(stash_url: str) -> Iterator[AnalysisProcess]:
    """Yield a fresh process with a database of its own, set to that Stash."""
    with tempfile.TemporaryDirectory(prefix="stash-sense-analysis-") as folder:
        environment = os.environ | {
            "DATA_DIR": folder,
            "STASH_URL": stash_url,
            "STASH_API_KEY": "",
            "STASH_SENSE_DEVICE": "cpu",
            "LOG_LEVEL": "warning",
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.analysis_process"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent,
        )
        with process:
            analyzing = AnalysisProcess(process)
            analyzing.ask("be_ready")
            yield analyzing
            assert process.stdin is not None
            process.stdin.close()


def be_ready(_clock: StageClock) -> int:
    """Return the process's number once it is set up."""
    return os.getpid()


def keep_people(_clock: StageClock, faces: Mapping[str, Mapping[str, int]]) -> int:
    """Store fingerprints of scenes, of who was seen in how many frames."""
    from recognition.models import Fingerprint, FingerprintPerson

    rest = iter(faces.items())
    while part := [*islice(rest, _PEOPLE_A_TRANSACTION)]:
        kept = Fingerprint.objects.bulk_create(
            Fingerprint(kind=Fingerprint.Kind.SCENE, stash_id=int(scene_id))
            for scene_id, _ in part
        )
        FingerprintPerson.objects.bulk_create(
            FingerprintPerson(
                fingerprint=row, number=number, frame_count=count, universal_id=who
            )
            for row, (_, counts) in zip(kept, part, strict=True)
            for number, (who, count) in enumerate(counts.items())
        )
    return len(faces)


def run(clock: StageClock, type: str, *, is_full: bool = False) -> dict[str, Any]:
    """Work at a run of the type until it is complete; return what that took."""
    from recommendations.models import AnalysisRun

    clock.restart()
    before = memory_of(os.getpid()).peak_bytes
    started = time.perf_counter()
    row = _asked(type, is_full=is_full)
    while row.is_in_progress:
        _work(row)
    seconds = time.perf_counter() - started
    if row.state != AnalysisRun.State.COMPLETED:
        raise RuntimeError(f"{row} is {row.state}: {row.error}")
    return {
        "seconds": seconds,
        "stages": dict(clock.seconds),
        "requests": clock.counts[ANSWERING],
        "peak_bytes": memory_of(os.getpid()).peak_bytes,
        "peak_bytes_before": before,
        "note": row.note,
    }


def stop(clock: StageClock, type: str, *, stage: str, after: float) -> dict[str, Any]:
    """Stop a run so many seconds after it came to a stage; return how long it took."""
    from django.db import connection

    from recommendations import runs
    from recommendations.models import AnalysisRun

    row = _asked(type, is_full=False)
    begun, stopped_at = threading.Event(), [0.0]

    def end() -> None:
        begun.wait()
        time.sleep(after)
        stopped_at[0] = time.perf_counter()
        runs.stop_run(AnalysisRun.objects.get(pk=row.pk))
        connection.close()

    stopper = threading.Thread(target=end, daemon=True)
    stopper.start()
    clock.on_begin = lambda name: begun.set() if name == stage else None
    _work(row)
    ended_at = time.perf_counter()
    clock.on_begin = watch_nothing
    begun.set()
    stopper.join()
    # One that ended by itself was before the stop.
    seconds = max(ended_at - stopped_at[0], 0.0)
    return {"state": row.state, "seconds": seconds}


def found(_clock: StageClock, type: str) -> list[dict[str, Any]]:
    """Return what is recommended now."""
    from recommendations.models import Recommendation

    rows = Recommendation.objects.filter(type=type).pending().order_by("pk")
    return [
        {"target_id": row.target_id, "confidence": row.confidence, **row.details}
        for row in rows.iterator(chunk_size=_FOUND_AT_ONCE)
    ]


def _asked(type: str, *, is_full: bool) -> Any:
    from recommendations import runs
    from recommendations.models import AnalysisRun
    from recommendations.runs import Asker

    return runs.request_run(
        type, asker=Asker(AnalysisRun.Asker.COMMAND), is_full=is_full
    )


def _work(row: Any) -> None:
    """Work at the slice that is awaited, as a task does."""
    from recommendations import execution

    row.refresh_from_db()
    execution.work_at_slice(row.pk, row.slice_number)
    row.refresh_from_db()


def _count_stages(clock: StageClock) -> None:
    """Have the clock count what analyses are made of."""
    from recommendations import execution
    from recommendations.analyzers import duplicate_scenes
    from stashsense.integrations import stash_transport, stashbox_transport
    from stashsense.integrations.rate_limiter import RateLimiter
    from stashsense.integrations.shared_rate_limiter import SharedRateLimiter
    from stashsense.integrations.stash_library import StashLibrary

    calls: list[tuple[Any, str, str]] = [
        (RateLimiter, "wait", WAITING),
        (SharedRateLimiter, "wait", WAITING),
        (stash_transport, "send_unless_stopped", ANSWERING),
        (stashbox_transport, "send_unless_stopped", ANSWERING),
        (duplicate_scenes, "find_candidates", PAIRING),
        (duplicate_scenes, "_faces", PEOPLE),
        (StashLibrary, "find_scene_rows", DESCRIBING),
        (execution, "_store", STORING),
    ]
    for owner, name, stage in calls:
        setattr(owner, name, clock.timed(stage, getattr(owner, name)))
    iterators: list[tuple[Any, str, str]] = [
        (StashLibrary, "iter_lean_scenes", READING),
        (duplicate_scenes, "iter_duplicates", SCORING),
    ]
    for owner, name, stage in iterators:
        setattr(owner, name, clock.timed_items(stage, getattr(owner, name)))


_ANSWERS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (be_ready, keep_people, run, stop, found)
}


def main() -> None:
    """Answer questions until there are no more."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    clock = StageClock()
    _count_stages(clock)
    for line in sys.stdin:
        what, facts = json.loads(line)
        print(json.dumps(_ANSWERS[what](clock, **facts)), flush=True)


if __name__ == "__main__":
    main()
