"""An id that is gone at a stash-box is exchanged, or taken away."""

import pytest

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

OLD = "5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"
NEW = "0fa7d2a7-58f8-4c55-8a59-4dc0c8f2f3d6"
KINDS = ["performer", "tag", "studio", "scene"]


def relink(**more):
    return {
        "entity_type": "performer",
        "entity_id": "1",
        "endpoint": BOX,
        "old_stashbox_id": OLD,
        **more,
    }


def ids_of(row):
    return [(each.endpoint, each.stash_id) for each in row.stash_ids]


@pytest.mark.parametrize("kind", KINDS)
def test_the_new_id_takes_the_place_of_the_old_and_settles_the_finding(
    api, stash, library, kind
):
    rows = getattr(library, f"{kind}s")
    rows["1"].stash_ids = [linked(OLD), linked("other", OTHER_BOX)]
    row = recommend(
        f"upstream_{kind}_changes",
        "1",
        target_type=kind,
        endpoint=BOX,
        is_gone_upstream=True,
        stash_box_id=OLD,
        merged_into_id=NEW,
    )
    before = snapshot(library)

    body = relink(entity_type=kind, new_stashbox_id=NEW, recommendation_id=row.pk)
    plan = done(api, "relink-entity", **body, dry_run=True)
    assert changed(library, before) == set()
    assert plan["plan"]["adds"]["stash_id"] == NEW
    done(api, "relink-entity", **body)

    assert ids_of(rows["1"]) == [(OTHER_BOX, "other"), (BOX, NEW)]
    assert changed(library, before) == {(f"{kind}s", "1")}
    assert told_of(row) == ("resolved", "relink-entity")


def test_what_was_exchanged_is_not_sent_again(api, stash, library):
    library.performers["1"].stash_ids = [linked(OLD)]

    for _ in range(2):
        done(api, "relink-entity", **relink(new_stashbox_id=NEW))

    assert ids_of(library.performers["1"]) == [(BOX, NEW)]
    assert mutations(stash) == ["PerformerUpdate"]


def test_without_a_new_id_the_old_one_is_taken_away(api, stash, library):
    library.performers["1"].stash_ids = [linked(OLD), linked("other", OTHER_BOX)]

    done(api, "relink-entity", **relink())

    assert ids_of(library.performers["1"]) == [(OTHER_BOX, "other")]


def test_what_does_not_have_the_old_id_or_would_become_a_duplicate_is_left_alone(
    api, stash, library
):
    refused(api, "relink-entity", 409, "action_refused", **relink())
    library.performers["1"].stash_ids = [linked(OLD)]
    library.performers["2"].stash_ids = [linked(NEW)]

    answer = refused(
        api, "relink-entity", 409, "action_refused", **relink(new_stashbox_id=NEW)
    )

    assert answer["others"] == ["2"]
    assert mutations(stash) == []


def test_a_finding_about_fields_is_not_settled_by_it(api, stash, library):
    library.performers["1"].stash_ids = [linked(OLD)]
    row = recommend(
        "upstream_performer_changes",
        "1",
        target_type="performer",
        endpoint=BOX,
        changes=[],
    )

    refused(
        api,
        "relink-entity",
        409,
        "wrong_recommendation",
        **relink(recommendation_id=row.pk),
    )
    assert mutations(stash) == []


@pytest.mark.parametrize("wrong", [{"old_stashbox_id": ""}, {"entity_type": "image"}])
def test_a_strange_wish_is_refused(api, stash, library, wrong):
    assert act(api, "relink-entity", **relink(**wrong)).status_code == 422
