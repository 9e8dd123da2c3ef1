"""Routes of recognition."""

from django.urls import include, path

from recognition.api import (
    correction_views,
    evaluation_views,
    fingerprint_views,
    library_run_views,
    local_views,
    model_files,
    stash_views,
    unknown_views,
    views,
)

fingerprint_urls = [
    path("status", fingerprint_views.StatusView.as_view(), name="status"),
    path("generate", fingerprint_views.GenerateView.as_view(), name="generate"),
    path("enqueue", fingerprint_views.EnqueueView.as_view(), name="enqueue"),
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
    path("runs", library_run_views.RunsView.as_view(), name="runs"),
    path("runs/<int:run_id>", library_run_views.RunView.as_view(), name="run"),
    path(
        "runs/<int:run_id>/stop",
        library_run_views.StopRunView.as_view(),
        name="run-stop",
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
    path(
        "gallery/<int:stash_id>",
        fingerprint_views.GalleryFingerprintView.as_view(),
        name="gallery",
    ),
    path(
        "<str:kind>/<int:stash_id>/people/<int:person_id>/crop",
        fingerprint_views.PersonCropView.as_view(),
        name="person-crop",
    ),
]

unknown_urls = [
    path("regroup", unknown_views.RegroupUnknownView.as_view(), name="regroup"),
    path("<int:group_id>", unknown_views.UnknownPersonView.as_view(), name="detail"),
    path("<int:group_id>/crop", unknown_views.UnknownCropView.as_view(), name="crop"),
    path("<int:group_id>/name", unknown_views.NameUnknownView.as_view(), name="name"),
    path(
        "<int:group_id>/merge", unknown_views.MergeUnknownView.as_view(), name="merge"
    ),
    path(
        "<int:group_id>/split", unknown_views.SplitUnknownView.as_view(), name="split"
    ),
    path(
        "<int:group_id>/ignore",
        unknown_views.IgnoreUnknownView.as_view(),
        name="ignore",
    ),
    path("<int:group_id>/undo", unknown_views.UndoUnknownView.as_view(), name="undo"),
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
    path("identify/image/jobs", stash_views.ImageJobsView.as_view(), name="image-jobs"),
    path(
        "identify/gallery/jobs",
        stash_views.GalleryJobsView.as_view(),
        name="gallery-jobs",
    ),
    path("identify/unknown", unknown_views.UnknownPeopleView.as_view(), name="unknown"),
    path("identify/unknown/", include((unknown_urls, "unknown"), namespace="unknown")),
    path("identify/jobs/<str:job_id>", stash_views.JobView.as_view(), name="job"),
    path(
        "identify/jobs/<str:job_id>/cancel",
        stash_views.CancelJobView.as_view(),
        name="job-cancel",
    ),
    path(
        "identify/corrections",
        correction_views.CorrectionsView.as_view(),
        name="corrections",
    ),
    path(
        "identify/corrections/<int:correction_id>/undo",
        correction_views.UndoCorrectionView.as_view(),
        name="correction-undo",
    ),
    path(
        "identify/evaluation",
        evaluation_views.EvaluationView.as_view(),
        name="evaluation",
    ),
    path(
        "identify/evaluation/stop",
        evaluation_views.StopEvaluationView.as_view(),
        name="evaluation-stop",
    ),
    path(
        "identify/evaluation/adopt",
        evaluation_views.AdoptView.as_view(),
        name="evaluation-adopt",
    ),
    path(
        "identify/evaluation/shipped",
        evaluation_views.ShippedView.as_view(),
        name="evaluation-shipped",
    ),
    path(
        "identify/evaluation/disagreements",
        evaluation_views.DisagreementsView.as_view(),
        name="evaluation-disagreements",
    ),
    path(
        "identify/evaluation/crops/<int:item_id>",
        evaluation_views.CropView.as_view(),
        name="evaluation-crop",
    ),
    path(
        "identify/evaluation/match",
        evaluation_views.MatchView.as_view(),
        name="evaluation-match",
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
