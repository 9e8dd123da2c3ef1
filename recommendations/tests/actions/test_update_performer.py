"""Updating a performer: what is written, what stays, what is refused."""

import pytest

from recommendations.models import ActionRecord
from recommendations.tests.actions.world import (
    act,
    changed,
    done,
    mutations,
    recommend,
    records,
    refused,
    snapshot,
    told_of,
)

pytestmark = pytest.mark.django_db


def update(client, performer_id="1", *, fields, **more):
    return done(
        client, "update-performer", performer_id=performer_id, fields=fields, **more
    )


def test_fields_are_written_in_stashs_words_and_nothing_else_is(api, stash, library):
    before = snapshot(library)

    answer = update(
        api,
        fields={
            "height": "171",
            "breast_type": "FAKE",
            "eye_color": "BLUE",
            "ethnicity": "MIDDLE_EASTERN",
            "gender": "non binary",
            "birthdate": "1990-05-01",
            "tattoos": [{"location": "Arm", "description": "rose"}],
            "urls": ["https://a.example/1"],
        },
    )

    row = library.performers["1"]
    assert (row.height_cm, row.fake_tits) == (171, "Augmented")
    assert (row.eye_color, row.ethnicity) == ("Blue", "Middle Eastern")
    assert (row.gender, row.tattoos) == ("NON_BINARY", "Arm: rose")
    assert row.urls == ["https://a.example/1"]
    assert answer["performer"] == {"id": "1", "name": row.name}
    assert changed(library, before) == {("performers", "1")}


def test_parts_are_put_into_what_the_texts_say_now(api, stash, library):
    row = library.performers["1"]
    row.measurements, row.career_length = "34C-24-36", "2010 - 2015"

    update(api, fields={"waist_size": 25, "career_end_year": 2020})

    assert row.measurements == "34C-25-36"
    assert row.career_length == "2010-2020"


def test_a_career_is_two_dates_where_stash_has_them(api, stash, library):
    stash.version = "0.31.0"
    row = library.performers["1"]
    row.career_start = "2010"

    update(api, fields={"career_end": 2020})

    assert (row.career_start, row.career_end) == ("2010", "2020")


@pytest.mark.usefixtures("version")
def test_aliases_join_those_that_are_there_and_are_cleaned_up(api, stash, library):
    row = library.performers["1"]
    row.alias_list = ["First"]

    update(
        api,
        fields={
            "_alias_add": ["first", " ", "Ünïcode 名前", row.name.upper(), "Second"]
        },
    )

    assert row.alias_list == ["First", "Ünïcode 名前", "Second"]


@pytest.mark.usefixtures("version")
def test_an_alias_that_somebody_adds_meanwhile_stays(api, stash, library):
    row = library.performers["1"]
    row.alias_list = ["First"]
    stash.faults.meanwhile["BulkPerformerUpdate"] = lambda: row.alias_list.append("X")

    update(api, fields={"_alias_add": ["Second"]})

    assert row.alias_list == ["First", "X", "Second"]


@pytest.mark.usefixtures("stash")
def test_urls_join_those_that_are_there(api, library):
    row = library.performers["1"]
    row.urls = ["https://a.example"]

    update(api, fields={"_url_add": ["https://a.example/", "https://b.example"]})

    assert row.urls == ["https://a.example", "https://b.example"]


def test_aliases_that_are_left_out_are_gone(api, stash, library):
    row = library.performers["1"]
    row.alias_list = ["First", "Second"]

    update(api, fields={"aliases": ["Second", "Third"]})

    assert row.alias_list == ["Second", "Third"]


def test_an_alias_that_is_anothers_name_is_kept_as_stash_takes_it(api, stash, library):
    other = library.performers["2"].name

    update(api, fields={"aliases": [other]})

    assert library.performers["1"].alias_list == [other]


def test_the_old_name_is_an_alias_after_a_rename_where_that_is_asked_for(
    api, stash, library
):
    old = library.performers["1"].name

    update(api, fields={"name": "Somebody new", "_alias_add": [old]})

    row = library.performers["1"]
    assert (row.name, row.alias_list) == ("Somebody new", [old])


def test_ten_thousand_aliases_and_very_long_names_are_written(api, stash, library):
    aliases = [f"Alias {number}" for number in range(10_000)]
    name = "Ä" * 5000

    update(api, fields={"name": name, "aliases": aliases})

    assert library.performers["1"].name == name
    assert library.performers["1"].alias_list == aliases


def test_the_name_of_another_is_refused_with_both_and_nothing_is_merged(
    api, stash, library
):
    other = library.performers["2"]
    other.alias_list = ["Known as this"]
    row = recommend("upstream_performer_changes", "1", target_type="performer")
    before = snapshot(library)

    answer = refused(
        api,
        *("update-performer", 409, "name_collision"),
        performer_id="1",
        fields={"name": other.name.upper(), "height": 180},
        recommendation_id=row.pk,
    )

    assert answer["entity"]["id"] == "1"
    assert [each["id"] for each in answer["others"]] == ["2"]
    assert answer["others"][0]["alias_list"] == ["Known as this"]
    assert changed(library, before) == set()
    assert mutations(stash) == []
    assert told_of(row) == ("pending", "")
    assert records() == [("update-performer", "failed")]


def test_the_same_name_with_another_disambiguation_is_another_person(
    api, stash, library
):
    library.performers["1"].disambiguation = "the younger"

    update(api, fields={"name": library.performers["2"].name})

    assert library.performers["1"].name == library.performers["2"].name


def test_a_name_that_was_taken_meanwhile_is_told_the_same_way(api, stash, library):
    def take():
        library.performers["2"].name = "New name"

    stash.faults.meanwhile["PerformerUpdate"] = take

    answer = refused(
        api,
        *("update-performer", 409, "name_collision"),
        performer_id="1",
        fields={"name": "New name"},
    )

    assert [each["id"] for each in answer["others"]] == ["2"]


def test_a_dry_run_tells_what_then_happens(api, stash, library):
    library.performers["1"].measurements = "34C-24-36"
    before = snapshot(library)
    fields = {"hip_size": 37, "name": library.performers["1"].name}

    plan = update(api, fields=fields, dry_run=True)["plan"]

    assert plan["changes"] == {
        "measurements": {"before": "34C-24-36", "after": "34C-24-37"}
    }
    assert changed(library, before) == set()
    assert not ActionRecord.objects.exists()
    assert update(api, fields=fields)["plan"] == plan


def test_what_is_as_it_should_be_is_not_sent(api, stash, library):
    row = recommend("upstream_performer_changes", "1", target_type="performer")

    update(
        api,
        fields={"name": library.performers["1"].name},
        recommendation_id=row.pk,
    )

    assert mutations(stash) == []
    assert told_of(row) == ("resolved", "update-performer")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"shoe_size": 40}, "unknown_field"),
        ({"name": "  "}, "invalid_field_value"),
        ({"height": "tall"}, "invalid_field_value"),
        ({"height": True}, "invalid_field_value"),
        ({"aliases": "one"}, "invalid_field_value"),
        ({"aliases": [["one"]]}, "invalid_field_value"),
        ({"gender": "UNHEARD"}, "invalid_field_value"),
        ({"career_start_year": "20"}, "invalid_field_value"),
        ({"tattoos": ["Arm"]}, "invalid_field_value"),
        ({"name": "a\u0000b"}, "invalid"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_stash_is_asked(
    api, stash, fields, code
):
    refused(
        api,
        *("update-performer", 422, code),
        performer_id="1",
        fields=fields,
    )

    assert stash.graphql_requests() == []


@pytest.mark.parametrize("performer_id", ["0", "-1", "1.5", "x", True, None, "1" * 40])
def test_an_id_that_is_none_is_refused(api, stash, performer_id):
    response = act(api, "update-performer", performer_id=performer_id, fields={})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "performer_id"]


def test_before_and_after_are_kept(admin_client, stash, library, admin_user):
    library.performers["1"].height_cm = 160

    update(admin_client, fields={"height": 171})

    record = ActionRecord.objects.get()
    assert (record.user, record.asked_by, record.state) == (admin_user, "user", "done")
    assert record.before["rows"]["height_cm"] == 160
    assert record.after["rows"]["height_cm"] == 171
    assert record.before["plan"]["changes"]["height_cm"]["after"] == 171
    assert record.ended_at is not None
