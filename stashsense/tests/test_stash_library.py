"""Rows of a stand-in library as analyzers read them, from every version of Stash."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.stash.generated import ENDPOINT, generated_library
from demo.stash.library import Gallery, Image, now
from demo.stash.library import StashId as Row
from demo.stash.testing import StashServer
from stashsense.integrations import stash_library
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_answers import Node
from stashsense.integrations.stash_errors import InvalidStashId, StashNotFound
from stashsense.integrations.stash_inputs import fit_input
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_answers import read_urls
from stashsense.integrations.stash_library_types import NamedRow, SceneGroup
from stashsense.integrations.stash_tags import TaggedKind
from stashsense.integrations.stash_types import StashId, StashVersion
from stashsense.tests.stash_server import data, running_stash

OTHER_BOX = "https://other.example/graphql"
VERSIONS = [f"0.{minor}.0" for minor in range(25, 32)]


@pytest.fixture
def rows():
    return generated_library(scenes=30, performers=8, studios=4, tags=6)


@pytest.fixture
def server(rows):
    with StashServer(rows) as server:
        yield server


@pytest.fixture
def library(server):
    return StashLibrary(StashClient(server.url))


@pytest.fixture(params=VERSIONS)
def version(request, server):
    server.version = request.param
    return tuple(int(part) for part in request.param.split(".")[:2])


@pytest.fixture
def small_pages(monkeypatch):
    for name in ("LEAN_PAGE_SIZE", "ROW_PAGE_SIZE"):
        monkeypatch.setattr(stash_library, name, 3)


def operations_of(server):
    return [request.operation for request in server.graphql_requests()]


def test_lean_scenes_tell_what_tells_duplicates_apart(library, rows):
    scene = rows.scenes["7"]
    first, second = (rows.files[each] for each in ("1", "2"))
    scene.file_ids, first.duration = ["1", "2"], 61.5
    first.fingerprints = {"oshash": "a"}
    second.fingerprints = {"phash": "f00d"}
    scene.stash_ids = [Row(ENDPOINT, "x", "2026-01-01T00:00:00Z")]

    found = {lean.id: lean for lean in library.iter_lean_scenes()}[7]

    assert found.phashes == ("f00d",)
    assert found.duration_seconds == 61.5
    assert found.performer_ids == tuple(int(each) for each in scene.performer_ids)
    assert found.studio_id == int(scene.studio_id)
    assert found.stash_ids == (StashId(ENDPOINT, "x"),)
    assert found.date == (scene.date or "")


def test_a_scene_without_a_file_has_no_duration(library, rows):
    rows.scenes["1"].file_ids = []

    assert next(library.iter_lean_scenes()).duration_seconds is None


@pytest.mark.usefixtures("small_pages")
def test_scenes_come_in_pages_by_id_each_once(library, server):
    assert [lean.id for lean in library.iter_lean_scenes()] == [*range(1, 31)]
    assert [row.id for row in library.iter_scene_rows(after_id=25)] == [*range(26, 31)]
    assert operations_of(server).count("LeanScenes") == 11


def test_scenes_updated_after_a_moment_are_those_and_no_more(library, rows):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    rows.scenes["3"].updated_at = moment.isoformat()
    rows.scenes["9"].updated_at = (moment + timedelta(seconds=1)).isoformat()

    found = list(library.iter_scene_rows(updated_after=moment))

    assert [row.id for row in found] == [9]
    assert found[0].files[0].path.endswith(".mp4")
    assert found[0].files[0].fingerprint("oshash")


def test_scenes_linked_to_a_box_and_those_that_are_not_are_all_scenes(library, rows):
    rows.scenes["1"].stash_ids = [Row(OTHER_BOX, "x", "2026-01-01T00:00:00Z")]

    linked = {row.id for row in library.iter_scenes_linked_to(ENDPOINT)}
    others = {row.id for row in library.iter_scenes_not_linked_to(ENDPOINT)}

    assert 1 in others
    assert linked
    assert linked | others == set(range(1, 31))
    assert not linked & others


@pytest.mark.parametrize("endpoint", [OTHER_BOX, "x' OR 1=1 --"])
def test_an_endpoint_that_stash_has_not_told_of_is_never_sent(
    library, rows, server, endpoint
):
    rows.scenes["4"].stash_ids = [Row(endpoint, "x", "2026-01-01T00:00:00Z")]
    rows.performers["2"].stash_ids = [Row(endpoint, "y", "2026-01-01T00:00:00Z")]

    scenes = [row.id for row in library.iter_scenes_linked_to(endpoint)]
    performers = [row.id for row in library.iter_performer_rows(linked_to=endpoint)]

    assert (scenes, performers) == ([4], [2])
    assert endpoint not in str([r.variables for r in server.graphql_requests()])


def test_an_endpoint_that_would_end_a_text_of_sql_is_not_sent_either(
    library, rows, server
):
    rows.stash_boxes[0].endpoint = "https://it's.example/graphql"

    found = list(library.iter_studio_rows(linked_to=rows.stash_boxes[0].endpoint))

    assert found == []
    assert server.graphql_requests()[-1].variables["items"] == {}


def test_a_full_scene_has_all_that_a_merge_might_lose(library, rows, version):
    scene = rows.scenes["5"]
    rows.groups = {"2": "A series"}
    scene.groups = [{"group_id": "2", "scene_index": 4}]
    scene.markers = [
        {
            "id": "8",
            "title": "",
            "seconds": 12.5,
            "primary_tag_id": "1",
            "tag_ids": ["2"],
        }
    ]
    scene.play_history, scene.o_history = ["2026-01-01T00:00:00Z"], []
    scene.rating100, scene.organized, scene.director = 80, True, "Somebody"
    scene.custom_fields = {"shelf": 3}

    found = library.get_full_scene(5)

    assert found.groups == (SceneGroup(NamedRow(2, "A series"), 4),)
    (marker,) = found.markers
    assert (marker.id, marker.seconds, marker.primary_tag.id) == (8, 12.5, 1)
    assert [tag.id for tag in marker.tags] == [2]
    assert found.play_history == (datetime(2026, 1, 1, tzinfo=UTC),)
    assert (found.play_count, found.o_counter) == (1, 0)
    assert (found.rating100, found.is_organized, found.director) == (
        80,
        True,
        "Somebody",
    )
    assert found.urls == ("https://example.com/scenes/5",)
    assert found.custom_fields == ({"shelf": 3} if version >= (0, 31) else {})


def test_scenes_by_ids_leave_out_those_that_are_gone(library, rows):
    del rows.scenes["3"]

    found = library.find_full_scenes([9, 3, 2, 9])

    assert [scene.id for scene in found] == [9, 2]
    assert [row.id for row in library.find_scene_rows([3, 4])] == [4]
    with pytest.raises(StashNotFound):
        library.get_full_scene(3)
    with pytest.raises(InvalidStashId):
        library.get_full_scene("3) { id }")


def test_many_ids_are_asked_for_in_batches(library, rows, server):
    found = library.find_performer_rows([*range(1, 101)])

    assert [row.id for row in found] == [*range(1, 9)]
    assert operations_of(server).count("PerformerRowByIds") == 3


def test_many_scenes_by_their_ids_are_few_questions(library, server):
    found = library.find_scene_rows([*range(1, 402)])

    assert [row.id for row in found] == [
        row.id for row in library.find_scene_rows([*range(1, 41)])
    ]
    assert operations_of(server).count("SceneRowByIds") == 3 + 1


@pytest.mark.usefixtures("small_pages", "version")
def test_all_that_a_performer_is_tagged_in_is_found_by_id(library, rows):
    for row in rows.scenes.values():
        row.performer_ids = ["2"] if int(row.id) % 2 else ["3"]
    for number in ("1", "2", "3", "4", "5"):
        rows.images[number] = Image(number, now(), now(), performer_ids=["2"])
        rows.galleries[number] = Gallery(number, now(), now())
    rows.galleries["4"].performer_ids = ["2", "3"]

    found = {kind: [*library.iter_ids_with(2, kind)] for kind in TaggedKind}

    assert found == {
        TaggedKind.SCENE: [*range(1, 31, 2)],
        TaggedKind.IMAGE: [1, 2, 3, 4, 5],
        TaggedKind.GALLERY: [4],
    }


def test_a_performer_comes_whole(library, rows, version):
    performer = rows.performers["2"]
    performer.measurements, performer.career_length = "34-24-34", "2010-2015"
    performer.career_start, performer.career_end = "2010", "2015"
    performer.disambiguation, performer.favorite = "the younger", True
    performer.urls = ["https://a.example", "https://twitter.com/anna"]
    performer.custom_fields = {"shelf": "top"}
    performer.weight, performer.penis_length, performer.circumcised = 50, 1.5, "CUT"

    found = library.get_performer_row(2)

    assert found.name == performer.name
    assert (found.disambiguation, found.measurements) == ("the younger", "34-24-34")
    assert found.urls == ("https://a.example", "https://twitter.com/anna")
    assert (found.is_favorite, found.has_own_image) == (True, False)
    assert (found.weight, found.penis_length, found.circumcised) == (50, 1.5, "CUT")
    assert found.career_length == "2010-2015"
    assert found.career_end == ("2015" if version >= (0, 31) else "")
    assert found.custom_fields == ({"shelf": "top"} if version >= (0, 28) else {})
    assert [tag.id for tag in found.tags] == [int(each) for each in performer.tag_ids]


def test_counts_are_of_what_names_the_performer(library, rows):
    for scene in rows.scenes.values():
        scene.performer_ids = []
    rows.scenes["1"].performer_ids = rows.scenes["2"].performer_ids = ["3"]

    found = library.get_performer_row(3)

    assert (found.scene_count, found.image_count, found.gallery_count) == (2, 0, 0)


def test_tags_and_studios_come_whole(library, rows, version):
    tag, studio = rows.tags["2"], rows.studios["3"]
    tag.aliases, tag.parent_ids, tag.description = ["also"], ["1"], "what it is"
    tag.stash_ids = [Row(ENDPOINT, "t", "2026-01-01T00:00:00Z")]
    studio.urls, studio.parent_id = ["https://studio.example"], "1"
    studio.tag_ids = ["2"]

    found_tag, found_studio = library.get_tag_row(2), library.get_studio_row(3)

    assert (found_tag.aliases, found_tag.description) == (("also",), "what it is")
    assert [parent.id for parent in found_tag.parents] == [1]
    has_ids = version >= (0, 30)
    assert found_tag.stash_ids == ((StashId(ENDPOINT, "t"),) if has_ids else ())
    assert found_studio.urls == ("https://studio.example",)
    assert found_studio.parent == NamedRow(1, "Studio 1")
    assert [t.id for t in found_studio.tags] == ([2] if version >= (0, 27) else [])


def test_rows_linked_to_a_box_are_found_in_every_version(library, rows, version):
    with_ids = [row for row in rows.tags.values() if row.stash_ids]

    performers = [row.id for row in library.iter_performer_rows(linked_to=ENDPOINT)]
    tags = [row.id for row in library.iter_tag_rows(linked_to=ENDPOINT)]
    studios = [row.id for row in library.iter_studio_rows(linked_to=ENDPOINT)]

    assert performers == [int(p.id) for p in rows.performers.values() if p.stash_ids]
    assert tags == ([int(t.id) for t in with_ids] if version >= (0, 30) else [])
    assert studios == [int(s.id) for s in rows.studios.values() if s.stash_ids]


@pytest.mark.usefixtures("small_pages")
def test_performers_deleted_meanwhile_push_nobody_out(library, rows):
    names = library.iter_performer_names()

    first = [next(names).id for _ in range(3)]
    del rows.performers["1"], rows.performers["2"]
    rest = [each.id for each in names]

    assert first == [1, 2, 3]
    assert rest == [4, 5, 6, 7, 8]


@pytest.mark.usefixtures("small_pages")
def test_performers_created_meanwhile_come_last(library, rows, server):
    names = library.iter_performer_names()
    next(names)

    newcomer = generated_library(performers=9).performers["9"]
    rows.performers["9"] = newcomer

    assert [each.id for each in names] == [*range(2, 10)]


@pytest.mark.parametrize("name", ["Anna Ö.", "100% b_c", 'O\'Neil "X"'])
def test_namesakes_are_found_by_name_and_alias(library, rows, name):
    rows.performers["1"].name = rows.tags["1"].name = rows.studios["1"].name = name
    # No more than a part of it is called so.
    rows.performers["2"].name = rows.tags["2"].name = f"{name} the other"
    rows.performers["4"].alias_list = rows.tags["4"].aliases = [name.lower()]
    rows.studios["4"].aliases = [name.lower()]

    asked = f" {name.upper()} "

    assert [row.id for row in library.find_performers_named(asked)] == [1, 4]
    assert [row.id for row in library.find_tags_named(asked)] == [1, 4]
    assert [row.id for row in library.find_studios_named(asked)] == [1, 4]


def test_what_stash_takes_for_a_pattern_finds_that_name_only():
    def answer(seen):
        names = ["A_b", "Axb"]
        rows: list[dict[str, object]] = [
            {
                "id": str(number),
                "name": name,
                "disambiguation": None,
                "alias_list": [],
                "stash_ids": [],
            }
            for number, name in enumerate(names, start=1)
        ]
        return data(findPerformers={"count": 2, "performers": rows})

    with running_stash() as stash:
        stash.replies["PerformerNames"] = answer

        found = StashLibrary(stash.client()).find_performers_named("a_B")

    assert [row.name for row in found] == ["A_b"]


def test_nobody_is_asked_for_by_an_empty_name(library, server):
    assert library.find_performers_named("  ") == []
    assert operations_of(server) == []


def test_rows_are_found_by_stash_ids_of_that_box_only(library, rows, version):
    stash_id = Row(ENDPOINT, "11111111-aaaa", "2026-01-01T00:00:00Z")
    elsewhere = Row(OTHER_BOX, "11111111-aaaa", "2026-01-01T00:00:00Z")
    for kind in (rows.scenes, rows.performers, rows.tags, rows.studios):
        kind["2"].stash_ids, kind["3"].stash_ids = [stash_id], [elsewhere]

    asked = [StashId(ENDPOINT, "11111111-aaaa"), StashId(ENDPOINT, '") { id } #')]
    found = {
        "scenes": library.find_scenes_by_stash_ids(asked),
        "performers": library.find_performers_by_stash_ids(asked),
        "tags": library.find_tags_by_stash_ids(asked),
        "studios": library.find_studios_by_stash_ids(asked),
    }

    has_tag_ids = version >= (0, 30)
    assert {kind: [row.id for row in some] for kind, some in found.items()} == {
        "scenes": [2],
        "performers": [2],
        "tags": [2] if has_tag_ids else [],
        "studios": [2],
    }


def test_a_search_returns_ten_at_most_by_name(library, rows):
    for row in (*rows.performers.values(), *rows.studios.values()):
        row.name = f"Anna {row.id}"
    for number in range(20, 40):
        rows.performers[str(number)] = rows.performers["1"]

    performers = library.search_performers("anna")

    assert len(performers) == 10
    assert performers[0].name == "Anna 1"
    assert [row.id for row in library.search_studios("anna 3")] == [3]
    assert [row.id for row in library.search_tags("tag 5")] == [5]


def test_names_in_the_fields_before_urls_are_addresses_and_go_back_into_them():
    names = {"twitter": "@anna", "instagram": "instagram.com/anna.b"}

    urls = read_urls(Node({"url": "https://a.example", **names}, "performer"))
    written = fit_input("performer", {"urls": urls}, StashVersion(0, 26))

    assert written.left_out == ()
    assert written.fields == {
        "url": "https://a.example",
        "twitter": "https://twitter.com/anna",
        "instagram": "https://instagram.com/anna.b",
    }
