"""Who may use the REST API: holders of the key, and people signed in to the admin.

Stash's plugin is a holder that proves by signatures that it knows a key.
"""

import functools
import secrets
import time
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from stashsense import keys
from stashsense.api.callers import refusal, refuse_guess
from stashsense.api.parsers import refuse_large_body
from stashsense.api.signatures import SCHEME, VALID_SECONDS, Claim, KeyName
from stashsense.nonces import UsedNonce

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.views import APIView

_Ways = TypeVar("_Ways", bound=Enum)


@functools.cache
def api_key() -> str:
    """Return the key that programs authenticate with, made at first use."""
    return settings.API_KEY or keys.read_or_create(settings.API_KEY_PATH)


class KeyHolder(AnonymousUser):
    """A program that presented the API key."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


class PluginCaller(KeyHolder):
    """Stash's plugin, whose request was signed."""


def way_of(request: "Request", ways: type[_Ways]) -> _Ways:
    """Return which of the ways a request took: `PLUGIN`, or `API` for all others."""
    return ways["PLUGIN" if isinstance(request.user, PluginCaller) else "API"]


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `X-Api-Key: KEY`, compared in constant time."""

    def authenticate(self, request: "Request") -> tuple[KeyHolder, None] | None:
        presented = self._presented_key(request)
        if presented is None:
            return None
        refuse_guess(request, api_key())
        if not secrets.compare_digest(presented.encode(), api_key().encode()):
            raise refusal(request, "The API key is wrong.", "wrong_api_key")
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


class SignatureAuthentication(BaseAuthentication):
    """`Authorization: StashSense key=..., date=..., nonce=..., signature=...`.

    The signature is of this very request, and counts for some minutes. One of a request
    that may change something counts once.
    """

    def authenticate(self, request: "Request") -> tuple[PluginCaller, None] | None:
        header = request.headers.get("Authorization", "")
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        claim = Claim.parse(credentials.strip())
        if claim is None:
            raise refusal(
                request,
                "The signature is not of the form that the service knows.",
                "wrong_signature",
            )
        key = _shared_key(claim.key_name)
        # Before the body is read, which may be large.
        refuse_guess(request, key)
        _require_current(claim)
        refuse_large_body(request)
        if not claim.is_signed_with(key, request):
            wrong = _WRONG_SIGNATURE[claim.key_name]
            raise refusal(request, wrong, "wrong_signature")
        if request.method not in SAFE_METHODS:
            _require_first_use(claim)
        return PluginCaller(), None

    def authenticate_header(self, request: "Request") -> str:
        """Return what makes DRF answer 401 rather than 403."""
        return f'{SCHEME} realm="Stash Sense"'


_WRONG_SIGNATURE: dict[KeyName, str] = {
    "stash": "The signature is wrong: Stash's API key is not the one in this "
    "service's STASH_API_KEY, or the request was altered on its way.",
    "plugin": "The signature is wrong: the API key in the plugin's settings is not "
    "this service's, or the request was altered on its way.",
}


def _shared_key(name: KeyName) -> str:
    key = settings.STASH_API_KEY if name == "stash" else api_key()
    # Anybody can sign with an empty key.
    if not key:
        raise AuthenticationFailed(
            "The request is signed with Stash's API key, which this service does not "
            "know: set STASH_API_KEY.",
            code="no_shared_key",
        )
    return str(key)


def _require_current(claim: Claim) -> None:
    ahead = claim.seconds_ahead(time.time())
    if abs(ahead) > VALID_SECONDS:
        direction = "ahead of" if ahead > 0 else "behind"
        raise AuthenticationFailed(
            f"The signature is dated {abs(ahead)} seconds {direction} this service's "
            f"clock, and counts for {VALID_SECONDS}: set the clocks of Stash's machine "
            "and of this one.",
            code="signature_expired",
        )


def _require_first_use(claim: Claim) -> None:
    if not UsedNonce.objects.spend(claim.nonce, signed_at=int(claim.date)):
        raise AuthenticationFailed(
            "This request was received before: sign each one anew.",
            code="signature_reused",
        )


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

    def get_security_requirement(
        self, auto_schema: "AutoSchema"
    ) -> list[dict[str, list[str]]]:
        """Return either header: in one entry both would be wanted."""
        return [{name: []} for name in self.name]

    def get_security_definition(
        self, auto_schema: "AutoSchema"
    ) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        ]


class SignatureScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the generated API description speaks of signatures."""

    target_class = SignatureAuthentication
    name = "signatureAuth"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        return {
            "type": "http",
            "scheme": SCHEME,
            "description": "`StashSense key=..., date=..., nonce=..., signature=...`: "
            "signed with a key that is not sent. docs/api.md tells how.",
        }
