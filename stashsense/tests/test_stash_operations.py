"""The operations against Stash's own schema, which is no part of this repository."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    extend_schema,
    parse,
    validate,
)

from stashsense.integrations.stash_library_operations import (
    LIBRARY_OPERATIONS,
    PERFORMERS,
    SCENE_ROW,
    SCENES,
    TAG_ROW,
    TAGS,
    by_ids,
    by_stash_ids,
)
from stashsense.integrations.stash_operations import (
    MAX_IDS_PER_DOCUMENT,
    OPERATIONS,
    STASH_IDS,
    Operation,
    performers_by_stash_ids,
)
from stashsense.integrations.stash_types import StashVersion
from stashsense.integrations.stash_write_operations import (
    PERFORMER_MERGE,
    WRITE_OPERATIONS,
)

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "schema"
NEEDS_SCHEMA = pytest.mark.skipif(
    not (FOLDER / "stash").is_dir(), reason=f"Stash's schema is not at {FOLDER}"
)
# Fields of the schema that versions before did not have, as far as we may ask for them.
ADDED = {
    StashVersion(0, 26): {
        "SystemStatus": {"ffmpegPath", "ffprobePath"},
        "Tag": {"favorite"},
        "Studio": {"favorite"},
    },
    StashVersion(0, 27): {
        "Scene": {"groups"},
        "Performer": {"urls", "group_count", "groups"},
        "Studio": {"tags"},
        "Gallery": {"image"},
    },
    StashVersion(0, 28): {
        "StashID": {"updated_at"},
        "Performer": {"custom_fields"},
        "Tag": {"sort_name"},
    },
    StashVersion(0, 29): {
        "StashBox": {"max_requests_per_minute"},
        "ImageFile": {"format"},
    },
    StashVersion(0, 30): {
        "Tag": {"stash_ids"},
        "Studio": {"urls"},
        "TagFilterType": {"stash_id_endpoint"},
    },
    StashVersion(0, 31): {"Mutation": {"performerMerge"}},
}
READS = (*OPERATIONS, *LIBRARY_OPERATIONS)
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
                assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType)
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
        for operation in (*READS, *WRITE_OPERATIONS)
        if version >= operation.since
        and (found := validate(schema, parse(operation.document_for(version))))
    }

    assert complaints == {}


@NEEDS_SCHEMA
@pytest.mark.parametrize(
    "operation", [PERFORMER_MERGE, by_stash_ids(TAGS, TAG_ROW, 1)], ids=lambda o: o.name
)
def test_what_a_version_lacks_is_not_sent_to_it(operation):
    before = StashVersion(0, operation.since.minor - 1)

    assert validate(schema_of(before), parse(operation.document_for(before))) != []
    assert (
        validate(
            schema_of(operation.since), parse(operation.document_for(operation.since))
        )
        == []
    )


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
    for operation in (*READS, *WRITE_OPERATIONS):
        (first, *_) = parse(operation.document_for(VERSIONS[0])).definitions
        assert isinstance(first, OperationDefinitionNode)
        assert first.name is not None
        assert first.name.value == operation.name


def test_queries_may_be_repeated_and_mutations_may_not():
    assert all(operation.is_read for operation in READS)
    assert not any(operation.is_read for operation in WRITE_OPERATIONS)


def test_values_are_in_none_of_the_texts():
    text = performers_by_stash_ids(MAX_IDS_PER_DOCUMENT).text

    assert "$id39: String!" in text
    assert '"' not in text
    assert '"' not in by_ids(SCENES, SCENE_ROW, 2).text
    assert '"' not in by_stash_ids(PERFORMERS, SCENE_ROW, 2).text
