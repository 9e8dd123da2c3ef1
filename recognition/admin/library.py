"""The runs that go through all of the library, and jobs, in the admin."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from recognition import library_runs
from recognition.library_runs import LibraryAsker, LibraryOptions
from recognition.models import (
    OPERATE,
    IdentificationJob,
    LibraryRun,
)
from stashsense.exceptions import StashSenseError
from stashsense.read_only_admin import AskedForColumn, OperatedAdmin

if TYPE_CHECKING:
    _RunAdmin = admin.ModelAdmin[LibraryRun]
    _JobAdmin = admin.ModelAdmin[IdentificationJob]
else:
    _RunAdmin = _JobAdmin = admin.ModelAdmin

# How often the page of a run that goes on is shown anew.
REFRESH_SECONDS = 3
RUNS = "admin:recognition_libraryrun_changelist"


class ReadOnly(OperatedAdmin):
    """People look at the rows; some may have the library gone through."""

    operate_permission = OPERATE


@admin.register(LibraryRun)
class LibraryRunAdmin(AskedForColumn, ReadOnly, _RunAdmin):
    change_list_template = "admin/recognition/libraryrun/change_list.html"
    change_form_template = "admin/recognition/libraryrun/change_form.html"
    list_display = (
        "created_at",
        "kind",
        "state",
        "how_far",
        "succeeded_count",
        "failed_count",
        "skipped_count",
        "changed_count",
        "asked",
        "error",
    )
    list_filter = ("kind", "state", "asked_by")
    fields = (
        ("kind", "state", "asked", "is_stop_asked"),
        ("total_count", "done_count"),
        ("succeeded_count", "failed_count", "skipped_count", "changed_count"),
        ("release_version", "options"),
        ("current_scene_id", "current_scene_title", "current_job_id"),
        ("waiting_for", "is_second_pass"),
        ("created_at", "started_at", "heartbeat_at", "ended_at"),
        ("error", "error_code"),
    )
    readonly_fields = ("asked",)

    @admin.display(description="done", ordering="done_count")
    def how_far(self, run: LibraryRun) -> str:
        return f"{run.done_count} of {run.total_count} ({run.percent} %)"

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "begin/<slug:kind>/",
                wrap(self.begin_view),
                name="recognition_library_begin",
            ),
            path(
                "<int:pk>/stop/", wrap(self.stop_view), name="recognition_library_stop"
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the runs, with what can be begun."""
        context = {
            "can_operate": self.has_operate_permission(request),
            "kinds": [
                (LibraryRun.Kind.IDENTIFY, "Identify every scene"),
                (LibraryRun.Kind.REMATCH, "Match all again"),
                (LibraryRun.Kind.LOCAL, "Learn local performers"),
            ],
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
        context = {"run": run, "can_operate": self.has_operate_permission(request)}
        response = super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        if run is not None and run.is_in_progress:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def begin_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Begin a run."""
        asker = self._asker(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            if kind == LibraryRun.Kind.IDENTIFY:
                run = library_runs.identify_library(LibraryOptions(), asker=asker)
            elif kind == LibraryRun.Kind.LOCAL:
                run = library_runs.sync_local_performers(asker=asker)
            else:
                run = library_runs.rematch_library(asker=asker)
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect(RUNS)
        self.log_change(request, run, "Asked for.")
        return redirect("admin:recognition_libraryrun_change", run.pk)

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the run; what is done stays done."""
        self._asker(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = get_object_or_404(LibraryRun, pk=pk)
        if run.is_in_progress:
            library_runs.stop_run(run)
            self.log_change(request, run, "Stopped.")
        else:
            messages.warning(request, f"It was {run.state} already.")
        return redirect("admin:recognition_libraryrun_change", run.pk)

    def _asker(self, request: HttpRequest) -> LibraryAsker:
        return LibraryAsker(LibraryRun.Asker.ADMIN, self.operator(request))


@admin.register(IdentificationJob)
class IdentificationJobAdmin(ReadOnly, _JobAdmin):
    list_display = (
        "created_at",
        "kind",
        "stash_id",
        "state",
        "how_far",
        "host",
        "pid",
        "error",
    )
    list_filter = ("kind", "state")
    search_fields = ("stash_id", "job_id")
    # What came of it is pictures in base64, megabytes of them.
    fields = (
        ("job_id", "kind", "stash_id", "state", "is_cancel_asked"),
        ("frames_done", "frames_asked"),
        ("host", "pid"),
        ("created_at", "started_at", "heartbeat_at", "ended_at"),
        ("error", "error_code"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentificationJob]:
        """Return the rows without what came of them."""
        return super().get_queryset(request).defer("people", "result")

    @admin.display(description="frames")
    def how_far(self, job: IdentificationJob) -> str:
        return f"{job.frames_done} of {job.frames_asked}"
