"""What the commands of this app share: a progress bar, and errors as sentences."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.core.management.base import CommandError, OutputWrapper
from tqdm import tqdm

from dbupdates.progress import OnProgress, Phase, Progress
from stashsense.exceptions import StashSenseError


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


class _BarListener:
    def __init__(self, bar: "tqdm[NoReturn]") -> None:
        self._bar = bar

    def __call__(self, progress: Progress) -> None:
        self._bar.set_description(progress.phase.capitalize(), refresh=False)
        self._bar.total = progress.total_bytes
        self._bar.n = progress.done_bytes
        self._bar.refresh() if progress.done_bytes == 0 else self._bar.update(0)


class _LineListener:
    def __init__(self, output: OutputWrapper) -> None:
        self._output = output
        self._phase: Phase | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase != self._phase:
            self._phase = progress.phase
            megabytes = progress.total_bytes / 1e6
            self._output.write(f"{progress.phase.capitalize()} {megabytes:,.1f} MB ...")
