"""Accepting what stash-boxes know scenes by their fingerprints as."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recommendations.decisions import get_recommendation
from recommendations.exceptions import ActionRefused, RecommendationError
from recommendations.models import Recommendation
from recommendations.stash_actions.acting import (
    ActionContext,
    Deed,
    Outcome,
    acting,
)
from recommendations.stash_actions.boxes import stash_id_of
from recommendations.stash_actions.fitting import FINGERPRINT_MATCH, fingerprint_match
from recommendations.stash_actions.telling import told_scene
from stashsense.exceptions import StashSenseError
from stashsense.integrations.stash_errors import (
    StashNotConfigured,
    StashUnauthorized,
    StashUnreachable,
)

# A client waits no longer; what is left is accepted by asking again.
ACCEPT_SECONDS = 120
# After these the others would fail as well, each after some time.
_STASH_IS_AWAY = (StashUnreachable, StashUnauthorized, StashNotConfigured)


def accept_match(
    context: ActionContext, *, scene_id: int, endpoint: str, stash_id: str
) -> Outcome:
    """Give the scene the id that its recommendation proposes.

    Raises WrongRecommendation unless the three are what it is about, and ActionRefused
    where the scene has another id there.
    """
    deed = Deed(
        "accept-fingerprint-match",
        "scene",
        str(scene_id),
        fingerprint_match(scene_id, endpoint, stash_id),
    )
    with acting(context, deed) as act:
        library = act.stash.library
        scene = act.target(lambda: library.get_full_scene(scene_id))
        new = stash_id_of(endpoint, stash_id)
        is_linked = new in scene.stash_ids
        other = next((s for s in scene.stash_ids if s.endpoint == new.endpoint), None)
        if other is not None and not is_linked:
            raise ActionRefused(
                f"Scene {scene.id} has the id {other.stash_id} there already."
            )
        plan = {
            "scene": told_scene(scene),
            "adds_stash_id": {"endpoint": new.endpoint, "stash_id": new.stash_id},
            "already_linked": is_linked,
        }
        if not act.begin(plan, scene):
            return Outcome(plan, is_dry_run=True)
        if not is_linked:
            act.stash.writes.update_scene(
                scene.id, {"stash_ids": [*scene.stash_ids, new]}
            )
            act.read_after(lambda: library.get_full_scene(scene.id))
        return Outcome(plan)


@dataclass
class AcceptedMatches:
    """What became of each; those that were not come to wait for the next time."""

    accepted: list[int] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    remaining_count: int = 0


def accept_all_matches(
    context: ActionContext,
    *,
    endpoint: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> AcceptedMatches:
    """Accept the matches of high confidence, one by one; one's failing is its own.

    Ends early where Stash is away. A dry run only tells which ones would be.
    """
    ids = _high_confidence(endpoint)
    result = AcceptedMatches()
    end = clock() + ACCEPT_SECONDS
    for place, pk in enumerate(ids):
        if clock() > end:
            result.remaining_count = len(ids) - place
            break
        try:
            _accept_row(context, get_recommendation(pk))
        except StashSenseError as exc:
            result.failed.append(
                {"recommendation_id": pk, "code": exc.code, "detail": str(exc)}
            )
            if isinstance(exc, _STASH_IS_AWAY):
                result.remaining_count = len(ids) - place - 1
                break
        else:
            result.accepted.append(pk)
    return result


def _high_confidence(endpoint: str) -> list[int]:
    rows = Recommendation.objects.filter(type=FINGERPRINT_MATCH).pending()
    if endpoint:
        # The box may be named by its domain.
        known = stash_id_of(endpoint, "x").endpoint
        rows = rows.filter(endpoint__in=["", known])
    return [
        row.pk
        for row in rows.order_by("pk").iterator()
        if row.details.get("high_confidence") is True
        and (not endpoint or _parts(row)[1] == known)
    ]


def _accept_row(context: ActionContext, row: Recommendation) -> None:
    scene_id, endpoint, stash_id = _parts(row)
    if not (scene_id.isascii() and scene_id.isdigit()):
        raise RecommendationError(f"Recommendation {row.pk} names no scene.")
    one = ActionContext(
        asker=context.asker,
        recommendation_id=row.pk,
        is_dry_run=context.is_dry_run,
        is_confirmed=context.is_confirmed,
    )
    accept_match(one, scene_id=int(scene_id), endpoint=endpoint, stash_id=stash_id)


def _parts(row: Recommendation) -> tuple[str, str, str]:
    """Return scene, stash-box and id there, as the target names them."""
    scene_id, _, rest = row.target_id.partition("|")
    endpoint, _, stash_id = rest.rpartition("|")
    return scene_id, endpoint, stash_id
