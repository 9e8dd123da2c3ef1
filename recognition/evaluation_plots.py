"""The plots of an evaluation as SVG, the same text whenever the figures are the same.

Lines and letters take the colour of the page they stand in, light or dark; text stays
text, and each plot has a title and a description for who cannot see it.
"""

import functools
import io
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from recognition.numeric import evaluation as numeric
from recognition.numeric.evaluation import Case, Group, Item, Share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (4.6, 3.3)
# Told apart by those who see no red or green, and legible on white and on black.
RIGHT_COLOUR, WRONG_COLOUR = "#2e86d1", "#d9741a"
# Stands for the colour of the page's text; no colour of a plot's own.
_PAGE_COLOUR = "#010203"
_COLOURED = (
    "text.color",
    "axes.labelcolor",
    "axes.edgecolor",
    "xtick.color",
    "ytick.color",
)
# In a page it would be the style of everything else, too.
_STYLE_OF_EVERYTHING = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_IDS = re.compile(r'(\bid="|"#|url\(#)')
# Matplotlib's settings are of the whole process.
_drawing = threading.Lock()


@dataclass(frozen=True)
class Plot:
    """A plot of a page: `svg` is markup made here, safe to show."""

    name: str
    title: str
    description: str
    svg: str


def plots_of(cases: Sequence[Case], items: Sequence[Item]) -> list[Plot]:
    """Return the plots of a mode; none where it proposed nobody."""
    return [*_plots(tuple(cases), tuple(items))] if cases else []


# A page is looked at again and again, and drawing takes a second.
@functools.lru_cache(maxsize=16)
def _plots(cases: tuple[Case, ...], items: tuple[Item, ...]) -> tuple[Plot, ...]:
    return (
        _precision_recall(cases, items),
        _reliability(cases),
        _distances(cases),
        _groups("quality", "By quality of the best face", numeric.by_quality(cases)),
        _groups("source", "By source", numeric.by_source(cases, items)),
    )


def _precision_recall(cases: Sequence[Case], items: Sequence[Item]) -> Plot:
    points = numeric.precision_recall(cases, items)
    recalls = [recall for _, _, recall in points]
    precisions = [precision for _, precision, _ in points]
    now = numeric.figures(cases, items, seed=0)

    def draw(axes: "Axes") -> None:
        axes.plot(
            recalls,
            precisions,
            color=RIGHT_COLOUR,
            drawstyle="steps-post",
            marker="o" if len(points) < 30 else "",
            markersize=3,
            label="other thresholds",
        )
        if now.recall.value is not None and now.precision.value is not None:
            axes.plot(
                [now.recall.value],
                [now.precision.value],
                color=WRONG_COLOUR,
                marker="D",
                markersize=8,
                linestyle="",
                label="now",
            )
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.03), ylim=(0, 1.05))
        axes.legend(loc="lower left")

    last = points[-1] if points else (0.0, 0.0, 0.0)
    return _plot(
        "precision-recall",
        "Precision and recall",
        f"With the lowest threshold precision is {last[1]:.0%} at a recall of "
        f"{last[2]:.0%}; now it is {_percent(now.precision)} at "
        f"{_percent(now.recall)}.",
        draw,
    )


def _reliability(cases: Sequence[Case]) -> Plot:
    bins = numeric.reliability(cases)
    told = [each.mean_probability for each in bins]
    shares = [each.right for each in bins]

    def draw(axes: "Axes") -> None:
        axes.plot(
            [0, 1],
            [0, 1],
            color=_PAGE_COLOUR,
            linewidth=0.8,
            linestyle=":",
            label="as it should be",
        )
        axes.errorbar(
            told,
            _values(shares),
            yerr=_intervals(shares),
            color=RIGHT_COLOUR,
            marker="o",
            markersize=4,
            linewidth=1.2,
            capsize=2,
            label="share that was right",
        )
        axes.set(
            xlabel="confidence told", ylabel="share right", xlim=(0, 1), ylim=(0, 1.05)
        )
        axes.legend(loc="upper left")

    return _plot(
        "reliability",
        "Reliability of the confidence",
        f"The calibration error over {numeric.RELIABILITY_BINS} bins is "
        f"{numeric.told_error(cases):.3f}; on the dotted line confidence is true.",
        draw,
    )


def _distances(cases: Sequence[Case]) -> Plot:
    from matplotlib.ticker import MaxNLocator

    histogram = numeric.distances(cases)

    def draw(axes: "Axes") -> None:
        edges = [*histogram.edges]
        right, wrong = [*histogram.right], [*histogram.wrong]
        axes.stairs(right, edges, fill=True, color=RIGHT_COLOUR, label="right")
        axes.stairs(wrong, edges, linewidth=2, color=WRONG_COLOUR, label="wrong")
        # Room for the legend above the highest.
        highest = max((*right, *wrong, 1))
        axes.set(xlabel="distance", ylabel="names", ylim=(0, 1.3 * highest))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left")

    return _plot(
        "distances",
        "Distances of right and wrong names",
        f"{sum(histogram.right)} right and {sum(histogram.wrong)} wrong ones, from "
        f"{histogram.edges[0]:.2f} to {histogram.edges[-1]:.2f}.",
        draw,
    )


def _groups(name: str, title: str, groups: Sequence[Group]) -> Plot:
    has_recall = any(group.recall for group in groups)

    def draw(axes: "Axes") -> None:
        _bars(axes, [group.precision for group in groups], -0.2 * has_recall, 0)
        if has_recall:
            _bars(axes, [group.recall or group.precision for group in groups], 0.2, 1)
        axes.set_xticks(range(len(groups)), [_group_label(group) for group in groups])
        axes.set(ylim=(0, 1.3), yticks=[0, 0.25, 0.5, 0.75, 1])
        axes.legend(loc="upper left", ncols=2)

    told = "; ".join(
        f"{group.label}: precision {_percent(group.precision)}"
        + (f", recall {_percent(group.recall)}" if group.recall else "")
        for group in groups
    )
    return _plot(name, title, f"{told}.", draw)


def _bars(axes: "Axes", shares: Sequence[Share], shift: float, kind: int) -> None:
    axes.bar(
        [place + shift for place in range(len(shares))],
        _values(shares),
        width=0.36,
        # Filled or not, they are told apart without colours, too.
        color=(RIGHT_COLOUR, "none")[kind],
        edgecolor=(RIGHT_COLOUR, WRONG_COLOUR)[kind],
        linewidth=1.6,
        label=("precision", "recall")[kind],
        yerr=_intervals(shares),
        error_kw={"ecolor": _PAGE_COLOUR, "capsize": 2, "linewidth": 0.9},
    )


def _values(shares: Sequence[Share]) -> list[float]:
    return [share.value or 0.0 for share in shares]


def _intervals(shares: Sequence[Share]) -> list[list[float]]:
    """Return how far down and up the intervals reach; nowhere for no value."""
    known = [(share.value, share) for share in shares]
    return [
        [0.0 if value is None else max(value - one.low, 0) for value, one in known],
        [0.0 if value is None else max(one.high - value, 0) for value, one in known],
    ]


def _group_label(group: Group) -> str:
    return f"{group.label}\n{group.precision.total} names"


def _percent(share: Share) -> str:
    return "unknown" if share.value is None else f"{share.value:.0%}"


def _plot(
    name: str, title: str, description: str, draw: Callable[["Axes"], None]
) -> Plot:
    # Loaded with the first plot: most processes never draw.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    look: Any = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "font.family": ["sans-serif"],
        "font.size": 9,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(_COLOURED, _PAGE_COLOUR),
    }
    drawn = io.StringIO()
    with _drawing, mpl.rc_context(look):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(drawn, format="svg", transparent=True, metadata=no_metadata)
    svg = _inlined(drawn.getvalue(), name, title, description)
    return Plot(name, title, description, svg)


def _inlined(svg: str, name: str, title: str, description: str) -> str:
    """Return the drawing as an element of a page, with ids of its own."""
    element = svg[svg.index("<svg") :].replace(_PAGE_COLOUR, "currentColor")
    element = _IDS.sub(rf"\1{name}-", _STYLE_OF_EVERYTHING.sub("", element))
    start, rest = element.split(">", 1)
    about = f"{name}-title {name}-description"
    return (
        f'{start} role="img" aria-labelledby="{about}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>{rest}'
    )
