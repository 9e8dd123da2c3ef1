"""Releases in the admin: what there is, who serves it, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from dbupdates.admin.read_only import ReadOnly
from dbupdates.manifest import PUBLISHED_NETWORKS
from dbupdates.models import DatabaseRelease, ReleaseFeed, ReleaseFile, UpdateRun
from dbupdates.published import check_feed, feed_status
from dbupdates.runs import Asker
from dbupdates.services import is_here, purge_release, verify_release
from dbupdates.signals import ServingReport, serving_reports
from dbupdates.updates import request_activation, request_published, request_update
from stashsense.exceptions import StashSenseError

# Django's admin classes take no parameters while running.
if TYPE_CHECKING:
    _Inline = admin.TabularInline[ReleaseFile, DatabaseRelease]
    _ModelAdmin = admin.ModelAdmin[DatabaseRelease]
else:
    _Inline = admin.TabularInline
    _ModelAdmin = admin.ModelAdmin

Status = DatabaseRelease.Status
Releases = models.QuerySet[DatabaseRelease]


@dataclass(frozen=True)
class Operation:
    """Something a person can have done to a release; `work` returns what to log."""

    name: str
    label: str
    applies_to: Callable[[DatabaseRelease], bool]
    work: Callable[[HttpRequest, DatabaseRelease], str]


def asker_of(request: HttpRequest) -> Asker:
    """Return the signed-in person as one who asks for a run."""
    assert isinstance(request.user, User)
    return Asker(UpdateRun.Asker.ADMIN, request.user)


def _update(request: HttpRequest, release: DatabaseRelease) -> str:
    run = request_update(asker=asker_of(request), version=release.version)
    return f"Asked for the update to {release} (run {run.job_id})."


def _activate(request: HttpRequest, release: DatabaseRelease) -> str:
    run = request_activation(release, asker=asker_of(request))
    return f"Asked for release {release} to be served (run {run.job_id})."


def _verify(request: HttpRequest, release: DatabaseRelease) -> str:
    problems = verify_release(release)
    if not problems:
        return f"Verified: all {release.files.count()} files are intact."
    for problem in problems:
        messages.error(request, f"{problem.name} {problem.explanation}.")
    return f"Verified: {len(problems)} file(s) are damaged."


def _delete(request: HttpRequest, release: DatabaseRelease) -> str:
    purge_release(release)
    return f"Deleted the files of release {release}."


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation(
            "update",
            "Download and activate",
            lambda release: bool(release.archive_url) and not is_here(release),
            _update,
        ),
        Operation(
            "activate",
            "Activate",
            lambda release: release.is_installed and not release.is_active,
            _activate,
        ),
        Operation(
            "verify", "Verify files", lambda release: release.is_installed, _verify
        ),
        Operation(
            "delete-files",
            "Delete files",
            lambda release: release.is_installed and not release.is_active,
            _delete,
        ),
    )
}


class ReleaseFileInline(ReadOnly, _Inline):
    model = ReleaseFile
    verbose_name_plural = "files"
    fields = ("name", "size", "sha256")
    readonly_fields = fields

    @admin.display(description="size")
    def size(self, file: ReleaseFile) -> str:
        return filesizeformat(file.size_bytes)


@admin.register(DatabaseRelease)
class DatabaseReleaseAdmin(ReadOnly, _ModelAdmin):
    change_list_template = "admin/dbupdates/databaserelease/change_list.html"
    change_form_template = "admin/dbupdates/databaserelease/change_form.html"
    list_display = (
        "version",
        "status",
        "size",
        "face_count",
        "performer_count",
        "published",
        "activated_at",
    )
    search_fields = ("version",)
    ordering = ("-version_key",)
    actions = ("update_action", "activate_action", "verify_action", "delete_action")
    fields = (
        ("version", "status", "title"),
        "reason",
        "served_by",
        ("face_count", "performer_count"),
        "sources",
        ("size", "archive_bytes"),
        ("network_set", "network_files"),
        ("created_at", "published_at"),
        ("staged_at", "activated_at", "retired_at"),
        "notes",
        "archive_url",
        "archive_sha256",
    )
    readonly_fields = ("size", "served_by")
    inlines = (ReleaseFileInline,)

    @admin.display(description="size", ordering="size_bytes")
    def size(self, release: DatabaseRelease) -> str:
        if release.is_installed:
            return filesizeformat(release.size_bytes)
        if release.archive_bytes:
            return f"{filesizeformat(release.archive_bytes)} to download"
        return "-"

    @admin.display(description="published", ordering="created_at")
    def published(self, release: DatabaseRelease) -> Any:
        return release.created_at or release.published_at

    @admin.display(description="served by")
    def served_by(self, release: DatabaseRelease) -> str:
        return _serving(serving_reports(), release)

    @admin.action(description="Download and activate", permissions=["operate"])
    def update_action(self, request: HttpRequest, releases: Releases) -> HttpResponse:
        return self._operate_on_one(request, releases, OPERATIONS["update"])

    @admin.action(description="Activate (roll back)", permissions=["operate"])
    def activate_action(self, request: HttpRequest, releases: Releases) -> HttpResponse:
        return self._operate_on_one(request, releases, OPERATIONS["activate"])

    @admin.action(description="Verify files", permissions=["operate"])
    def verify_action(self, request: HttpRequest, releases: Releases) -> None:
        for release in releases:
            self._operate(request, release, OPERATIONS["verify"])

    @admin.action(description="Delete files", permissions=["operate"])
    def delete_action(
        self, request: HttpRequest, releases: Releases
    ) -> HttpResponse | None:
        if "confirmed" not in request.POST:
            return self._confirmation(request, releases)
        for release in releases:
            self._operate(request, release, OPERATIONS["delete-files"])
        return None

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path("check/", wrap(self.check_view), name="dbupdates_check"),
            path(
                "install-published/",
                wrap(self.install_published_view),
                name="dbupdates_install_published",
            ),
            path(
                "<int:pk>/do/<slug:name>/", wrap(self.operate_view), name="dbupdates_do"
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the releases below what is known of the feed."""
        feed = feed_status()
        context = {
            "feed": feed,
            # Such as the demo world, or nothing: the step to real data.
            "serves_published": feed.active is not None
            and feed.active.network_set == PUBLISHED_NETWORKS.name,
            "run": UpdateRun.objects.in_progress().first(),
            "can_operate": self.has_operate_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; who serves what is asked once for the whole list."""
        reports = serving_reports()

        @admin.display(description="served by")
        def served_by(release: DatabaseRelease) -> str:
            return _serving(reports, release)

        return [*self.list_display, served_by]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a release with a button for whatever can be done to it."""
        release = self.get_object(request, object_id)
        can_operate = release is not None and self.has_operate_permission(request)
        context = {
            "operations": [
                operation
                for operation in OPERATIONS.values()
                if can_operate and release and operation.applies_to(release)
            ]
        }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Ask the feed now."""
        self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        status = check_feed(is_forced=True)
        if status.error:
            messages.error(request, status.error)
        elif status.latest is None:
            messages.info(request, "The feed lists no release.")
        elif status.is_update_available:
            messages.success(request, f"Release {status.latest} can be had.")
        elif status.is_newer:
            messages.info(
                request, f"Release {status.latest} has nothing to download yet."
            )
        else:
            messages.success(request, f"{status.active} is the newest release.")
        for feed in ReleaseFeed.objects.filter(asked_at=status.asked_at):
            log_change(request, feed, "Asked the feed.")
        return redirect("admin:dbupdates_databaserelease_changelist")

    def install_published_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the newest published release with the networks it needs."""
        self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            run = request_published(asker=asker_of(request))
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect("admin:dbupdates_databaserelease_changelist")
        done = f"Asked for the published data, release {run.version}."
        log_change(request, run, done)
        messages.success(request, done)
        return redirect("admin:dbupdates_updaterun_change", run.pk)

    def operate_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Do what a button on a release's page says."""
        self.operator(request)
        release = get_object_or_404(DatabaseRelease, pk=pk)
        operation = OPERATIONS.get(name)
        if request.method != "POST" or operation is None:
            return HttpResponseNotAllowed(["POST"])
        if name == "delete-files" and "confirmed" not in request.POST:
            return self._confirmation(
                request, DatabaseRelease.objects.filter(pk=release.pk)
            )
        if not self._operate(request, release, operation):
            return redirect("admin:dbupdates_databaserelease_change", release.pk)
        return self._afterwards(release)

    def _afterwards(self, release: DatabaseRelease) -> HttpResponse:
        """Lead to the run that goes on for the release, or to the release."""
        run = UpdateRun.objects.in_progress().filter(version=release.version).first()
        if run is not None:
            return redirect("admin:dbupdates_updaterun_change", run.pk)
        return redirect("admin:dbupdates_databaserelease_change", release.pk)

    def _operate_on_one(
        self, request: HttpRequest, releases: Releases, operation: Operation
    ) -> HttpResponse:
        back = redirect("admin:dbupdates_databaserelease_changelist")
        if len(releases) != 1:
            messages.error(request, "Choose one release: only one can be active.")
            return back
        release = releases[0]
        if not self._operate(request, release, operation):
            return back
        return self._afterwards(release)

    def _operate(
        self, request: HttpRequest, release: DatabaseRelease, operation: Operation
    ) -> bool:
        """Do it, tell of it and log it; return whether it was done."""
        try:
            done = operation.work(request, release)
        except (StashSenseError, OSError) as error:
            messages.error(request, str(error))
            return False
        messages.success(request, done)
        log_change(request, release, done)
        return True

    def _confirmation(self, request: HttpRequest, releases: Releases) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete files?",
            "opts": self.model._meta,
            "releases": [*releases],
            "freed_bytes": sum(release.size_bytes for release in releases),
            "has_active": any(release.is_active for release in releases),
            "list_url": reverse("admin:dbupdates_databaserelease_changelist"),
        }
        return TemplateResponse(
            request, "admin/dbupdates/databaserelease/delete_files.html", context
        )


def _serving(reports: list[ServingReport], release: DatabaseRelease) -> str:
    """Return the processes that serve the release, for people."""
    serving = [str(each) for each in reports if each.version == release.version]
    return ", ".join(serving) or "-"


def log_change(request: HttpRequest, row: models.Model, message: str) -> None:
    """Write Django's admin log."""
    assert request.user.pk is not None
    LogEntry.objects.log_actions(
        user_id=request.user.pk,
        queryset=[row],
        action_flag=CHANGE,
        change_message=message,
        single_object=True,
    )
