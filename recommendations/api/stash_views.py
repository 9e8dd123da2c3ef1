"""Routes that tell of Stash and of stash-boxes, and change nothing."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import box_performers
from stashsense.api.requests import validated
from stashsense.integrations.stash import configured_client
from stashsense.integrations.stash_address import parse_stash_url
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import FullScene, LibraryFile, NamedRow
from stashsense.integrations.stash_types import StashId

MAX_QUERY_CHARACTERS = 200
_STASH_FAILS = {
    400: OpenApiResponse(description="STASH_URL is not set."),
    502: OpenApiResponse(description="Stash refused."),
    503: OpenApiResponse(description="Stash is away."),
}


class StashStatusAnswer(serializers.Serializer[Any]):
    """Whether Stash can be asked."""

    connected = serializers.BooleanField()
    url = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class StashIdAnswer(serializers.Serializer[Any]):
    endpoint = serializers.CharField()
    stash_id = serializers.CharField()


class NamedAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class PathsAnswer(serializers.Serializer[Any]):
    screenshot = serializers.CharField(allow_null=True)


class FileFingerprintAnswer(serializers.Serializer[Any]):
    type = serializers.CharField()
    value = serializers.CharField()


class SceneFileAnswer(serializers.Serializer[Any]):
    """A video file; the first is the primary one."""

    id = serializers.CharField()
    path = serializers.CharField()
    basename = serializers.CharField()
    size = serializers.IntegerField()
    duration = serializers.FloatField()
    video_codec = serializers.CharField()
    audio_codec = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frame_rate = serializers.FloatField()
    bit_rate = serializers.IntegerField()
    fingerprints = FileFingerprintAnswer(many=True)


class SceneAnswer(serializers.Serializer[Any]):
    """A scene of Stash."""

    id = serializers.CharField()
    title = serializers.CharField()
    code = serializers.CharField()
    details = serializers.CharField()
    director = serializers.CharField()
    urls = serializers.ListField(child=serializers.CharField())
    date = serializers.CharField(allow_null=True)
    updated_at = serializers.DateTimeField()
    organized = serializers.BooleanField()
    paths = PathsAnswer()
    studio = NamedAnswer(allow_null=True)
    performers = NamedAnswer(many=True)
    tags = NamedAnswer(many=True)
    files = SceneFileAnswer(many=True)
    stash_ids = StashIdAnswer(many=True)


class SearchRequest(serializers.Serializer[Any]):
    """Words of a name or an alias."""

    query = serializers.CharField(max_length=MAX_QUERY_CHARACTERS)


class FoundPerformerAnswer(serializers.Serializer[Any]):
    """A performer of Stash."""

    id = serializers.CharField()
    name = serializers.CharField()
    disambiguation = serializers.CharField()
    alias_list = serializers.ListField(child=serializers.CharField())
    image_path = serializers.CharField(allow_null=True)


class BoxPerformerAnswer(serializers.Serializer[Any]):
    """A performer of a stash-box, in Stash's words."""

    name = serializers.CharField()
    disambiguation = serializers.CharField(allow_null=True)
    alias_list = serializers.ListField(child=serializers.CharField())
    gender = serializers.CharField(allow_null=True)
    birthdate = serializers.CharField(allow_null=True)
    death_date = serializers.CharField(allow_null=True)
    ethnicity = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)
    eye_color = serializers.CharField(allow_null=True)
    hair_color = serializers.CharField(allow_null=True)
    height_cm = serializers.IntegerField(allow_null=True)
    measurements = serializers.CharField(allow_null=True)
    fake_tits = serializers.CharField(allow_null=True)
    career_length = serializers.CharField(allow_null=True)
    tattoos = serializers.CharField(allow_null=True)
    piercings = serializers.CharField(allow_null=True)
    details = serializers.CharField(allow_null=True, help_text="Always null.")
    urls = serializers.ListField(child=serializers.CharField())
    image = serializers.CharField(allow_null=True)
    weight = serializers.IntegerField(allow_null=True, help_text="Always null.")
    stash_ids = StashIdAnswer(many=True)


class StatusView(APIView):
    """Can Stash be asked?"""

    @extend_schema(operation_id="stash_status", responses=StashStatusAnswer)
    def get(self, request: Request) -> Response:
        """Return whether Stash answers us, and if not, why; never an error."""
        body: dict[str, Any] = {"connected": False, "url": None, "error": None}
        try:
            # Without the user and password that the setting may hold.
            body["url"] = parse_stash_url(settings.STASH_URL).root
            configured_client().get_version()
        except StashError as error:
            body["error"] = str(error)
        else:
            body["connected"] = True
        return Response(body)


class SceneView(APIView):
    """A scene, as Stash has it."""

    @extend_schema(
        operation_id="stash_scene",
        responses={
            200: SceneAnswer,
            404: OpenApiResponse(description="Stash has no such scene."),
            422: OpenApiResponse(description="That is no id of Stash."),
            **_STASH_FAILS,
        },
    )
    def get(self, request: Request, scene_id: str) -> Response:
        """Return the scene with its files, the primary one first."""
        library = StashLibrary(configured_client())
        return Response(scene_answer(library.get_full_scene(scene_id)))


class SearchPerformersView(APIView):
    """Who in Stash is called so?"""

    changes_nothing = True

    @extend_schema(
        operation_id="stash_search_performers",
        request=SearchRequest,
        responses={200: FoundPerformerAnswer(many=True), **_STASH_FAILS},
    )
    def post(self, request: Request) -> Response:
        """Return up to ten performers whose name or alias has the words, by name."""
        query = validated(SearchRequest, request.data)["query"]
        found = configured_client().search_performers(query)
        return Response(
            [
                {
                    "id": str(each.id),
                    "name": each.name,
                    "disambiguation": each.disambiguation,
                    "alias_list": [*each.alias_list],
                    "image_path": each.image_url,
                }
                for each in found
            ]
        )


class BoxPerformerView(APIView):
    """A performer, as a stash-box has them."""

    @extend_schema(
        operation_id="stashbox_performer",
        responses={
            200: BoxPerformerAnswer,
            400: OpenApiResponse(description="Stash has no such stash-box, or no key."),
            404: OpenApiResponse(description="The stash-box has no such performer."),
            502: OpenApiResponse(description="Stash or the stash-box refused."),
            503: OpenApiResponse(description="Stash or the stash-box is away."),
        },
    )
    def get(self, request: Request, endpoint: str, stashdb_id: str) -> Response:
        """Return the performer in Stash's words; `endpoint` is a domain or a name."""
        return Response(box_performers.fetch_performer(endpoint, stashdb_id))


def scene_answer(scene: FullScene) -> dict[str, Any]:
    """Return the body of SceneAnswer."""
    return {
        "id": str(scene.id),
        "title": scene.title,
        "code": scene.code,
        "details": scene.details,
        "director": scene.director,
        "urls": [*scene.urls],
        "date": scene.date or None,
        "updated_at": scene.updated_at,
        "organized": scene.is_organized,
        "paths": {"screenshot": scene.screenshot_url},
        "studio": _named(scene.studio) if scene.studio else None,
        "performers": [_named(each) for each in scene.performers],
        "tags": [_named(each) for each in scene.tags],
        "files": [_file(each) for each in scene.files],
        "stash_ids": [_stash_id(each) for each in scene.stash_ids],
    }


def _named(row: NamedRow) -> dict[str, str]:
    return {"id": str(row.id), "name": row.name}


def _stash_id(stash_id: StashId) -> dict[str, str]:
    return {"endpoint": stash_id.endpoint, "stash_id": stash_id.stash_id}


def _file(file: LibraryFile) -> dict[str, Any]:
    return {
        "id": str(file.id),
        "path": file.path,
        "basename": file.basename,
        "size": file.size_bytes,
        "duration": file.duration_seconds,
        "video_codec": file.video_codec,
        "audio_codec": file.audio_codec,
        "width": file.width,
        "height": file.height,
        "frame_rate": file.frame_rate,
        "bit_rate": file.bit_rate,
        "fingerprints": [
            {"type": each.kind, "value": each.value} for each in file.fingerprints
        ],
    }
