"""The plots and numbers of docs/recognition.md are those of the code."""

import re

import numpy.testing
import pytest

from handbook import DOCS, plots, steps_picture
from recognition.api.serializers import DEFAULT_MAX_DISTANCE
from recognition.numeric.calibration import SHIPPED_CALIBRATION
from recognition.numeric.fusion import MISSING_DISTANCE

PAGE = (DOCS / "recognition.md").read_text()
ROWS = re.findall(r"^\| (-?\d+) \| ([\d.]+ %) \| (\w+) \|$", PAGE, re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.\d+")


def numbers(svg):
    return [float(number) for number in NUMBER.findall(svg)]


@pytest.mark.parametrize("name", plots.PLOTS)
def test_a_plot_is_what_the_functions_draw(name, tmp_path):
    committed = (plots.FOLDER / name).read_text()

    drawn = plots.drawn(plots.PLOTS[name])

    # scripts/docs --draw writes them anew. Processors round the last digit differently.
    assert NUMBER.sub("", drawn) == NUMBER.sub("", committed)
    numpy.testing.assert_allclose(numbers(drawn), numbers(committed), atol=1e-3)
    assert f"images/recognition/{name})" in PAGE


def test_the_picture_of_the_steps_can_be_drawn_again(tmp_path):
    steps_picture.write(tmp_path)

    drawn = tmp_path / steps_picture.NAME
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert drawn.stat().st_size < 150_000
    assert (plots.FOLDER / steps_picture.NAME).exists()


def test_the_page_tells_scores_as_the_calibration_does():
    assert len(ROWS) > 3

    told = [(float(score), confidence) for score, confidence, _ in ROWS]

    assert [confidence for _, confidence in told] == plots.confidences(
        [score for score, _ in told]
    )


def test_the_page_tells_decisions_as_the_calibration_does():
    for score, _, decision in ROWS:
        if float(score) >= SHIPPED_CALIBRATION.known_score:
            assert decision == "known"
        elif float(score) >= SHIPPED_CALIBRATION.uncertain_score:
            assert decision == "uncertain"
        else:
            assert decision == "unknown"


def test_the_page_tells_the_thresholds_of_the_code():
    assert f"`max_distance`, {DEFAULT_MAX_DISTANCE:g}\nunless" in PAGE
    assert f"held to\nbe {MISSING_DISTANCE:g} away" in PAGE
    assert f"from {SHIPPED_CALIBRATION.known_score:g} on" in PAGE
    sizes = [f"{size:,}" for size in plots.INDEX_SIZES]
    assert f"{sizes[0]}, {sizes[1]} and {sizes[2]} faces" in PAGE


def test_the_same_distance_says_less_in_a_larger_index():
    scores = [plots.score_of_distance(0.5, face_count=n) for n in plots.INDEX_SIZES]

    assert scores == sorted(scores, reverse=True)


def test_two_networks_that_agree_come_before_one_alone():
    assert plots.fused(0.3, 0.3).distance == pytest.approx(0.3)
    assert plots.fused(0.3, None).distance == pytest.approx((0.3 + 0.5) / 2)
