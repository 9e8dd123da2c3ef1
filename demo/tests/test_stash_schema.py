"""What the stand-in understands, held against the real interface if at hand."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    extend_schema,
    parse,
    print_ast,
    validate,
)
from graphql.language import OperationDefinitionNode

from demo.stash.exchange import Exchange
from demo.stash.graphql_api import answer_request, executable_schema
from demo.stash.schema import parse_version

# Beside the project's folder, or beside the one that several copies of it lie in.
SHARED = next(
    (
        folder / "shared" / "schema"
        for folder in Path(__file__).resolve().parents[3:]
        if (folder / "shared" / "schema").is_dir()
    ),
    Path("shared-schema-is-not-here"),
)
NEWEST = "0.31.0"
# Values of the variables that the examples declare.
INPUTS = {
    "SceneUpdateInput": {"id": "1"},
    "BulkSceneUpdateInput": {"ids": ["1"]},
    "ImageUpdateInput": {"id": "1"},
    "GalleryUpdateInput": {"id": "1"},
    "PerformerCreateInput": {"name": "Nobody"},
    "PerformerUpdateInput": {"id": "1"},
    "PerformerMergeInput": {"source": ["2"], "destination": "1"},
    "SceneMergeInput": {"source": ["2"], "destination": "1"},
    "TagsMergeInput": {"source": ["2"], "destination": "1"},
    "ScenesDestroyInput": {"ids": ["1"]},
    "AssignSceneFileInput": {"scene_id": "1", "file_id": "2"},
    "StudioUpdateInput": {"id": "1"},
    "StudioCreateInput": {"name": "Nowhere"},
    "TagUpdateInput": {"id": "1"},
    "TagCreateInput": {"name": "nothing"},
    "FileSetFingerprintsInput": {"id": "1", "fingerprints": []},
}
# Not in the stand-in: markers are never made, plugins never run, nothing is pushed.
ABSENT = {"NewMarker", "RunOp", "RunTask", "Jobs", "ScanDone"}


@pytest.fixture(scope="module")
def real_schema():
    if not SHARED.is_dir():
        pytest.skip("the shared schema is not here")
    texts = [path.read_text() for path in sorted((SHARED / "stash").rglob("*.graphql"))]
    schema = build_schema("\n".join(texts), assume_valid=True)
    additions = parse((SHARED / "stash-0.31-additions.graphql").read_text())
    return extend_schema(schema, additions, assume_valid=True)


def differences(ours, real):
    """Yield what a client of the stand-in could ask that the real one refuses."""
    for name, kind in ours.type_map.items():
        other = real.type_map.get(name)
        if name.startswith("__") or name in ("String", "Int", "Float", "ID", "Boolean"):
            continue
        if other is None:
            yield f"{name} is not there"
        elif isinstance(kind, GraphQLEnumType):
            yield from (
                f"{name}.{value}" for value in kind.values.keys() - other.values
            )
        elif isinstance(kind, GraphQLUnionType):
            yield from {f"{name}.{t}" for t in kind.types} - {
                f"{name}.{t}" for t in other.types
            }
        elif isinstance(
            kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
        ):
            yield from field_differences(name, kind, other)


def field_differences(name, kind, other):
    for field_name, field in kind.fields.items():
        real_field = other.fields.get(field_name)
        if real_field is None or str(real_field.type) != str(field.type):
            yield f"{name}.{field_name}: {real_field and real_field.type}"
            continue
        for argument_name, argument in getattr(field, "args", {}).items():
            real_argument = real_field.args.get(argument_name)
            if real_argument is None or str(real_argument.type) != str(argument.type):
                yield f"{name}.{field_name}({argument_name})"


def test_the_stand_in_understands_nothing_that_stash_does_not(real_schema):
    assert list(differences(executable_schema((0, 31)), real_schema)) == []


def operations():
    path = SHARED / "examples" / "stash.graphql"
    if not path.is_file():
        return []
    nodes = parse(path.read_text()).definitions
    return [node for node in nodes if isinstance(node, OperationDefinitionNode)]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared schema is not here")
def test_only_the_named_examples_are_not_understood():
    schema = executable_schema((0, 31))

    refused = {
        node.name.value
        for node in operations()
        if validate(schema, parse(print_ast(node)))
    }

    assert refused == ABSENT


@pytest.mark.parametrize(
    "node",
    [node for node in operations() if node.name.value not in ABSENT],
    ids=lambda node: node.name.value,
)
def test_an_example_executes(node, stash_library):
    variables = {}
    for definition in node.variable_definitions or ():
        kind = print_ast(definition.type)
        name = definition.variable.name.value
        if kind.endswith("!"):
            bare = kind.strip("[]!")
            value = INPUTS.get(bare, {} if bare == "Map" else "1")
            variables[name] = [value] if kind.startswith("[") else value
    if node.name.value in ("DropFiles", "AssignFile"):
        # A second file, which is not the first of its scene.
        stash_library.scenes["1"].file_ids.append("2")
        stash_library.scenes["2"].file_ids.clear()
        variables = {"ids": ["2"]} if node.name.value == "DropFiles" else variables

    answer = answer_request(
        {"query": print_ast(node), "variables": variables},
        Exchange(stash_library, "http://stash", "", NEWEST),
        is_query_only=False,
    )

    assert answer.status == 200, answer.body
    assert "errors" not in answer.body, answer.body


@pytest.mark.parametrize(
    ("query", "since"),
    [
        ('{ findJob(input: { id: "1" }) { error } }', "0.26"),
        ("{ findPerformers { performers { urls } } }", "0.27"),
        ("{ findPerformers { performers { stash_ids { updated_at } } } }", "0.28"),
        ("{ findFiles { count } }", "0.29"),
        ("{ findTags { tags { stash_ids { stash_id } } } }", "0.30"),
        ("{ findScenes { scenes { custom_fields } } }", "0.31"),
        (
            'mutation { performerMerge(input: { source: ["1"], destination: "2" }) '
            "{ id } }",
            "0.31",
        ),
    ],
)
def test_a_version_lacks_what_came_after_it(stash_library, query, since):
    major, minor = parse_version(since)

    def status(version):
        exchange = Exchange(stash_library, "http://stash", "", version)
        return answer_request({"query": query}, exchange, is_query_only=False).status

    assert status(f"{major}.{minor - 1}.9") == 422
    assert status(f"{major}.{minor}.0") == 200


def test_the_version_is_told_as_stash_tells_it(stash_library):
    answer = answer_request(
        {"query": "{ version { version } }"},
        Exchange(stash_library, "http://stash", "", "0.28.1"),
        is_query_only=True,
    )

    assert answer.body["data"]["version"]["version"] == "v0.28.1"
