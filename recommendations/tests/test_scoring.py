"""The scores of scene pairs and files, against the recorded cases."""

import pytest

from recommendations.items import id_order
from recommendations.scoring import (
    Evidence,
    FileFacts,
    SceneFacts,
    combine_signals,
    day_number,
    rank_files,
    score_faces,
    score_file_quality,
    score_metadata,
    score_pair,
    score_phash,
)
from recommendations.tests.vectors import load_cases

CASES = load_cases("duplicate_scoring")
WITH_PICTURES = [case for case in CASES if "confidence" in case]
WITHOUT_PICTURES = [case for case in CASES if "confidence" not in case]
BOX = "https://stashdb.org/graphql"

# Recorded to six decimals.
ROUNDING = 1e-6


def facts(recorded):
    return SceneFacts(
        scene_id=recorded["scene_id"],
        date=recorded["date"],
        studio_id=recorded["studio_id"],
        performer_ids=frozenset(recorded["performer_ids"]),
        duration_seconds=recorded["duration_seconds"],
    )


def score_case(case):
    return score_pair(
        facts(case["a"]),
        facts(case["b"]),
        phash_distance=case["phash_distance"],
        faces_a=case["faces_a"],
        faces_b=case["faces_b"],
    )


def scene(scene_id="1", *, cast=(), **kwargs):
    return SceneFacts(scene_id, performer_ids=frozenset(cast), **kwargs)


@pytest.mark.parametrize("case", CASES)
def test_the_parts_are_as_recorded(case):
    metadata = score_metadata(facts(case["a"]), facts(case["b"]))
    faces = score_faces(case["faces_a"], case["faces_b"])

    assert metadata.score == pytest.approx(case["metadata_score"], abs=ROUNDING)
    assert faces.score == pytest.approx(case["face_score"], abs=ROUNDING)
    assert score_phash(case["phash_distance"]) == case["phash_score"]


@pytest.mark.parametrize("case", WITH_PICTURES)
def test_the_confidence_is_as_recorded(case):
    assert score_case(case).confidence == case["confidence"]


@pytest.mark.parametrize("case", WITHOUT_PICTURES)
def test_without_pictures_the_recorded_parts_make_seventy_at_most(case):
    uncapped = combine_signals(None, case["metadata_score"], case["face_score"])

    assert score_case(case).confidence == min(uncapped, 70)


def test_two_solo_scenes_of_one_studio_are_not_highly_confident():
    one = scene("1", cast=["p"], studio_id="s", date="2024-01-01")
    other = scene("2", cast=["p"], studio_id="s", date="2024-06-01")

    score = score_pair(one, other, faces_a={"p": 9}, faces_b={"p": 7})

    assert combine_signals(None, score.metadata.score, score.faces.score) == 85.5
    assert score.confidence == 70
    assert score.label == "Likely duplicate"


def test_distant_phashes_are_as_none():
    one, other = scene("1"), scene("2")

    score = score_pair(
        one, other, phash_distance=11, faces_a={"p": 1}, faces_b={"p": 1}
    )

    assert score.confidence == 70
    assert score.phash_distance == 11
    assert not any("pHash" in reason for reason in score.reasoning)


def test_a_shared_stash_box_id_settles_it():
    one = scene("1", stash_ids=frozenset({(BOX, "x"), ("https://b.example", "y")}))
    other = scene("2", stash_ids=frozenset({(BOX, "x")}))

    score = score_pair(one, other)

    assert score.confidence == 100
    assert score.signal_breakdown() == {
        "stashbox_match": True,
        "stashbox_endpoint": BOX,
        "phash_distance": None,
        "face_score": 0.0,
        "face_reasoning": "",
        "metadata_score": 0.0,
        "metadata_reasoning": "",
    }


def test_one_id_at_two_stash_boxes_is_not_shared():
    one = scene("1", stash_ids=frozenset({(BOX, "x")}))
    other = scene("2", stash_ids=frozenset({("https://b.example", "x")}))

    assert score_pair(one, other).confidence == 0


def test_the_reasons_are_told():
    one = scene("1", cast=["p"], studio_id="s", date="2024-01-01")
    other = scene("2", cast=["p"], studio_id="s", date="2024-01-04")

    score = score_pair(one, other, phash_distance=2, faces_a={"p": 3}, faces_b={"p": 3})

    assert score.reasoning == (
        "pHashes differ in 2 of 64 bits",
        "dates 3 days apart",
        "identical cast",
        "same studio",
        "1 of 1 people seen in both",
    )
    assert score.label == "High confidence duplicate"


def test_unknown_people_are_nobody():
    assert score_faces({"unknown": 5}, {"unknown": 5}) == Evidence()


@pytest.mark.parametrize("date", ["2024", "2024-05", "", "2024-02-31", "soon", None])
def test_a_date_that_is_no_day_is_no_date(date):
    one, other = scene("1", cast=["p"], date=date), scene("2", cast=["p"], date=date)

    assert day_number(date) is None
    if date != "2024-02-31":
        assert score_metadata(one, other).score == 25


def test_days_are_counted_across_a_leap_day():
    assert day_number("1970-01-01") == 0
    assert day_number("1972-03-01") == 2 * 365 + 31 + 29


@pytest.mark.parametrize(
    ("file", "score"),
    [
        (FileFacts("1", 1920, 1080, 8_000_000, 1, "h264"), 207 + 8 + 50),
        (FileFacts("1", 1920, 1080, 4_999_999, 1, "HEVC"), 207 + 4 + 100),
        (FileFacts("1", 1920, 1080, 3_000_000, 1, "av1"), 207 + 3 + 110),
        (FileFacts("1", 1920, 1080, 3_000_000, 1, "vp9"), 207 + 3 + 90),
        (FileFacts("1", 1920, 1080, 3_000_000, 1, "H.265"), 207 + 3 + 100),
        (FileFacts("1", 640, 480, 900_000, 1, "mpeg4"), 30),
        (FileFacts("1"), 0),
    ],
)
def test_the_quality_of_a_file_is_pixels_bits_and_codec(file, score):
    assert score_file_quality(file) == score


def test_of_equal_files_the_larger_and_then_the_older_is_kept():
    files = [
        FileFacts("10", 1920, 1080, 8_000_000, 500, "h264"),
        FileFacts("9", 1920, 1080, 8_000_000, 500, "h264"),
        FileFacts("3", 1920, 1080, 8_000_000, 400, "h264"),
        FileFacts("4", 3840, 2160, 8_000_000, 300, "h264"),
    ]

    ranked = [file.file_id for file in rank_files(files)]

    assert ranked == ["4", "9", "10", "3"]
    assert ranked == [file.file_id for file in rank_files(reversed(files))]


def test_ids_are_ordered_as_numbers():
    assert sorted(["10", "9", "a", "2"], key=id_order) == ["2", "9", "10", "a"]
