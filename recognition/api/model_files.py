"""Routes of the model files, with the predecessor's names."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import model_downloads, model_files
from recognition.model_downloads import Asker
from recognition.model_files import FileState, Group, Status
from recognition.models import OPERATE_MODEL_FILES, ModelDownload
from stashsense.api.authentication import way_of
from stashsense.api.requests import user_of, validated

State = ModelDownload.State

# How clients of the predecessor know the states it did not have.
_SPELLINGS = {State.QUEUED: "downloading", State.CANCELLED: "failed"}
CANCELLING = ["cancelling"]
STARTED = ["download_started"]
STATUSES = ["downloading", "validating", "complete", "failed"]


class ModelStatusAnswer(serializers.Serializer[Any]):
    """A model file and how it is found."""

    status = serializers.ChoiceField([*Status])
    file = serializers.CharField(help_text="Below the models folder.")
    size = serializers.IntegerField(help_text="Bytes; about, where none is published.")
    group = serializers.ChoiceField([*Group])
    description = serializers.CharField()
    sha256 = serializers.CharField(allow_null=True, help_text="Of the file there is.")
    expected_sha256 = serializers.CharField(
        allow_null=True, help_text="Null where none is published nor recorded yet."
    )
    explanation = serializers.CharField(allow_null=True)


class ModelsStatusAnswer(serializers.Serializer[Any]):
    """Every model file by its name."""

    models = serializers.DictField(child=ModelStatusAnswer())


class ModelProgressAnswer(serializers.Serializer[Any]):
    """How far the newest download of a model file is, or how it ended."""

    model_name = serializers.CharField()
    downloaded_bytes = serializers.IntegerField()
    total_bytes = serializers.IntegerField()
    status = serializers.ChoiceField(STATUSES)
    state = serializers.ChoiceField(
        State.choices, help_text="The same more exactly than `status`."
    )
    percent = serializers.IntegerField(help_text="100 once it is verified, not before.")
    error = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)


class ModelsProgressAnswer(serializers.Serializer[Any]):
    """The newest download of each model file that was ever asked for."""

    progress = serializers.DictField(child=ModelProgressAnswer())


class DownloadStartedAnswer(serializers.Serializer[Any]):
    """A download that the background works at; see /models/download-progress."""

    status = serializers.ChoiceField(STARTED)
    model = serializers.CharField()


class DownloadsStartedAnswer(serializers.Serializer[Any]):
    """The downloads that were begun: none, where all is installed or on its way."""

    status = serializers.ChoiceField(STARTED)
    models = serializers.ListField(child=serializers.CharField())


class CancelDownloadsRequest(serializers.Serializer[Any]):
    """Which download is meant; all of them where none is named."""

    model = serializers.CharField(required=False, max_length=64)


class CancelDownloadsAnswer(serializers.Serializer[Any]):
    """Downloads that end within two seconds."""

    status = serializers.ChoiceField(CANCELLING)
    models = serializers.ListField(child=serializers.CharField())


class ModelsStatusView(APIView):
    """Which model files are installed?"""

    @extend_schema(operation_id="models_status", responses=ModelsStatusAnswer)
    def get(self, request: Request) -> Response:
        """Return every model file; a changed one is read to find its digest."""
        return Response({"models": status_answer(model_files.states())})


class DownloadModelView(APIView):
    """Get one."""

    required_permission = OPERATE_MODEL_FILES

    @extend_schema(
        operation_id="models_download",
        request=None,
        responses={
            200: DownloadStartedAnswer,
            404: OpenApiResponse(description="No such model file."),
            409: OpenApiResponse(description="It is being downloaded already."),
        },
    )
    def post(self, request: Request, model_name: str) -> Response:
        """Begin to download a model file; nothing is fetched for an intact one."""
        model_downloads.request_download(model_name, asker=_asker(request))
        return Response({"status": "download_started", "model": model_name})


class DownloadAllModelsView(APIView):
    """Get all of them."""

    required_permission = OPERATE_MODEL_FILES

    @extend_schema(
        operation_id="models_download_all",
        request=None,
        responses=DownloadsStartedAnswer,
    )
    def post(self, request: Request) -> Response:
        """Begin to download what is not installed."""
        downloads = model_downloads.request_all(asker=_asker(request))
        names = [download.file.name for download in downloads]
        return Response({"status": "download_started", "models": names})


class DownloadProgressView(APIView):
    """How far is it?"""

    @extend_schema(
        operation_id="models_download_progress", responses=ModelsProgressAnswer
    )
    def get(self, request: Request) -> Response:
        """Return the newest download of each model file."""
        downloads = model_downloads.latest_downloads()
        return Response(
            {"progress": {name: _progress(row) for name, row in downloads.items()}}
        )


class CancelDownloadsView(APIView):
    """Stop it."""

    required_permission = OPERATE_MODEL_FILES

    @extend_schema(
        operation_id="models_cancel",
        request=CancelDownloadsRequest,
        responses={
            200: CancelDownloadsAnswer,
            404: OpenApiResponse(description="Nothing is being downloaded."),
        },
    )
    def post(self, request: Request) -> Response:
        """Cancel the downloads in progress, or one; nothing of them remains."""
        asked = validated(CancelDownloadsRequest, request.data)
        downloads = model_downloads.cancel_downloads(
            asked.get("model", ""), asker=_asker(request)
        )
        names = [download.file.name for download in downloads]
        return Response({"status": "cancelling", "models": names})


def status_answer(states: list[FileState]) -> dict[str, Any]:
    """Return ModelStatusAnswer's body for each file, by its name."""
    return {
        state.published.name: {
            "status": state.status,
            "file": state.published.file,
            "size": state.size_bytes
            or state.published.size_bytes
            or state.published.typical_bytes,
            "group": state.published.group,
            "description": state.published.description,
            "sha256": state.sha256 or None,
            "expected_sha256": state.expected_sha256 or None,
            "explanation": state.explanation or None,
        }
        for state in states
    }


def _progress(download: ModelDownload) -> dict[str, Any]:
    state = State(download.state)
    error = download.error or ("Cancelled." if state == State.CANCELLED else None)
    return {
        "model_name": download.file.name,
        "downloaded_bytes": download.done_bytes,
        "total_bytes": download.total_bytes,
        "status": _SPELLINGS.get(state, state),
        "state": state,
        "percent": download.percent,
        "error": error,
        "error_code": download.error_code or None,
    }


def _asker(request: Request) -> Asker:
    return Asker(way_of(request, ModelDownload.Asker), user_of(request))
