"""The project as a Django app: its commands, templates and pages."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StashSenseConfig(AppConfig):
    name = "stashsense"
    verbose_name = "Stash Sense"

    def ready(self) -> None:
        """Show the settings in the admin, register the project's own, and listen."""
        from django.contrib.auth.signals import user_login_failed

        from stashsense import audit_admin  # noqa: F401
        from stashsense.api.sign_in import note_failure
        from stashsense.integrations import preferences
        from stashsense.preferences import admin  # noqa: F401

        preferences.register_all()
        user_login_failed.connect(note_failure, dispatch_uid="stashsense.sign_in")


class StashSenseAdminConfig(AdminConfig):
    default_site = "stashsense.admin.StashSenseAdminSite"
