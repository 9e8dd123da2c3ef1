"""Linking with stash-boxes, and accepting what fingerprints match."""

import pytest

from recommendations.models import ActionRecord
from recommendations.stash_actions.acting import ActionAsker, ActionContext
from recommendations.stash_actions.fingerprint_matches import accept_all_matches
from recommendations.tests.actions.world import (
    BOX,
    OTHER_BOX,
    act,
    changed,
    done,
    linked,
    mutations,
    recommend,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db

ID = "5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"
KINDS = ["performer", "tag", "studio"]


def link(**more):
    return {
        "entity_type": "performer",
        "entity_id": "1",
        "endpoint": BOX,
        "stashbox_id": ID,
        **more,
    }


def ids_of(row):
    return [(each.endpoint, each.stash_id) for each in row.stash_ids]


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_joins_those_that_are_there(api, stash, library, kind):
    rows = getattr(library, f"{kind}s")
    rows["1"].stash_ids = [linked("other", OTHER_BOX)]
    before = snapshot(library)

    answer = done(api, "link-entity", **link(entity_type=kind))

    assert ids_of(rows["1"]) == [(OTHER_BOX, "other"), (BOX, ID)]
    assert (answer["entity_id"], answer["entity_name"]) == ("1", rows["1"].name)
    assert changed(library, before) == {(f"{kind}s", "1")}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_linked_already_is_not_sent_again(api, stash, library, kind):
    getattr(library, f"{kind}s")["1"].stash_ids = [linked(ID)]
    row = recommend("missing_stash_box_link", "1", target_type=kind, endpoint=BOX)

    answer = done(
        api, "link-entity", **link(entity_type=kind, recommendation_id=row.pk)
    )

    assert answer["already_linked"] is True
    assert mutations(stash) == []
    assert told_of(row) == ("resolved", "link-entity")


def test_a_second_id_at_one_stash_box_has_to_be_asked_for(api, stash, library):
    library.performers["1"].stash_ids = [linked("other")]

    refused(api, "link-entity", 409, "action_refused", **link())
    assert ids_of(library.performers["1"]) == [(BOX, "other")]

    done(api, "link-entity", **link(add_second=True))
    assert ids_of(library.performers["1"]) == [(BOX, "other"), (BOX, ID)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_another_has_makes_them_duplicates(api, stash, library, kind):
    getattr(library, f"{kind}s")["2"].stash_ids = [linked(ID)]
    before = snapshot(library)

    answer = refused(
        api, "link-entity", 409, "action_refused", **link(entity_type=kind)
    )

    assert answer["entity"]["id"] == "1"
    assert [each["id"] for each in answer["others"]] == ["2"]
    assert changed(library, before) == set()


def test_a_tag_cannot_be_linked_before_tags_have_ids(api, stash, library):
    stash.version = "0.29.0"
    before = snapshot(library)

    answer = refused(
        api, "link-entity", 502, "stash_too_old", **link(entity_type="tag")
    )

    assert "0.30" in answer["detail"]
    assert changed(library, before) == set()


@pytest.mark.parametrize(
    "more",
    [
        {"entity_type": "scene"},
        {"entity_id": "x"},
        {"endpoint": ""},
        {"endpoint": "nowhere"},
        {"stashbox_id": "a b"},
        {"stashbox_id": "x" * 65},
    ],
)
def test_a_value_that_cannot_be_is_refused(api, stash, more):
    assert act(api, "link-entity", **link(**more)).status_code == 422
    assert mutations(stash) == []


def test_a_search_tells_what_is_linked(api, stash, library):
    library.performers["1"].name, library.performers["2"].name = "Zoe A", "Zoe B"
    library.performers["2"].stash_ids = [linked(ID)]

    answer = done(
        api, "search-entities", entity_type="performer", query="Zoe", endpoint=BOX
    )

    found = {each["id"]: each for each in answer["results"]}
    assert {key: each["linked"] for key, each in found.items()} == {
        "1": False,
        "2": True,
    }
    assert found["2"]["stash_ids"] == [{"endpoint": BOX, "stash_id": ID}]


# Into a scene


def link_scene(client, **more):
    body = {"scene_id": "1", "performer_id": "2", **more}
    return client.post("/stash/link-performer", body, content_type="application/json")


def test_a_performer_joins_those_of_the_scene(api, stash, library):
    library.scenes["1"].performer_ids = ["1"]
    before = snapshot(library)
    ids = [{"endpoint": BOX, "stash_id": ID}]

    assert link_scene(api, stash_ids=ids).json()["success"] is True

    assert library.scenes["1"].performer_ids == ["1", "2"]
    assert changed(library, before) == {("scenes", "1")}


def test_ids_are_given_to_the_performer_where_that_is_said(api, stash, library):
    ids = [{"endpoint": BOX, "stash_id": ID}]

    link_scene(api, stash_ids=ids, update_metadata=True)

    assert ids_of(library.performers["2"]) == [(BOX, ID)]


def test_an_unknown_scene_or_performer_is_not_found(api, stash):
    assert link_scene(api, scene_id="99").status_code == 404
    assert link_scene(api, performer_id="99").status_code == 404
    assert mutations(stash) == []


# Fingerprints


def match(scene_id, stash_id=ID, *, endpoint=BOX, high=True):
    return recommend(
        "scene_fingerprint_match",
        f"{scene_id}|{endpoint}|{stash_id}",
        target_type="scene",
        endpoint=endpoint,
        high_confidence=high,
    )


def accept(row, **more):
    return {
        "recommendation_id": row.pk,
        "scene_id": "1",
        "endpoint": BOX,
        "stash_id": ID,
        **more,
    }


def test_an_accepted_match_gives_the_scene_its_id(api, stash, library):
    library.scenes["1"].stash_ids = [linked("other", OTHER_BOX)]
    row = match("1")
    before = snapshot(library)

    done(api, "accept-fingerprint-match", **accept(row))

    assert ids_of(library.scenes["1"]) == [(OTHER_BOX, "other"), (BOX, ID)]
    assert changed(library, before) == {("scenes", "1")}
    assert told_of(row) == ("resolved", "accept-fingerprint-match")


@pytest.mark.parametrize(
    "more", [{"scene_id": "2"}, {"endpoint": OTHER_BOX}, {"stash_id": "another"}]
)
def test_a_match_of_something_else_is_refused(api, stash, library, more):
    row = match("1")

    refused(
        api,
        *("accept-fingerprint-match", 409, "wrong_recommendation"),
        **accept(row, **more),
    )

    assert stash.requests == []
    assert told_of(row) == ("pending", "")


def test_a_recommendation_of_another_type_is_refused(api, stash):
    row = recommend("duplicate_scenes", f"1|{BOX}|{ID}", target_type="scene")

    refused(api, "accept-fingerprint-match", 409, "wrong_recommendation", **accept(row))


def test_a_scene_with_another_id_there_is_refused(api, stash, library):
    library.scenes["1"].stash_ids = [linked("other")]
    row = match("1")

    refused(api, "accept-fingerprint-match", 409, "action_refused", **accept(row))

    assert ids_of(library.scenes["1"]) == [(BOX, "other")]


def test_all_of_high_confidence_are_accepted_one_by_one(api, stash, library):
    sure, gone, unsure = match("1"), match("77", "b"), match("2", "c", high=False)
    elsewhere = match("3", "d", endpoint=OTHER_BOX)
    last = match("4", "e")

    answer = done(api, "accept-all-fingerprint-matches", endpoint=BOX)

    assert (answer["accepted_count"], answer["accepted"]) == (2, [sure.pk, last.pk])
    assert [(f["recommendation_id"], f["code"]) for f in answer["failed"]] == [
        (gone.pk, "target_gone")
    ]
    assert answer["success"] is False
    assert told_of(gone) == ("resolved", "target_gone")
    assert told_of(unsure) == told_of(elsewhere) == ("pending", "")
    assert ids_of(library.scenes["4"]) == [(BOX, "e")]
    assert ids_of(library.scenes["2"]) == []


def test_accepting_all_ends_where_stash_is_away(api, stash, settings):
    rows = [match(str(number), f"id-{number}") for number in (1, 2, 3)]
    stash.faults.status = 401

    answer = done(api, "accept-all-fingerprint-matches")

    assert answer["accepted_count"] == 0
    assert len(answer["failed"]) == 1
    assert answer["remaining_count"] == 2
    assert {told_of(row) for row in rows} == {("pending", "")}


def test_accepting_all_ends_in_time_and_says_what_is_left(stash, library):
    for number in (1, 2, 3):
        match(str(number), f"id-{number}")
    times = iter([0, 0, 1000])
    asker = ActionAsker(ActionRecord.Asker.COMMAND)

    result = accept_all_matches(ActionContext(asker=asker), clock=lambda: next(times))

    assert len(result.accepted) == 1
    assert result.remaining_count == 2


def test_a_dry_run_of_accepting_all_changes_nothing(api, stash, library):
    row = match("1")
    before = snapshot(library)

    answer = done(api, "accept-all-fingerprint-matches", dry_run=True)

    assert answer["accepted"] == [row.pk]
    assert changed(library, before) == set()
    assert told_of(row) == ("pending", "")


def test_an_id_is_replaced_only_where_it_is(api, stash, library):
    library.performers["1"].stash_ids = [linked("mine")]
    before = snapshot(library)

    refused(api, "link-entity", 409, "action_refused", **link(replaces="old"))

    assert changed(library, before) == set()


def test_what_was_replaced_is_not_sent_again(api, stash, library):
    library.performers["1"].stash_ids = [linked("old")]

    for _ in range(2):
        done(api, "link-entity", **link(replaces="old"))

    assert ids_of(library.performers["1"]) == [(BOX, ID)]
    assert mutations(stash) == ["PerformerUpdate"]
