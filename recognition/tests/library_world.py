"""Library runs as tests ask for them, worked at as the background does."""

import threading
from contextlib import contextmanager

from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from recognition.library_runs import LibraryAsker, LibraryOptions, identify_library
from recognition.models import LibraryRun
from stashsense.tests.waiting import wait_until

ASKER = LibraryAsker(LibraryRun.Asker.COMMAND)


def ask(**options):
    """Ask for the library to be identified with a few frames of each scene."""
    return identify_library(
        LibraryOptions(**({"num_frames": 2} | options)), asker=ASKER
    )


def work(*, tasks=1000):
    """Do what is queued, and what that queues, as the background would."""
    for _ in range(tasks):
        queued = OrmQ.objects.order_by("pk").first()
        if queued is None:
            return
        task = queued.task
        queued.delete()
        import_string(task["func"])(*task["args"])


def ended(run):
    """Work at the run until nothing is queued; return it as it is then."""
    work()
    run.refresh_from_db()
    return run


@contextmanager
def background():
    """Do what is queued in a thread while the block lasts, and wait for its end."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        wait_until(lambda: not thread.is_alive())
