"""Creating what the library lacks: all that is said, and nobody twice."""

import pytest

from recommendations.tests.actions.boxes import ANNA, MOTHER, anna, mother
from recommendations.tests.actions.world import (
    BOX,
    changed,
    done,
    linked,
    mutations,
    recommend,
    records,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db


def create_in_scene(client, box, *, scene_id="1", stashdb_id=ANNA, **more):
    return client.post(
        "/stash/create-performer",
        {
            "scene_id": scene_id,
            "endpoint": box.endpoint,
            "stashdb_id": stashdb_id,
            **more,
        },
        content_type="application/json",
    )


@pytest.mark.usefixtures("version")
def test_a_performer_is_created_with_all_that_the_stash_box_says(
    api, stash, library, box, version
):
    box.box.performers[ANNA] = anna()
    library.scenes["1"].performer_ids = ["1"]
    before = snapshot(library)

    answer = create_in_scene(api, box).json()

    row = library.performers[answer["performer_id"]]
    assert answer["success"] is answer["created"] is True
    assert (row.name, row.disambiguation) == ("Anna Nueva", "the actress")
    assert row.alias_list == ["Ann", "名前"]
    assert (row.gender, row.birthdate, row.country) == ("FEMALE", "1990-01-02", "NL")
    assert (row.ethnicity, row.eye_color) == ("Middle Eastern", "Grey")
    assert (row.height_cm, row.measurements) == (170, "34C--36")
    assert (row.fake_tits, row.tattoos) == ("Augmented", "Arm: rose")
    urls = ["https://a.example", "https://b.example"]
    assert row.urls == (urls if version >= (0, 27) else urls[:1])
    years = (row.career_start, row.career_end)
    assert years == (("2010", "2020") if version >= (0, 31) else (None, None))
    assert (row.career_length == "2010-2020") is (version < (0, 31))
    assert [(s.endpoint, s.stash_id) for s in row.stash_ids] == [(box.endpoint, ANNA)]
    assert library.scenes["1"].performer_ids == ["1", row.id]
    assert changed(library, before) == {("performers", row.id), ("scenes", "1")}


def test_the_stash_boxs_picture_is_taken(api, stash, library, box):
    box.box.performers[ANNA] = anna()

    answer = create_in_scene(api, box).json()

    assert answer["notes"] == []
    assert library.performers[answer["performer_id"]].picture


def test_who_has_no_picture_that_can_be_had_is_created_without(
    api, stash, library, box, settings
):
    box.box.performers[ANNA] = anna()
    settings.ALLOWED_IMAGE_HOSTS = frozenset()

    answer = create_in_scene(api, box).json()

    assert "picture was left out" in answer["notes"][0]
    assert library.performers[answer["performer_id"]].picture is None


def test_somebody_whom_the_library_has_by_id_is_not_created_again(
    api, stash, library, box
):
    library.performers["3"].stash_ids = [linked(ANNA, box.endpoint)]
    library.scenes["1"].performer_ids = []

    answer = create_in_scene(api, box).json()

    assert (answer["performer_id"], answer["created"]) == ("3", False)
    assert library.scenes["1"].performer_ids == ["3"]
    assert len(library.performers) == 5


def test_a_name_that_another_has_is_told_and_nobody_is_created(
    api, stash, library, box
):
    box.box.performers[ANNA] = anna(disambiguation=None)
    library.performers["2"].name = "anna nueva"
    before = snapshot(library)

    response = create_in_scene(api, box)

    assert (response.status_code, response.json()["code"]) == (409, "name_collision")
    assert [each["id"] for each in response.json()["others"]] == ["2"]
    assert changed(library, before) == set()
    assert mutations(stash) == []


def test_one_who_was_created_stays_where_adding_to_the_scene_fails(
    api, stash, library, box
):
    box.box.performers[ANNA] = anna()
    row = recommend("unidentified_scenes", "1", target_type="scene")
    stash.faults.meanwhile["BulkSceneUpdate"] = lambda: "database is locked"

    response = create_in_scene(api, box, recommendation_id=row.pk)

    answer = response.json()
    assert (response.status_code, answer["code"]) == (502, "stash_error")
    assert answer["done_before"] == ["Created performer 6, Anna Nueva."]
    assert library.performers["6"].name == "Anna Nueva"
    assert told_of(row) == ("pending", "")
    assert records() == [("create-performer", "failed")]
    stash.faults.meanwhile.clear()
    answer = create_in_scene(api, box, recommendation_id=row.pk).json()
    assert (answer["performer_id"], answer["created"]) == ("6", False)
    assert told_of(row) == ("resolved", "create-performer")


def test_nobody_is_created_for_a_scene_that_is_gone(api, stash, library, box):
    box.box.performers[ANNA] = anna()
    before = snapshot(library)

    assert create_in_scene(api, box, scene_id="99").status_code == 404

    assert changed(library, before) == set()


@pytest.mark.parametrize(
    ("stashdb_id", "status"), [(MOTHER, 404), ("a'b", 422), ("", 422)]
)
def test_an_id_that_the_stash_box_has_not_is_refused(api, box, stashdb_id, status):
    assert create_in_scene(api, box, stashdb_id=stashdb_id).status_code == status


def test_who_was_merged_upstream_is_not_created(api, stash, library, box):
    box.box.performers[ANNA] = anna(deleted=True, merged_into_id="other-id")

    response = create_in_scene(api, box)

    assert response.status_code == 404
    assert "merged into other-id" in response.json()["detail"]
    assert len(library.performers) == 5


def test_a_stash_box_that_is_down_is_told(api, stash, library, box):
    box.faults.status = 401

    response = create_in_scene(api, box)

    assert response.status_code == 502
    assert response.json()["code"] == "stashbox_unauthorized"
    assert len(library.performers) == 5


def test_data_that_was_sent_is_used_without_asking_the_stash_box(api, stash, library):
    data = {
        "name": "Bea",
        "aliases": ["B"],
        "birth_date": "1991-02-03",
        "breast_type": "NATURAL",
        "urls": [{"url": "https://b.example", "site": {"name": "Home"}}],
        "unheard_of": {"x": 1},
    }

    answer = done(
        api, "create-performer", stashbox_data=data, endpoint=BOX, stashbox_id=ANNA
    )

    row = library.performers[answer["performer"]["id"]]
    assert (row.name, row.birthdate, row.fake_tits) == ("Bea", "1991-02-03", "Natural")
    assert row.urls == ["https://b.example"]


def test_a_dry_run_tells_who_would_be_created(api, stash, library):
    before = snapshot(library)
    asked = {
        "stashbox_data": {"name": "Bea", "height": 165},
        "endpoint": BOX,
        "stashbox_id": ANNA,
    }

    plan = done(api, "create-performer", dry_run=True, **asked)["plan"]

    assert plan["values"] == {"name": "Bea", "height_cm": 165}
    assert changed(library, before) == set()
    assert done(api, "create-performer", **asked)["plan"] == plan


@pytest.mark.parametrize("kind", ["performer", "tag", "studio"])
def test_an_id_that_another_has_is_refused(api, stash, library, kind):
    rows = getattr(library, f"{kind}s")
    rows["2"].stash_ids = [linked(ANNA)]
    count = len(rows)

    answer = refused(
        api,
        *(f"create-{kind}", 409, "action_refused"),
        stashbox_data={"name": "New"},
        endpoint=BOX,
        stashbox_id=ANNA,
    )

    assert answer["others"][0]["id"] == "2"
    assert len(rows) == count


def test_a_tag_is_created_without_the_aliases_that_others_have(api, stash, library):
    library.tags["2"].aliases = ["taken"]

    answer = done(
        api,
        "create-tag",
        stashbox_data={
            "name": "New tag",
            "description": "What it is.",
            "aliases": ["free", "Taken", "TAG 1"],
        },
        endpoint=BOX,
        stashbox_id=ANNA,
    )

    row = library.tags[answer["tag"]["id"]]
    assert (row.name, row.description, row.aliases) == (
        "New tag",
        "What it is.",
        ["free"],
    )
    assert [
        (each["alias"], each["used_by"]["id"]) for each in answer["refused_aliases"]
    ] == [("Taken", "2"), ("TAG 1", "1")]


def test_a_tag_whose_name_is_anothers_alias_is_refused(api, stash, library):
    library.tags["2"].aliases = ["taken"]

    answer = refused(
        api,
        *("create-tag", 409, "name_collision"),
        stashbox_data={"name": "Taken"},
        endpoint=BOX,
        stashbox_id=ANNA,
    )

    assert answer["others"][0]["name"] == "tag 2"


def test_a_studio_is_created_under_the_parent_that_has_the_id(api, stash, library):
    library.studios["2"].stash_ids = [linked(MOTHER)]
    data = {
        "name": "New Studio",
        "aliases": ["NS"],
        "urls": [{"url": "https://n.example"}],
        "parent": {"id": MOTHER, "name": "Mother Studio"},
    }

    answer = done(
        api, "create-studio", stashbox_data=data, endpoint=BOX, stashbox_id=ANNA
    )

    row = library.studios[answer["studio"]["id"]]
    assert (row.parent_id, row.aliases) == ("2", ["NS"])
    assert row.urls == ["https://n.example"]


def test_a_studio_whose_parent_is_known_by_name_alone_gets_none(api, stash, library):
    library.studios["2"].name = "Mother Studio"
    data = {"name": "New Studio", "parent": {"id": MOTHER, "name": "Mother Studio"}}

    answer = done(
        api, "create-studio", stashbox_data=data, endpoint=BOX, stashbox_id=ANNA
    )

    assert library.studios[answer["studio"]["id"]].parent_id is None
    assert "Mother Studio" in answer["notes"][0]


# The parent of a studio that is there


def update_studio(**more):
    return {"studio_id": "1", "fields": {"parent_studio": MOTHER}, **more}


def test_a_parent_that_has_the_id_becomes_the_parent(api, stash, library, box):
    library.studios["2"].stash_ids = [linked(MOTHER, box.endpoint)]

    done(api, "update-studio", **update_studio(endpoint=box.endpoint))

    assert library.studios["1"].parent_id == "2"


def test_a_parent_of_the_same_name_is_only_offered(api, stash, library, box):
    box.box.studios[MOTHER] = mother()
    library.studios["2"].aliases = ["mother studio"]
    before = snapshot(library)

    answer = refused(
        api,
        *("update-studio", 409, "action_refused"),
        **update_studio(endpoint=box.endpoint, create_parent=True),
    )

    assert [each["id"] for each in answer["candidates"]] == ["2"]
    assert answer["parent"]["stash_id"] == MOTHER
    assert changed(library, before) == set()
    done(api, "update-studio", **update_studio(endpoint=box.endpoint, parent_id="2"))
    assert library.studios["1"].parent_id == "2"
    assert library.studios["2"].stash_ids == []


def test_a_parent_that_is_nowhere_is_created_where_that_is_asked_for(
    api, stash, library, box
):
    box.box.studios[MOTHER] = mother()
    refused(
        api,
        *("update-studio", 409, "action_refused"),
        **update_studio(endpoint=box.endpoint),
    )

    done(
        api,
        "update-studio",
        **update_studio(endpoint=box.endpoint, create_parent=True),
    )

    parent = library.studios[library.studios["1"].parent_id]
    assert (parent.name, parent.urls) == ("Mother Studio", ["https://mother.example"])
    assert [each.stash_id for each in parent.stash_ids] == [MOTHER]


def test_a_parent_unknown_upstream_is_not_found(api, stash, library, box):
    refused(
        api,
        *("update-studio", 404, "stashbox_not_found"),
        **update_studio(endpoint=box.endpoint),
    )


def test_a_studio_is_not_its_own_parent_and_may_lose_its_parent(api, stash, library):
    library.studios["1"].parent_id = "2"

    refused(
        api,
        *("update-studio", 409, "action_refused"),
        studio_id="1",
        fields={},
        parent_id="1",
    )
    done(api, "update-studio", studio_id="1", fields={"parent_studio": None})

    assert library.studios["1"].parent_id is None
