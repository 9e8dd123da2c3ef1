"""Figures of an evaluation as people read them, in the shell and in the admin."""

from recognition.numeric.evaluation import Mean, Share, ThresholdChoice

LOWER_BOUND = (
    "Whoever is named and not tagged counts as wrong in the strict figures. Tags are "
    "often incomplete: as far as those that are there are right, the strict precision "
    "is a lower bound. The undisputed figures leave out the items where tags and names "
    "disagree strongly: an untagged name there is surer than half of the right ones."
)
UNCERTAIN = "Who is only proposed counts as nobody's name."
KEPT_DECISIONS = (
    "A mode whose candidates have a score names people from the adopted threshold on. "
    "The other modes decide as before, by distance: adopting calibrates their "
    "confidence alone, and in the table above they can only lose names."
)


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def share_text(share: Share) -> str:
    """Return "79.3 % (75.6 to 82.6 %), 408 of 514"."""
    if share.value is None:
        return "of nothing"
    interval = f"{100 * share.low:.1f} to {percent(share.high)}"
    return f"{percent(share.value)} ({interval}), {share.count} of {share.total}"


def mean_text(mean: Mean | None) -> str:
    """Return "0.12 (0.05 to 0.21)"."""
    if mean is None:
        return "of nothing"
    return f"{mean.value:.2f} ({mean.low:.2f} to {mean.high:.2f})"


def error_text(error: float | None) -> str:
    return "too few items to tell" if error is None else f"{error:.3f}"


def choice_text(choice: ThresholdChoice) -> str:
    """Return what a threshold did, and how sure that is."""
    return (
        f"From {choice.threshold:.3f} on {choice.wrong_count} of {choice.named_count} "
        f"names were wrong in {choice.item_count} scenes; a 95 % interval of that "
        f"reaches up to {choice.highest_rate:.3f} a scene."
    )
