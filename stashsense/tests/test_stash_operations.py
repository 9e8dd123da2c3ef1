"""The operations against Stash's own schema, which is no part of this repository."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    extend_schema,
    parse,
    validate,
)

from stashsense.integrations.stash_operations import (
    MAX_IDS_PER_DOCUMENT,
    OPERATIONS,
    STASH_IDS,
    Operation,
    performers_by_stash_ids,
)
from stashsense.integrations.stash_types import StashVersion

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "schema"
NEEDS_SCHEMA = pytest.mark.skipif(
    not (FOLDER / "stash").is_dir(), reason=f"Stash's schema is not at {FOLDER}"
)
# Fields of the schema that versions before did not have, as far as we may ask for them.
ADDED = {
    StashVersion(0, 26): {"SystemStatus": {"ffmpegPath", "ffprobePath"}},
    StashVersion(0, 27): {
        "Scene": {"groups"},
        "Performer": {"urls", "group_count", "groups"},
        "Gallery": {"image"},
    },
    StashVersion(0, 28): {"StashID": {"updated_at"}, "Performer": {"custom_fields"}},
    StashVersion(0, 29): {
        "StashBox": {"max_requests_per_minute"},
        "ImageFile": {"format"},
    },
}
VERSIONS = [StashVersion(0, minor) for minor in range(25, 32)]


def schema_of(version):
    files = sorted((FOLDER / "stash").rglob("*.graphql"))
    schema = build_schema("\n".join(file.read_text() for file in files))
    if version >= StashVersion(0, 31):
        additions = (FOLDER / "stash-0.31-additions.graphql").read_text()
        schema = extend_schema(schema, parse(additions))
    for since, types in ADDED.items():
        for type_name, field_names in types.items():
            for field_name in field_names if version < since else ():
                kind = schema.type_map[type_name]
                assert isinstance(kind, GraphQLObjectType)
                del kind.fields[field_name]
    return schema


@pytest.fixture(scope="module", params=VERSIONS, ids=str)
def versioned_schema(request):
    return request.param, schema_of(request.param)


@NEEDS_SCHEMA
def test_every_operation_is_valid_for_the_version_it_is_sent_to(versioned_schema):
    version, schema = versioned_schema

    complaints = {
        operation.name: [error.message for error in found]
        for operation in OPERATIONS
        if (found := validate(schema, parse(operation.document_for(version))))
    }

    assert complaints == {}


@NEEDS_SCHEMA
def test_newer_fields_would_be_refused_by_an_older_stash():
    newest = STASH_IDS.text_for(StashVersion(0, 31))
    query = Operation(
        "Query",
        "query Query { findScene { performers { stash_ids { ...StashIds } } } }",
    )
    schema = schema_of(StashVersion(0, 25))

    refused = validate(schema, parse(f"{query.text}\n{newest}"))

    assert [error.message for error in refused] == [
        "Cannot query field 'updated_at' on type 'StashID'."
    ]


def test_each_operation_has_the_name_that_is_sent_with_it():
    for operation in OPERATIONS:
        (first, *_) = parse(operation.document_for(VERSIONS[0])).definitions
        assert isinstance(first, OperationDefinitionNode)
        assert first.name is not None
        assert first.name.value == operation.name


def test_queries_may_be_repeated_and_mutations_may_not():
    assert all(operation.is_read for operation in OPERATIONS)
    assert not Operation("Set", "mutation Set { sceneUpdate }").is_read


def test_values_are_in_none_of_the_texts():
    text = performers_by_stash_ids(MAX_IDS_PER_DOCUMENT).text

    assert "$id39: String!" in text
    assert '"' not in text
