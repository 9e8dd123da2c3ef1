"""The app that answers who is in a picture."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Recognition"

    def ready(self) -> None:
        """Connect what happens when releases change, and in background processes."""
        from recognition import receivers, tasks  # noqa: F401
