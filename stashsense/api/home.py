"""The page a person meets first: what is served, and a picture to try it with."""

from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import UserPassesTestMixin
from django.views.generic import TemplateView

from dbupdates.models import UpdateRun
from dbupdates.published import feed_status
from dbupdates.store import active_release
from recognition.models import ServingProcess
from stashsense.api.health import operating_warnings


class StaffPage(UserPassesTestMixin, TemplateView):
    """Sends strangers to the sign-in page."""

    def test_func(self) -> bool:
        """Return whether this person may use the API."""
        return settings.AUTHENTICATION == "off" or self.request.user.is_staff


class HomeView(StaffPage):
    """Shows staff the try-it page."""

    template_name = "stashsense/home.html"

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
