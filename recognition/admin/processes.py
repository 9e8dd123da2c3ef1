"""The processes that answer, as people see them."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from recognition.models import ServingProcess
from stashsense.read_only_admin import ReadOnlyAdmin


@admin.register(ServingProcess)
class ServingProcessAdmin(ReadOnlyAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
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
