"""Routes of recognition."""

from django.urls import path

from recognition.api import views

urlpatterns = [
    path("identify", views.IdentifyView.as_view(), name="identify"),
    path("identify/url", views.IdentifyUrlView.as_view(), name="identify-url"),
    path("database/info", views.DatabaseInfoView.as_view(), name="database-info"),
]
