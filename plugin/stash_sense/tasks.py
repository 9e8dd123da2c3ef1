"""The tasks of Stash's task list: what each does at the sidecar."""

from __future__ import annotations

from typing import Any, Callable

from .refusals import Refusal
from .work import Look, Undertaking, Work

_IDENTIFY, _REMATCH = "identify", "rematch"
_BEGIN_LIBRARY_RUN = {_IDENTIFY: "fp_generate", _REMATCH: "fp_rematch_library"}
_SUGGESTING = "unidentified_scenes"
# Of the bar: identification takes hours, putting it into words takes seconds.
_IDENTIFYING_SHARE = 0.97


class TaskFailed(Exception):
    """The task ended without its result; the text is for Stash's log."""


class LibraryRun(Undertaking):
    """Going through all of the library."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def begin(self, work: Work) -> Any:
        return work.ask(_BEGIN_LIBRARY_RUN[self._kind])["job_id"]

    def find(self, work: Work) -> Any:
        latest = work.ask("fp_runs", kind=self._kind, limit=1)["runs"]
        ids = [each["id"] for each in latest if each["status"] in ("queued", "running")]
        return ids[0] if ids else None

    def look(self, work: Work, run_id: Any) -> Look:
        run = work.ask("fp_run", run_id=run_id)
        state = run["status"]
        return Look(
            run["progress_pct"] / 100,
            "" if state in ("queued", "running") else state,
            run["message"] or "",
            run["error_message"] or "",
        )

    def stop(self, work: Work, run_id: Any) -> None:
        work.ask_for_end("fp_run_stop", run_id=run_id)


class DatabaseUpdate(Undertaking):
    """Fetching and serving the newest release."""

    _ENDED = ("complete", "failed", "cancelled")

    def begin(self, work: Work) -> Any:
        return work.ask("db_update")["job_id"]

    def find(self, work: Work) -> Any:
        latest = work.ask("db_update_status")
        return latest["job_id"] if self._state(latest) == "" else None

    def look(self, work: Work, run_id: Any) -> Look:
        run = work.ask("db_update_status", job_id=run_id)
        phase = run["phase"] or run["status"]
        return Look(
            run["progress_pct"] / 100,
            self._state(run),
            f"{run['target_version'] or 'The release'}: {phase}",
            run["error"] or "",
        )

    def stop(self, work: Work, run_id: Any) -> None:
        # The sidecar cancels whichever update goes on.
        latest = work.ask_for_end("db_update_status")
        if latest is not None and latest["job_id"] == run_id:
            work.ask_for_end("db_update_cancel")

    def _state(self, run: dict[str, Any]) -> str:
        phase = run.get("phase") or run.get("status") or "idle"
        return phase if phase in (*self._ENDED, "idle") else ""


class Analysis(Undertaking):
    """One of the analyses."""

    def __init__(self, type: str) -> None:
        self._type = type

    def begin(self, work: Work) -> Any:
        return work.ask("rec_run_analysis", analysis_type=self._type)["run_id"]

    def find(self, work: Work) -> Any:
        runs = work.ask("rec_analysis_runs", analysis_type=self._type, limit=1)
        ids = [each["id"] for each in runs if each["status"] in ("queued", "running")]
        return ids[0] if ids else None

    def look(self, work: Work, run_id: Any) -> Look:
        run = work.ask("rec_analysis_run", run_id=run_id)
        total, done = run["items_total"], run["items_processed"]
        state = run["status"]
        return Look(
            done / total if total else 0.0,
            "" if state in ("queued", "running") else state,
            run["message"] or "",
            run["error_message"] or "",
        )

    def stop(self, work: Work, run_id: Any) -> None:
        work.ask_for_end("queue_stop", job_id=run_id)


def identify_scenes(work: Work) -> str:
    """Look who is in the scenes that were not looked at, and list whom to add."""
    work.within(0.0, _IDENTIFYING_SHARE)
    look = _completed(work.follow(LibraryRun(_IDENTIFY)), "Identifying the scenes")
    work.within(_IDENTIFYING_SHARE, 1.0)
    _completed(work.follow(Analysis(_SUGGESTING)), "Listing who was seen")
    return look.text or "Every scene was looked at."


def update_database(work: Work) -> str:
    """Serve the newest release of performers and faces."""
    check = work.ask("db_check_update")
    if not check["update_available"]:
        if check["error"]:
            raise TaskFailed(f"It is not known whether there is one: {check['error']}")
        return f"Release {check['current_version'] or 'none'} is the newest there is."
    _completed(work.follow(DatabaseUpdate()), "The update")
    return f"Release {check['latest_version']} is served."


def match_again(work: Work) -> str:
    """Compare the faces that are kept with the active release."""
    look = _completed(work.follow(LibraryRun(_REMATCH)), "Matching again")
    return look.text or "All that is kept was matched with the active release."


def run_analyses(work: Work) -> str:
    """Run each analysis, one after the other; one that fails keeps none back."""
    types = work.ask("rec_analysis_types")["types"]
    failures = []
    for place, each in enumerate(types):
        name = each["display_name"]
        work.within(place / len(types), (place + 1) / len(types))
        work.log("i", f"{name} begins.")
        try:
            _completed(work.follow(Analysis(each["type"])), name)
        except (Refusal, TaskFailed) as failure:
            work.log("e", f"{name} failed: {failure}")
            failures.append(name)
    if failures:
        raise TaskFailed(
            f"{len(failures)} of {len(types)} analyses failed: {', '.join(failures)}."
            " The log says why."
        )
    return f"All {len(types)} analyses are done."


def _completed(look: Look, what: str) -> Look:
    """Return the look at a run that did its work; raises TaskFailed for another."""
    if look.state in ("complete", "completed"):
        return look
    if look.state == "cancelled":
        raise TaskFailed(f"{what} was stopped in Stash Sense.")
    raise TaskFailed(f"{what} failed: {look.error or 'no reason was given'}")


TASKS: dict[str, Callable[[Work], str]] = {
    "task_identify_scenes": identify_scenes,
    "task_update_database": update_database,
    "task_run_analyses": run_analyses,
    "task_match_again": match_again,
}
