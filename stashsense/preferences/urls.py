"""Routes of the settings."""

from django.urls import path, re_path

from stashsense.preferences import api

urlpatterns = [
    path("settings", api.SettingsView.as_view(), name="settings"),
    # Names of settings have no hyphen, so that this hides none of /settings/endpoint-*.
    re_path(
        r"^settings/(?P<key>[a-z0-9_]+)$", api.SettingView.as_view(), name="setting"
    ),
]
