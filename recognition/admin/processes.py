"""The processes that answer, as people see them."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from recognition.models import ServingProcess


@admin.register(ServingProcess)
class ServingProcessAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Written by the processes themselves, read by people."""

    list_display = (
        "host",
        "pid",
        "release_version",
        "is_unloaded",
        "is_loading",
        "failed_version",
        "problem",
        "device",
        "memory",
        "heard_of",
    )

    @admin.display(description="memory", ordering="memory_bytes")
    def memory(self, process: ServingProcess) -> str:
        """Return the resident memory for people."""
        return filesizeformat(process.memory_bytes)

    @admin.display(description="heard of", ordering="heartbeat_at")
    def heard_of(self, process: ServingProcess) -> str:
        """Return how long ago that was."""
        seconds = (timezone.now() - process.heartbeat_at).total_seconds()
        return f"{seconds:.0f} s ago"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: ServingProcess | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: ServingProcess | None = None
    ) -> bool:
        return False
