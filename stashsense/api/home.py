"""The page a person meets first: what is served, and a picture to try it with."""

from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import UserPassesTestMixin
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from dbupdates.models import UpdateRun
from dbupdates.published import feed_status
from dbupdates.store import active_release
from recognition.models import ServingProcess
from stashsense.api.health import operating_warnings

# Pictures come from the person's own disk; nothing is loaded from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'"
)


class HomeView(UserPassesTestMixin, TemplateView):
    """Sends strangers to the sign-in page and shows staff the try-it page."""

    template_name = "stashsense/home.html"

    def test_func(self) -> bool:
        """Return whether this person may use the API."""
        return settings.AUTHENTICATION == "off" or self.request.user.is_staff

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Cache-Control"] = "no-store"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what is served, by which processes, what is newer, what to beware."""
        return {
            **super().get_context_data(**kwargs),
            "release": active_release(),
            "run": UpdateRun.objects.in_progress().first(),
            "feed": feed_status(),
            "processes": ServingProcess.objects.live(),
            "warnings": operating_warnings(),
        }
