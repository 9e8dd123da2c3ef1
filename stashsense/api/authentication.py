"""Who may use the REST API: holders of the key, and people signed in to the admin."""

import functools
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from stashsense import keys

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.views import APIView


@functools.cache
def api_key() -> str:
    """Return the key that programs authenticate with, made at first use."""
    return settings.API_KEY or keys.read_or_create(settings.API_KEY_PATH)


class KeyHolder(AnonymousUser):
    """A program that presented the API key."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `X-Api-Key: KEY`, compared in constant time."""

    def authenticate(self, request: "Request") -> tuple[KeyHolder, None] | None:
        presented = self._presented_key(request)
        if presented is None:
            return None
        if not secrets.compare_digest(presented.encode(), api_key().encode()):
            raise AuthenticationFailed("The API key is wrong.", code="wrong_api_key")
        return KeyHolder(), None

    @staticmethod
    def _presented_key(request: "Request") -> str | None:
        if header := request.headers.get("X-Api-Key"):
            return header
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def authenticate_header(self, request: "Request") -> str:
        """Return what makes DRF answer 401 rather than 403."""
        return 'Bearer realm="Stash Sense"'


class IsAllowed(BasePermission):
    """Lets in key holders and staff, and everybody when authentication is off.

    A view that changes what the admin guards names the permission in its
    `required_permission`; of staff, those who hold it may send other than GET.
    """

    message = "Send the API key, or sign in at /admin/ as somebody who may do this."

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        if settings.AUTHENTICATION == "off" or isinstance(request.user, KeyHolder):
            return True
        if not (request.user and request.user.is_staff):
            return False
        required = getattr(view, "required_permission", None)
        return (
            required is None
            or request.method in SAFE_METHODS
            or request.user.has_perm(required)
        )


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the generated API description speaks of the key."""

    target_class = ApiKeyAuthentication
    name = ["bearerAuth", "apiKeyAuth"]  # noqa: RUF012

    def get_security_definition(
        self, auto_schema: "AutoSchema"
    ) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        ]
