"""Writing again and again, beside some work, that it goes on."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


@contextmanager
def beating(
    beat: Callable[[], object], *, every_seconds: float, what: object
) -> Iterator[None]:
    """Call `beat` so often while the block lasts, in a thread with its own connection.

    A database that is away for a moment ends nothing: the next call tries again. `what`
    is how the log calls the work.
    """
    ended = threading.Event()

    def run() -> None:
        try:
            while not ended.wait(every_seconds):
                try:
                    beat()
                except DatabaseError as error:
                    logger.warning("%s: %s", what, error)
                    # It may be what is broken.
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
