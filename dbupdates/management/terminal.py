"""What the commands of this app share: a progress bar, and errors as sentences."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper
from django.db import OperationalError
from tqdm import tqdm

from dbupdates.models import UpdateRun
from dbupdates.progress import OnProgress, Phase, Progress
from dbupdates.runs import Asker
from stashsense.exceptions import StashSenseError

ASKER = Asker(UpdateRun.Asker.COMMAND)
FOLLOW_SECONDS = 0.5


@contextmanager
def progress_shown(output: OutputWrapper) -> Iterator[OnProgress]:
    """Yield a listener: a bar on a terminal, a line for each phase elsewhere."""
    if sys.stderr.isatty():
        bar: tqdm[NoReturn] = tqdm(
            unit="B", unit_scale=True, leave=False, dynamic_ncols=True
        )
        with bar:
            yield _BarListener(bar)
    else:
        yield _LineListener(output)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """End a command with what went wrong and no traceback."""
    try:
        yield
    except (StashSenseError, OSError) as exc:
        raise CommandError(str(exc)) from exc
    except OperationalError as exc:
        raise CommandError(
            f"The database cannot be used: {exc}. Has the service been started with "
            f"this data folder ({settings.DATA_DIR}) before?"
        ) from exc


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


class _BarListener:
    def __init__(self, bar: "tqdm[NoReturn]") -> None:
        self._bar = bar

    def __call__(self, progress: Progress) -> None:
        self._bar.set_description(progress.phase.capitalize(), refresh=False)
        self._bar.total = progress.total_bytes or None
        self._bar.n = progress.done_bytes
        self._bar.refresh() if progress.done_bytes == 0 else self._bar.update(0)


class _LineListener:
    def __init__(self, output: OutputWrapper) -> None:
        self._output = output
        self._phase: Phase | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase != self._phase:
            self._phase = progress.phase
            size = f" {progress.total_bytes / 1e6:,.1f} MB" * bool(progress.total_bytes)
            self._output.write(f"{progress.phase.capitalize()}{size} ...")
