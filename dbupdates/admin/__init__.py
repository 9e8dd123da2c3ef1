"""What people see and do about releases and updates; services do the rest."""

from dbupdates.admin import policy, releases, runs  # noqa: F401
