"""Update runs in the admin: how far one is, while it goes on and afterwards."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from dbupdates import runs
from dbupdates.admin.read_only import ReadOnly
from dbupdates.admin.releases import asker_of, log_change
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import Phase
from dbupdates.updates import request_update
from stashsense.exceptions import StashSenseError
from stashsense.read_only_admin import AskedForColumn

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[UpdateRun]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(UpdateRun)
class UpdateRunAdmin(AskedForColumn, ReadOnly, _ModelAdmin):
    change_form_template = "admin/dbupdates/updaterun/change_form.html"
    list_display = (
        "created_at",
        "kind",
        "version",
        "phase",
        "how_far",
        "processes",
        "asked",
        "took",
        "error",
    )
    list_filter = ("phase", "kind", "asked_by")
    search_fields = ("version", "job_id")
    fields = (
        ("job_id", "kind", "version"),
        ("asked", "created_at"),
        "source_path",
        ("is_activating", "former_version"),
        ("started_at", "ended_at", "heartbeat_at"),
        ("attempt_count", "fetched_bytes"),
    )
    readonly_fields = ("job_id", "asked")

    @admin.display(description="done", ordering="percent")
    def how_far(self, run: UpdateRun) -> str:
        return f"{run.percent} %"

    @admin.display(description="processes")
    def processes(self, run: UpdateRun) -> str:
        if not run.process_count:
            return "-"
        return f"{run.ready_count} of {run.process_count}"

    @admin.display(description="took")
    def took(self, run: UpdateRun) -> str:
        if run.started_at is None or run.ended_at is None:
            return "-"
        return f"{(run.ended_at - run.started_at).total_seconds():.1f} s"

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes, and those of the page of a run."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/progress/",
                wrap(self.progress_view),
                name="dbupdates_run_progress",
            ),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="dbupdates_cancel"),
            path("<int:pk>/resume/", wrap(self.resume_view), name="dbupdates_resume"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far the run is, which the page then keeps current."""
        run = self.get_object(request, object_id)
        context = self._progress_context(request, run) if run else {}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part of the page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(UpdateRun, pk=pk)
        response = TemplateResponse(
            request,
            "admin/dbupdates/updaterun/progress.html",
            self._progress_context(request, run),
        )
        response["Cache-Control"] = "no-store"
        return response

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the run to end."""
        run = self._run_to_change(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            runs.cancel_run(run, asker=asker_of(request))
        except StashSenseError as error:
            messages.error(request, str(error))
        else:
            log_change(request, run, "Cancelled.")
        return redirect("admin:dbupdates_updaterun_change", run.pk)

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the same release again; what was fetched is used."""
        run = self._run_to_change(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            resumed = request_update(asker=asker_of(request), version=run.version)
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect("admin:dbupdates_updaterun_change", run.pk)
        log_change(request, resumed, f"Asked for, to go on from run {run.job_id}.")
        return redirect("admin:dbupdates_updaterun_change", resumed.pk)

    def _run_to_change(self, request: HttpRequest, pk: int) -> UpdateRun:
        self.operator(request)
        return get_object_or_404(UpdateRun, pk=pk)

    def _progress_context(self, request: HttpRequest, run: UpdateRun) -> dict[str, Any]:
        return {
            "run": run,
            "phases": [
                (phase, run.phase_seconds[phase])
                for phase in Phase
                if phase in run.phase_seconds
            ],
            "log_lines": run.log_lines.all(),
            "release": DatabaseRelease.objects.filter(version=run.version).first(),
            "can_operate": self.has_operate_permission(request),
        }
