"""Routes of recognition."""

from django.urls import include, path

from recognition.api import (
    fingerprint_views,
    local_views,
    model_files,
    stash_views,
    views,
)

fingerprint_urls = [
    path("status", fingerprint_views.StatusView.as_view(), name="status"),
    path("generate", fingerprint_views.GenerateView.as_view(), name="generate"),
    path("stop", fingerprint_views.StopView.as_view(), name="stop"),
    path("progress", fingerprint_views.ProgressView.as_view(), name="progress"),
    path("refresh", fingerprint_views.RefreshView.as_view(), name="refresh"),
    path("refresh-all", fingerprint_views.RefreshAllView.as_view(), name="refresh-all"),
    path("rematch", fingerprint_views.RematchView.as_view(), name="rematch"),
    path(
        "rematch-library",
        fingerprint_views.RematchLibraryView.as_view(),
        name="rematch-library",
    ),
    path("changes", fingerprint_views.ChangesView.as_view(), name="changes"),
    path("parked", fingerprint_views.ParkedView.as_view(), name="parked"),
    path(
        "scene/<int:stash_id>",
        fingerprint_views.SceneFingerprintView.as_view(),
        name="scene",
    ),
    path(
        "image/<int:stash_id>",
        fingerprint_views.ImageFingerprintView.as_view(),
        name="image",
    ),
]

local_urls = [
    path("sync", local_views.SyncLocalView.as_view(), name="sync"),
    path("stop", local_views.StopLocalView.as_view(), name="stop"),
    path("performers", local_views.LocalPerformersView.as_view(), name="performers"),
    path(
        "performers/<int:stash_id>",
        local_views.LocalPerformerView.as_view(),
        name="performer",
    ),
    path(
        "performers/<int:stash_id>/learn",
        local_views.LearnLocalView.as_view(),
        name="learn",
    ),
    path(
        "performers/<int:stash_id>/refresh",
        local_views.RefreshLocalView.as_view(),
        name="refresh",
    ),
]

urlpatterns = [
    path("identify/local", local_views.LocalStatusView.as_view(), name="local"),
    path("identify/local/", include((local_urls, "local"), namespace="local")),
    path(
        "recommendations/fingerprints/",
        include((fingerprint_urls, "fingerprints"), namespace="fingerprints"),
    ),
    path("identify", views.IdentifyView.as_view(), name="identify"),
    path("identify/url", views.IdentifyUrlView.as_view(), name="identify-url"),
    path("identify/scene", stash_views.IdentifySceneView.as_view(), name="scene"),
    path("identify/image", stash_views.IdentifyImageView.as_view(), name="image"),
    path("identify/gallery", stash_views.IdentifyGalleryView.as_view(), name="gallery"),
    path("identify/scene/jobs", stash_views.SceneJobsView.as_view(), name="scene-jobs"),
    path("identify/jobs/<str:job_id>", stash_views.SceneJobView.as_view(), name="job"),
    path(
        "identify/jobs/<str:job_id>/cancel",
        stash_views.CancelSceneJobView.as_view(),
        name="job-cancel",
    ),
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
