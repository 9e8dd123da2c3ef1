"""Routes of recognition."""

from django.urls import path

from recognition.api import stash_views, views

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
]
