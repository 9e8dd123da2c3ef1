"""Merging performers: what arrives, what goes, and what stays as it was."""

import pytest

from recommendations.models import ActionRecord
from recommendations.tests.actions.world import (
    BOX,
    DRAWN,
    OTHER_BOX,
    add_gallery,
    add_image,
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

INTO, FROM = "1", ["2", "3"]


@pytest.fixture
def people(library):
    """Three who are one: each knows and is in something that the others are not."""
    for scene in library.scenes.values():
        scene.performer_ids = ["4"]
    first, second, third = (library.performers[each] for each in "123")
    for number, row in enumerate((first, second, third), start=1):
        row.name, row.alias_list = f"Name {number}", [f"Alias {number}"]
        row.stash_ids = [linked(f"id-{number}")]
        row.tag_ids = [str(number)]
        row.urls = [f"https://a.example/{number}"]
        row.gender = row.birthdate = row.country = row.height_cm = None
    first.measurements, second.measurements = "34C--36", "32B-24-35"
    second.birthdate, third.birthdate = "1990-01-01", "1991-01-01"
    third.stash_ids.append(linked("other-3", OTHER_BOX))
    second.favorite, third.rating100 = True, 80
    first.custom_fields = {"shelf": 1}
    second.custom_fields = {"shelf": 2, "box": "b"}
    third.picture = DRAWN
    library.scenes["1"].performer_ids = ["2", "4"]
    library.scenes["2"].performer_ids = ["1", "3"]
    add_image(library, "1", performer_ids=["3"])
    add_image(library, "2", performer_ids=["4"])
    add_gallery(library, "1", performer_ids=["2", "3"])
    return library


def merge(client, **more):
    more.setdefault("confirm", True)
    return done(
        client, "merge-performers", destination_id=INTO, source_ids=FROM, **more
    )


@pytest.fixture
def row(people):
    return recommend(
        "duplicate_performer",
        "1",
        target_type="performer",
        endpoint=BOX,
        performers=[{"id": each} for each in "123"],
    )


def test_all_that_sources_alone_have_arrives_in_every_version(
    api, stash, people, version
):
    answer = merge(api)

    into = people.performers[INTO]
    assert answer["merged_into"] == {"id": INTO, "name": "Name 1"}
    assert "2" not in people.performers
    assert "3" not in people.performers
    assert into.alias_list == ["Alias 1", "Name 2", "Alias 2", "Name 3", "Alias 3"]
    ids = {(each.endpoint, each.stash_id) for each in into.stash_ids}
    assert ids == {(BOX, "id-1"), (BOX, "id-2"), (BOX, "id-3"), (OTHER_BOX, "other-3")}
    assert sorted(into.tag_ids) == ["1", "2", "3"]
    assert (into.birthdate, into.favorite, into.rating100) == ("1990-01-01", True, 80)
    assert into.measurements == "34C-24-36"
    assert into.picture == DRAWN
    has_urls, has_fields = version >= (0, 27), version >= (0, 28)
    assert len(into.urls) == (3 if has_urls else 1)
    if has_fields:
        assert into.custom_fields == {"shelf": 1, "box": "b"}
    assert answer["not_kept"] == ([] if has_urls else ["urls"])
    assert people.scenes["1"].performer_ids in (["4", INTO], [INTO, "4"])
    assert people.scenes["2"].performer_ids == [INTO]
    assert people.images["1"].performer_ids == [INTO]
    assert people.galleries["1"].performer_ids == [INTO]


@pytest.mark.usefixtures("version")
def test_what_it_is_not_about_is_left_as_it_was(api, stash, people):
    before = snapshot(people)

    merge(api)

    assert changed(people, before) == {
        *(("performers", each) for each in "123"),
        *(("scenes", each) for each in "12"),
        ("images", "1"),
        ("galleries", "1"),
    }


@pytest.mark.usefixtures("version")
def test_a_dry_run_changes_nothing_and_tells_what_then_happens(api, stash, people, row):
    before = snapshot(people)

    answer = merge(api, dry_run=True, confirm=False, recommendation_id=row.pk)

    plan = answer["plan"]
    assert changed(people, before) == set()
    assert mutations(stash) == []
    assert not ActionRecord.objects.exists()
    assert told_of(row) == ("pending", "")
    assert plan["relinked"] == {
        "scenes": ["1", "2"],
        "images": ["1"],
        "galleries": ["1"],
    }
    assert [each["id"] for each in plan["removed_performers"]] == FROM
    assert plan["image_from"] == "3"
    assert merge(api)["plan"] == plan
    into = people.performers[INTO]
    for key in ("alias_list", "birthdate", "measurements", "rating100", "favorite"):
        assert getattr(into, key) == plan["changes"][key]["after"]


def test_what_changed_since_the_dry_run_is_planned_anew(api, stash, people):
    plan = merge(api, dry_run=True)["plan"]
    people.scenes["7"].performer_ids = ["3"]
    people.performers["2"].alias_list.append("Since then")

    carried_out = merge(api)["plan"]

    assert plan["relinked"]["scenes"] == ["1", "2"]
    assert carried_out["relinked"]["scenes"] == ["1", "2", "7"]
    assert people.scenes["7"].performer_ids == [INTO]
    assert "Since then" in people.performers[INTO].alias_list


def test_what_sources_say_otherwise_is_told(api, stash, people):
    people.performers["1"].birthdate = "1989-01-01"

    plan = merge(api, dry_run=True)["plan"]

    assert {
        "performer_id": "2",
        "field": "birthdate",
        "value": "1990-01-01",
        "kept": "1989-01-01",
    } in plan["lost"]


def test_what_arrives_from_one_source_is_lost_of_another(api, stash, people):
    stash.version = "0.31.0"
    first, second, third = (people.performers[each] for each in "123")
    second.country, third.country = "NL", "US"
    first.disambiguation, second.disambiguation = None, "the other"
    first.custom_fields = {"shoe": 38}
    second.custom_fields = {"shoe": 39, "kept": 1}
    third.custom_fields = {"kept": 2}

    lost = merge(api, dry_run=True)["plan"]["lost"]

    told = [(each["performer_id"], each["field"], each["value"]) for each in lost]
    assert ("3", "country", "US") in told
    assert ("2", "disambiguation", "the other") in told
    assert ("2", "custom_fields.shoe", 39) in told
    assert ("3", "custom_fields.kept", 2) in told
    assert ("2", "country", "NL") not in told


def test_stashs_own_merge_is_used_where_it_is(api, stash, people):
    stash.version = "0.31.0"

    merge(api)

    assert mutations(stash) == ["PerformerMerge"]


@pytest.mark.parametrize("picture", [b"\0\0\0 ftypavif", b"<svg xmlns='x'/>"])
@pytest.mark.parametrize("stash_version", ["0.30.1", "0.31.0"])
def test_a_picture_of_any_kind_arrives(api, stash, people, picture, stash_version):
    stash.version = stash_version
    for row in people.performers.values():
        row.picture = row.picture_name = None
    people.performers["2"].picture = picture

    merge(api)

    assert people.performers[INTO].picture == picture


def test_the_destinations_own_picture_stays(api, stash, people):
    people.performers[INTO].picture = b"\xff\xd8\xff its own"

    assert merge(api)["plan"]["image_from"] is None

    assert people.performers[INTO].picture == b"\xff\xd8\xff its own"


@pytest.mark.parametrize("more", [{}, {"confirm": False}])
def test_nothing_is_sent_without_a_confirmation(api, stash, people, row, more):
    refused(
        api,
        *("merge-performers", 400, "confirmation_required"),
        destination_id=INTO,
        source_ids=FROM,
        recommendation_id=row.pk,
        **more,
    )

    assert stash.requests == []
    assert told_of(row) == ("pending", "")


def test_the_recommendation_is_resolved_by_it(api, stash, people, row):
    merge(api, recommendation_id=row.pk)

    record = ActionRecord.objects.get()
    assert told_of(row) == ("resolved", "merge-performers")
    assert row.resolution_details == {"action_id": record.pk}
    assert (record.state, record.is_destructive) == ("done", True)
    names = [each["name"] for each in record.before["rows"]]
    assert names == ["Name 1", "Name 2", "Name 3"]
    assert record.after["rows"]["birthdate"] == "1990-01-01"


def test_a_recommendation_of_others_is_not_acted_on(api, stash, people):
    row = recommend(
        "duplicate_performer",
        "1",
        target_type="performer",
        performers=[{"id": "1"}, {"id": "2"}],
    )

    refused(
        api,
        *("merge-performers", 409, "wrong_recommendation"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert stash.requests == []


@pytest.mark.parametrize(
    "operation",
    [
        "PerformerUpdate",
        "BulkPerformerUpdate",
        "BulkSceneUpdate",
        "BulkImageUpdate",
        "BulkGalleryUpdate",
        "PerformersDestroy",
    ],
)
def test_a_failure_half_way_leaves_the_sources_and_the_same_merge_works_later(
    api, stash, people, row, operation
):
    before = snapshot(people)
    stash.faults.meanwhile[operation] = lambda: "the disk is full"

    answer = refused(
        api,
        *("merge-performers", 502, "stash_error"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert "the disk is full" in answer["detail"]
    assert people.performers["2"] == before["performers"]["2"]
    assert people.performers["3"] == before["performers"]["3"]
    assert told_of(row) == ("pending", "")
    assert records() == [("merge-performers", "failed")]
    stash.faults.meanwhile.clear()
    merge(api, recommendation_id=row.pk)
    assert set(people.performers) == {INTO, "4", "5"}
    assert people.galleries["1"].performer_ids == [INTO]


def test_what_was_done_before_a_failure_is_told(api, stash, people):
    stash.faults.meanwhile["BulkImageUpdate"] = lambda: "no"

    answer = refused(
        api,
        *("merge-performers", 502, "stash_error"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
    )

    first, second, third = answer["done_before"]
    assert first.startswith("Set birthdate,")
    assert second == "Added alias_list, tag_ids, urls of performer 1."
    assert third == "Linked 2 scenes to performer 1."


def test_who_is_tagged_meanwhile_is_linked_too(api, stash, people):
    def tag():
        people.scenes["5"].performer_ids = ["2"]

    stash.faults.meanwhile["BulkGalleryUpdate"] = tag

    merge(api)

    assert people.scenes["5"].performer_ids == [INTO]
    assert "2" not in people.performers


def test_sources_who_are_tagged_all_the_while_are_not_removed(api, stash, people):
    def tag():
        people.galleries["1"].performer_ids = ["2"]

    stash.faults.meanwhile["GalleryIds"] = tag

    answer = refused(
        api,
        *("merge-performers", 409, "action_refused"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
    )

    assert answer["left"]["galleries"] == 1
    assert "2" in people.performers


def test_a_concurrent_change_of_a_scene_is_not_lost(api, stash, people):
    def tag():
        people.scenes["1"].performer_ids.append("5")

    stash.faults.meanwhile["BulkSceneUpdate"] = lambda: (
        None if "5" in people.scenes["1"].performer_ids else tag()
    )

    merge(api)

    assert set(people.scenes["1"].performer_ids) == {INTO, "4", "5"}


def test_many_links_are_changed_in_batches(api, stash, people, monkeypatch):
    monkeypatch.setattr("recommendations.stash_actions.performer_merge.BATCH", 3)
    for scene in people.scenes.values():
        scene.performer_ids = ["2"]

    merge(api)

    assert mutations(stash).count("BulkSceneUpdate") == 6
    assert all(s.performer_ids == [INTO] for s in people.scenes.values())


def test_ten_thousand_aliases_are_carried(api, stash, people, version):
    people.performers["2"].alias_list = [f"Näme {n}" for n in range(10_000)]

    merge(api)

    assert len(people.performers[INTO].alias_list) == 10_004


def test_somebody_who_is_gone_closes_the_recommendation(api, stash, people, row):
    del people.performers["3"]
    before = snapshot(people)

    answer = refused(
        api,
        *("merge-performers", 409, "target_gone"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert "Performer 3 not found" in answer["detail"]
    assert told_of(row) == ("resolved", "target_gone")
    assert changed(people, before) == set()
    assert mutations(stash) == []


def test_who_is_gone_without_a_recommendation_is_not_found(api, stash, people):
    refused(
        api,
        *("merge-performers", 404, "stash_not_found"),
        destination_id="99",
        source_ids=FROM,
        confirm=True,
    )


@pytest.mark.parametrize("source_ids", [[INTO], [], ["2", INTO]])
def test_nobody_is_merged_with_themselves(api, stash, people, source_ids):
    before = snapshot(people)

    response = api.post(
        "/recommendations/actions/merge-performers",
        {"destination_id": INTO, "source_ids": source_ids, "confirm": True},
        content_type="application/json",
    )

    assert response.status_code in (409, 422)
    assert changed(people, before) == set()


def test_a_stash_that_is_away_leaves_it_pending(api, stash, people, row):
    stash.go_down()

    answer = refused(
        api,
        *("merge-performers", 503, "stash_unreachable"),
        destination_id=INTO,
        source_ids=FROM,
        confirm=True,
        recommendation_id=row.pk,
    )

    assert answer["detail"]
    assert told_of(row) == ("pending", "")
    row.refresh_from_db()
    assert row.claimed_until is None
