"""What the stand-in refuses, moves and loses, by the words and rules of Stash."""

import pytest
import requests

from demo.stash.generated import ENDPOINT, generated_library
from demo.stash.library import StashId
from demo.stash.testing import StashServer


@pytest.fixture
def rows():
    return generated_library(scenes=6, performers=5, studios=3, tags=4)


@pytest.fixture
def server(rows):
    with StashServer(rows, version="0.31.0") as server:
        yield server


@pytest.fixture
def run(server):
    """Execute an operation; return its data, or the message of its first error."""

    def execute(query, **variables):
        answer = requests.post(
            f"{server.url}/graphql",
            json={"query": query, "variables": variables},
            timeout=20,
        )
        body = answer.json()
        return body["errors"][0]["message"] if "errors" in body else body["data"]

    return execute


def write(run, mutation, /, **given):
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ id }} }}"
    return run(query, input=given)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        (
            "performerCreate",
            {"name": "ada"},
            "performer with name 'ada' already exists",
        ),
        (
            "performerCreate",
            {"name": "Bea", "disambiguation": "II"},
            "performer with name 'Bea' and disambiguation 'II' already exists",
        ),
        (
            "performerUpdate",
            {"id": "2", "name": "Ada", "disambiguation": None},
            "performer with name 'Ada' already exists",
        ),
        (
            "performerUpdate",
            {"id": "1", "alias_list": ["ADA"]},
            "performer contains duplicate alias 'ADA'",
        ),
        ("performerCreate", {"name": " "}, "performer name must not be blank"),
        ("tagCreate", {"name": "ONE"}, "tag with name 'ONE' already exists"),
        ("tagCreate", {"name": "uno"}, "name 'uno' is used as alias for 'one'"),
        (
            "tagUpdate",
            {"id": "2", "aliases": ["one"]},
            "tag with name 'one' already exists",
        ),
        ("studioCreate", {"name": "Uno"}, "name 'Uno' is used as alias for 'one'"),
        (
            "studioUpdate",
            {"id": "2", "name": "one"},
            "studio with name 'one' already exists",
        ),
    ],
)
def test_a_taken_name_is_refused_in_stashs_words(run, rows, name, given, message):
    rows.performers["1"].name, rows.performers["2"].name = "Ada", "Bea"
    rows.performers["2"].disambiguation = "II"
    for row in (rows.tags["1"], rows.studios["1"]):
        row.name, row.aliases = "one", ["uno"]

    assert write(run, name, **given) == message
    assert (len(rows.performers), len(rows.tags), len(rows.studios)) == (5, 4, 3)


def test_a_name_may_be_kept(run, rows):
    name = rows.performers["1"].name

    assert write(run, "performerUpdate", id="1", name=f" {name} ") == {
        "performerUpdate": {"id": "1"}
    }
    assert rows.performers["1"].name == name


def test_a_merge_of_performers_loses_what_its_values_do_not_name(run, rows):
    source, destination = rows.performers["2"], rows.performers["1"]
    source.urls, source.alias_list = ["https://a.example"], ["Second"]
    source.stash_ids = [StashId(ENDPOINT, "b", "2026-01-01T00:00:00Z")]
    destination.stash_ids = []
    rows.scenes["1"].performer_ids = ["1", "2"]

    write(run, "performerMerge", source=["2"], destination="1", values={
        "id": "1", "details": "both"})  # fmt: skip

    assert "2" not in rows.performers
    assert rows.scenes["1"].performer_ids == ["1"]
    assert destination.details == "both"
    assert (destination.urls, destination.stash_ids) == ([], [])


@pytest.mark.parametrize("field", ["url", "twitter", "instagram"])
def test_a_merge_of_performers_takes_no_old_urls(run, rows, field):
    message = write(run, "performerMerge", source=["2"], destination="1", values={
        "id": "1", field: "https://a.example"})  # fmt: skip

    assert message == "Merging legacy performer URLs is not supported"
    assert "2" in rows.performers


def test_a_merge_into_itself_is_refused(run, rows):
    message = write(run, "sceneMerge", source=["2", "1"], destination="1")

    assert message == "destination scene cannot be in source list"
    assert len(rows.scenes) == 6


def test_a_merge_of_scenes_keeps_the_first_file_of_the_destination(run, rows):
    first, second = rows.scenes["1"], rows.scenes["2"]
    own, others = list(first.file_ids), list(second.file_ids)

    write(run, "sceneMerge", source=["2"], destination="1", values={
        "id": "1", "primary_file_id": others[0]})  # fmt: skip

    assert first.file_ids == [*own, *others]


def test_old_url_fields_are_parts_of_the_list(run, rows):
    performer = rows.performers["1"]
    performer.urls = ["https://x.com/a", "https://a.example", "https://b.example"]
    data = run('{ findPerformer(id: "1") { url twitter instagram } }')

    write(run, "performerUpdate", id="1", url="https://c.example", twitter=None,
          instagram="https://instagram.com/c")  # fmt: skip

    assert data["findPerformer"] == {
        "url": "https://a.example",
        "twitter": "https://x.com/a",
        "instagram": None,
    }
    assert performer.urls == [
        "https://c.example",
        "https://b.example",
        "https://instagram.com/c",
    ]


def test_old_and_new_urls_do_not_go_together(run):
    message = write(run, "performerUpdate", id="1", url="https://a", urls=["https://b"])

    assert message == "url field must not be included if urls is included"


def test_counts_follow_changes_within_one_request(run, rows):
    for scene in rows.scenes.values():
        scene.performer_ids = []

    data = run(
        """mutation {
          a: performerUpdate(input: { id: "1", weight: 50 }) { scene_count }
          b: sceneUpdate(input: { id: "1", performer_ids: ["1", "2"] }) { id }
          c: performerUpdate(input: { id: "1", weight: 51 }) {
            scene_count performer_count
          }
        }"""
    )

    assert data["a"] == {"scene_count": 0}
    assert data["c"] == {"scene_count": 1, "performer_count": 1}


def test_children_of_a_tag_name_it_as_their_parent(run, rows):
    rows.tags["3"].parent_ids = ["1"]

    write(run, "tagUpdate", id="1", child_ids=["2"])

    assert rows.tags["2"].parent_ids == ["1"]
    assert rows.tags["3"].parent_ids == []


def test_groups_have_an_older_name(run, rows):
    rows.groups = {"4": "A series"}

    write(run, "sceneUpdate", id="1", movies=[{"movie_id": "4", "scene_index": 2}])
    data = run(
        '{ findScene(id: "1") { groups { group { name } scene_index } '
        "movies { movie { id } } } }"
    )

    assert data["findScene"] == {
        "groups": [{"group": {"name": "A series"}, "scene_index": 2}],
        "movies": [{"movie": {"id": "4"}}],
    }
    assert "FOREIGN KEY" in write(
        run, "sceneUpdate", id="1", groups=[{"group_id": "9"}]
    )
