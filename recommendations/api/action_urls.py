"""Routes of actions; their paths are the predecessor's."""

from django.urls import path

from recommendations.api import action_views as views

_ACTIONS = {
    "merge-performers": views.MergePerformersView,
    "delete-scene-files": views.DeleteSceneFilesView,
    "merge-scenes": views.MergeScenesView,
    "delete-scene": views.DeleteSceneView,
    "update-performer": views.UpdatePerformerView,
    "update-tag": views.UpdateTagView,
    "update-studio": views.UpdateStudioView,
    "update-scene": views.UpdateSceneView,
    "create-performer": views.CreatePerformerView,
    "create-tag": views.CreateTagView,
    "create-studio": views.CreateStudioView,
    "search-entities": views.SearchEntitiesView,
    "link-entity": views.LinkEntityView,
    "relink-entity": views.RelinkView,
    "accept-fingerprint-match": views.AcceptMatchView,
    "accept-all-fingerprint-matches": views.AcceptAllMatchesView,
}

urlpatterns = [
    *(
        path(f"recommendations/actions/{name}", view.as_view(), name=name)
        for name, view in _ACTIONS.items()
    ),
    path(
        "stash/create-performer",
        views.SceneCreatePerformerView.as_view(),
        name="stash-create-performer",
    ),
    path(
        "stash/link-performer",
        views.SceneLinkPerformerView.as_view(),
        name="stash-link-performer",
    ),
]
