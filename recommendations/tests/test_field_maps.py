"""The field maps: what is read on either side, and what Stash is given."""

import json
from dataclasses import dataclass

import pytest

from recommendations.diffing import diff_fields
from recommendations.field_maps import (
    FIELD_MAPS,
    PERFORMER_FIELDS,
    check_switches,
    get_fields,
    read_local,
    read_upstream,
    stash_input,
)

BOX = "https://stashdb.org/graphql"

LOCAL_ANN = {
    "name": "Ann",
    "alias_list": ["Annie"],
    "gender": "FEMALE",
    "birthdate": "1990-01-01",
    "ethnicity": "Middle eastern",
    "eye_color": "gray",
    "hair_color": "Brunette",
    "height_cm": 170,
    "measurements": "34C-24-36",
    "fake_tits": "Fake",
    "career_length": "2015 -",
    "tattoos": "Left arm, rose; Back",
    "piercings": "",
    "urls": ["https://ann.example/"],
}
UPSTREAM_ANN = {
    "name": "Ann",
    "aliases": ["annie"],
    "gender": "FEMALE",
    "birth_date": "1990",
    "ethnicity": "MIDDLE_EASTERN",
    "eye_color": "GREY",
    "hair_color": "BRUNETTE",
    "height": 170,
    "band_size": 34,
    "cup_size": "C",
    "waist_size": 24,
    "hip_size": 36,
    "breast_type": "FAKE",
    "career_start_year": 2015,
    "tattoos": [
        {"location": "Back", "description": None},
        {"location": "Left arm", "description": "rose"},
    ],
    "piercings": [],
    "urls": [{"url": "https://ann.example", "site": {"name": "Home"}}],
}


@dataclass(frozen=True)
class BoxUrl:
    url: str


@dataclass(frozen=True)
class BoxPerformer:
    name: str
    aliases: tuple[str, ...]
    birth_date: str
    urls: tuple[BoxUrl, ...]


def test_each_entity_has_its_fields():
    names = {
        entity: {field.name for field in FIELD_MAPS[entity]} for entity in FIELD_MAPS
    }

    assert len(PERFORMER_FIELDS) == len(names["performer"]) == 21
    assert names["tag"] == {"name", "description", "aliases"}
    assert names["studio"] == {"name", "urls", "parent_studio"}
    assert names["scene"] >= {"title", "code", "studio", "performers", "tags"}
    assert all(field.label for fields in FIELD_MAPS.values() for field in fields)


def test_a_performer_whom_stashs_tagger_filled_in_shows_no_difference():
    local = read_local("performer", LOCAL_ANN, endpoint=BOX)
    upstream = read_upstream("performer", UPSTREAM_ANN)

    assert diff_fields(local, upstream, None, fields=PERFORMER_FIELDS) == []


@pytest.mark.parametrize("entity_type", sorted(FIELD_MAPS))
def test_what_is_read_is_the_same_after_json(entity_type):
    item = {
        **UPSTREAM_ANN,
        "parent": {"id": "s-1", "name": "Network"},
        "studio": {"id": "s-2", "name": "House"},
        "performers": [{"as": "Annie", "performer": {"id": "p-1", "name": "Ann"}}],
        "tags": [{"id": "t-1", "name": "Outdoors"}],
    }

    upstream = read_upstream(entity_type, item)

    assert json.loads(json.dumps(upstream)) == upstream


def test_a_clients_dataclass_is_read_like_an_answer():
    ann = BoxPerformer(
        name="Ann", aliases=("Annie",), birth_date="1990", urls=(BoxUrl("https://a"),)
    )

    upstream = read_upstream("performer", ann)

    assert upstream["birthdate"] == "1990"
    assert upstream["aliases"] == ["Annie"]
    assert upstream["urls"] == ["https://a"]


def test_the_years_of_a_newer_stash_come_before_its_old_text():
    item = {"career_start": "2014-05", "career_end": None, "career_length": "2015-2020"}

    local = read_local("performer", item, endpoint=BOX)

    assert local["career_start_year"] == 2014
    assert local["career_end_year"] == 2020


def test_a_parent_studio_is_read_with_its_id_at_the_endpoint():
    stash_ids = [
        {"endpoint": "https://other.example/graphql", "stash_id": "x"},
        {"endpoint": BOX, "stash_id": "s-1"},
    ]
    item = {"parent_studio": {"id": 7, "name": "Network", "stash_ids": stash_ids}}

    assert read_local("studio", item, endpoint=BOX)["parent_studio"] == {
        "id": "7",
        "name": "Network",
        "aliases": [],
        "stash_box_id": "s-1",
    }


def test_accepted_parts_are_laid_over_what_stash_has():
    accepted = {"cup_size": "D", "career_end_year": 2023, "height": 171}

    written = stash_input("performer", accepted, local=LOCAL_ANN)

    assert written == {
        "measurements": "34D-24-36",
        "career_length": "2015-2023",
        "height_cm": 171,
    }


def test_a_newer_stash_is_given_dates_for_the_career():
    accepted = {"career_start_year": 2014, "career_end_year": None}

    written = stash_input("performer", accepted, local=LOCAL_ANN, has_career_dates=True)

    assert written == {"career_start": "2014", "career_end": None}


def test_no_raw_enum_reaches_stash_even_from_an_old_snapshot():
    accepted = {
        "ethnicity": "MIDDLE_EASTERN",
        "eye_color": "GREY",
        "breast_type": "FAKE",
        "gender": "TRANSGENDER_FEMALE",
        "tattoos": [{"location": "Arm", "description": "rose"}],
        "aliases": ("Annie",),
    }

    assert stash_input("performer", accepted, local={}) == {
        "ethnicity": "Middle Eastern",
        "eye_color": "Grey",
        "fake_tits": "Augmented",
        "gender": "TRANSGENDER_FEMALE",
        "tattoos": "Arm: rose",
        "alias_list": ["Annie"],
    }


@pytest.mark.parametrize(
    ("entity_type", "accepted", "written"),
    [
        ("performer", {"disambiguation": ""}, {"disambiguation": None}),
        ("performer", {"height": 0}, {"height_cm": None}),
        ("performer", {"urls": None}, {"urls": []}),
        ("studio", {"parent_studio": "7"}, {"parent_id": "7"}),
        ("scene", {"studio": "3"}, {"studio_id": "3"}),
        ("scene", {"performers": ["1", "2"]}, {"performer_ids": ["1", "2"]}),
        ("tag", {"description": "x"}, {"description": "x"}),
    ],
)
def test_values_are_written_under_stashs_keys(entity_type, accepted, written):
    assert stash_input(entity_type, accepted, local={}) == written


def test_a_name_is_never_emptied():
    with pytest.raises(ValueError, match="name"):
        stash_input("performer", {"name": " "}, local=LOCAL_ANN)


def test_an_unknown_field_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"colour.*aliases, description, name"):
        check_switches("tag", ["name", "colour"])
    with pytest.raises(ValueError, match="colour"):
        stash_input("tag", {"colour": "red"}, local={})


def test_an_unknown_entity_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"movie.*performer, scene, studio, tag"):
        get_fields("movie")
