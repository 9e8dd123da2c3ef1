"""The app that answers who is in a picture."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Recognition"

    def ready(self) -> None:
        """Connect what happens when releases change."""
        from recognition import receivers  # noqa: F401
