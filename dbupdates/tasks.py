"""What django-q2 calls, and what happens when one of its processes starts."""

from typing import Any

from django.dispatch import receiver
from django_q.signals import post_spawn

from dbupdates import schedule
from dbupdates.execution import execute_run
from dbupdates.reconcile import go_on_with_dead_run, look_for_dead_run


def run_update(run_id: int) -> None:
    """Work at the run until it has ended; its row says how."""
    execute_run(run_id)


def follow_policy() -> None:
    """Check for releases, and install one, when the policy says so."""
    look_for_dead_run()
    schedule.follow_policy()


def look_after_other_hosts() -> None:
    """Go on with a run whose host died; this one's own processes are looked after."""
    look_for_dead_run()


@receiver(post_spawn)
def look_after_dead_run(**_: Any) -> None:
    """Go on with a run whose process has just been replaced by this one."""
    go_on_with_dead_run()
