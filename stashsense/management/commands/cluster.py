"""django-q2's cluster, whose processes end with it even when it is killed."""

from typing import Any

from django_q.management.commands.qcluster import Command as QClusterCommand

from stashsense import processes


class Command(QClusterCommand):  # type: ignore[misc]
    """What supervisord keeps running; `qcluster` is the same without the ties."""

    help = "Run the background tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent()
        # Otherwise the sentinel and its workers would go on beside the restarted ones.
        processes.end_forks_with_parent()
        super().handle(*args, **options)
