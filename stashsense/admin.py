"""The admin site of the service: Django's, with our name and the API key."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.cache import never_cache

from stashsense.api.authentication import api_key

# Where the admins that are shown are written: here, and Django's of people and groups.
_OUR_APPS = frozenset(
    {"stashsense", "dbupdates", "recognition", "recommendations", "demo"}
)
_DJANGOS = "django.contrib.auth.admin"


class StashSenseAdminSite(admin.AdminSite):
    site_header = "Stash Sense"
    site_title = "Stash Sense"
    index_title = "Administration"
    index_template = "admin/stash_sense_index.html"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Show what this project or Django wrote an admin for, and nothing else.

        Packages bring admins of their own, which let people write rows that only code
        should: django-q2's would run whatever function a schedule names.
        """
        module = admin_class.__module__ if admin_class is not None else ""
        if module == _DJANGOS or module.partition(".")[0] in _OUR_APPS:
            super().register(model_or_iterable, admin_class, **options)

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
