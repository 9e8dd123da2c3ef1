"""Changes of Stash in the admin: who, when, before and after."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from recommendations.admin.policy import ReadOnly
from recommendations.models import ActionRecord
from stashsense.read_only_admin import AskedForColumn

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[ActionRecord]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(ActionRecord)
class ActionRecordAdmin(AskedForColumn, ReadOnly, _ModelAdmin):
    list_display = (
        *("created_at", "action", "state", "target_type", "target_id"),
        *("is_destructive", "asked", "ended_at", "error"),
    )
    list_filter = ("action", "state", "is_destructive", "target_type", "asked_by")
    search_fields = ("=target_id", "error")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    fields = (
        ("action", "state", "is_destructive"),
        ("target_type", "target_id", "recommendation"),
        ("asked", "created_at", "ended_at"),
        "error",
        ("before", "after"),
    )
    readonly_fields = ("asked",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActionRecord]:
        """Return the rows; a list goes without what was before and after."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer("before", "after") if is_list else rows
