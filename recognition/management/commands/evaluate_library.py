"""manage.py evaluate_library: how good names are on this library, by its tags."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition import evaluations
from recognition.evaluation_report import ModeReport, Report, report_of
from recognition.evaluation_texts import (
    LOWER_BOUND,
    error_text,
    mean_text,
    share_text,
)
from recognition.evaluations import (
    DEFAULT_SAMPLE_SIZE,
    DEFAULT_SEED,
    MAX_SAMPLE_SIZE,
    EvaluationOptions,
    Kind,
)
from recognition.management.library_terminal import ASKER, follow
from recognition.numeric.evaluation import Figures
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = (
        "Identify what is tagged in Stash as if it were not, and tell how many names "
        "are right. Scenes, images and galleries that were identified are taken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sample",
            type=int,
            default=DEFAULT_SAMPLE_SIZE,
            metavar="N",
            help=f"of each kind, at most ({DEFAULT_SAMPLE_SIZE})",
        )
        parser.add_argument(
            "--kind",
            action="append",
            choices=Kind.values,
            help="what is evaluated; may be given again (all)",
        )
        parser.add_argument(
            "--decode-missing",
            action="store_true",
            help="look at what nothing is kept of; takes long",
        )
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--report", action="store_true", help="tell the latest figures alone"
        )
        what.add_argument(
            "--stop", action="store_true", help="stop; what is done stays done"
        )

    def handle(self, *_args: Any, report: bool, stop: bool, **options: Any) -> None:
        with errors_as_sentences():
            if stop:
                evaluations.stop_evaluation()
                self.stdout.write("Stopped.")
                return
            if not report:
                self._evaluate(options)
            self._tell(report_of(evaluations.get_latest_evaluation()))

    def _evaluate(self, options: dict[str, Any]) -> None:
        if not 1 <= options["sample"] <= MAX_SAMPLE_SIZE or options["seed"] < 0:
            raise CommandError(
                f"--sample is from 1 to {MAX_SAMPLE_SIZE}, --seed 0 or more."
            )
        evaluation = evaluations.evaluate_library(
            EvaluationOptions(
                sample_size=options["sample"],
                kinds=tuple(kind for kind in Kind if kind in (options["kind"] or Kind)),
                may_decode=options["decode_missing"],
                seed=options["seed"],
            ),
            asker=ASKER,
        )
        self.stdout.write(f"Asked for ({evaluation.run}).")
        follow(evaluation.run, self.stdout.write)

    def _tell(self, report: Report) -> None:
        counts = ", ".join(
            f"{count} of kind {kind}" for kind, count in report.item_counts.items()
        )
        version = report.evaluation.release_version
        self.stdout.write(f"Release {version}: {counts}.")
        for skipped in report.skipped:
            self.stdout.write(f"Passed over {skipped}: {skipped.reason}")
        for mode in report.modes:
            self._tell_mode(mode)
        self.stdout.write(f"\n{LOWER_BOUND}")

    def _tell_mode(self, report: ModeReport) -> None:
        self.stdout.write(f"\n{report.mode}")
        self.stdout.write(f"  strict      {_line(report.strict)}")
        self.stdout.write(
            f"  undisputed  {_line(report.undisputed)}, "
            f"{report.disputed_count} items left out"
        )
        self.stdout.write(
            f"  calibration error {error_text(report.told_error)}; of a fitted curve "
            f"{error_text(report.fitted_error)}"
        )


def _line(figures: Figures) -> str:
    return (
        f"recall {share_text(figures.recall)}; "
        f"precision {share_text(figures.precision)}; false names a scene "
        f"{mean_text(figures.false_names_per_scene)}; "
        f"{figures.uncertain_count} uncertain"
    )
