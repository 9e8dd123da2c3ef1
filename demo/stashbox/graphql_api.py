"""Runs GraphQL requests against the rows of a stand-in stash-box."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from demo.stashbox.resolvers import FIELDS, TYPE_NAMES, Exchange

_SDL_PATH = Path(__file__).with_name("schema.graphql")


@dataclass(frozen=True)
class Answer:
    """A status of HTTP and what goes into the body as JSON."""

    status: int
    body: dict[str, Any]


@cache
def executable_schema() -> GraphQLSchema:
    schema = build_schema(_SDL_PATH.read_text(encoding="utf-8"))
    for type_name, resolvers in FIELDS.items():
        object_type = schema.type_map[type_name]
        assert isinstance(object_type, GraphQLObjectType), type_name
        for name, resolver in resolvers.items():
            object_type.fields[name].resolve = resolver
    union = schema.type_map["EditTarget"]
    assert isinstance(union, GraphQLUnionType)
    union.resolve_type = lambda row, *_: TYPE_NAMES[type(row)]
    return schema


def answer_request(request: Mapping[str, Any], exchange: Exchange) -> Answer:
    """Execute a request's operation; what is invalid is a 422."""
    schema = executable_schema()
    query, variables = request.get("query"), request.get("variables")
    if not isinstance(query, str) or not isinstance(variables, dict | None):
        return _refusal([GraphQLError("the request has no query")])
    try:
        document = parse(query)
    except GraphQLError as error:
        return _refusal([error])
    if errors := validate(schema, document):
        return _refusal(errors)
    name = request.get("operationName")
    if get_operation_ast(document, name) is None:
        return _refusal([GraphQLError(f"operation {name} not found")])
    with exchange.box.lock:
        result = execute_sync(
            schema,
            document,
            context_value=exchange,
            variable_values=variables,
            operation_name=name,
        )
    if result.data is None and result.errors and not result.errors[0].path:
        return _refusal(result.errors)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    return Answer(200, body)


def _refusal(errors: list[GraphQLError]) -> Answer:
    return Answer(422, {"errors": [e.formatted for e in errors], "data": None})
