"""The app that answers who is in a picture."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Recognition"

    def ready(self) -> None:
        """Connect what happens when releases change and background processes start."""
        from recognition import receivers, tasks  # noqa: F401

        post_migrate.connect(_schedule, sender=self)


def _schedule(**_: Any) -> None:
    from recognition.tasks import ensure_schedule

    ensure_schedule()
