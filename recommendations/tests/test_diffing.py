"""The three-way rule for fields, against the recorded cases and at its edges."""

import pytest

from recommendations.diffing import diff_fields
from recommendations.field_maps import PERFORMER_FIELDS, STUDIO_FIELDS
from recommendations.tests.vectors import load_cases

CASES = load_cases("three_way_diff")


def fields_named(*names):
    return [field for field in PERFORMER_FIELDS if field.name in names]


def diff(local, upstream, base=None, **kwargs):
    fields = fields_named(*local)
    return diff_fields(local, upstream, base, fields=fields, **kwargs)


@pytest.mark.parametrize("case", CASES)
def test_changes_are_as_recorded(case):
    changes = diff(case["local"], case["upstream"], case["snapshot"])

    told = [change.as_details() for change in changes]
    for change in told:
        del change["field_label"], change["is_conflict"]
    assert told == case["changes"]


def test_a_value_that_was_kept_against_the_same_upstream_is_not_asked_about():
    assert diff({"country": "CA"}, {"country": "US"}, {"country": "us"}) == []


def test_a_field_that_was_never_seen_is_a_change_without_conflict():
    [change] = diff({"country": "CA"}, {"country": "US"}, {"name": "Ann"})

    assert change.previous_upstream_value is None
    assert not change.is_conflict


def test_a_conflict_is_where_all_three_differ():
    [conflict] = diff({"country": "CA"}, {"country": "US"}, {"country": "GB"})
    [change] = diff({"country": "GB"}, {"country": "US"}, {"country": "GB"})

    assert conflict.is_conflict
    assert not change.is_conflict


def test_the_own_name_is_no_alias():
    local, upstream = {"aliases": None}, {"aliases": ["ANN"]}

    assert diff(local, upstream, own_name="Ann") == []
    assert len(diff(local, upstream, own_name="Bea")) == 1


def test_texts_are_the_same_without_outer_blanks_and_encoding():
    assert diff({"name": "Zo\u00eb"}, {"name": " Zoe\u0308\n"}) == []


def test_changes_come_in_alphabetical_order():
    local = {"urls": None, "country": None, "aliases": None}
    upstream = {"urls": ["u"], "country": "US", "aliases": ["a"]}

    changes = diff(local, upstream)

    assert [change.field for change in changes] == ["aliases", "country", "urls"]


@pytest.mark.parametrize(
    ("local", "upstream", "is_change"),
    [
        ({"stash_box_id": "u-1", "name": "Old name"}, {"stash_box_id": "u-1"}, False),
        (
            {"stash_box_id": "u-2", "name": "N"},
            {"stash_box_id": "u-1", "name": "N"},
            True,
        ),
        (
            {"stash_box_id": None, "name": "n"},
            {"stash_box_id": "u-1", "name": "N"},
            False,
        ),
        (
            {"stash_box_id": None, "name": "m"},
            {"stash_box_id": "u-1", "name": "N"},
            True,
        ),
        (None, {"stash_box_id": "u-1", "name": "N"}, True),
        ({"stash_box_id": "u-2", "name": "M"}, None, True),
    ],
)
def test_a_parent_studio_is_the_same_by_id_or_by_name_where_it_has_none(
    local, upstream, is_change
):
    changes = diff_fields(
        {"parent_studio": local},
        {"parent_studio": upstream},
        None,
        fields=[field for field in STUDIO_FIELDS if field.name == "parent_studio"],
    )

    assert bool(changes) == is_change


def test_a_parent_studio_is_told_by_id_with_its_names():
    local = {"stash_box_id": "u-2", "name": "House"}
    upstream = {"stash_box_id": "u-1", "name": "Network"}

    [change] = diff_fields(
        {"parent_studio": local},
        {"parent_studio": upstream},
        {"parent_studio": local},
        fields=STUDIO_FIELDS,
    )

    assert change.as_details() == {
        "field": "parent_studio",
        "field_label": "Parent studio",
        "local_value": "u-2",
        "upstream_value": "u-1",
        "previous_upstream_value": "u-2",
        "merge_type": "simple",
        "is_conflict": False,
        "local_display": "House",
        "upstream_display": "Network",
    }
