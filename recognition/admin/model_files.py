"""Model files in the admin: what is installed, how far downloads are, what to do."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from recognition import model_downloads, model_files
from recognition.model_downloads import Asker
from recognition.model_files import FileState, PublishedFile
from recognition.models import OPERATE_MODEL_FILES, ModelDownload, ModelFile
from stashsense.exceptions import StashSenseError
from stashsense.read_only_admin import OperatedAdmin

if TYPE_CHECKING:
    _FileAdmin = admin.ModelAdmin[ModelFile]
    _Inline = admin.TabularInline[ModelDownload, ModelFile]
else:
    _FileAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline

LIST = "admin:recognition_modelfile_changelist"

Files = QuerySet[ModelFile]
# What is done to a file; returns what to tell and to log.
Work = Callable[[PublishedFile, Asker], str]


def _download(published: PublishedFile, asker: Asker) -> str:
    model_downloads.request_download(published.name, asker=asker)
    return f"Asked for the download of {published.name}."


def _verify(published: PublishedFile, _asker: Asker) -> str:
    state = model_files.verify(published)
    why = f": {state.explanation}" if state.explanation else ""
    return f"Verified {published.name}: {_status_words(state)}{why}."


def _cancel(published: PublishedFile, asker: Asker) -> str:
    model_downloads.cancel_downloads(published.name, asker=asker)
    return f"Cancelled the download of {published.name}."


def _forget_digest(published: PublishedFile, _asker: Asker) -> str:
    model_files.forget_recorded_digest(published)
    return f"Forgot the recorded digest of {published.name}."


class DownloadInline(_Inline):
    model = ModelDownload
    verbose_name_plural = "downloads"
    fields = ("created_at", "state", "asked_by", "user", "percent", "error", "ended_at")
    readonly_fields = fields
    max_num = 0
    can_delete = False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False


@admin.register(ModelFile)
class ModelFileAdmin(OperatedAdmin, _FileAdmin):
    operate_permission = OPERATE_MODEL_FILES
    change_list_template = "admin/recognition/modelfile/change_list.html"
    list_display = ("name", "seen_at")
    actions = ("download_action", "verify_action", "cancel_action", "forget_action")
    fields = (
        "name",
        "seen_sha256",
        "seen_at",
        ("recorded_sha256", "recorded_at"),
    )
    inlines = (DownloadInline,)

    @admin.action(description="Download", permissions=["operate"])
    def download_action(self, request: HttpRequest, files: Files) -> None:
        self._operate(request, files, _download)

    @admin.action(description="Verify (read again)", permissions=["operate"])
    def verify_action(self, request: HttpRequest, files: Files) -> None:
        self._operate(request, files, _verify)

    @admin.action(description="Cancel the download", permissions=["operate"])
    def cancel_action(self, request: HttpRequest, files: Files) -> None:
        self._operate(request, files, _cancel)

    @admin.action(
        description="Forget the recorded digest (accept another file)",
        permissions=["operate"],
    )
    def forget_action(self, request: HttpRequest, files: Files) -> None:
        self._operate(request, files, _forget_digest)

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "progress/",
                wrap(self.progress_view),
                name="recognition_model_progress",
            ),
            path("do/<slug:name>/", wrap(self.do_view), name="recognition_model_do"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; each file is looked at once for the whole list."""
        states = {state.published.name: state for state in model_files.states()}

        @admin.display(description="state")
        def status(file: ModelFile) -> str:
            state = states[file.name]
            return _status_words(state) + (
                f": {state.explanation}" if state.explanation else ""
            )

        @admin.display(description="size")
        def size(file: ModelFile) -> str:
            state = states[file.name]
            if state.size_bytes:
                return filesizeformat(state.size_bytes)
            return f"{filesizeformat(state.published.typical_bytes)} to download"

        @admin.display(description="SHA-256")
        def digest(file: ModelFile) -> str:
            return states[file.name].sha256[:16] or "-"

        @admin.display(description="what for")
        def description(file: ModelFile) -> str:
            return states[file.name].published.description

        newest = model_downloads.latest_downloads()

        @admin.display(description="last download")
        def download(file: ModelFile) -> str:
            row = newest.get(file.name)
            if row is None:
                return "-"
            return f"{row.state}: {row.error}" if row.error else row.state

        return ["name", description, status, size, digest, "seen_at", download]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelFile]:
        """Return the files of the list; a row of one that is gone is not shown."""
        return super().get_queryset(request).filter(name__in=model_files.MODEL_FILES)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the files below how far their downloads are."""
        for published in model_files.MODEL_FILES.values():
            model_files.row_of(published)
        context = {
            **self._progress_context(),
            "can_operate": self.has_operate_permission(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """Return the part of the page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = TemplateResponse(
            request,
            "admin/recognition/modelfile/progress.html",
            self._progress_context(),
        )
        response["Cache-Control"] = "no-store"
        return response

    def do_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Do what a button above the list says."""
        asker = self._asker(request)
        works: dict[str, Callable[..., list[ModelDownload]]] = {
            "download-all": model_downloads.request_all,
            "cancel-all": model_downloads.cancel_downloads,
        }
        if request.method != "POST" or name not in works:
            return HttpResponseNotAllowed(["POST"])
        try:
            downloads = works[name](asker=asker)
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect(LIST)
        done = "Asked for" if name == "download-all" else "Cancelled"
        for download in downloads:
            self.log_change(request, download.file, f"{done} its download.")
        names = ", ".join(download.file.name for download in downloads)
        messages.success(request, f"{done}: {names or 'nothing'}.")
        return redirect(LIST)

    def _operate(self, request: HttpRequest, files: Files, work: Work) -> None:
        """Do it to each file, tell of it and log it."""
        asker = self._asker(request)
        for file in files:
            try:
                done = work(model_files.get_published(file.name), asker)
            except (StashSenseError, OSError) as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
                self.log_change(request, file, done)

    def _asker(self, request: HttpRequest) -> Asker:
        return Asker(ModelDownload.Asker.ADMIN, self.operator(request))

    @staticmethod
    def _progress_context() -> dict[str, Any]:
        states = model_files.states()
        running = ModelDownload.objects.in_progress().select_related("file")
        return {
            "running": [*running.order_by("pk")],
            "file_count": len(states),
            "missing_count": sum(not state.is_installed for state in states),
        }


def _status_words(state: FileState) -> str:
    return state.status.replace("_", " ")
