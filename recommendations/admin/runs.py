"""Runs of analyses in the admin: begun, watched, stopped, tried again."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from recommendations import history, runs
from recommendations.admin.policy import ReadOnly, operator
from recommendations.admin.type_names import RunTypeFilter, type_name
from recommendations.models import AnalysisRun
from recommendations.run_types import all_run_types
from stashsense.exceptions import StashSenseError
from stashsense.read_only_admin import AskedForColumn

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[AnalysisRun]
else:
    _ModelAdmin = admin.ModelAdmin

# How often the page of a run that goes on is shown anew.
REFRESH_SECONDS = 3
LIST = "admin:recommendations_analysisrun_changelist"
PAGE = "admin:recommendations_analysisrun_change"


@admin.register(AnalysisRun)
class AnalysisRunAdmin(AskedForColumn, ReadOnly, _ModelAdmin):
    change_list_template = "admin/recommendations/analysisrun/change_list.html"
    change_form_template = "admin/recommendations/analysisrun/change_form.html"
    list_display = (
        *("created_at", "kind", "state", "how_far"),
        *("found_count", "created_count", "asked", "error"),
    )
    list_filter = ("state", RunTypeFilter, "asked_by", "is_full")
    list_select_related = ("user",)
    fields = (
        ("type", "state", "is_full", "priority"),
        ("asked", "created_at"),
        ("total_count", "done_count", "found_count", "created_count"),
        ("started_at", "heartbeat_at", "ended_at"),
        ("pass_id", "cursor"),
        ("note", "error", "error_code"),
    )
    readonly_fields = ("asked",)

    @admin.display(description="type", ordering="type")
    def kind(self, run: AnalysisRun) -> str:
        name = type_name(run.type)
        return f"{name}, everything" if run.is_full else name

    @admin.display(description="done", ordering="done_count")
    def how_far(self, run: AnalysisRun) -> str:
        if not run.total_count:
            return str(run.done_count)
        # One word, as columns are narrow.
        return (
            f"{run.done_count}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}{run.total_count}"
        )

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "begin/<slug:type>/",
                wrap(self.begin_view),
                name="recommendations_begin",
            ),
            path("<int:pk>/stop/", wrap(self.stop_view), name="recommendations_stop"),
            path(
                "<int:pk>/retry/", wrap(self.retry_view), name="recommendations_retry"
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the runs, with what can be begun."""
        history.bring_up_to_date()
        context = {
            "can_operate": self.has_operate_permission(request),
            "run_types": all_run_types().values(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far the run is, anew every few seconds while it goes on."""
        run = self.get_object(request, object_id)
        if run is not None:
            runs.follow(run)
        context = {
            "run": run,
            "run_type": all_run_types().get(run.type) if run else None,
            "can_operate": self.has_operate_permission(request),
            "can_be_retried": run is not None
            and run.state in (AnalysisRun.State.FAILED, AnalysisRun.State.CANCELLED),
        }
        response = super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        if run is not None and run.is_in_progress:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def begin_view(self, request: HttpRequest, type: str) -> HttpResponse:
        """Begin a run."""
        asker = operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            run = runs.request_run(
                type, asker=asker, is_full=request.POST.get("full") == "yes"
            )
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect(LIST)
        self.log_change(request, run, "Asked for.")
        return redirect(PAGE, run.pk)

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the run; what it found stays."""
        operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = get_object_or_404(AnalysisRun, pk=pk)
        try:
            is_stopped = runs.stop_run(run)
        except StashSenseError as error:
            messages.error(request, str(error))
        else:
            if is_stopped:
                self.log_change(request, run, "Stopped.")
            else:
                messages.warning(request, f"It was {run.state} already.")
        return redirect(PAGE, run.pk)

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a run that goes on where this one ended."""
        asker = operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = get_object_or_404(AnalysisRun, pk=pk)
        try:
            again = runs.retry_run(run, asker=asker)
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect(PAGE, run.pk)
        self.log_change(request, again, f"Asked for, to go on from run {run.pk}.")
        return redirect(PAGE, again.pk)
