"""What the stand-in's GraphQL finds and changes, with the surprises of the real one."""

import base64

import pytest
import requests

STASHDB = "https://stashdb.org/graphql"


@pytest.fixture
def run(stash_server):
    """Execute an operation; return its data, or the message of its first error."""

    def execute(query, **variables):
        answer = requests.post(
            f"{stash_server.url}/graphql",
            json={"query": query, "variables": variables},
            timeout=20,
        )
        body = answer.json()
        return body["errors"][0]["message"] if "errors" in body else body["data"]

    return execute


def found(run, kind, row_filter=None, **paging):
    """Return the ids that a find query answers."""
    name = kind.capitalize()
    singular = "gallery" if kind == "galleries" else kind[:-1]
    data = run(
        f"query ($f: {singular.capitalize()}FilterType, $p: FindFilterType) "
        f"{{ find{name}({singular}_filter: $f, filter: $p) {{ {kind} {{ id }} }} }}",
        f=row_filter,
        p=paging,
    )
    return (
        data if isinstance(data, str) else [r["id"] for r in data[f"find{name}"][kind]]
    )


def test_pages_follow_each_other(run):
    assert found(run, "performers", sort="id", per_page=2, page=1) == ["1", "2"]
    assert found(run, "performers", sort="id", per_page=2, page=3) == ["5"]
    assert found(run, "performers", sort="id", per_page=2, page=4) == []
    assert len(found(run, "performers", per_page=-1)) == 5


def test_a_page_holds_25_unless_asked_otherwise(run, stash_library):
    for number in range(40):
        run('mutation ($n: String!) { tagCreate(input: { name: $n }) { id } }',
            n=f"tag {number}")  # fmt: skip

    assert len(found(run, "tags")) == 25
    assert len(found(run, "tags", per_page=-1)) == 43


def test_the_newest_come_first_when_asked_for(run):
    run('mutation { sceneUpdate(input: { id: "1", code: "x" }) { id } }')

    order = found(run, "scenes", sort="updated_at", direction="DESC")

    assert order == ["1", "2"]


def test_an_unknown_sort_is_an_error(run):
    assert "invalid sort" in found(run, "scenes", sort="beauty")


def test_an_id_that_is_no_number_is_an_error(run):
    assert "strconv.Atoi" in run('{ findScene(id: "one") { id } }')
    assert run('{ findScene(id: "99") { id } }') == {"findScene": None}


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"endpoint": STASHDB, "modifier": "NOT_NULL"}, {"1", "2", "3", "5"}),
        ({"endpoint": STASHDB, "modifier": "IS_NULL"}, {"4"}),
        ({"endpoint": "https://elsewhere/graphql", "modifier": "NOT_NULL"}, set()),
    ],
)
def test_performers_are_found_by_box(run, stash_library, criterion, expected):
    for performer in stash_library.performers.values():
        for stash_id in performer.stash_ids[:1]:
            stash_id.endpoint = STASHDB

    rows = found(run, "performers", {"stash_id_endpoint": criterion}, per_page=-1)

    assert set(rows) == expected


def test_a_performer_is_found_by_its_stash_id(run, stash_library):
    [stash_id] = stash_library.performers["1"].stash_ids
    criterion = {
        "endpoint": stash_id.endpoint,
        "stash_id": stash_id.stash_id,
        "modifier": "EQUALS",
    }

    assert found(run, "performers", {"stash_id_endpoint": criterion}) == ["1"]


@pytest.mark.parametrize(
    ("row_filter", "expected"),
    [
        ({"performer_count": {"value": 0, "modifier": "GREATER_THAN"}}, ["1"]),
        ({"performers": {"value": ["1"], "modifier": "EXCLUDES"}}, ["2"]),
        ({"tags": {"value": ["1"], "modifier": "INCLUDES"}}, ["1"]),
        ({"is_missing": "performers"}, ["2"]),
        ({"is_missing": "stash_id"}, ["2"]),
        ({"is_missing": "cover"}, ["2"]),
        ({"path": {"value": "passing", "modifier": "INCLUDES"}}, ["2"]),
        ({"NOT": {"id": {"value": 1, "modifier": "EQUALS"}}}, ["2"]),
        (
            {"title": {"value": "two at tea", "modifier": "EQUALS"},
             "OR": {"id": {"value": 2, "modifier": "EQUALS"}}},
            ["1", "2"],
        ),
        (
            {"updated_at": {"value": "2025-03-01T11:30:00Z",
                            "modifier": "GREATER_THAN"}},
            ["2"],
        ),
    ],
)  # fmt: skip
def test_scenes_are_found_by_what_is_asked(run, row_filter, expected):
    assert found(run, "scenes", row_filter, sort="id") == expected


def test_the_images_of_a_gallery_are_listed_by_a_filter(run):
    criterion = {"galleries": {"value": ["1"], "modifier": "INCLUDES"}}

    assert found(run, "images", criterion, sort="path") == ["1", "2", "3", "4"]
    assert "Cannot query field 'images'" in run(
        '{ findGallery(id: "1") { images { id } } }'
    )


def test_duplicates_are_found_by_their_perceptual_hash(run, stash_library):
    first, second = (stash_library.files[each] for each in ("1", "2"))
    assert run("{ findDuplicateScenes(distance: 4) { id } }") == {
        "findDuplicateScenes": []
    }

    value = int(first.fingerprints["phash"], 16) ^ 0b101
    second.fingerprints["phash"] = f"{value:x}"

    groups = run("{ findDuplicateScenes(distance: 4) { id } }")["findDuplicateScenes"]
    assert groups == [[{"id": "1"}, {"id": "2"}]]
    second.duration = 11.0
    assert run("{ findDuplicateScenes(distance: 4, duration_diff: 1) { id } }") == {
        "findDuplicateScenes": []
    }


def test_a_scene_update_replaces_lists_and_keeps_what_is_not_named(run, stash_library):
    run('mutation { sceneUpdate(input: { id: "1", performer_ids: ["2"] }) { id } }')

    scene = stash_library.scenes["1"]
    assert scene.performer_ids == ["2"]
    assert scene.tag_ids == ["1"]
    assert scene.title == "Two at Tea"
    assert scene.updated_at > "2026"


def test_null_clears(run, stash_library):
    run('mutation { sceneUpdate(input: { id: "1", studio_id: null, title: null '
        'stash_ids: null }) { id } }')  # fmt: skip

    scene = stash_library.scenes["1"]
    assert (scene.studio_id, scene.title, scene.stash_ids) == (None, "", [])


@pytest.mark.parametrize("kind", ["scene", "image", "gallery"])
@pytest.mark.parametrize(
    ("mode", "expected"), [("ADD", ["1", "2", "3"]), ("REMOVE", ["1"]), ("SET", ["3"])]
)
def test_bulk_updates_add_remove_and_set(run, stash_library, kind, mode, expected):
    rows = {"gallery": stash_library.galleries}.get(
        kind, getattr(stash_library, f"{kind}s", {})
    )
    rows["1"].performer_ids = ["1", "2"]
    ids = ["2", "3"] if mode != "SET" else ["3"]

    run(
        f"mutation ($p: BulkUpdateIds) {{ bulk{kind.capitalize()}Update("
        'input: { ids: ["1"], performer_ids: $p }) { id } }',
        p={"ids": ids, "mode": mode},
    )

    assert rows["1"].performer_ids == expected


def test_a_link_to_nobody_is_refused_and_changes_nothing(run, stash_library):
    message = run(
        'mutation { sceneUpdate(input: { id: "1", title: "x", performer_ids: ["99"] })'
        " { id } }"
    )

    assert "99 not found" in message
    assert stash_library.scenes["1"].title == "Two at Tea"


def test_stash_ids_are_unique_and_dated(run, stash_library):
    twice = [{"endpoint": STASHDB, "stash_id": "a"}] * 2

    run(
        "mutation ($s: [StashIDInput!]) { performerUpdate("
        'input: { id: "1", stash_ids: $s }) { id } }',
        s=twice,
    )

    [stash_id] = stash_library.performers["1"].stash_ids
    assert (stash_id.endpoint, stash_id.stash_id) == (STASHDB, "a")
    assert stash_id.updated_at > "2026"


def test_a_cover_is_taken_as_a_data_url(run, stash_server):
    picture = base64.b64encode(b"\xff\xd8 a picture").decode()

    run(
        'mutation ($c: String) { sceneUpdate(input: { id: "2", cover_image: $c })'
        " { id } }",
        c=f"data:image/jpeg;base64,{picture}",
    )

    cover = requests.get(f"{stash_server.url}/scene/2/screenshot", timeout=20)
    assert cover.content == b"\xff\xd8 a picture"


def test_a_performer_without_a_picture_can_be_given_one(run, stash_server):
    def image_path():
        query = '{ findPerformer(id: "5") { image_path } }'
        return run(query)["findPerformer"]["image_path"]

    assert image_path().endswith("&default=true")
    picture = base64.b64encode(b"\xff\xd8 a face").decode()

    run(
        'mutation ($p: String) { performerUpdate(input: { id: "5", image: $p })'
        " { id } }",
        p=f"data:image/jpeg;base64,{picture}",
    )

    assert "default" not in image_path()
    assert requests.get(image_path(), timeout=20).content == b"\xff\xd8 a face"


def test_a_new_performer_has_what_it_was_given(run, stash_library):
    data = run(
        "mutation ($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }",
        i={
            "name": "Newly Come",
            "alias_list": ["N"],
            "tag_ids": ["1"],
            "stash_ids": [{"endpoint": STASHDB, "stash_id": "b"}],
            "custom_fields": {"seen": 1},
        },
    )

    performer = stash_library.performers[data["performerCreate"]["id"]]
    assert performer.name == "Newly Come"
    assert performer.custom_fields == {"seen": 1}
    assert performer.stash_ids[0].stash_id == "b"


def test_a_name_that_is_taken_is_refused(run, stash_library):
    name = stash_library.performers["1"].name

    message = run(
        "mutation ($n: String!) { performerCreate(input: { name: $n }) { id } }", n=name
    )

    assert "already exists" in message
    assert len(stash_library.performers) == 5


def test_merging_performers_moves_links_and_loses_stash_ids(
    run, stash_server, stash_library
):
    stash_server.version = "0.31.0"
    source, destination = (stash_library.performers[each] for each in ("1", "4"))
    source.alias_list, source.urls = ["Alias"], ["https://example.org/"]
    assert source.stash_ids

    run('mutation { performerMerge(input: { source: ["1"], destination: "4" }) '
        "{ id } }")  # fmt: skip

    assert "1" not in stash_library.performers
    assert stash_library.scenes["1"].performer_ids == ["4"]
    assert stash_library.images["5"].performer_ids == ["4"]
    assert (destination.stash_ids, destination.urls) == ([], [])
    assert "Alias" not in destination.alias_list


def test_merging_scenes_moves_files_and_only_them(run, stash_library):
    run('mutation { sceneMerge(input: { source: ["1"], destination: "2" }) { id } }')

    assert list(stash_library.scenes) == ["2"]
    assert stash_library.scenes["2"].file_ids == ["2", "1"]
    assert stash_library.scenes["2"].performer_ids == []


def test_a_primary_file_is_not_deleted(run, stash_library):
    run('mutation { sceneMerge(input: { source: ["1"], destination: "2" }) { id } }')

    message = run('mutation { deleteFiles(ids: ["1", "2"]) }')
    assert "cannot delete primary file" in message
    assert {"1", "2"} <= stash_library.files.keys()
    assert run('mutation { deleteFiles(ids: ["1"]) }') == {"deleteFiles": True}

    assert "1" not in stash_library.files
    assert stash_library.scenes["2"].file_ids == ["2"]


def test_another_file_can_be_made_primary(run, stash_library):
    run('mutation { sceneMerge(input: { source: ["1"], destination: "2" }) { id } }')

    run('mutation { sceneUpdate(input: { id: "2", primary_file_id: "1" }) { id } }')

    assert stash_library.scenes["2"].file_ids == ["1", "2"]


def test_a_destroyed_scene_is_gone(run, stash_library):
    run('mutation { sceneDestroy(input: { id: "1", delete_file: true }) }')

    assert list(stash_library.scenes) == ["2"]
    assert "1" not in stash_library.files
    assert stash_library.galleries["1"].scene_ids == []


def test_generating_brings_out_sprites_and_covers(run, stash_server):
    def sprite():
        url = f"{stash_server.url}/scene/2/vtt/sprite"
        return requests.get(url, timeout=20).status_code

    assert sprite() == 404
    data = run(
        'mutation { metadataGenerate(input: { sceneIDs: ["2"], sprites: true }) }'
    )

    assert sprite() == 200
    job = run(
        "query ($i: ID!) { findJob(input: { id: $i }) { status progress } }",
        i=data["metadataGenerate"],
    )
    assert job["findJob"] == {"status": "FINISHED", "progress": 1.0}
    assert run("{ jobQueue { id } }") == {"jobQueue": None}


def test_plugin_settings_are_overwritten_as_a_whole(run):
    for settings in ({"a": 1, "b": 2}, {"a": 3}):
        run('mutation ($m: Map!) { configurePlugin(plugin_id: "p", input: $m) }',
            m=settings)  # fmt: skip

    data = run('{ configuration { plugins(include: ["p", "q"]) } }')

    assert data["configuration"]["plugins"] == {"p": {"a": 3}}
