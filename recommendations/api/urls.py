"""Routes of recommendations, of the queue and of stash-boxes."""

from django.urls import include, path

from recommendations.api import (
    analysis_views,
    queue_views,
    settings_views,
    stash_views,
    views,
)

# Numbers are texts here: what is none is answered with 422, and not as a wrong path.
recommendation_urls = [
    path("counts", views.CountsView.as_view(), name="counts"),
    path("analysis/types", analysis_views.TypesView.as_view(), name="analysis-types"),
    path("analysis/runs", analysis_views.RunsView.as_view(), name="analysis-runs"),
    path(
        "analysis/runs/<str:run_id>",
        analysis_views.RunDetailView.as_view(),
        name="analysis-run-detail",
    ),
    path(
        "analysis/<str:type>/run",
        analysis_views.RunView.as_view(),
        name="analysis-run",
    ),
    path("stash/status", stash_views.StatusView.as_view(), name="stash-status"),
    path("scene/<str:scene_id>", stash_views.SceneView.as_view(), name="scene"),
    path(
        # A path: addresses in base64 may hold slashes.
        "upstream/field-config/<path:endpoint_b64>",
        settings_views.FieldConfigView.as_view(),
        name="field-config",
    ),
    path(
        "actions/batch-dismiss",
        views.BatchDismissView.as_view(),
        name="batch-dismiss",
    ),
    path("<str:rec_id>", views.RecommendationView.as_view(), name="detail"),
    path("<str:rec_id>/resolve", views.ResolveView.as_view(), name="resolve"),
    path("<str:rec_id>/dismiss", views.DismissView.as_view(), name="dismiss"),
    path(
        "<str:rec_id>/dismiss-upstream",
        views.DismissUpstreamView.as_view(),
        name="dismiss-upstream",
    ),
    path("<str:rec_id>/restore", views.RestoreView.as_view(), name="restore"),
]

queue_urls = [
    path("status", queue_views.StatusView.as_view(), name="status"),
    path("types", queue_views.TypesView.as_view(), name="types"),
    path("schedules", queue_views.SchedulesView.as_view(), name="schedules"),
    path(
        "schedules/<str:type_id>", queue_views.ScheduleView.as_view(), name="schedule"
    ),
    path("history", queue_views.HistoryView.as_view(), name="history"),
    path("<str:job_id>", queue_views.JobView.as_view(), name="job"),
    path("<str:job_id>/stop", queue_views.StopView.as_view(), name="stop"),
    path("<str:job_id>/retry", queue_views.RetryView.as_view(), name="retry"),
]

urlpatterns = [
    path("recommendations", views.ListView.as_view(), name="recommendations"),
    path(
        "recommendations/",
        include((recommendation_urls, "recommendations"), namespace="recommendations"),
    ),
    path("queue", queue_views.QueueView.as_view(), name="queue"),
    path("queue/", include((queue_urls, "queue"), namespace="queue")),
    path(
        "settings/endpoint-priorities",
        settings_views.PrioritiesView.as_view(),
        name="endpoint-priorities",
    ),
    path(
        "settings/endpoint-disable",
        settings_views.DisableView.as_view(),
        name="endpoint-disable",
    ),
    path(
        "settings/endpoint-enable",
        settings_views.EnableView.as_view(),
        name="endpoint-enable",
    ),
    path(
        "system/stashbox-connections",
        settings_views.ConnectionsView.as_view(),
        name="stashbox-connections",
    ),
    path(
        "system/refresh-stashbox-config",
        settings_views.RefreshConnectionsView.as_view(),
        name="refresh-stashbox-config",
    ),
    path(
        "stashbox/performer/<str:endpoint>/<str:stashdb_id>",
        stash_views.BoxPerformerView.as_view(),
        name="stashbox-performer",
    ),
    path(
        "stash/search-performers",
        stash_views.SearchPerformersView.as_view(),
        name="stash-search-performers",
    ),
]
