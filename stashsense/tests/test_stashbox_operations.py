"""The operations against stash-box's own schema, which lies outside this repository."""

from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from stashsense.integrations.stashbox_operations import (
    KINDS,
    MAX_IDS_PER_DOCUMENT,
    OPERATIONS,
    find_by_ids,
    query_page,
)

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "schema" / "stash-box"
NEEDS_SCHEMA = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"stash-box's schema is not at {FOLDER}"
)


@pytest.fixture(scope="module")
def schema():
    files = sorted(FOLDER.rglob("*.graphql"))
    text = "\n".join(file.read_text() for file in files)
    # GraphQL has no capital False; boxes' own server takes it nevertheless.
    return build_schema(text.replace("= False", "= false"))


@NEEDS_SCHEMA
def test_every_operation_is_valid_for_a_stash_box(schema):
    complaints = {
        operation.name: [error.message for error in found]
        for operation in OPERATIONS
        if (found := validate(schema, parse(operation.document)))
    }

    assert complaints == {}


@NEEDS_SCHEMA
def test_nothing_deprecated_is_asked_for(schema):
    texts = "\n".join(operation.document for operation in OPERATIONS)

    assert "birthdate" not in texts
    assert "measurements" not in texts
    assert schema.type_map["Scene"].fields["date"].deprecation_reason


def test_each_operation_is_a_query_with_the_name_that_is_sent_with_it():
    for operation in OPERATIONS:
        (first, *_) = parse(operation.document).definitions
        assert isinstance(first, OperationDefinitionNode)
        assert first.name is not None
        assert first.name.value == operation.name
        assert first.operation.value == "query"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_values_are_in_none_of_the_texts(kind):
    text = find_by_ids(kind, MAX_IDS_PER_DOCUMENT).document

    assert "$id39: ID!" in text
    assert '"' not in text + query_page(kind).document
