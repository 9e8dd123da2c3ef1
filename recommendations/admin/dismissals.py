"""Dismissals in the admin; who deletes one allows what it kept away again."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from recommendations import decisions
from recommendations.admin.policy import ReadOnly
from recommendations.admin.type_names import AnalysisTypeFilter, type_name
from recommendations.models import Dismissal

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Dismissal]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Dismissal)
class DismissalAdmin(ReadOnly, _ModelAdmin):
    list_display = (
        *("dismissed_at", "kind", "target_type", "target_id", "endpoint"),
        *("is_permanent", "reason", "user"),
    )
    list_filter = ("is_permanent", AnalysisTypeFilter, "target_type")
    search_fields = ("=target_id", "reason")
    list_select_related = ("user",)
    fields = (
        ("type", "target_type", "target_id"),
        ("endpoint", "is_permanent"),
        ("reason", "user", "dismissed_at"),
    )

    @admin.display(description="type", ordering="type")
    def kind(self, row: Dismissal) -> str:
        return type_name(row.type)

    def has_delete_permission(self, request: HttpRequest, *_args: Any) -> bool:
        """Return whether this person may decide: deleting one is a decision."""
        return self.has_decide_permission(request)

    def delete_model(self, request: HttpRequest, obj: Dismissal) -> None:
        """Allow it again."""
        decisions.allow_again(obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Dismissal]
    ) -> None:
        """Allow all of them again."""
        for dismissal in queryset:
            decisions.allow_again(dismissal)
