"""The app that answers who is in a picture."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Recognition"

    def ready(self) -> None:
        """Connect what happens when releases change, and register the settings."""
        from recognition import preferences, receivers  # noqa: F401

        preferences.register_all()
