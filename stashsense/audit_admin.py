"""Changes over the API in the admin: who, when, and how it was answered."""

from typing import TYPE_CHECKING

from django.contrib import admin

from stashsense.audit import ApiChange
from stashsense.read_only_admin import ReadOnlyAdmin

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[ApiChange]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(ApiChange)
class ApiChangeAdmin(ReadOnlyAdmin, _ModelAdmin):
    list_display = (
        *("asked_at", "caller", "user", "address"),
        *("method", "path", "status", "request_id"),
    )
    list_filter = ("caller", "method", "status")
    search_fields = ("path", "=request_id")
    list_select_related = ("user",)
    date_hierarchy = "asked_at"
