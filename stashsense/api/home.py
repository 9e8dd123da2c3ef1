"""The page a person meets first: what is served, and a picture to try it with."""

from django.contrib.auth.mixins import LoginRequiredMixin, UserPassesTestMixin
from django.views.generic import TemplateView


class HomeView(LoginRequiredMixin, UserPassesTestMixin, TemplateView):
    """Sends strangers to the sign-in page and shows staff the try-it page."""

    template_name = "stashsense/home.html"

    def test_func(self) -> bool:
        """Return whether the signed-in person may use the API."""
        return self.request.user.is_staff
