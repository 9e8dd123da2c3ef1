"""The order of stash-boxes in the admin, to look at; the API changes it."""

from typing import TYPE_CHECKING

from django.contrib import admin

from recommendations.admin.policy import ReadOnly
from recommendations.models import EndpointPreference

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[EndpointPreference]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(EndpointPreference)
class EndpointPreferenceAdmin(ReadOnly, _ModelAdmin):
    list_display = ("endpoint", "position", "is_disabled")
    list_filter = ("is_disabled",)
