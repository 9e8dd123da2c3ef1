"""Settings over the API, with the predecessor's names."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stashsense.api.parsers import BoundedJSONParser
from stashsense.api.requests import user_of, validated
from stashsense.preferences import services, values
from stashsense.preferences.definitions import (
    InvalidPreference,
    UnknownPreference,
    get_definition,
)
from stashsense.preferences.models import CHANGE_PREFERENCE
from stashsense.preferences.values import Setting


class AnyNumberJSONParser(BoundedJSONParser):
    """JSON with Python's NaN, which is then refused as a value, by its name."""

    strict = False


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "boolean"}]})
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """Whatever came: the setting itself says what it may be."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class SettingAnswer(serializers.Serializer[Any]):
    """A setting, what it is by default here, and when a change counts."""

    value = ValueField()
    default = ValueField(help_text="What it is unless somebody chooses.")
    is_override = serializers.BooleanField(help_text="Whether somebody chose it.")
    type = serializers.CharField(help_text="bool, int or float.")
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    min = serializers.FloatField(required=False)
    max = serializers.FloatField(required=False)
    multiple_of = serializers.IntegerField(required=False)
    applies = serializers.ChoiceField(
        ["live", "after reload"],
        help_text=(
            "live: for the next request, within a second. after reload: once each "
            "process has opened again what it serves, which it does by itself."
        ),
    )


class KeyedSettingAnswer(SettingAnswer):
    """The same with its name."""

    key = serializers.CharField()


class CategoryAnswer(serializers.Serializer[Any]):
    """Settings that are shown together, by name."""

    label = serializers.CharField()  # type: ignore[assignment]
    order = serializers.IntegerField()
    settings = serializers.DictField(child=SettingAnswer())


class SettingsAnswer(serializers.Serializer[Any]):
    """Every setting, by category."""

    hardware_tier = serializers.CharField()
    categories = serializers.DictField(child=CategoryAnswer())


class ChosenAnswer(serializers.Serializer[Any]):
    """What a setting is now."""

    key = serializers.CharField()
    value = ValueField()
    is_override = serializers.BooleanField()


class ChooseRequest(serializers.Serializer[Any]):
    """A value for one setting; texts count as what they spell."""

    value = ValueField()


class ChooseManyRequest(serializers.Serializer[Any]):
    """Values for several settings: all are stored, or none."""

    settings = serializers.DictField(child=ValueField(allow_null=True))

    def validate_settings(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """Return what was chosen if all of it may be; else say what may not."""
        problems = {}
        for key, raw in chosen.items():
            try:
                get_definition(key).parse(raw)
            except (UnknownPreference, InvalidPreference) as error:
                problems[key] = [str(error)]
        if problems:
            raise serializers.ValidationError(problems)
        return chosen


class StoredAnswer(serializers.Serializer[Any]):
    """What was stored, by name."""

    stored = serializers.DictField(child=ValueField())


class SettingsView(APIView):
    """What users may change while the service runs."""

    required_permission = CHANGE_PREFERENCE

    parser_classes = (AnyNumberJSONParser,)

    @extend_schema(operation_id="settings", responses=SettingsAnswer)
    def get(self, request: Request) -> Response:
        """Return every setting, by category."""
        categories: dict[str, dict[str, Any]] = {}
        for setting in values.all_settings():
            category = setting.definition.category
            shown = categories.setdefault(
                category.name,
                {"label": category.label, "order": category.order, "settings": {}},
            )
            shown["settings"][setting.definition.key] = _setting_answer(setting)
        tier = values.hardware_tier()
        return Response({"hardware_tier": tier, "categories": categories})

    @extend_schema(
        operation_id="settings_store",
        request=ChooseManyRequest,
        responses={
            200: StoredAnswer,
            422: OpenApiResponse(description="One is refused; none is stored."),
        },
    )
    def put(self, request: Request) -> Response:
        """Store several settings: all of them, or none."""
        asked = validated(ChooseManyRequest, request.data)
        stored = services.store_settings(asked["settings"], user=user_of(request))
        return Response({"stored": stored})


class SettingView(APIView):
    """One of the settings."""

    required_permission = CHANGE_PREFERENCE

    parser_classes = (AnyNumberJSONParser,)

    @extend_schema(operation_id="setting", responses=KeyedSettingAnswer)
    def get(self, request: Request, key: str) -> Response:
        """Return the setting; 404 where there is none of this name."""
        return Response({"key": key, **_setting_answer(values.setting(key))})

    @extend_schema(
        operation_id="setting_store",
        request=ChooseRequest,
        responses={
            200: ChosenAnswer,
            404: OpenApiResponse(description="There is no such setting."),
            422: OpenApiResponse(description="It cannot have this value."),
        },
    )
    def put(self, request: Request, key: str) -> Response:
        """Store the setting."""
        get_definition(key)
        chosen = {key: validated(ChooseRequest, request.data)["value"]}
        stored = services.store_settings(chosen, user=user_of(request))
        return Response({"key": key, "value": stored[key], "is_override": True})

    @extend_schema(
        operation_id="setting_reset", request=None, responses={200: ChosenAnswer}
    )
    def delete(self, request: Request, key: str) -> Response:
        """Have the default decide again, and return it."""
        setting = services.reset_setting(key, user=user_of(request))
        return Response({"key": key, "value": setting.value, "is_override": False})


def _setting_answer(setting: Setting) -> dict[str, Any]:
    definition = setting.definition
    bounds = {
        "min": definition.minimum,
        "max": definition.maximum,
        "multiple_of": definition.multiple_of,
    }
    return {
        "value": setting.value,
        "default": setting.default,
        "is_override": setting.is_override,
        "type": definition.kind,
        "label": definition.label,
        "description": definition.description,
        "applies": definition.applies,
        **{name: bound for name, bound in bounds.items() if bound is not None},
    }
