"""The admin site of the service: Django's, with our name and the API key."""

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.cache import never_cache

from stashsense.api.authentication import api_key


class StashSenseAdminSite(admin.AdminSite):
    site_header = "Stash Sense"
    site_title = "Stash Sense"
    index_title = "Administration"
    index_template = "admin/stash_sense_index.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return Django's admin routes and ours."""
        view = staff_member_required(never_cache(self.api_key_view))
        return [path("api-key/", view, name="api-key"), *super().get_urls()]

    def api_key_view(self, request: HttpRequest) -> HttpResponse:
        """Show the key that programs use, to superusers."""
        if not request.user.is_superuser:
            return HttpResponse("Only superusers may see the API key.", status=403)
        context = {
            **self.each_context(request),
            "title": "API key",
            "api_key": api_key(),
            "is_from_environment": settings.API_KEY is not None,
            "api_key_path": settings.API_KEY_PATH,
            "is_authentication_on": settings.AUTHENTICATION == "on",
        }
        return TemplateResponse(request, "admin/api_key.html", context)
