"""The project as a Django app: its commands, templates and pages."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StashSenseConfig(AppConfig):
    name = "stashsense"
    verbose_name = "Stash Sense"

    def ready(self) -> None:
        """Show the settings in the admin, and register the project's own."""
        from stashsense import audit_admin  # noqa: F401
        from stashsense.integrations import preferences
        from stashsense.preferences import admin  # noqa: F401

        preferences.register_all()


class StashSenseAdminConfig(AdminConfig):
    default_site = "stashsense.admin.StashSenseAdminSite"
