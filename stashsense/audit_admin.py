"""Changes over the API and failed sign-ins in the admin, to look at."""

from typing import TYPE_CHECKING

from axes.models import AccessAttempt
from django.contrib import admin

from stashsense.audit import ApiChange
from stashsense.read_only_admin import ReadOnlyAdmin

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[ApiChange]
    _AttemptAdmin = admin.ModelAdmin[AccessAttempt]
else:
    _ModelAdmin = _AttemptAdmin = admin.ModelAdmin


@admin.register(ApiChange)
class ApiChangeAdmin(ReadOnlyAdmin, _ModelAdmin):
    list_display = (
        *("asked_at", "caller", "user", "address"),
        *("method", "path", "status", "request_id"),
    )
    list_filter = ("caller", "method", "status")
    search_fields = ("path", "=request_id")
    list_select_related = ("user",)
    date_hierarchy = "asked_at"


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin, _AttemptAdmin):
    """Who failed to sign in lately; `manage.py axes_reset` opens what is closed."""

    fields = (
        *("attempt_time", "username", "ip_address"),
        *("failures_since_start", "user_agent"),
    )
    list_display = fields[:-1]
    search_fields = ("=username", "=ip_address")
    date_hierarchy = "attempt_time"
