"""What the page of an evaluation shows, as its template takes it."""

from dataclasses import dataclass

from recognition.calibrations import SHIPPED_CALIBRATIONS
from recognition.evaluation_plots import Plot, plots_of
from recognition.evaluation_report import ModeReport, Report
from recognition.evaluation_texts import error_text, mean_text, percent, share_text
from recognition.models import StoredCalibration
from recognition.numeric.evaluation import Figures
from recognition.numeric.people import MatchingMode


@dataclass(frozen=True)
class FiguresRow:
    """A line of the table of modes."""

    mode: str
    what: str
    recall: str
    precision: str
    false_names: str
    uncertain_count: int
    item_count: int


@dataclass(frozen=True)
class ThresholdLine:
    """A line of the table of thresholds."""

    threshold: str
    named_count: int
    gained_count: int
    lost_count: int
    precision: str
    recall: str
    false_names: str


@dataclass(frozen=True)
class ShownMode:
    """The mode that is looked at closely."""

    report: ModeReport
    plots: list[Plot]
    thresholds: list[ThresholdLine]
    told_error: str
    fitted_error: str
    in_force: str
    is_own_in_force: bool


@dataclass(frozen=True)
class Page:
    """All modes in figures and one with its plots; none before anything is done."""

    rows: list[FiguresRow]
    modes: list[str]
    shown: ShownMode | None


def page_of(report: Report, *, wanted_mode: str) -> Page:
    """Return the page with that mode shown, or the default one for any other text."""
    by_name = {each.mode.value: each for each in report.modes}
    shown = by_name.get(wanted_mode) or by_name.get(MatchingMode.TEMPLATE.value)
    return Page(
        rows=[row for each in report.modes for row in _rows(each)],
        modes=[*by_name],
        shown=_shown(shown) if shown else None,
    )


def _rows(report: ModeReport) -> list[FiguresRow]:
    left_out = f"undisputed: without {report.disputed_count}"
    return [
        _row(report.mode.value, "strict", report.strict),
        _row(report.mode.value, left_out, report.undisputed),
    ]


def _row(mode: str, what: str, figures: Figures) -> FiguresRow:
    return FiguresRow(
        mode=mode,
        what=what,
        recall=share_text(figures.recall),
        precision=share_text(figures.precision),
        false_names=mean_text(figures.false_names_per_scene),
        uncertain_count=figures.uncertain_count,
        item_count=figures.item_count,
    )


def _shown(report: ModeReport) -> ShownMode:
    return ShownMode(
        report=report,
        plots=plots_of(report.cases, report.items),
        thresholds=[
            ThresholdLine(
                threshold=f"{row.threshold:.3f}",
                named_count=row.named_count,
                gained_count=row.gained_count,
                lost_count=row.lost_count,
                precision=_short(row.precision.value),
                recall=_short(row.recall.value),
                false_names=f"{row.false_names_per_scene:.2f}",
            )
            for row in report.thresholds
        ],
        told_error=error_text(report.told_error),
        fitted_error=error_text(report.fitted_error),
        in_force=_in_force(report),
        is_own_in_force=_is_own_in_force(report),
    )


def _is_own_in_force(report: ModeReport) -> bool:
    row = report.calibration
    return row is not None and row.origin == StoredCalibration.Origin.LIBRARY


def _in_force(report: ModeReport) -> str:
    """Return what turns scores into confidence now, and who chose that."""
    row = report.calibration
    if row is not None and _is_own_in_force(report):
        by = f" by {row.adopted_by}" if row.adopted_by else ""
        return (
            f"this library's own, of {row.sample_size} items, adopted{by} on "
            f"{row.adopted_at:%Y-%m-%d}; "
            + (
                f"named from {row.known_score:.3f} on"
                if report.mode is MatchingMode.TEMPLATE
                else "it changes confidences and names nobody else"
            )
        )
    if report.mode in SHIPPED_CALIBRATIONS:
        return "the calibration that this version ships"
    return "none: this version ships no calibration of the mode"


def _short(value: float | None) -> str:
    return "-" if value is None else percent(value)
