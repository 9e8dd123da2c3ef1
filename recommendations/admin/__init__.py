"""The recommendations app in the admin, a module for each kind of rows."""

from recommendations.admin import (  # noqa: F401
    actions,
    dismissals,
    endpoints,
    found,
    runs,
    schedules,
)
