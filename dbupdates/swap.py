"""Changing which release is served, and seeing to it that every process follows.

Processes watch the active row and say what they serve. A swap is complete when every
live one serves the release; when one cannot, the former release is activated again.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NoReturn

from django.conf import settings

from dbupdates import store
from dbupdates.exceptions import InsufficientMemory, SwapFailed
from dbupdates.models import DatabaseRelease
from dbupdates.progress import SWAP, Phase
from dbupdates.runs import MAX_ATTEMPTS, RunningUpdate, told_of_deaths
from dbupdates.services import activate_release, deactivate_release, get_release
from dbupdates.signals import ServingReport, serving_reports
from stashsense.exceptions import StashSenseError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
# A published release loads in seconds from memory and in a minute from a slow disk; a
# process that takes longer than this hangs.
RELOAD_SECONDS = 300.0
# What a loaded index takes beyond its file, measured: links and tables.
INDEX_OVERHEAD = 1.1
_INDEX_SUFFIX = ".voy"


def swap_in(release: DatabaseRelease, running: RunningUpdate) -> None:
    """Activate the release and wait until every live process serves it.

    Raises SwapFailed after the former release was activated again; what
    `activate_release` raises has changed nothing. Going on after a crash is calling
    it again: the former release is remembered in the run.
    """
    former = DatabaseRelease.objects.active()
    is_begun = running.run.phase in SWAP
    running.enter(Phase.SWAPPING)
    # After a crash the active one may be the release itself, which replaced another.
    if former is not None and not (is_begun and former.pk == release.pk):
        running.update(former_version=former.version)
    activate_release(release)
    running.enter(Phase.RELOADING)
    try:
        _wait_until_served(release, running)
    except SwapFailed as error:
        _fail_swap(release, running, str(error))


def settle_swap(running: RunningUpdate) -> None:
    """End a swap that processes have died at, or that died while it went back.

    Returns if every live process serves the release after all; otherwise raises
    SwapFailed after the former release was activated again.
    """
    release = get_release(running.run.version)
    reason = running.run.error
    if not reason:
        reports = serving_reports()
        running.show_processes(len(_serving(release, reports)), len(reports))
        if release.is_active and _serving(release, reports) == reports:
            running.note("Every process serves the release.")
            return
        reason = told_of_deaths(running.run, MAX_ATTEMPTS)
    _fail_swap(release, running, reason)


def require_memory(sizes: Mapping[str, int], note: Callable[[str], None]) -> None:
    """Check that every serving process could hold a release of these files.

    Raises InsufficientMemory if one could not even after it let go of the release it
    serves. Notes it where processes have to do that.
    """
    needed_bytes = int(index_bytes(sizes) * INDEX_OVERHEAD)
    by_host: dict[str, list[ServingReport]] = defaultdict(list)
    for report in serving_reports():
        by_host[report.host].append(report)
    for host, reports in by_host.items():
        free = min(report.available_memory_bytes for report in reports)
        needed = needed_bytes * len(reports)
        if free >= needed and settings.SWAP != "unload-first":
            continue
        held = sum(_held_bytes(report) for report in reports)
        figures = (
            f"The release needs {len(reports)} x {needed_bytes / 1e6:,.0f} MB of "
            f"memory on {host}, where {free / 1e6:,.0f} MB are free and "
            f"{held / 1e6:,.0f} MB are held by what is served"
        )
        if free + held < needed:
            raise InsufficientMemory(f"{figures}.")
        if settings.SWAP != "beside":
            note(
                f"{figures}: each process lets go of that first, and refuses pictures "
                "until it serves the release."
            )


def index_bytes(sizes: Mapping[str, int]) -> int:
    """Return the bytes of the vector indices among the files."""
    return sum(size for name, size in sizes.items() if name.endswith(_INDEX_SUFFIX))


def _held_bytes(report: ServingReport) -> int:
    if report.is_unloaded or not report.version:
        return 0
    if not store.has_release(report.version):
        return 0
    files = store.iter_file_paths(report.version)
    return index_bytes({name: path.stat().st_size for name, path in files})


def _wait_until_served(release: DatabaseRelease, running: RunningUpdate) -> None:
    deadline = time.monotonic() + RELOAD_SECONDS
    # Who cannot load it may have tried while its files were gone, and tries again.
    is_repair = running.run.former_version == release.version
    while True:
        reports = serving_reports()
        ready = _serving(release, reports)
        running.show_processes(len(ready), len(reports))
        for report in reports:
            if report.failed_version == release.version and not is_repair:
                problem = report.problem.rstrip(".")
                raise SwapFailed(f"{report} cannot serve it: {problem}.")
        if len(ready) == len(reports):
            _note_how(ready, running)
            return
        if any(report.is_fetching for report in reports):
            # Downloads end by themselves; the time to load begins afterwards.
            deadline = time.monotonic() + RELOAD_SECONDS
        if time.monotonic() > deadline:
            problems = {f" {each}: {each.problem}" for each in reports if each.problem}
            raise SwapFailed(
                f"{len(ready)} of {len(reports)} processes serve it after "
                f"{RELOAD_SECONDS:.0f} s.{''.join(sorted(problems))}"
            )
        running.pause(POLL_SECONDS)


def _serving(
    release: DatabaseRelease, reports: list[ServingReport]
) -> list[ServingReport]:
    return [report for report in reports if report.version == release.version]


def _note_how(ready: list[ServingReport], running: RunningUpdate) -> None:
    serving = [report for report in ready if not report.is_unloaded]
    unloaded = sum(report.has_unloaded_first for report in serving)
    if not ready:
        running.note("No process serves at present; those that start will serve it.")
    if idle := len(ready) - len(serving):
        running.note(
            f"{idle} of {len(ready)} processes have nothing loaded, for want of work; "
            "they load it when they are next asked."
        )
    if unloaded:
        running.note(
            f"{len(serving)} of {len(ready)} processes serve it; {unloaded} let go of "
            "the former release first."
        )
    elif serving:
        running.note(
            f"{len(serving)} of {len(ready)} processes serve it; each loaded it beside "
            "the former one."
        )


def _fail_swap(
    release: DatabaseRelease, running: RunningUpdate, reason: str
) -> NoReturn:
    """Activate what was served before and raise SwapFailed."""
    # For the process after this one, should this one die on the way.
    running.update(error=reason)
    outcome = _go_back(release, running)
    raise SwapFailed(f"{reason} {outcome}")


def _go_back(release: DatabaseRelease, running: RunningUpdate) -> str:
    """Activate what was served before, and wait for it a while; return how it is."""
    former = DatabaseRelease.objects.filter(version=running.run.former_version).first()
    if former is None:
        deactivate_release(release)
        active = DatabaseRelease.objects.active()
        return (
            f"{f'Release {active}' if active else 'No release'} is active, as before."
        )
    if former == release:
        return f"Release {release} stays active."
    try:
        activate_release(former)
    except (StashSenseError, OSError) as error:
        # Why the release cannot be served is what is to be told first.
        return f"Going back to release {former} failed too: {error}"
    running.note(f"Release {former} is active again.")
    deadline = time.monotonic() + RELOAD_SECONDS
    while any(report.version != former.version for report in serving_reports()):
        if time.monotonic() > deadline:
            running.note(f"Not every process serves release {former} again.")
            break
        running.pause(POLL_SECONDS)
    return f"Release {former} is active again."
