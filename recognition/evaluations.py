"""Asking how good names are on this library: begun, gone on with, looked at."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from dbupdates.store import ActiveRelease, active_release
from recognition import library_runs
from recognition.exceptions import DatabaseNotLoaded, EvaluationNotFound
from recognition.library_runs import LibraryAsker
from recognition.models import (
    EvaluatedItem,
    Evaluation,
    LibraryRun,
    ReviewedName,
)
from recognition.registry import NO_ACTIVE_RELEASE
from stashsense.integrations.stash import configured_client
from stashsense.turns import in_turn

Kind = EvaluatedItem.Kind
Verdict = ReviewedName.Verdict

DEFAULT_SAMPLE_SIZE = 200
MAX_SAMPLE_SIZE = 2000
DEFAULT_SEED = 1
# Each is some megabytes of whom the modes saw.
KEPT_EVALUATIONS = 5


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """What is evaluated: so many of each kind; a seed gives the same ones again."""

    sample_size: int = DEFAULT_SAMPLE_SIZE
    kinds: tuple[EvaluatedItem.Kind, ...] = (*Kind,)
    may_decode: bool = False
    seed: int = DEFAULT_SEED


def evaluate_library(options: EvaluationOptions, *, asker: LibraryAsker) -> Evaluation:
    """Have names evaluated; returns the queued evaluation at once.

    The latest one is gone on with if it was not finished and nothing is otherwise.
    Raises StashNotConfigured, DatabaseNotLoaded, or LibraryRunInProgress.
    """
    configured_client()
    release = active_release()
    if release is None:
        raise DatabaseNotLoaded(NO_ACTIVE_RELEASE)
    with in_turn():
        run = library_runs.queue_run(
            LibraryRun.Kind.EVALUATE, asker=asker, release_version=release.version
        )
        evaluation = _find_unfinished(options, release) or Evaluation(
            **_asked(options),
            release_version=release.version,
            network_set=release.network_set,
        )
        evaluation.run = run
        evaluation.save()
        kept = Evaluation.objects.values("pk")[:KEPT_EVALUATIONS]
        Evaluation.objects.exclude(pk__in=[row["pk"] for row in kept]).delete()
    return evaluation


def stop_evaluation() -> None:
    """End the evaluation that goes on; raises LibraryRunNotFound for none.

    What is done stays done, and the next one goes on from there.
    """
    library_runs.stop_run(library_runs.get_run_in_progress(LibraryRun.Kind.EVALUATE))


def get_latest_evaluation() -> Evaluation:
    """Return the latest with anything to tell, or else the latest.

    Raises EvaluationNotFound where there never was one.
    """
    evaluations = Evaluation.objects.select_related("run")
    telling = evaluations.filter(items__state=EvaluatedItem.State.EVALUATED)
    latest = telling.distinct().first() or evaluations.first()
    if latest is None:
        raise EvaluationNotFound("Names on this library have not been evaluated yet.")
    return latest


def review_name(
    kind: EvaluatedItem.Kind,
    stash_id: int,
    universal_id: str,
    *,
    verdict: ReviewedName.Verdict | None,
    by: User | None,
) -> None:
    """Keep what somebody says of a name; None takes it back."""
    about: dict[str, Any] = {
        "kind": kind,
        "stash_id": stash_id,
        "universal_id": universal_id,
    }
    if verdict is None:
        ReviewedName.objects.filter(**about).delete()
        return
    ReviewedName.objects.update_or_create(
        **about, defaults={"verdict": verdict, "reviewed_by": by}
    )


def _find_unfinished(
    options: EvaluationOptions, release: ActiveRelease
) -> Evaluation | None:
    latest = Evaluation.objects.select_related("run").first()
    if latest is None or not latest.is_sampled:
        return None
    was_broken_off = latest.run.state in (
        LibraryRun.State.FAILED,
        LibraryRun.State.CANCELLED,
    )
    asked = _asked(options) | {"release_version": release.version}
    is_same = all(getattr(latest, name) == value for name, value in asked.items())
    left = latest.items.filter(state=EvaluatedItem.State.PENDING)
    return latest if was_broken_off and is_same and left.exists() else None


def _asked(options: EvaluationOptions) -> dict[str, object]:
    return {
        "sample_size": options.sample_size,
        "kinds": [kind.value for kind in options.kinds],
        "may_decode": options.may_decode,
        "seed": options.seed,
    }
