"""The app that keeps releases: which one is served, and how that changed."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DbUpdatesConfig(AppConfig):
    name = "dbupdates"
    verbose_name = "Database updates"

    def ready(self) -> None:
        """Connect what happens after migrating, and in processes of the background."""
        from dbupdates import tasks  # noqa: F401

        post_migrate.connect(_schedule, sender=self)


def _schedule(**_: Any) -> None:
    from dbupdates.schedule import ensure_schedule

    ensure_schedule()
