"""The update policy and the feed in the admin."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dbupdates.admin.read_only import ReadOnly
from dbupdates.models import ReleaseFeed, UpdatePolicy

if TYPE_CHECKING:
    _PolicyAdmin = admin.ModelAdmin[UpdatePolicy]
    _FeedAdmin = admin.ModelAdmin[ReleaseFeed]
else:
    _PolicyAdmin = _FeedAdmin = admin.ModelAdmin


@admin.register(UpdatePolicy)
class UpdatePolicyAdmin(_PolicyAdmin):
    """One row: the list leads to it."""

    fieldsets = (
        ("Looking for releases", {"fields": ("is_checking",)}),
        (
            "Installing them by itself",
            {"fields": ("is_installing", ("window_start", "window_end"))},
        ),
        ("Old releases", {"fields": ("kept_count",)}),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        policy, _ = UpdatePolicy.objects.get_or_create(pk=1)
        return redirect("admin:dbupdates_updatepolicy_change", policy.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: UpdatePolicy | None = None
    ) -> bool:
        return False


@admin.register(ReleaseFeed)
class ReleaseFeedAdmin(ReadOnly, _FeedAdmin):
    list_display = ("url", "latest_version", "asked_at", "answered_at", "error")
    fields = (
        "url",
        "latest_version",
        ("known_since", "asked_at", "answered_at", "closed_until"),
        "error",
    )
