"""The project as a Django app: its commands, templates and pages."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StashSenseConfig(AppConfig):
    name = "stashsense"
    verbose_name = "Stash Sense"


class StashSenseAdminConfig(AdminConfig):
    default_site = "stashsense.admin.StashSenseAdminSite"
