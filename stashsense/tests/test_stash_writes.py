"""Changes to a stand-in Stash: what they do, and what they leave as it was."""

import copy

import pytest

from demo.stash.generated import ENDPOINT, generated_library
from demo.stash.library import Image, now
from demo.stash.library import StashId as Row
from demo.stash.testing import StashServer
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import (
    InvalidStashId,
    StashError,
    StashNameTaken,
    StashNotFound,
    StashTooOld,
    StashUnreachable,
)
from stashsense.integrations.stash_inputs import (
    BulkIds,
    BulkTexts,
    CustomFields,
    Mode,
)
from stashsense.integrations.stash_types import StashId, StashVersion
from stashsense.integrations.stash_write_operations import PERFORMER_UPDATE
from stashsense.integrations.stash_writes import (
    StashWrites,
    Written,
    has_native_performer_merge,
)
from stashsense.tests.stash_server import QUICK, errors, running_stash

VERSIONS = [f"0.{minor}.0" for minor in range(25, 32)]
KINDS = ("scenes", "images", "galleries", "performers", "tags", "studios", "files")


@pytest.fixture
def rows():
    return generated_library(scenes=6, performers=5, studios=3, tags=4)


@pytest.fixture
def server(rows):
    with StashServer(rows) as server:
        yield server


@pytest.fixture
def writes(server):
    return StashWrites(StashClient(server.url, patience=QUICK))


@pytest.fixture(params=VERSIONS)
def version(request, server):
    server.version = request.param
    return tuple(int(part) for part in request.param.split(".")[:2])


@pytest.fixture
def before(rows):
    """The rows as they were, by kind."""
    return {kind: copy.deepcopy(getattr(rows, kind)) for kind in KINDS}


def changed(rows, before):
    """Return kind and id of what is other than before, or gone, or new."""
    return {
        (kind, row_id)
        for kind in KINDS
        for row_id in before[kind].keys() | getattr(rows, kind).keys()
        if before[kind].get(row_id) != getattr(rows, kind).get(row_id)
    }


def test_an_update_changes_what_it_names_and_nothing_else(writes, rows, before):
    written = writes.update_scene(
        2, {"title": "New", "date": None, "tag_ids": [1], "studio_id": 3}
    )

    scene = rows.scenes["2"]
    assert written == Written((2,))
    assert (scene.title, scene.date, scene.tag_ids) == ("New", None, ["1"])
    assert scene.studio_id == "3"
    assert scene.performer_ids == before["scenes"]["2"].performer_ids
    assert changed(rows, before) == {("scenes", "2")}


def test_performers_are_added_to_many_scenes_without_replacing(
    writes, rows, before, version
):
    rows.scenes["1"].performer_ids = ["1", "2"]
    rows.scenes["2"].performer_ids = []

    written = writes.bulk_update_scenes(
        [1, 2], {"performer_ids": BulkIds(Mode.ADD, [5, 1])}
    )
    writes.bulk_update_scenes([1], {"performer_ids": BulkIds(Mode.REMOVE, [2])})

    assert written.ids == (1, 2)
    assert rows.scenes["1"].performer_ids == ["1", "5"]
    assert rows.scenes["2"].performer_ids == ["5", "1"]
    assert changed(rows, before) == {("scenes", "1"), ("scenes", "2")}


def test_images_take_bulk_updates_too(writes, rows):
    rows.images["1"] = Image("1", now(), now(), performer_ids=["2"])

    writes.bulk_update_images([1], {"performer_ids": BulkIds(Mode.ADD, [3])})

    assert rows.images["1"].performer_ids == ["2", "3"]


def test_no_ids_are_no_change(writes, server):
    with pytest.raises(InvalidStashId, match="no scene to change"):
        writes.bulk_update_scenes([], {"title": "x"})
    with pytest.raises(InvalidStashId):
        writes.destroy_performers([])
    with pytest.raises(InvalidStashId):
        writes.update_tag(0, {"name": "x"})

    assert not any("mutation" in r.query for r in server.graphql_requests())


def test_a_performer_is_created_with_what_the_version_keeps(writes, rows, version):
    urls = ["https://a.example", "https://b.example"]

    written = writes.create_performer(
        {
            "name": "Somebody new",
            "gender": "FEMALE",
            "alias_list": ["Somebody"],
            "urls": urls,
            "career_start": "2010",
            "career_end": "2015",
            "stash_ids": [StashId(ENDPOINT, "abc")],
            "custom_fields": CustomFields(full={"shelf": 1}),
        }
    )

    performer = rows.performers[str(written.id)]
    assert (performer.name, performer.alias_list) == ("Somebody new", ["Somebody"])
    assert [each.stash_id for each in performer.stash_ids] == ["abc"]
    has_urls, has_fields = version >= (0, 27), version >= (0, 28)
    assert performer.urls == (urls if has_urls else urls[:1])
    assert performer.custom_fields == ({"shelf": 1} if has_fields else {})
    years = (performer.career_start, performer.career_end, performer.career_length)
    is_newest = version >= (0, 31)
    assert years == (("2010", "2015", None) if is_newest else (None, None, "2010-2015"))
    lost = {"urls": has_urls, "custom_fields": has_fields}
    assert written.left_out == tuple(
        name for name, is_kept in lost.items() if not is_kept
    )


def test_urls_of_a_performer_are_replaced_in_every_version(writes, rows, version):
    rows.performers["1"].urls = ["https://old.example", "https://x.com/old"]
    urls = ["https://new.example", "https://instagram.com/new"]

    written = writes.update_performer(1, {"urls": urls})

    assert written.left_out == ()
    assert rows.performers["1"].urls == urls


def test_studios_and_tags_are_created_and_updated(writes, rows, version):
    studio = writes.create_studio(
        {"name": "New", "urls": ["https://s.example"], "parent_id": 1}
    )
    writes.update_studio(studio.id, {"aliases": ["Newer"], "parent_id": None})
    tag = writes.create_tag({"name": "fresh", "aliases": ["new"], "parent_ids": [1]})
    writes.update_tag(tag.id, {"description": "what it is"})

    made = rows.studios[str(studio.id)]
    assert (made.urls, made.aliases) == (["https://s.example"], ["Newer"])
    assert made.parent_id is None
    assert rows.tags[str(tag.id)].parent_ids == ["1"]
    assert rows.tags[str(tag.id)].description == "what it is"


def test_a_tag_cannot_be_linked_where_tags_have_no_ids(writes, server, rows, before):
    server.version = "0.29.3"

    with pytest.raises(StashTooOld):
        writes.update_tag(1, {"name": "x", "stash_ids": [StashId(ENDPOINT, "t")]})

    assert changed(rows, before) == set()


@pytest.mark.parametrize("taken", ["Ada Lovelace", "ADA LOVELACE", "O'Neil's 'best'"])
def test_a_name_that_is_taken_is_told_apart(writes, rows, version, taken):
    for kind in (rows.performers, rows.tags, rows.studios):
        kind["1"].name = taken
    rows.performers["2"].disambiguation = "the younger"
    states = {kind: copy.deepcopy(getattr(rows, kind)) for kind in KINDS}

    for make in (writes.create_performer, writes.create_tag, writes.create_studio):
        with pytest.raises(StashNameTaken, match="already exists"):
            make({"name": taken.lower()})
    for update in (writes.update_tag, writes.update_studio):
        with pytest.raises(StashNameTaken):
            update(2, {"name": taken})
    with pytest.raises(StashNameTaken):
        writes.update_performer(2, {"name": taken, "disambiguation": None})

    assert changed(rows, states) == set()


def test_a_disambiguation_makes_another_name_of_it(writes, rows):
    rows.performers["1"].name = "Ada"

    made = writes.create_performer({"name": "Ada", "disambiguation": "the younger"})

    assert rows.performers[str(made.id)].name == "Ada"
    with pytest.raises(StashNameTaken, match="and disambiguation 'the younger'"):
        writes.create_performer({"name": "ada", "disambiguation": "the younger"})


def test_an_alias_of_a_tag_or_studio_takes_the_name_too(writes, rows):
    rows.tags["1"].aliases = rows.studios["1"].aliases = ["Also Known"]

    for make in (writes.create_tag, writes.create_studio):
        with pytest.raises(StashNameTaken, match="is used as alias for"):
            make({"name": "also known"})
    with pytest.raises(StashNameTaken):
        writes.update_tag(2, {"aliases": ["tag 1"]})
    with pytest.raises(StashNameTaken):
        writes.update_studio(2, {"aliases": ["ALSO KNOWN"]})


def test_aliases_of_performers_may_be_names_of_others(writes, rows):
    writes.update_performer(2, {"alias_list": [rows.performers["1"].name]})

    assert rows.performers["2"].alias_list == [rows.performers["1"].name]


def test_a_performers_alias_twice_is_an_error_but_no_taken_name(writes, rows):
    with pytest.raises(StashError, match="duplicate alias") as error:
        writes.update_performer(1, {"alias_list": ["Anna", "ANNA"]})

    assert type(error.value) is StashError


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        (
            "updating performer: UNIQUE constraint failed: performers.name",
            StashNameTaken,
        ),
        (
            "UNIQUE constraint failed: performers.name, performers.disambiguation",
            StashNameTaken,
        ),
        ("UNIQUE constraint failed: studio_aliases.alias", StashNameTaken),
        ("UNIQUE constraint failed: scenes_tags.scene_id", StashError),
        ("performer with id 7 not found", StashNotFound),
        ("updating partial: sql: no rows in result set", StashNotFound),
        ("FOREIGN KEY constraint failed", StashError),
    ],
)
def test_what_stash_refuses_is_told_apart_by_its_words(message, error_class):
    with running_stash() as stash:
        stash.replies["PerformerUpdate"] = errors(message)

        with pytest.raises(StashError) as error:
            StashWrites(stash.client()).update_performer(7, {"name": "x"})

    assert type(error.value) is error_class
    assert message in str(error.value)


def test_what_is_gone_is_not_found(writes, rows, before):
    with pytest.raises(StashNotFound):
        writes.update_scene(99, {"title": "x"})
    with pytest.raises(StashNotFound):
        writes.destroy_performers([1, 99])
    with pytest.raises(StashNotFound):
        writes.destroy_scene(99, delete_file=True, delete_generated=True)

    assert changed(rows, before) == set()


def test_a_mutation_is_never_sent_twice(writes, server, rows):
    writes.update_scene(1, {"title": "first"})
    server.faults.statuses = [503]

    with pytest.raises(StashUnreachable):
        writes.update_scene(1, {"title": "second"})

    assert rows.scenes["1"].title == "first"
    sent = [request.status for request in server.graphql_requests()]
    assert sent.count(503) == 1


def test_performers_are_merged_by_stash_itself_from_031_on(writes, server, rows):
    server.version = "0.31.0"
    for scene in rows.scenes.values():
        scene.performer_ids = ["2"]
    rows.performers["1"].tag_ids, rows.performers["2"].tag_ids = ["1"], ["1", "3"]
    rows.performers["2"].alias_list = ["Second"]
    rows.performers["2"].stash_ids = [Row(ENDPOINT, "b", now())]
    rows.performers["1"].stash_ids = []

    written = writes.merge_performers([2], 1, values={"alias_list": ["First"]})

    destination = rows.performers["1"]
    assert written.id == 1
    assert "2" not in rows.performers
    assert all(scene.performer_ids == ["1"] for scene in rows.scenes.values())
    assert destination.tag_ids == ["1", "3"]
    assert (destination.alias_list, destination.stash_ids) == (["First"], [])


def test_a_merge_into_a_name_that_a_source_still_has_changes_nothing(
    writes, server, rows, before
):
    server.version = "0.31.0"
    name = rows.performers["2"].name

    with pytest.raises(StashNameTaken):
        writes.merge_performers([2], 1, values={"name": name, "disambiguation": None})

    assert changed(rows, before) == set()


def test_an_older_stash_is_not_asked_to_merge_performers(writes, server, rows, before):
    server.version = "0.30.1"

    with pytest.raises(StashTooOld, match=r"PerformerMerge is in Stash from 0\.31 on"):
        writes.merge_performers([2], 1)

    assert changed(rows, before) == set()
    assert not any("mutation" in r.query for r in server.graphql_requests())
    assert not has_native_performer_merge(StashVersion(0, 30, 1))
    assert has_native_performer_merge(StashVersion(0, 31))


def test_nothing_is_merged_into_itself(writes, server, rows, before):
    with pytest.raises(InvalidStashId):
        writes.merge_scenes([2, 1], 1, play_history=False, o_history=False)

    assert changed(rows, before) == set()


@pytest.mark.parametrize("takes_histories", [True, False])
def test_a_merge_of_scenes_moves_files_and_markers(
    writes, rows, version, takes_histories
):
    first, second = rows.scenes["1"], rows.scenes["2"]
    files = [*first.file_ids, *second.file_ids]
    second.markers = [
        {"id": "1", "title": "", "seconds": 2.0, "primary_tag_id": "1", "tag_ids": []}
    ]
    second.play_history, second.o_history = ["2026-01-01T00:00:00Z"], []
    tags = list(first.tag_ids)

    writes.merge_scenes(
        [2],
        1,
        values={"title": "Both"},
        play_history=takes_histories,
        o_history=takes_histories,
    )

    assert "2" not in rows.scenes
    assert (first.file_ids, first.title, first.tag_ids) == (files, "Both", tags)
    assert len(first.markers) == 1
    assert first.play_history == (["2026-01-01T00:00:00Z"] if takes_histories else [])
    assert set(files) <= set(rows.files)


def test_the_first_file_is_deleted_only_after_another_took_its_place(writes, rows):
    scene = rows.scenes["1"]
    scene.file_ids = ["1", "2"]
    rows.scenes["2"].file_ids = [
        each for each in rows.scenes["2"].file_ids if each != "2"
    ]

    with pytest.raises(StashError, match="cannot delete primary file"):
        writes.delete_files([1])
    writes.set_primary_file(1, 2)
    writes.delete_files([1])

    assert scene.file_ids == ["2"]
    assert "1" not in rows.files


def test_the_file_of_another_scene_is_not_made_primary(writes, rows, before):
    other = int(rows.scenes["2"].file_ids[0])

    with pytest.raises(StashError):
        writes.set_primary_file(1, other)

    assert changed(rows, before) == set()


@pytest.mark.parametrize("delete_file", [True, False])
def test_a_scene_goes_with_its_files_only_if_asked(writes, rows, delete_file):
    files = list(rows.scenes["1"].file_ids)

    writes.destroy_scene(1, delete_file=delete_file, delete_generated=False)

    assert "1" not in rows.scenes
    assert all((each in rows.files) is not delete_file for each in files)


def test_aliases_of_many_performers_are_added_to(writes, rows):
    rows.performers["1"].alias_list = ["One"]

    writes.bulk_update_performers([1], {"alias_list": BulkTexts(Mode.ADD, ["Two"])})

    assert rows.performers["1"].alias_list == ["One", "Two"]


def test_what_a_version_does_not_know_would_be_refused_by_it(server):
    server.version = "0.26.0"
    given = {"id": "1", "urls": ["https://a.example"]}

    with pytest.raises(StashError, match="unknown field 'urls'"):
        StashClient(server.url).execute(PERFORMER_UPDATE, {"input": given})
