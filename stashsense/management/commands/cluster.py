"""django-q2's cluster, whose processes end with it even when it is killed."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django_q.cluster import Cluster

from stashsense import processes, stopping


class PromptCluster(Cluster):  # type: ignore[misc]
    """Asks running tasks to end before it waits for them."""

    def stop(self) -> bool:
        stopping.ask()
        return bool(super().stop())


class Command(BaseCommand):
    """What supervisord keeps running; `qcluster` is the same without the ties."""

    help = "Run the background tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent()
        # Before anything is taken from the queue: it belongs to runs that died.
        call_command("reconcile_releases", stdout=self.stdout)
        # Otherwise the sentinel and its workers would go on beside the restarted ones.
        processes.end_forks_with_parent()
        PromptCluster().start()
