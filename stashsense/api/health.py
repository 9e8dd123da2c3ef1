"""Is the service well? Open to everybody, quick whatever else goes on."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import registry
from recognition.video_libraries import video_library_versions
from stashsense import __version__, hosts
from stashsense.api.authentication import IsAllowed
from stashsense.api.callers import SHORTEST_KEY
from stashsense.integrations.rate_limiter import RateLimiter
from stashsense.integrations.stash import configured_client

AUTHENTICATION_OFF_WARNING = (
    "STASH_SENSE_AUTH is off: anybody who reaches this service may use it."
)
OWN_KEYS_WARNING = (
    "The database can be shared by several hosts, and the keys cannot: set "
    "STASH_SENSE_SECRET_KEY and STASH_SENSE_API_KEY, the same ones on every host."
)
SHORT_KEY_WARNING = (
    f"STASH_SENSE_API_KEY has fewer than {SHORTEST_KEY} characters and can be guessed: "
    "choose a longer one, or leave it out and one is made."
)


class DeviceAnswer(serializers.Serializer[Any]):
    """Where networks run, and why there."""

    name = serializers.CharField()
    execution_provider = serializers.CharField()
    reason = serializers.CharField()


class HealthAnswer(serializers.Serializer[Any]):
    """What this process serves at this moment."""

    status = serializers.ChoiceField(["healthy", "degraded"])
    version = serializers.CharField(help_text="Of Stash Sense itself.")
    database_loaded = serializers.BooleanField()
    performer_count = serializers.IntegerField()
    face_count = serializers.IntegerField()
    release = serializers.CharField(allow_null=True)
    network_set = serializers.CharField(allow_null=True)
    is_loading = serializers.BooleanField()
    is_unloaded = serializers.BooleanField(
        help_text="Nothing is loaded for want of work; the next request has it loaded."
    )
    problem = serializers.CharField(
        allow_null=True, help_text="Code of what keeps the active release from serving."
    )
    devices = DeviceAnswer(many=True)
    authentication = serializers.ChoiceField(["on", "off"])
    warnings = serializers.ListField(
        child=serializers.CharField(),
        help_text="What an operator should change. None for those who have no key.",
    )


class FfmpegAnswer(serializers.Serializer[Any]):
    """The video libraries the service carries."""

    ffmpeg_available = serializers.BooleanField()
    v2_endpoint_ready = serializers.BooleanField()
    libraries = serializers.DictField(child=serializers.CharField())


class RateLimiterAnswer(serializers.Serializer[Any]):
    """How much this process has asked Stash, and how long it held itself back."""

    total_requests = serializers.IntegerField()
    total_wait_time = serializers.FloatField(help_text="Seconds.")
    avg_wait_time = serializers.FloatField(help_text="Seconds.")
    requests_per_second = serializers.FloatField(
        allow_null=True, help_text="The limit; null where no Stash is configured."
    )
    queue_depth = serializers.IntegerField()


class HealthView(APIView):
    """Is the service there, and what does it serve? Open to everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="health", responses=HealthAnswer)
    def get(self, request: Request) -> Response:
        """Return what this process serves; never waits and never loads anything."""
        state = registry.state()
        serving = state.serving
        release = state.followed
        faces = serving.recognizer.database.plain.release if serving else None
        warnings = operating_warnings()
        return Response(
            {
                "status": "healthy" if serving else "degraded",
                "version": __version__,
                "database_loaded": serving is not None,
                "performer_count": faces.performer_count if faces else 0,
                "face_count": faces.face_count if faces else 0,
                "release": release.version if release else None,
                "network_set": release.network_set if release else None,
                "is_loading": state.is_loading,
                "is_unloaded": state.unloaded is not None,
                "problem": state.failure.code if state.failure else None,
                "devices": _devices(state),
                "authentication": settings.AUTHENTICATION,
                # Some tell where to attack.
                "warnings": warnings if warnings and self._lets_in(request) else [],
            }
        )

    def _lets_in(self, request: Request) -> bool:
        """Return whether who asks may use the API; wrong keys are counted."""
        own = Request(
            request._request,
            authenticators=[each() for each in APIView.authentication_classes],
        )
        try:
            # This view has made it nobody's, whatever the session says.
            request._request.user = get_user(request._request)
            return IsAllowed().has_permission(own, self)
        except (APIException, DatabaseError):
            # Open to everybody all the same, a session that cannot be looked up too.
            return False


def _devices(state: registry.RegistryState) -> list[dict[str, str]]:
    if state.plan is None:
        return []
    plan = state.plan
    return [
        {
            "name": plan.device,
            "execution_provider": plan.provider,
            "reason": plan.reason,
        }
    ]


def operating_warnings() -> list[str]:
    """Return what an operator should change, a sentence each."""
    warnings = []
    if settings.AUTHENTICATION == "off":
        warnings.append(AUTHENTICATION_OFF_WARNING)
    if settings.API_KEY and len(settings.API_KEY) < SHORTEST_KEY:
        warnings.append(SHORT_KEY_WARNING)
    if hosts.are_many() and not (settings.IS_SECRET_KEY_SHARED and settings.API_KEY):
        warnings.append(OWN_KEYS_WARNING)
    return warnings


class FfmpegHealthView(APIView):
    """Which video libraries are there?"""

    @extend_schema(operation_id="health_ffmpeg", responses=FfmpegAnswer)
    def get(self, request: Request) -> Response:
        """Return the FFmpeg libraries that decode scenes, by version."""
        libraries = video_library_versions()
        return Response(
            {
                "ffmpeg_available": bool(libraries),
                # Clients ask this before they offer /identify/scene.
                "v2_endpoint_ready": bool(libraries),
                "libraries": libraries,
            }
        )


class RateLimiterView(APIView):
    """How often is Stash asked?"""

    @extend_schema(operation_id="health_rate_limiter", responses=RateLimiterAnswer)
    def get(self, request: Request) -> Response:
        """Return what the limit on questions to Stash has done in this process."""
        if settings.STASH_URL:
            figures = configured_client().rate_limiter_figures()
        else:
            figures = RateLimiter(None).figures()
        return Response(asdict(figures))
