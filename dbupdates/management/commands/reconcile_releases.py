"""manage.py reconcile_releases: set right what processes that died have left."""

from typing import Any

from django.core.management.base import BaseCommand

from dbupdates.reconcile import reconcile


class Command(BaseCommand):
    help = "Bring rows and folders of releases into agreement; every start does it."

    def handle(self, *_args: Any, **_options: Any) -> None:
        reconcile(self.stdout.write)
