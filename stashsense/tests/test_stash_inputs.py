"""What a change is given for every version of Stash, and what is left out of it."""

from datetime import UTC, datetime

import pytest

from stashsense.integrations.stash_errors import StashTooOld
from stashsense.integrations.stash_inputs import (
    BulkIds,
    BulkTexts,
    CustomFields,
    FittedInput,
    Mode,
    fit_input,
)
from stashsense.integrations.stash_library_types import NamedRow, SceneGroup
from stashsense.integrations.stash_types import StashId, StashVersion

BOX = "https://stashdb.org/graphql"
OLDEST, NEWEST = StashVersion(0, 25), StashVersion(0, 31)
URLS = ("https://a.example", "https://www.instagram.com/anna", "https://x.com/anna")


def test_the_newest_version_is_given_everything_as_it_is():
    values = {
        "name": "Anna",
        "urls": URLS,
        "tag_ids": [3, 4, 3],
        "career_start": "2010",
        "birthdate": None,
        "custom_fields": CustomFields(partial={"shelf": 1}, remove=["box"]),
    }

    fitted = fit_input("performer", values, NEWEST)

    assert fitted == FittedInput(
        {
            "name": "Anna",
            "urls": list(URLS),
            "tag_ids": ["3", "4"],
            "career_start": "2010",
            "birthdate": None,
            "custom_fields": {"partial": {"shelf": 1}, "remove": ["box"]},
        },
        (),
    )


@pytest.mark.parametrize(
    ("urls", "url", "twitter", "instagram", "left_out"),
    [
        (URLS, URLS[0], URLS[2], URLS[1], ()),
        ([], None, None, None, ()),
        (None, None, None, None, ()),
        (["https://twitter.com/b"], None, "https://twitter.com/b", None, ()),
        (["https://a", "https://b"], "https://a", None, None, ("urls",)),
        (["http://[bad"], "http://[bad", None, None, ()),
    ],
)
def test_a_performers_urls_go_into_the_fields_before_them(
    urls, url, twitter, instagram, left_out
):
    fitted = fit_input("performer", {"urls": urls}, StashVersion(0, 26))

    places = {"url": url, "twitter": twitter, "instagram": instagram}
    assert fitted == FittedInput(places, left_out)


def test_a_studio_keeps_one_url_before_there_were_several():
    two = fit_input("studio", {"urls": ["https://a", "https://b"]}, OLDEST)
    one = fit_input("studio", {"urls": ["https://a"]}, StashVersion(0, 29, 3))

    assert two == FittedInput({"url": "https://a"}, ("urls",))
    assert one == FittedInput({"url": "https://a"}, ())


def test_what_a_version_lacks_is_left_out_and_named():
    values = {"name": "x", "sort_name": "y", "favorite": True}

    assert fit_input("tag", values, OLDEST) == FittedInput(
        {"name": "x"}, ("sort_name", "favorite")
    )
    # Nothing is lost by not saying no.
    assert fit_input("tag", {"favorite": False}, OLDEST) == FittedInput({}, ())


def test_stash_ids_are_what_a_link_is_about_so_that_they_are_never_left_out():
    linked = {"stash_ids": [StashId(BOX, "t")]}

    with pytest.raises(StashTooOld, match=r"0\.29\.0; a tag has stash_ids from 0\.30"):
        fit_input("tag", linked, StashVersion(0, 29))
    assert fit_input("tag", linked, StashVersion(0, 30)).fields == {
        "stash_ids": [{"endpoint": BOX, "stash_id": "t"}]
    }


def test_the_time_of_a_stash_id_is_kept_from_028_on():
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    values = {"stash_ids": [StashId(BOX, "s", moment)]}
    bare = {"endpoint": BOX, "stash_id": "s"}

    older = fit_input("scene", values, StashVersion(0, 27))
    newer = fit_input("scene", values, StashVersion(0, 28))

    assert older.fields == {"stash_ids": [bare]}
    assert newer.fields == {
        "stash_ids": [{**bare, "updated_at": "2026-01-02T00:00:00+00:00"}]
    }


@pytest.mark.parametrize(
    ("values", "sent", "left_out"),
    [
        ({"career_start": "2010", "career_end": "2015"}, "2010-2015", ()),
        ({"career_start": "2010", "career_end": None}, "2010-", ()),
        ({"career_start": None, "career_end": "2015"}, "-2015", ()),
        ({"career_start": None, "career_end": None}, None, ()),
        ({"career_end": "2015", "career_length": "5 years"}, "5 years", ()),
    ],
)
def test_years_of_a_career_are_one_text_before_031(values, sent, left_out):
    fitted = fit_input("performer", values, StashVersion(0, 30))

    assert fitted == FittedInput({"career_length": sent}, left_out)


def test_one_year_does_not_overwrite_the_other_that_is_in_the_same_text():
    fitted = fit_input("performer", {"career_end": "2015"}, StashVersion(0, 30))

    assert fitted == FittedInput({}, ("career_end",))


def test_custom_fields_are_a_plain_object_for_what_is_new():
    given = {"custom_fields": CustomFields(full={"a": 1}, partial={"b": 2})}

    fitted = fit_input("performer", given, StashVersion(0, 28), is_new=True)

    assert fitted.fields == {"custom_fields": {"a": 1, "b": 2}}


def test_custom_fields_are_removed_by_name_from_030_on():
    given = {"custom_fields": CustomFields(remove=["a"])}

    with pytest.raises(StashTooOld, match="removes custom fields by name"):
        fit_input("performer", given, StashVersion(0, 29))
    assert fit_input("scene", given, StashVersion(0, 30)).left_out == ("custom_fields",)


def test_bulk_values_name_what_becomes_of_the_list():
    values = {
        "performer_ids": BulkIds(Mode.ADD, [7]),
        "alias_list": BulkTexts(Mode.REMOVE, ["Ann"]),
        "urls": BulkTexts(Mode.ADD, ["https://a"]),
    }

    fitted = fit_input("performer", values, StashVersion(0, 26))

    assert fitted.fields == {
        "performer_ids": {"ids": ["7"], "mode": "ADD"},
        "alias_list": {"values": ["Ann"], "mode": "REMOVE"},
    }
    assert fitted.left_out == ("urls",)


@pytest.mark.parametrize(
    ("version", "sent"),
    [
        (OLDEST, {"movies": [{"movie_id": "2", "scene_index": 4}]}),
        (StashVersion(0, 27), {"groups": [{"group_id": "2", "scene_index": 4}]}),
    ],
)
def test_groups_were_movies(version, sent):
    values = {"groups": (SceneGroup(NamedRow(2, "A series"), 4),)}

    assert fit_input("scene", values, version).fields == sent
