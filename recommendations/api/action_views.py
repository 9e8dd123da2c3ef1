"""Routes that change Stash: acting on recommendations."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations.api import action_serializers as shapes
from recommendations.api.requests import DECIDE, validated
from recommendations.models import ActionRecord
from recommendations.stash_actions import (
    creating,
    fingerprint_matches,
    links,
    performer_merge,
    performers,
    scene_deletion,
    scene_merge,
    scenes,
    studios,
    tags,
)
from recommendations.stash_actions.acting import ActionAsker, ActionContext
from recommendations.stash_actions.scenes import ListChange
from stashsense.integrations.stash_types import StashId

_REFUSALS = {
    400: OpenApiResponse(description="Not confirmed, or STASH_URL is not set."),
    404: OpenApiResponse(description="There is no such recommendation or entity."),
    409: OpenApiResponse(
        description="A name or id is another's, somebody else acts on it, it is about "
        "something else, or what it is about is gone."
    ),
    422: OpenApiResponse(description="A value is wrong."),
    502: OpenApiResponse(description="Stash refused; its message is told."),
    503: OpenApiResponse(description="Stash or the stash-box is away."),
}


def _context(request: Request, asked: Mapping[str, Any]) -> ActionContext:
    user = request.user if isinstance(request.user, User) else None
    return ActionContext(
        asker=ActionAsker(ActionRecord.Asker.API, user),
        recommendation_id=asked.get("recommendation_id"),
        is_dry_run=asked.get("dry_run", False),
        is_confirmed=asked.get("confirm", False),
    )


class ActionView(APIView):
    """What may be asked of by those alone who may act."""

    required_permission = DECIDE


class MergePerformersView(ActionView):
    """Performers who are one."""

    @extend_schema(
        operation_id="merge_performers",
        request=shapes.MergeRequest,
        responses={200: shapes.MergePerformersAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Give the destination what the sources have, and remove these."""
        asked = validated(shapes.MergeRequest, request.data)
        outcome = performer_merge.merge_performers(
            _context(request, asked), asked["destination_id"], asked["source_ids"]
        )
        return Response(shapes.action_answer(outcome))


class MergeScenesView(ActionView):
    """Scenes that are one."""

    @extend_schema(
        operation_id="merge_scenes",
        request=shapes.MergeRequest,
        responses={200: shapes.MergeScenesAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Give the destination what the sources have; no file is deleted."""
        asked = validated(shapes.MergeRequest, request.data)
        outcome = scene_merge.merge_scenes(
            _context(request, asked), asked["destination_id"], asked["source_ids"]
        )
        return Response(shapes.action_answer(outcome))


class DeleteSceneView(ActionView):
    """A scene too many."""

    @extend_schema(
        operation_id="delete_scene",
        request=shapes.DeleteSceneRequest,
        responses={200: shapes.DeletedAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Delete a scene, with its files where `delete_file` says so."""
        asked = validated(shapes.DeleteSceneRequest, request.data)
        outcome = scene_deletion.delete_scene(
            _context(request, asked),
            asked["scene_id"],
            deletes_files=asked["delete_file"],
        )
        return Response(shapes.action_answer(outcome))


class DeleteSceneFilesView(ActionView):
    """Files too many of a scene."""

    @extend_schema(
        operation_id="delete_scene_files",
        request=shapes.DeleteFilesRequest,
        responses={200: shapes.DeletedAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Delete files from the disk; the one that is kept becomes primary first."""
        asked = validated(shapes.DeleteFilesRequest, request.data)
        outcome = scene_deletion.delete_scene_files(
            _context(request, asked),
            asked["scene_id"],
            file_ids=asked["file_ids_to_delete"],
            keeper_id=asked["keep_file_id"],
        )
        return Response(shapes.action_answer(outcome))


class UpdatePerformerView(ActionView):
    """What changed upstream of a performer."""

    @extend_schema(
        operation_id="update_performer",
        request=shapes.UpdatePerformerRequest,
        responses={200: shapes.PerformerAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Write fields; parts of measurements and careers leave the others as is."""
        asked = validated(shapes.UpdatePerformerRequest, request.data)
        outcome = performers.update_performer(
            _context(request, asked), asked["performer_id"], asked["fields"]
        )
        return Response(shapes.action_answer(outcome))


class UpdateTagView(ActionView):
    """What changed upstream of a tag."""

    @extend_schema(
        operation_id="update_tag",
        request=shapes.UpdateTagRequest,
        responses={200: shapes.TagAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Write fields; aliases that are another tag's are left out and told."""
        asked = validated(shapes.UpdateTagRequest, request.data)
        outcome = tags.update_tag(
            _context(request, asked), asked["tag_id"], asked["fields"]
        )
        return Response(shapes.action_answer(outcome))


class UpdateStudioView(ActionView):
    """What changed upstream of a studio."""

    @extend_schema(
        operation_id="update_studio",
        request=shapes.UpdateStudioRequest,
        responses={200: shapes.StudioAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Write fields; a parent is found by its id, and never by its name alone."""
        asked = validated(shapes.UpdateStudioRequest, request.data)
        outcome = studios.update_studio(
            _context(request, asked),
            asked["studio_id"],
            asked["fields"],
            endpoint=asked["endpoint"],
            parent_id=asked["parent_id"],
            creates_parent=asked["create_parent"],
        )
        return Response(shapes.action_answer(outcome))


class UpdateSceneView(ActionView):
    """What changed upstream of a scene."""

    @extend_schema(
        operation_id="update_scene",
        request=shapes.UpdateSceneRequest,
        responses={200: shapes.SceneAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Write fields and lists; resolves the scene's upstream changes."""
        asked = validated(shapes.UpdateSceneRequest, request.data)
        studio_id = asked.get("studio_id") or scenes.KEEP
        outcome = scenes.update_scene(
            _context(request, asked),
            asked["scene_id"],
            asked["fields"],
            performers=ListChange(
                wanted=asked["performer_ids"],
                added=asked["add_performer_ids"],
                removed=asked["remove_performer_ids"],
            ),
            tags=ListChange(
                wanted=asked["tag_ids"],
                added=asked["add_tag_ids"],
                removed=asked["remove_tag_ids"],
            ),
            studio_id=None if asked["clear_studio"] else studio_id,
        )
        return Response(shapes.action_answer(outcome))


def _create(request: Request, kind: str, asked: Mapping[str, Any]) -> Response:
    outcome = creating.create_entity(
        _context(request, asked),
        kind,
        asked["stashbox_data"],
        endpoint=asked["endpoint"],
        stashbox_id=asked["stashbox_id"],
        scene_id=asked.get("scene_id"),
    )
    return Response(shapes.action_answer(outcome))


class CreatePerformerView(ActionView):
    """A performer whom the library lacks."""

    @extend_schema(
        operation_id="create_performer",
        request=shapes.CreatePerformerRequest,
        responses={200: shapes.PerformerAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Create a performer with all that the stash-box says."""
        asked = validated(shapes.CreatePerformerRequest, request.data)
        return _create(request, "performer", asked)


class CreateTagView(ActionView):
    """A tag that the library lacks."""

    @extend_schema(
        operation_id="create_tag",
        request=shapes.CreateRequest,
        responses={200: shapes.TagAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Create a tag with all that the stash-box says."""
        return _create(request, "tag", validated(shapes.CreateRequest, request.data))


class CreateStudioView(ActionView):
    """A studio that the library lacks."""

    @extend_schema(
        operation_id="create_studio",
        request=shapes.CreateRequest,
        responses={200: shapes.StudioAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Create a studio with all that the stash-box says."""
        asked = validated(shapes.CreateRequest, request.data)
        return _create(request, "studio", asked)


class SearchEntitiesView(APIView):
    """What could be linked?"""

    @extend_schema(
        operation_id="search_entities",
        request=shapes.SearchEntitiesRequest,
        responses={200: shapes.SearchAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return up to ten by name, and whether each is linked at the stash-box."""
        asked = validated(shapes.SearchEntitiesRequest, request.data)
        results = links.search_entities(
            asked["entity_type"], asked["query"], asked["endpoint"]
        )
        return Response({"results": results})


class LinkEntityView(ActionView):
    """What is the same at a stash-box."""

    @extend_schema(
        operation_id="link_entity",
        request=shapes.LinkRequest,
        responses={200: shapes.LinkAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Add a stash-box's id; nothing is changed where it is there already."""
        asked = validated(shapes.LinkRequest, request.data)
        outcome = links.link_entity(
            _context(request, asked),
            asked["entity_type"],
            asked["entity_id"],
            endpoint=asked["endpoint"],
            stashbox_id=asked["stashbox_id"],
            adds_second=asked["add_second"],
            replaces=asked["replaces"],
        )
        return Response(shapes.action_answer(outcome))


class AcceptMatchView(ActionView):
    """A scene that a stash-box knows."""

    @extend_schema(
        operation_id="accept_fingerprint_match",
        request=shapes.AcceptMatchRequest,
        responses={200: shapes.ActionAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Give the scene the id that the recommendation proposes."""
        asked = validated(shapes.AcceptMatchRequest, request.data)
        outcome = fingerprint_matches.accept_match(
            _context(request, asked),
            scene_id=asked["scene_id"],
            endpoint=asked["endpoint"],
            stash_id=asked["stash_id"],
        )
        return Response(shapes.action_answer(outcome))


class AcceptAllMatchesView(ActionView):
    """Scenes that a stash-box surely knows."""

    @extend_schema(
        operation_id="accept_all_fingerprint_matches",
        request=shapes.AcceptAllRequest,
        responses={200: shapes.AcceptAllAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Accept the matches of high confidence, one by one."""
        asked = validated(shapes.AcceptAllRequest, request.data or {})
        result = fingerprint_matches.accept_all_matches(
            _context(request, asked), endpoint=asked["endpoint"] or ""
        )
        return Response(
            {
                "success": not result.failed,
                "accepted_count": len(result.accepted),
                "accepted": result.accepted,
                "failed": result.failed,
                "remaining_count": result.remaining_count,
                "dry_run": asked["dry_run"],
            }
        )


class SceneCreatePerformerView(ActionView):
    """Somebody in a scene whom the library lacks."""

    @extend_schema(
        operation_id="stash_create_performer",
        request=shapes.SceneCreatePerformerRequest,
        responses={200: shapes.SceneCreatePerformerAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Create the stash-box's performer, and add them to the scene."""
        asked = validated(shapes.SceneCreatePerformerRequest, request.data)
        outcome = creating.create_performer_in_scene(
            _context(request, asked),
            scene_id=asked["scene_id"],
            endpoint=asked["endpoint"],
            stashbox_id=asked["stashdb_id"],
        )
        return Response(shapes.action_answer(outcome))


class SceneLinkPerformerView(ActionView):
    """Somebody in a scene whom the library has."""

    @extend_schema(
        operation_id="stash_link_performer",
        request=shapes.SceneLinkPerformerRequest,
        responses={200: shapes.ActionAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Add a performer to the scene, and with `update_metadata` ids to them."""
        asked = validated(shapes.SceneLinkPerformerRequest, request.data)
        given = asked["stash_ids"] if asked["update_metadata"] else []
        outcome = links.link_performer_to_scene(
            _context(request, asked),
            asked["scene_id"],
            asked["performer_id"],
            stash_ids=[StashId(each["endpoint"], each["stash_id"]) for each in given],
        )
        return Response(shapes.action_answer(outcome))
