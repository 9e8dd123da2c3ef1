"""django-q2's cluster, whose processes end with it even when it is killed."""

from multiprocessing.process import BaseProcess
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django_q import cluster
from django_q.conf import Conf
from django_q.queues import Queue

from stashsense import processes, stopping


class PromptCluster(cluster.Cluster):  # type: ignore[misc]
    """Asks running tasks to end before it waits for them."""

    def stop(self) -> bool:
        stopping.ask()
        return bool(super().stop())


class PatientSentinel(cluster.Sentinel):  # type: ignore[misc]
    """Replaces a worker that was killed together with the queues it used.

    A worker that waits for a task holds its queue's lock. When it is killed, nobody
    ever gives that back, and every worker after it waits for ever. What was in the
    queues is asked for again by whoever needs it.
    """

    pusher: Any
    monitor: Any

    def reincarnate(self, process: BaseProcess) -> None:
        was_killed = process in self.pool and not process.is_alive()
        if was_killed and process.exitcode not in (None, 0):
            for helper in (self.pusher, self.monitor):
                helper.kill()
                helper.join()
            self.task_queue = Queue(maxsize=Conf.QUEUE_LIMIT)
            self.result_queue = Queue()
            super().reincarnate(process)
            self.monitor = self.spawn_monitor()
            self.pusher = self.spawn_pusher()
        else:
            super().reincarnate(process)


class Command(BaseCommand):
    """What supervisord keeps running; `qcluster` is the same without the ties."""

    help = "Run the background tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent()
        # Before anything is taken from the queue: it belongs to runs that died. A start
        # has done it, and this may be a cluster in place of one that died.
        call_command("reconcile_releases", stdout=self.stdout)
        # Otherwise the sentinel and its workers would go on beside the restarted ones.
        processes.end_forks_with_parent()
        # django-q2 has no setting for it.
        cluster.Sentinel = PatientSentinel
        PromptCluster().start()
