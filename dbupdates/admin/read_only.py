"""Rows that only services write: people look at them, and ask services for changes."""

from typing import Any

from django.http import HttpRequest

from dbupdates.models import OPERATE


class ReadOnly:
    """What an admin of rows that only services write refuses."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may change which release is served."""
        return request.user.has_perm(OPERATE)
