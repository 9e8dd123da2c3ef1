"""Schedules on one page of the admin: a line for each type of run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from recommendations import schedules
from recommendations.admin.policy import ReadOnly
from recommendations.admin.type_names import type_name
from recommendations.exceptions import InvalidSchedule
from recommendations.models import AnalysisSchedule
from recommendations.run_types import RunType, all_run_types
from recommendations.schedules import interval_label
from stashsense.exceptions import StashSenseError

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AnalysisSchedule]
else:
    _ModelAdmin = admin.ModelAdmin

PAGE = "admin:recommendations_analysisschedule_changelist"


@dataclass(frozen=True)
class Line:
    """A type of run with its schedule and what that may be."""

    run_type: RunType
    schedule: AnalysisSchedule
    intervals: list[tuple[int, str]]


@admin.register(AnalysisSchedule)
class AnalysisScheduleAdmin(ReadOnly, _ModelAdmin):
    """The list is the page; single rows are not shown."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every schedule, and store the one that a person changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        can_operate = self.has_operate_permission(request)
        if request.method == "POST":
            if not can_operate:
                raise PermissionDenied
            self._store(request)
            return redirect(PAGE)
        return TemplateResponse(
            request,
            "admin/recommendations/analysisschedule/change_list.html",
            {
                **self.admin_site.each_context(request),
                "title": "What starts by itself",
                "opts": self.opts,
                "lines": _lines(),
                "can_operate": can_operate,
                "max_priority": schedules.MAX_PRIORITY,
            },
        )

    def _store(self, request: HttpRequest) -> None:
        try:
            row = schedules.set_schedule(
                request.POST.get("type", ""),
                is_enabled=request.POST.get("enabled") == "yes",
                interval_hours=_number(request, "interval_hours"),
                priority=_number(request, "priority"),
            )
        except StashSenseError as error:
            messages.error(request, str(error))
            return
        when = interval_label(int(row.interval_hours)).lower()
        how = f"starts {when}" if row.is_enabled else "does not start by itself"
        self.log_change(request, row, f"{how}, priority {row.priority}".capitalize())
        messages.success(request, f"{type_name(row.type)} {how}.")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the page, where a search of the admin links to a row."""
        return redirect(PAGE)


def _lines() -> list[Line]:
    types = all_run_types()
    return [
        Line(
            types[row.type],
            row,
            [(hours, interval_label(hours)) for hours in types[row.type].allowed_hours],
        )
        for row in schedules.all_schedules()
    ]


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    try:
        return int(text)
    except ValueError as error:
        raise InvalidSchedule(f"{text[:20]!a} is no whole number.") from error
