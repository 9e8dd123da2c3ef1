"""The app that proposes what to tidy in the library."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    verbose_name = "Recommendations"

    def ready(self) -> None:
        """Connect what happens after migrating, and in processes of the background.

        Registers the settings, too.
        """
        from recommendations import preferences, tasks  # noqa: F401

        preferences.register_all()
        post_migrate.connect(_schedule, sender=self)


def _schedule(**_: Any) -> None:
    from recommendations.tasks import ensure_schedule

    ensure_schedule()
