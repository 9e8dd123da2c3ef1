"""Routes of recognition."""

from django.urls import path

from recognition.api import views

urlpatterns = [
    path("identify", views.IdentifyView.as_view(), name="identify"),
    path("identify/url", views.IdentifyUrlView.as_view(), name="identify-url"),
    path("health", views.HealthView.as_view(), name="health"),
    path("health/ffmpeg", views.FfmpegHealthView.as_view(), name="health-ffmpeg"),
    path("database/info", views.DatabaseInfoView.as_view(), name="database-info"),
]
