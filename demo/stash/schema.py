"""The GraphQL schema of one version: the interface file less what is newer."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLScalarType,
    GraphQLSchema,
    Visitor,
    build_ast_schema,
    parse,
    visit,
)
from graphql.language import (
    REMOVE,
    DirectiveNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    StringValueNode,
    ValueNode,
    VisitorAction,
)
from graphql.utilities import value_from_ast_untyped

_SDL_PATH = Path(__file__).with_name("schema.graphql")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


def parse_version(text: str) -> tuple[int, int]:
    """Return major and minor of a version such as `0.30.1` or `v0.31.0`."""
    found = _VERSION.match(text)
    if found is None:
        raise ValueError(f"{text} is no version")
    return int(found[1]), int(found[2])


@cache
def build_version(version: tuple[int, int]) -> GraphQLSchema:
    """Return the schema of that version, without resolvers."""
    document = parse(_SDL_PATH.read_text(encoding="utf-8"), no_location=True)
    schema = build_ast_schema(visit(document, _Pruner(version)))
    for name in ("Map", "PluginConfigMap"):
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType), name
        # The default takes literals for what JSON has no word for.
        scalar.parse_literal = _parse_map  # type: ignore[method-assign]
    return schema


def _parse_map(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


class _Pruner(Visitor):
    """Removes fields, arguments and enum values that a version does not have."""

    def __init__(self, version: tuple[int, int]) -> None:
        super().__init__()
        self._version = version

    def enter_field_definition(
        self, node: FieldDefinitionNode, *_: Any
    ) -> VisitorAction:
        return self._pruned(node.directives)

    def enter_input_value_definition(
        self, node: InputValueDefinitionNode, *_: Any
    ) -> VisitorAction:
        return self._pruned(node.directives)

    def enter_enum_value_definition(
        self, node: EnumValueDefinitionNode, *_: Any
    ) -> VisitorAction:
        return self._pruned(node.directives)

    def _pruned(self, directives: tuple[DirectiveNode, ...] | None) -> VisitorAction:
        for directive in directives or ():
            for argument in directive.arguments or ():
                assert isinstance(argument.value, StringValueNode), directive
                if parse_version(argument.value.value) > self._version:
                    return REMOVE
        return None
