"""Types of runs by the names that people know them by."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from recommendations.run_types import all_run_types


def type_name(type: str) -> str:
    """Return what the type is called; one that there is no more keeps its word."""
    known = all_run_types().get(type)
    return known.display_name if known else type


class RunTypeFilter(admin.SimpleListFilter):
    """By type; those that are known, without looking through the rows for them."""

    title = "type"
    parameter_name = "type"

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        return [(each.type, each.display_name) for each in all_run_types().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is chosen."""
        return queryset.filter(type=self.value()) if self.value() else queryset


class AnalysisTypeFilter(RunTypeFilter):
    """The same, of those that find something."""

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        return [
            (each.type, each.display_name)
            for each in all_run_types().values()
            if each.analyzer is not None
        ]
