"""What commands of every app share: errors as sentences, a bar for bytes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError
from tqdm import tqdm

from stashsense.exceptions import StashSenseError


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


@contextmanager
def byte_bar() -> Iterator["tqdm[NoReturn] | None"]:
    """Yield a bar that counts bytes, on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    bar: tqdm[NoReturn] = tqdm(
        unit="B", unit_scale=True, leave=False, dynamic_ncols=True
    )
    with bar:
        yield bar


def show_bytes(bar: "tqdm[NoReturn]", done_bytes: int, total_bytes: int) -> None:
    """Show how far it is; a size of 0 is unknown."""
    bar.total = total_bytes or None
    bar.n = done_bytes
    bar.refresh() if done_bytes == 0 else bar.update(0)
