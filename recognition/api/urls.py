"""Routes of recognition."""

from django.urls import path

from recognition.api import model_files, views

urlpatterns = [
    path("identify", views.IdentifyView.as_view(), name="identify"),
    path("identify/url", views.IdentifyUrlView.as_view(), name="identify-url"),
    path("database/info", views.DatabaseInfoView.as_view(), name="database-info"),
    path(
        "models/status",
        model_files.ModelsStatusView.as_view(),
        name="models-status",
    ),
    path(
        "models/download/<str:model_name>",
        model_files.DownloadModelView.as_view(),
        name="models-download",
    ),
    path(
        "models/download-all",
        model_files.DownloadAllModelsView.as_view(),
        name="models-download-all",
    ),
    path(
        "models/download-progress",
        model_files.DownloadProgressView.as_view(),
        name="models-download-progress",
    ),
    path(
        "models/cancel",
        model_files.CancelDownloadsView.as_view(),
        name="models-cancel",
    ),
]
