"""What people see of recognition: the processes that answer."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from recognition.models import ServingProcess


@admin.register(ServingProcess)
class ServingProcessAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Written by the processes themselves, read by people."""

    list_display = (
        "__str__",
        "release_version",
        "network_set",
        "is_loading",
        "device",
        "memory",
        "problem",
        "heartbeat_at",
    )

    @admin.display(description="memory", ordering="memory_bytes")
    def memory(self, process: ServingProcess) -> str:
        """Return the resident memory for people."""
        return filesizeformat(process.memory_bytes)

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
