"""What browsers are told to permit our pages, and how they keep our cookies."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]

CSP_HEADER = "Content-Security-Policy"


class BrowserHeadersMiddleware:
    """Adds what a view did not say itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer with a policy, and with cookies as its connection is."""
        response = self._get_response(request)
        response.headers.setdefault(CSP_HEADER, settings.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        # Names and pictures of people, for nobody else who uses this browser.
        response.headers.setdefault("Cache-Control", "no-store")
        if request.is_secure():
            # A setting would keep people out who come over plain HTTP at home.
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response
