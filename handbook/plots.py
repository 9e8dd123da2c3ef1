"""The plots of docs/recognition.md, out of the functions that decide.

`scripts/docs --draw` writes them to docs/images/recognition: the same bytes as long as
the functions and the packages are the same, so that a test can hold one to the other.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from handbook import DOCS
from recognition.numeric.calibration import SHIPPED_CALIBRATION
from recognition.numeric.fusion import (
    Candidate,
    FusionStrategy,
    Neighbours,
    fuse,
)
from recognition.numeric.template_scoring import EmbedderView, score_performers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = DOCS / "images" / "recognition"
SIZE_INCHES = (6.4, 3.4)
# Told apart by those who see no red or green, and legible on white and on black.
BLUE, ORANGE, GREY = "#2e86d1", "#d9741a", "#8a8a8a"
# The demo's, a library of some size, and the published release of February 2026.
INDEX_SIZES = (1_200, 30_000, 366_794)
_LOOK: dict[Any, Any] = {
    "svg.hashsalt": "stash-sense",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(
        ["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color"], GREY
    ),
    "ytick.color": GREY,
}
_NOBODY = Neighbours(np.empty(0, np.int64), np.empty(0))


def confidence_of_score(score: float) -> float:
    """Return what the shipped calibration tells of a score."""
    return SHIPPED_CALIBRATION.probability(score)


def score_of_distance(distance: float, *, face_count: int) -> float:
    """Return the score of a person this far from a performer, in both embedders.

    With strangers as they usually are; of a real person they are read off the index.
    """
    template = np.array([1.0, 0.0], np.float32)
    similarity = 1 - distance
    reference = np.array([[similarity, np.sqrt(1 - similarity**2)]], np.float32)
    view = EmbedderView(template, _NOBODY, reference)
    scored = score_performers(
        np.array([0]),
        np.array([1]),
        facenet=view,
        arcface=view,
        face_performers=np.zeros(face_count, np.int32),
    )
    return float(scored.scores[0])


def fused(facenet: float, arcface: float | None) -> Candidate:
    """Return the candidate that `/identify` makes of the two distances of one face."""
    lists = [
        Neighbours(np.array([0]), np.array([distance]))
        if distance is not None
        else _NOBODY
        for distance in (facenet, arcface)
    ]
    [candidate] = fuse(
        *lists,
        face_performers=np.zeros(1, np.int32),
        strategy=FusionStrategy.WEIGHTED,
        max_distance=2,
    )
    return candidate


def write_all(folder: Path = FOLDER) -> None:
    """Draw every plot into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PLOTS.items():
        (folder / name).write_text(drawn(draw))


def _score_to_confidence(axes: "Axes") -> None:
    scores = np.linspace(-8, 6, 281)
    axes.plot(scores, [confidence_of_score(score) for score in scores], color=BLUE)
    uncertain, known = (
        SHIPPED_CALIBRATION.uncertain_score,
        SHIPPED_CALIBRATION.known_score,
    )
    for start, end, name in (
        (-8, uncertain, "unknown"),
        (uncertain, known, "uncertain"),
        (known, 6, "known"),
    ):
        axes.text((start + end) / 2, 1.06, name, ha="center")
    for score in (uncertain, known):
        axes.axvline(score, color=ORANGE, linestyle="--", linewidth=1)
    axes.set(xlabel="score", ylabel="confidence", ylim=(0, 1.12), xlim=(-8, 6))


def _distance_to_confidence(axes: "Axes") -> None:
    distances = np.linspace(0.05, 1, 191)
    for size, style in zip(INDEX_SIZES, (":", "--", "-"), strict=True):
        told = [
            confidence_of_score(score_of_distance(each, face_count=size))
            for each in distances
        ]
        axes.plot(distances, told, style, color=BLUE, label=f"{size:,} faces")
    legend = axes.legend(frameon=False, title="in an index of")
    legend.get_title().set_color(GREY)
    axes.set(xlabel="distance of the person", ylabel="confidence", ylim=(0, 1.02))


def _fusion(axes: "Axes") -> None:
    distances = np.linspace(0, 1, 101)
    for second, label, colour in (
        (lambda each: each, "both networks rank the face", BLUE),
        (lambda each: None, "one network alone ranks it", ORANGE),
    ):
        told = [fused(each, second(each)).distance for each in distances]
        axes.plot(distances, told, color=colour, label=label)
    from recognition.api.serializers import DEFAULT_MAX_DISTANCE

    axes.axhline(DEFAULT_MAX_DISTANCE, color=GREY, linestyle="--", linewidth=1)
    axes.text(0, DEFAULT_MAX_DISTANCE + 0.02, "max_distance, unless a request says")
    axes.legend(frameon=False, loc="lower right")
    axes.set(xlabel="distance in the network that ranks it", ylabel="fused distance")


PLOTS: dict[str, Callable[["Axes"], None]] = {
    "confidence-of-score.svg": _score_to_confidence,
    "confidence-of-distance.svg": _distance_to_confidence,
    "fusion.svg": _fusion,
}


def drawn(draw: Callable[["Axes"], None]) -> str:
    text = io.StringIO()
    with mpl.rc_context(dict(mpl.rcParamsDefault) | _LOOK):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        nothing: dict[str, None] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    # Matplotlib leaves blanks at the ends of lines.
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def confidences(scores: Sequence[float]) -> list[str]:
    """Return the confidences of scores as the page spells them."""
    return [f"{100 * confidence_of_score(score):.3g} %" for score in scores]
