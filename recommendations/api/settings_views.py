"""Routes about stash-boxes: which there are, their order, and what is asked of them."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import endpoints, field_switches
from recommendations.api.serializers import SuccessAnswer
from recommendations.models import OPERATE
from stashsense.api.requests import validated
from stashsense.integrations import stashbox_connections
from stashsense.integrations.stash_types import StashBoxEndpoint

# Addresses of stash-boxes; rows hold no longer ones.
MAX_ENDPOINT_CHARACTERS = 255
_MAX_ENDPOINTS = 100
_UNKNOWN = {
    400: OpenApiResponse(description="Stash has no such stash-box, or is not set."),
    503: OpenApiResponse(description="Stash does not answer."),
}
ENTITY_TYPES = ["performer", "tag", "studio", "scene"]


class ConnectionAnswer(serializers.Serializer[Any]):
    """A stash-box that Stash is configured with; its key is never told."""

    endpoint = serializers.CharField()
    name = serializers.CharField()
    domain = serializers.CharField()
    max_requests_per_minute = serializers.IntegerField(allow_null=True)


class ConnectionsAnswer(serializers.Serializer[Any]):
    connections = ConnectionAnswer(many=True)


class RefreshedAnswer(ConnectionsAnswer):
    endpoints_loaded = serializers.IntegerField()


class PrioritiesAnswer(serializers.Serializer[Any]):
    """Stash-boxes in the order in which they are believed."""

    endpoints = ConnectionAnswer(many=True)
    disabled = ConnectionAnswer(many=True)


class PrioritiesRequest(serializers.Serializer[Any]):
    """Stash-boxes by their addresses, the most believed first."""

    endpoints = serializers.ListField(
        child=serializers.CharField(max_length=MAX_ENDPOINT_CHARACTERS),
        max_length=_MAX_ENDPOINTS,
    )


class EndpointRequest(serializers.Serializer[Any]):
    """Which stash-box."""

    endpoint = serializers.CharField(max_length=MAX_ENDPOINT_CHARACTERS)


class DisableRequest(EndpointRequest):
    """Whether what waits about it is closed as well."""

    clear_recommendations = serializers.BooleanField(required=False, default=False)


class DisabledAnswer(SuccessAnswer):
    cleared_count = serializers.IntegerField()


class FieldConfigQuery(serializers.Serializer[Any]):
    """Of what the fields are."""

    entity_type = serializers.ChoiceField(ENTITY_TYPES, default="performer")


class FieldAnswer(serializers.Serializer[Any]):
    """A field, and whether changes of it are proposed."""

    enabled = serializers.BooleanField()
    label = serializers.CharField()  # type: ignore[assignment]


class FieldConfigAnswer(serializers.Serializer[Any]):
    endpoint = serializers.CharField()
    entity_type = serializers.CharField()
    fields = serializers.DictField(child=FieldAnswer())  # type: ignore[assignment]


class ConnectionsView(APIView):
    """Which stash-boxes are there?"""

    @extend_schema(
        operation_id="stashbox_connections",
        responses={200: ConnectionsAnswer, **_UNKNOWN},
    )
    def get(self, request: Request) -> Response:
        """Return the stash-boxes that Stash is configured with, in its order."""
        found = stashbox_connections.connections()
        return Response({"connections": [connection_answer(each) for each in found]})


class RefreshConnectionsView(APIView):
    """Ask Stash for its stash-boxes now."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="stashbox_connections_refresh",
        request=None,
        responses={200: RefreshedAnswer, **_UNKNOWN},
    )
    def post(self, request: Request) -> Response:
        """Read Stash's configuration, which is done every minute in any case."""
        found = stashbox_connections.refresh()
        return Response(
            {
                "endpoints_loaded": len(found),
                "connections": [connection_answer(each) for each in found],
            }
        )


class PrioritiesView(APIView):
    """Which stash-box is believed first?"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="endpoint_priorities",
        responses={200: PrioritiesAnswer, **_UNKNOWN},
    )
    def get(self, request: Request) -> Response:
        """Return those that are asked in their order, and those that are not."""
        found = endpoints.all_endpoints()
        return Response(
            {
                "endpoints": [connection_answer(each) for each in found.enabled],
                "disabled": [connection_answer(each) for each in found.disabled],
            }
        )

    @extend_schema(
        operation_id="endpoint_priorities_store",
        request=PrioritiesRequest,
        responses={200: SuccessAnswer, **_UNKNOWN},
    )
    def post(self, request: Request) -> Response:
        """Store the order; those it leaves out come after, in Stash's order."""
        asked = validated(PrioritiesRequest, request.data)
        endpoints.set_priorities(asked["endpoints"])
        return Response({"success": True})


class DisableView(APIView):
    """Ask a stash-box no more."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="endpoint_disable",
        request=DisableRequest,
        responses={200: DisabledAnswer, **_UNKNOWN},
    )
    def post(self, request: Request) -> Response:
        """Disable it; what is closed with it comes back when it is enabled again."""
        asked = validated(DisableRequest, request.data)
        endpoints.disable_endpoint(asked["endpoint"])
        cleared = 0
        if asked["clear_recommendations"]:
            cleared = endpoints.close_recommendations(asked["endpoint"])
        return Response({"success": True, "cleared_count": cleared})


class EnableView(APIView):
    """Ask a stash-box again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="endpoint_enable",
        request=EndpointRequest,
        responses={200: SuccessAnswer, **_UNKNOWN},
    )
    def post(self, request: Request) -> Response:
        """Enable it, believed after those that have a place."""
        asked = validated(EndpointRequest, request.data)
        endpoints.enable_endpoint(asked["endpoint"])
        return Response({"success": True})


class FieldConfigView(APIView):
    """Changes of which fields are proposed?"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="upstream_field_config",
        parameters=[FieldConfigQuery],
        responses={200: FieldConfigAnswer, **_UNKNOWN},
    )
    def get(self, request: Request, endpoint_b64: str) -> Response:
        """Return the fields of performers, tags, studios or scenes for a stash-box."""
        asked = validated(FieldConfigQuery, request.query_params)
        endpoint = field_switches.read_endpoint(endpoint_b64)
        switches = field_switches.field_switches(endpoint, asked["entity_type"])
        return Response(
            {
                "endpoint": endpoint,
                "entity_type": asked["entity_type"],
                "fields": {
                    each.name: {"enabled": each.is_enabled, "label": each.label}
                    for each in switches
                },
            }
        )

    @extend_schema(
        operation_id="upstream_field_config_store",
        parameters=[FieldConfigQuery],
        request={
            "application/json": {
                "type": "object",
                "additionalProperties": {"type": "boolean"},
            }
        },
        responses={200: SuccessAnswer, **_UNKNOWN},
    )
    def post(self, request: Request, endpoint_b64: str) -> Response:
        """Store the switches that are given; the others stay as they are."""
        asked = validated(FieldConfigQuery, request.query_params)
        endpoint = field_switches.read_endpoint(endpoint_b64)
        switches = _Switches().run_validation(request.data)
        field_switches.switch_fields(endpoint, asked["entity_type"], switches)
        return Response({"success": True})


class _StrictBoolean(serializers.Field[bool, bool, bool, Any]):
    """True or false, and no word for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("True or false is wanted.")
        return data


class _Switches(serializers.DictField):
    child = _StrictBoolean()


def connection_answer(connection: StashBoxEndpoint) -> dict[str, Any]:
    """Return the body of ConnectionAnswer, field by field: it has a key as well."""
    return {
        "endpoint": connection.endpoint,
        "name": connection.name,
        "domain": connection.domain,
        "max_requests_per_minute": connection.max_requests_per_minute,
    }
