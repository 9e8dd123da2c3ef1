"""Runs GraphQL requests against a library, as one version of Stash answers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from demo.stash.exchange import Exchange, Info
from demo.stash.mutations import MUTATIONS
from demo.stash.resolvers import FIELDS, TYPES
from demo.stash.schema import build_version, parse_version


@dataclass(frozen=True)
class Answer:
    """A status of HTTP and what goes into the body as JSON."""

    status: int
    body: dict[str, Any]


@cache
def executable_schema(version: tuple[int, int]) -> GraphQLSchema:
    """Return the version's schema with everything that answers its fields."""
    schema = build_version(version)
    mutations = {name: _changing(resolver) for name, resolver in MUTATIONS.items()}
    for type_name, resolvers in {**FIELDS, "Mutation": mutations}.items():
        object_type = schema.type_map[type_name]
        assert isinstance(object_type, GraphQLObjectType), type_name
        for name, resolver in resolvers.items():
            # A field that is newer than the version is not there.
            if name in object_type.fields:
                object_type.fields[name].resolve = resolver
    for type_name, resolver in TYPES.items():
        abstract_type = schema.type_map[type_name]
        assert isinstance(abstract_type, GraphQLInterfaceType | GraphQLUnionType)
        abstract_type.resolve_type = resolver
    return schema


def _changing(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Return the resolver, after which links between rows are looked for again."""

    def resolve(root: None, info: Info, **arguments: Any) -> Any:
        answer = resolver(root, info, **arguments)
        info.context.links.clear()
        return answer

    return resolve


@lru_cache(maxsize=256)
def _checked(
    version: tuple[int, int], query: str
) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Return what the text asks, and all that is wrong with it; texts come often."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    return document, validate(executable_schema(version), document)


def answer_request(
    request: Mapping[str, Any], exchange: Exchange, *, is_query_only: bool
) -> Answer:
    """Execute a request's operation; what is invalid has no effect and is a 422."""
    version = parse_version(exchange.version)
    query, variables = request.get("query"), request.get("variables")
    if not isinstance(query, str) or not isinstance(variables, dict | None):
        return _refusal([GraphQLError("the request has no query")])
    document, errors = _checked(version, query)
    if document is None or errors:
        return _refusal(errors)
    name = request.get("operationName")
    operation = get_operation_ast(document, name)
    if operation is None:
        return _refusal([GraphQLError(f"operation {name} not found")])
    if is_query_only and operation.operation is not OperationType.QUERY:
        return Answer(406, {"errors": [{"message": "GET requests only allow queries"}]})
    with exchange.library.lock:
        result = execute_sync(
            executable_schema(version),
            document,
            context_value=exchange,
            variable_values=variables,
            operation_name=name,
        )
    return _as_answer(result)


def _as_answer(result: ExecutionResult) -> Answer:
    if result.data is None and result.errors and not result.errors[0].path:
        # Variables that do not fit are found before anything is executed.
        return _refusal(result.errors)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    return Answer(200, body)


def _refusal(errors: list[GraphQLError]) -> Answer:
    return Answer(422, {"errors": [e.formatted for e in errors], "data": None})
