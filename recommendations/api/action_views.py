"""Routes that change Stash: acting on recommendations."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations.api import action_serializers as shapes
from recommendations.api.requests import DECIDE
from recommendations.models import ActionRecord
from recommendations.stash_actions import (
    creating,
    fingerprint_matches,
    links,
    performer_merge,
    performers,
    relinking,
    scene_deletion,
    scene_merge,
    scenes,
    studios,
    tags,
)
from recommendations.stash_actions.acting import ActionAsker, ActionContext, Outcome
from recommendations.stash_actions.scenes import ListChange
from stashsense.api.authentication import way_of
from stashsense.api.requests import user_of, validated
from stashsense.integrations.stash_types import StashId

Asked = Mapping[str, Any]
# Of a view, what it does; the request is read and the answer written around it.
Act = Callable[[Any, ActionContext, Asked], Outcome]

_REFUSALS = {
    400: OpenApiResponse(description="Not confirmed, or STASH_URL is not set."),
    404: OpenApiResponse(description="There is no such recommendation or entity."),
    409: OpenApiResponse(
        description="A name or id is another's, somebody else acts on it, it is about "
        "something else, what it is about is gone, or the plan is not the one shown."
    ),
    422: OpenApiResponse(description="A value is wrong."),
    502: OpenApiResponse(description="Stash refused; its message is told."),
    503: OpenApiResponse(description="Stash or the stash-box is away."),
}


def _context(request: Request, asked: Asked) -> ActionContext:
    return ActionContext(
        asker=ActionAsker(way_of(request, ActionRecord.Asker), user_of(request)),
        recommendation_id=asked.get("recommendation_id"),
        is_dry_run=asked.get("dry_run", False),
        is_confirmed=asked.get("confirm", False),
        seen_at=asked.get("seen_at"),
        plan_digest=asked.get("plan_digest"),
    )


def _action(
    operation_id: str,
    shape: type[serializers.Serializer[Any]],
    answer: type[serializers.Serializer[Any]],
) -> Callable[[Act], Callable[[Any, Request], Response]]:
    """Make what acts into the method of a route: `shape` is asked, `answer` said."""

    def made(act: Act) -> Callable[[Any, Request], Response]:
        @extend_schema(
            operation_id=operation_id,
            request=shape,
            responses={200: answer, **_REFUSALS},
        )
        @wraps(act)
        def method(view: Any, request: Request) -> Response:
            asked = validated(shape, request.data)
            outcome = act(view, _context(request, asked), asked)
            return Response(shapes.action_answer(outcome, answer))

        return method

    return made


class ActionView(APIView):
    """What may be asked of by those alone who may act."""

    required_permission = DECIDE


class MergePerformersView(ActionView):
    """Performers who are one."""

    @_action("merge_performers", shapes.MergeRequest, shapes.MergePerformersAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Give the destination what the sources have, and remove these."""
        return performer_merge.merge_performers(
            context, asked["destination_id"], asked["source_ids"]
        )


class MergeScenesView(ActionView):
    """Scenes that are one."""

    @_action("merge_scenes", shapes.MergeRequest, shapes.MergeScenesAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Give the destination what the sources have; no file is deleted."""
        return scene_merge.merge_scenes(
            context, asked["destination_id"], asked["source_ids"]
        )


class DeleteSceneView(ActionView):
    """A scene too many."""

    @_action("delete_scene", shapes.DeleteSceneRequest, shapes.DeletedAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Delete a scene, with its files where `delete_file` says so."""
        return scene_deletion.delete_scene(
            context,
            asked["scene_id"],
            deletes_files=asked["delete_file"],
        )


class DeleteSceneFilesView(ActionView):
    """Files too many of a scene."""

    @_action("delete_scene_files", shapes.DeleteFilesRequest, shapes.DeletedAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Delete files from the disk; the one that is kept becomes primary first."""
        return scene_deletion.delete_scene_files(
            context,
            asked["scene_id"],
            file_ids=asked["file_ids_to_delete"],
            keeper_id=asked["keep_file_id"],
        )


class UpdatePerformerView(ActionView):
    """What changed upstream of a performer."""

    @_action("update_performer", shapes.UpdatePerformerRequest, shapes.PerformerAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Write fields; parts of measurements and careers leave the others as is."""
        return performers.update_performer(
            context, asked["performer_id"], asked["fields"]
        )


class UpdateTagView(ActionView):
    """What changed upstream of a tag."""

    @_action("update_tag", shapes.UpdateTagRequest, shapes.TagAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Write fields; aliases that are another tag's are left out and told."""
        return tags.update_tag(context, asked["tag_id"], asked["fields"])


class UpdateStudioView(ActionView):
    """What changed upstream of a studio."""

    @_action("update_studio", shapes.UpdateStudioRequest, shapes.StudioAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Write fields; a parent is found by its id, and never by its name alone."""
        return studios.update_studio(
            context,
            asked["studio_id"],
            asked["fields"],
            endpoint=asked["endpoint"],
            parent_id=asked["parent_id"],
            creates_parent=asked["create_parent"],
        )


class UpdateSceneView(ActionView):
    """What changed upstream of a scene."""

    @_action("update_scene", shapes.UpdateSceneRequest, shapes.SceneAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Write fields and lists; resolves the scene's upstream changes."""
        studio_id = asked.get("studio_id") or scenes.KEEP
        return scenes.update_scene(
            context,
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


def _create(context: ActionContext, kind: str, asked: Asked) -> Outcome:
    return creating.create_entity(
        context,
        kind,
        asked["stashbox_data"],
        endpoint=asked["endpoint"],
        stashbox_id=asked["stashbox_id"],
        scene_id=asked.get("scene_id"),
    )


class CreatePerformerView(ActionView):
    """A performer whom the library lacks."""

    @_action("create_performer", shapes.CreatePerformerRequest, shapes.PerformerAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Create a performer with all that the stash-box says."""
        return _create(context, "performer", asked)


class CreateTagView(ActionView):
    """A tag that the library lacks."""

    @_action("create_tag", shapes.CreateRequest, shapes.TagAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Create a tag with all that the stash-box says."""
        return _create(context, "tag", asked)


class CreateStudioView(ActionView):
    """A studio that the library lacks."""

    @_action("create_studio", shapes.CreateRequest, shapes.StudioAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Create a studio with all that the stash-box says."""
        return _create(context, "studio", asked)


class SearchEntitiesView(APIView):
    """What could be linked?"""

    changes_nothing = True

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

    @_action("link_entity", shapes.LinkRequest, shapes.LinkAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Add a stash-box's id; nothing is changed where it is there already."""
        return links.link_entity(
            context,
            asked["entity_type"],
            asked["entity_id"],
            endpoint=asked["endpoint"],
            stashbox_id=asked["stashbox_id"],
            adds_second=asked["add_second"],
        )


class RelinkView(ActionView):
    """An id that is gone upstream."""

    @_action("relink_entity", shapes.RelinkRequest, shapes.ActionAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Put another id in the place of one that is gone at the stash-box, or none."""
        return relinking.relink_entity(
            context,
            asked["entity_type"],
            asked["entity_id"],
            endpoint=asked["endpoint"],
            old_id=asked["old_stashbox_id"],
            new_id=asked["new_stashbox_id"],
        )


class AcceptMatchView(ActionView):
    """A scene that a stash-box knows."""

    @_action("accept_fingerprint_match", shapes.AcceptMatchRequest, shapes.ActionAnswer)
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Give the scene the id that the recommendation proposes."""
        return fingerprint_matches.accept_match(
            context,
            scene_id=asked["scene_id"],
            endpoint=asked["endpoint"],
            stash_id=asked["stash_id"],
        )


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

    @_action(
        "stash_create_performer",
        shapes.SceneCreatePerformerRequest,
        shapes.SceneCreatePerformerAnswer,
    )
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Create the stash-box's performer, and add them to the scene."""
        return creating.create_performer_in_scene(
            context,
            scene_id=asked["scene_id"],
            endpoint=asked["endpoint"],
            stashbox_id=asked["stashdb_id"],
        )


class SceneLinkPerformerView(ActionView):
    """Somebody in a scene whom the library has."""

    @_action(
        "stash_link_performer", shapes.SceneLinkPerformerRequest, shapes.ActionAnswer
    )
    def post(self, context: ActionContext, asked: Asked) -> Outcome:
        """Add a performer to the scene, and with `update_metadata` ids to them."""
        given = asked["stash_ids"] if asked["update_metadata"] else []
        return links.link_performer_to_scene(
            context,
            asked["scene_id"],
            asked["performer_id"],
            stash_ids=[StashId(each["endpoint"], each["stash_id"]) for each in given],
        )
