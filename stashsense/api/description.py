"""What the generated API description says of every route alike.

Views declare what is theirs. Who is let in, what of a request is read before a view
sees it, and how errors look, is the same everywhere and declared here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

JSON = "application/json"

_ERROR = {
    "type": "object",
    "description": "Why a request was refused. Some errors tell more, beside these.",
    "properties": {
        "detail": {"type": "string", "description": "For a person."},
        "code": {"type": "string", "description": "For a program."},
    },
    "required": ["detail", "code"],
}
_INVALID = {
    "type": "object",
    "description": "Which values of a request are wrong.",
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {
                        "type": "array",
                        "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                    },
                    "msg": {"type": "string"},
                },
                "required": ["loc", "msg"],
            },
        },
        "code": {"type": "string", "enum": ["invalid"]},
    },
    "required": ["detail", "code"],
}
_OF_WHOM = {
    "401": "No key, a wrong one, or a signature that does not count.",
    "403": "Somebody signed in who may not do this, or without CSRF token.",
    "429": "Too many wrong keys or signatures; Retry-After tells for how long.",
}
_OF_A_BODY = {
    "400": "The body cannot be read.",
    "408": "The body ended early, or did not go on for too long.",
    "411": "The body is sent in chunks, without its length.",
    "413": "The body is too large.",
    "415": "The body is of a kind that this route does not read.",
    "422": "A value is wrong.",
}
_OF_PARAMETERS = {
    "path": {"404": "There is nothing of this name.", "422": "It is no such name."},
    "query": {"422": "A value is wrong."},
}


def declare_shared_answers(
    result: dict[str, Any], generator: object, **kwargs: object
) -> dict[str, Any]:
    """Return the description with the answers that no view declares."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"], schemas["InvalidRequest"] = _ERROR, _INVALID
    for operation in _operations(result):
        answers = operation["responses"]
        for status, description in _shared(operation).items():
            answers.setdefault(status, {"description": description})
        for status, answer in answers.items():
            if status >= "400" and "content" not in answer:
                answer["content"] = {JSON: {"schema": _error_schema(status)}}
        operation["responses"] = dict(sorted(answers.items()))
    return result


def _operations(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in result["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                yield operation


def _shared(operation: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    if {} not in operation.get("security", [{}]):
        found |= _OF_WHOM
    if "requestBody" in operation:
        found |= _OF_A_BODY
    for parameter in operation.get("parameters", []):
        found |= _OF_PARAMETERS.get(parameter["in"], {})
    return found


def _error_schema(status: str) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    if status != "422":
        return error
    # Values that are refused one by one are told by place, others by a sentence.
    return {"anyOf": [{"$ref": "#/components/schemas/InvalidRequest"}, error]}
