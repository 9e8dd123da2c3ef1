"""The app that answers who is in a picture."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Recognition"

    def ready(self) -> None:
        """Connect what happens when releases change and in background processes.

        Registers the settings, too, and who tells the hardware tier.
        """
        from recognition import preferences, receivers, tasks  # noqa: F401
        from stashsense.preferences import values

        preferences.register_all()
        values.find_tier_by(_hardware_tier)
        post_migrate.connect(_schedule, sender=self)


def _schedule(**_: Any) -> None:
    from recognition.tasks import ensure_schedule

    ensure_schedule()


def _hardware_tier() -> str:
    # Every process has this app; few need ONNX Runtime.
    from recognition.hardware import hardware_tier

    return hardware_tier()
