"""Releases in the admin, to look at. Changing them is for the commands."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from dbupdates.models import DatabaseRelease, ReleaseFile

# Django's admin classes take no parameters while running.
if TYPE_CHECKING:
    _Inline = admin.TabularInline[ReleaseFile, DatabaseRelease]
    _ModelAdmin = admin.ModelAdmin[DatabaseRelease]
else:
    _Inline = admin.TabularInline
    _ModelAdmin = admin.ModelAdmin


class _ReadOnly:
    """What an admin of rows that only services write refuses."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False


class ReleaseFileInline(_ReadOnly, _Inline):
    model = ReleaseFile
    verbose_name_plural = "files"
    fields = ("name", "size", "sha256")
    readonly_fields = fields

    @admin.display(description="size")
    def size(self, file: ReleaseFile) -> str:
        return filesizeformat(file.size_bytes)


@admin.register(DatabaseRelease)
class DatabaseReleaseAdmin(_ReadOnly, _ModelAdmin):
    list_display = (
        "version",
        "status",
        "is_served",
        "size",
        "face_count",
        "performer_count",
        "created_at",
        "activated_at",
        "network_set",
    )
    list_filter = ("status", "network_set")
    search_fields = ("version",)
    ordering = ("-version_key",)
    fields = (
        ("version", "status"),
        "reason",
        ("face_count", "performer_count"),
        "sources",
        "size",
        ("network_set", "network_files"),
        "created_at",
        ("staged_at", "activated_at", "retired_at"),
    )
    readonly_fields = ("size",)
    inlines = (ReleaseFileInline,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[DatabaseRelease]:
        return super().get_queryset(request).prefetch_related("files")

    @admin.display(description="size", ordering="size_bytes")
    def size(self, release: DatabaseRelease) -> str:
        return filesizeformat(release.size_bytes)

    @admin.display(description="active", boolean=True, ordering="status")
    def is_served(self, release: DatabaseRelease) -> bool:
        return release.is_active
