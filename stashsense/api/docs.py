"""The page that shows the API and lets people try it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from stashsense.api.headers import CSP_HEADER

# Swagger UI has its styles inline; its script is split off, so that none is.
CONTENT_SECURITY_POLICY = (
    f"{settings.CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'"
)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from local files; sends strangers to the sign-in page."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the page, or the script that the page loads from here."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response[CSP_HEADER] = CONTENT_SECURITY_POLICY
        return response

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)
