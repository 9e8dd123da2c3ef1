"""Routes of recognition."""

from django.urls import path

from recognition.api import model_files, stash_views, views

urlpatterns = [
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
