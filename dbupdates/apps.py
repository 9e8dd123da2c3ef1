"""The app that keeps releases: which one is served, and how that changed."""

from django.apps import AppConfig


class DbUpdatesConfig(AppConfig):
    name = "dbupdates"
    verbose_name = "Database updates"
