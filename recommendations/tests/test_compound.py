"""Stash's compound texts, against the recorded cases and for what they keep."""

import pytest

from recommendations.compound import (
    Career,
    Measurements,
    body_modifications_text,
    breast_type_text,
    build_career,
    build_measurements,
    canonical_body_modifications,
    canonical_word,
    enum_text,
    expand_date,
    gender_enum,
    overlay_career,
    overlay_measurements,
    parse_career,
    parse_measurements,
    year_of,
)
from recommendations.tests.vectors import load_cases


@pytest.mark.parametrize("case", load_cases("measurements"))
def test_measurements_are_read_as_recorded(case):
    parsed = parse_measurements(case["measurements"])

    assert {name: getattr(parsed, name) for name in case["parsed"]} == case["parsed"]


@pytest.mark.parametrize("case", load_cases("career_length"))
def test_a_career_is_read_as_recorded(case):
    parsed = parse_career(case["career_length"])

    assert parsed.start_year == case["parsed"]["career_start_year"]
    assert parsed.end_year == case["parsed"]["career_end_year"]


@pytest.mark.parametrize("band", [None, 34])
@pytest.mark.parametrize("cup", [None, "C", "DDD"])
@pytest.mark.parametrize("waist", [None, 24])
@pytest.mark.parametrize("hip", [None, 36])
@pytest.mark.parametrize("remainder", ["", "in 2015", "abc", "c", "pre-op"])
def test_measurements_say_the_same_once_written(band, cup, waist, hip, remainder):
    measurements = Measurements(band, cup, waist, hip, remainder)

    assert parse_measurements(build_measurements(measurements)) == measurements


@pytest.mark.parametrize("start", [None, 2015])
@pytest.mark.parametrize("end", [None, 2023])
@pytest.mark.parametrize("remainder", ["", "with breaks", "2017 off"])
def test_a_career_says_the_same_once_written(start, end, remainder):
    career = Career(start, end, remainder)

    assert parse_career(build_career(career)) == career


@pytest.mark.parametrize(
    ("text", "parts", "overlaid"),
    [
        ("34C-24-36", {"cup_size": "d"}, "34D-24-36"),
        ("34C-24-36", {"band_size": 36}, "36C-24-36"),
        ("34C", {"hip_size": 36}, "34C--36"),
        ("34C-24-36", {"waist_size": None}, "34C--36"),
        ("34C-24-36", {"waist_size": 0}, "34C--36"),
        ("", {"waist_size": 24}, "-24"),
        (None, {"hip_size": 36}, "--36"),
        ("34C-24-36 natural", {"waist_size": 25}, "34C-25-36 (natural)"),
        ("slim", {"band_size": 32}, "32 (slim)"),
        ("34 C \u2013 24 \u2013 36", {"hip_size": 37}, "34C-24-37"),
        ("34C/24/36", {"hip_size": 37}, "34C-24-37"),
        ("90cm-60cm-90cm", {"cup_size": "B"}, "90B-60-90 (cm cm cm)"),
    ],
)
def test_one_part_of_the_measurements_changes_and_the_rest_stays(text, parts, overlaid):
    assert overlay_measurements(text, parts) == overlaid


@pytest.mark.parametrize(
    ("text", "parts", "overlaid"),
    [
        ("2015-2023", {"career_end_year": 2024}, "2015-2024"),
        ("2015 -", {"career_end_year": 2024}, "2015-2024"),
        ("- 2020", {"career_start_year": 2011}, "2011-2020"),
        ("2015 - present", {"career_start_year": "2014"}, "2014-"),
        ("2015-2023", {"career_end_year": None}, "2015-"),
        ("2015-2023", {"career_start_year": None}, "-2023"),
        ("ten years", {"career_start_year": 2014}, "2014- (ten years)"),
        ("2010-2012, 2015-2018", {"career_end_year": 2018}, "2010-2018 (2015-2018)"),
        (None, {"career_end_year": 2020}, "-2020"),
    ],
)
def test_one_year_of_a_career_changes_and_the_rest_stays(text, parts, overlaid):
    assert overlay_career(text, parts) == overlaid


@pytest.mark.parametrize(
    ("date", "year"), [("2015-03-01", 2015), ("2015", 2015), ("", None), ("soon", None)]
)
def test_a_year_is_read_from_a_date(date, year):
    assert year_of(date) == year


def test_a_size_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="wide"):
        overlay_measurements("34C", {"hip_size": "wide"})


def test_body_modifications_become_one_text():
    modifications = [
        {"location": "Left arm", "description": "rose"},
        {"location": "Back", "description": None},
        {"location": "", "description": "stars"},
    ]

    assert body_modifications_text(modifications) == "Left arm: rose; Back; stars"
    assert body_modifications_text([]) is None
    assert body_modifications_text(None) is None


def test_body_modifications_are_the_same_however_they_are_written():
    ours = canonical_body_modifications("Left arm: rose; Back")
    of_the_tagger = canonical_body_modifications("Back; left arm, Rose")

    assert ours == of_the_tagger
    assert ours != canonical_body_modifications("Left arm: lily; Back")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("NATURAL", "Natural"),
        ("FAKE", "Augmented"),
        ("Fake", "Augmented"),
        ("Augmented", "Augmented"),
        ("NA", None),
        ("", None),
        (None, None),
        ("half", "half"),
    ],
)
def test_a_breast_type_is_one_of_stashs_words(value, text):
    assert breast_type_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("MIDDLE_EASTERN", "Middle Eastern"),
        ("GREY", "Grey"),
        ("BRUNETTE", "Brunette"),
        ("Dark brown", "Dark brown"),
        (None, None),
    ],
)
def test_no_raw_enum_is_written(value, text):
    assert enum_text(value) == text


def test_words_of_enums_are_compared_without_their_spelling():
    assert canonical_word("MIDDLE_EASTERN") == canonical_word("Middle eastern")
    assert canonical_word("Middle_eastern") == canonical_word("middle  eastern")
    assert canonical_word("gray") == canonical_word("GREY")
    assert canonical_word("Brown") != canonical_word("Brunette")


def test_a_gender_stays_stashs_enum():
    assert gender_enum("Transgender Female") == "TRANSGENDER_FEMALE"
    assert gender_enum("NON_BINARY") == "NON_BINARY"
    assert gender_enum(None) is None


@pytest.mark.parametrize(
    ("date", "expanded"),
    [
        ("1990", "1990-01-01"),
        ("1990-05", "1990-05-01"),
        ("1990-05-02T00:00:00Z", "1990-05-02"),
    ],
)
def test_a_partial_date_begins_with_its_first_day(date, expanded):
    assert expand_date(date) == expanded
