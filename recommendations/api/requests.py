"""What routes read of a request: what is asked, by whom, and which row is meant."""

import json
import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from recommendations.decisions import Person
from recommendations.models import AnalysisRun
from recommendations.runs import Asker
from stashsense.api.authentication import way_of
from stashsense.api.requests import user_of

# Of anybody's permissions, the one to decide.
DECIDE = "recommendations.act_on_recommendations"

# Of a note about a decision; people do not write more.
MAX_JSON_CHARACTERS = 64_000
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.DictField):
    """A JSON object of bounded size that every database can keep."""

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        text = json.dumps(found)
        if len(text) > MAX_JSON_CHARACTERS:
            raise serializers.ValidationError(
                f"At most {MAX_JSON_CHARACTERS} characters of JSON."
            )
        if "\\u0000" in text:
            raise serializers.ValidationError("Null characters are not allowed.")
        return found


def path_id(name: str) -> OpenApiParameter:
    """Return how the API description speaks of a number in a path."""
    return OpenApiParameter(name, OpenApiTypes.INT, OpenApiParameter.PATH)


def number_of(text: str, name: str) -> int:
    """Return the number in a path; raises the error that is answered with 422."""
    if not _ID.fullmatch(text):
        raise serializers.ValidationError({name: ["A whole number is wanted."]})
    return int(text)


def person_of(request: Request) -> Person:
    """Return as whom somebody decides."""
    return Person(user_of(request))


def asker_of(request: Request) -> Asker:
    """Return as whom a run is begun."""
    return Asker(way_of(request, AnalysisRun.Asker), user_of(request))
