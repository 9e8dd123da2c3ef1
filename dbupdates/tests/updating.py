"""Updates as tests ask for them, and what they look at afterwards."""

from django_q.models import OrmQ

from dbupdates import store, tasks
from dbupdates.execution import execute_run
from dbupdates.tests.conftest import ASKER, IMPATIENT
from dbupdates.updates import request_update

NEW = "2026.02.18"
OLD = "2026.01.01"


def update(version=""):
    """Ask for an update and work at it; return the run as it ended."""
    run = request_update(asker=ASKER, version=version)
    execute_run(run.pk, patience=IMPATIENT)
    run.refresh_from_db()
    return run


def active_version():
    active = store.active_release()
    return active and active.version


def log_of(run):
    return "\n".join(line.text for line in run.log_lines.all())


def work_at_queue():
    """Do what the background does: take each task once."""
    for task in OrmQ.objects.all():
        tasks.run_update(*task.args())
        task.delete()
