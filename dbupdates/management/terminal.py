"""What the commands of this app share: who they are, and how far a run is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from django.core.management.base import CommandError, OutputWrapper

from dbupdates.execution import execute_run
from dbupdates.models import UpdateRun
from dbupdates.progress import OnProgress, Phase, Progress
from dbupdates.runs import Asker
from stashsense.terminal import byte_bar, show_bytes

if TYPE_CHECKING:
    from tqdm import tqdm

ASKER = Asker(UpdateRun.Asker.COMMAND)
FOLLOW_SECONDS = 0.5
# The background looks into its queue once a second.
PATIENCE_SECONDS = 10.0


@contextmanager
def progress_shown(output: OutputWrapper) -> Iterator[OnProgress]:
    """Yield a listener: a bar on a terminal, a line for each phase elsewhere."""
    with byte_bar() as bar:
        yield _BarListener(bar) if bar is not None else _LineListener(output)


def require_success(run: UpdateRun) -> None:
    """End the command with the reason unless the run is complete."""
    if run.phase != Phase.COMPLETE:
        raise CommandError(run.error or f"The update was {run.phase}.")


def follow(run: UpdateRun, on_progress: OnProgress) -> None:
    """Show how far a run is that another process works at, until it has ended."""
    while run.is_in_progress:
        on_progress(Progress(Phase(run.phase), run.done_bytes, run.total_bytes))
        time.sleep(FOLLOW_SECONDS)
        run.refresh_from_db()


def follow_or_work(run: UpdateRun, output: OutputWrapper) -> None:
    """Show how far the run is until it has ended; work at it if nobody takes it.

    Ends the command with the reason unless the run is complete.
    """
    with progress_shown(output) as listener:
        if not _is_taken(run):
            output.write("No background process takes it: working at it here.")
            execute_run(run.pk, listener=listener)
            run.refresh_from_db()
        follow(run, listener)
    require_success(run)


def _is_taken(run: UpdateRun) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while run.phase == Phase.QUEUED and not run.attempt_count:
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
        run.refresh_from_db()
    return True


class _BarListener:
    def __init__(self, bar: "tqdm[NoReturn]") -> None:
        self._bar = bar

    def __call__(self, progress: Progress) -> None:
        self._bar.set_description(progress.phase.capitalize(), refresh=False)
        show_bytes(self._bar, progress.done_bytes, progress.total_bytes)


class _LineListener:
    def __init__(self, output: OutputWrapper) -> None:
        self._output = output
        self._phase: Phase | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase != self._phase:
            self._phase = progress.phase
            size = f" {progress.total_bytes / 1e6:,.1f} MB" * bool(progress.total_bytes)
            self._output.write(f"{progress.phase.capitalize()}{size} ...")
