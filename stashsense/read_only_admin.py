"""Admins of rows that services alone write: people look, and ask services for changes.

Which permission lets a person ask is for each app to say.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


class ReadOnlyAdmin:
    """Comes before Django's class, and refuses what that would allow."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False


class OperatedAdmin(ReadOnlyAdmin):
    """Rows about which those may ask who have `operate_permission`."""

    operate_permission: str

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may ask; Django's actions call it "operate"."""
        return request.user.has_perm(self.operate_permission)

    def operator(self, request: HttpRequest) -> User:
        """Return this person, who may ask; or raise PermissionDenied."""
        return permitted_user(request, self.operate_permission)


class AskedForColumn:
    """A column of who asked for it, of rows with `user` and `asked_by`."""

    @admin.display(description="asked for by", ordering="asked_by")
    def asked(self, row: Any) -> str:
        way: str = row.get_asked_by_display()
        return f"{row.user} ({way})" if row.user else way


def permitted_user(request: HttpRequest, permission: str) -> User:
    """Return this person, who has the permission; or raise PermissionDenied."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return request.user
