"""Every route of the service."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView

from stashsense.api.docs import DocsView
from stashsense.api.health import FfmpegHealthView, HealthView, RateLimiterView
from stashsense.api.home import HomeView
from stashsense.api.metrics import MetricsView
from stashsense.api.status import StatusView
from stashsense.api.system import CapabilitiesView, SystemInfoView

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("health", HealthView.as_view(), name="health"),
    path("health/ffmpeg", FfmpegHealthView.as_view(), name="health-ffmpeg"),
    path("health/rate-limiter", RateLimiterView.as_view(), name="health-rate-limiter"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("status", StatusView.as_view(), name="status"),
    path("system/info", SystemInfoView.as_view(), name="system-info"),
    path("capabilities", CapabilitiesView.as_view(), name="capabilities"),
    path("", include("recognition.api.urls")),
    path("", include("dbupdates.api.urls")),
    path("", include("recommendations.api.urls")),
    path("", include("recommendations.api.action_urls")),
    path("", include("stashsense.preferences.urls")),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="swagger-ui"),
    path("admin/", admin.site.urls),
    # Browsers ask for it on every page that names no icon, such as the admin's.
    path("favicon.ico", RedirectView.as_view(url=static("stashsense/icon.svg"))),
]

handler400 = "stashsense.api.exceptions.answer_suspicious"
handler403 = "stashsense.api.exceptions.answer_forbidden"
handler404 = "stashsense.api.exceptions.answer_unknown_path"
handler500 = "stashsense.api.exceptions.answer_our_mistake"
