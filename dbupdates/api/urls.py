"""Routes about releases and updates."""

from django.urls import path

from dbupdates.api import views

urlpatterns = [
    path(
        "database/check-update",
        views.CheckUpdateView.as_view(),
        name="database-check-update",
    ),
    path("database/update", views.UpdateView.as_view(), name="database-update"),
    path(
        "database/update/status",
        views.UpdateStatusView.as_view(),
        name="database-update-status",
    ),
    path(
        "database/update/cancel",
        views.CancelUpdateView.as_view(),
        name="database-update-cancel",
    ),
    # A route of the models by its name: what it asks for is an update.
    path(
        "models/install-published",
        views.InstallPublishedView.as_view(),
        name="models-install-published",
    ),
    path("database/releases", views.ReleasesView.as_view(), name="database-releases"),
    path(
        "database/releases/<str:version>/activate",
        views.ActivateReleaseView.as_view(),
        name="database-release-activate",
    ),
]
