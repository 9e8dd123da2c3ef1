"""What all actions share: who acts on which recommendation, and what is kept of it.

An ActionRecord is written before Stash is asked for anything. A process that dies
leaves it BEGUN, and the recommendation claimed for some minutes more.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.utils import timezone

from recommendations.decisions import (
    claimed,
    get_recommendation,
    hold_on,
    require_unchanged,
    resolve,
)
from recommendations.exceptions import (
    ConfirmationRequired,
    PlanChanged,
    RecommendationClaimed,
    RecommendationClosed,
    TargetGone,
    WrongRecommendation,
)
from recommendations.models import ActionRecord, Recommendation
from recommendations.stash_actions.telling import digest_of_plan, told
from stashsense.exceptions import StashSenseError
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError, StashNotFound
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashVersion
from stashsense.integrations.stash_writes import StashWrites

# How a recommendation is closed whose target is no longer there.
TARGET_GONE = "target_gone"

Read = TypeVar("Read")
Fits = Callable[[Recommendation], bool]


@dataclass(frozen=True)
class ActionAsker:
    """Who acts: by which way, and the person where one is known."""

    way: ActionRecord.Asker
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class ActionContext:
    """As what an action is asked for, whatever it is."""

    asker: ActionAsker
    recommendation_id: int | None = None
    is_dry_run: bool = False
    is_confirmed: bool = False
    seen_at: datetime | None = None
    plan_digest: str | None = None


@dataclass(frozen=True)
class Deed:
    """An action and what it is about; `fits` tells which recommendations it settles."""

    name: str
    target_type: str
    target_id: str
    fits: Fits
    is_destructive: bool = False


@dataclass(frozen=True)
class Outcome:
    """What would be done or was, and (but for a dry run) what to answer."""

    plan: Mapping[str, Any]
    answer: Mapping[str, Any] = field(default_factory=dict)
    is_dry_run: bool = False

    @property
    def plan_digest(self) -> str:
        return digest_of_plan(self.plan)


class StashAccess:
    """The configured Stash: to be asked, to be read, and to be changed."""

    def __init__(self) -> None:
        self.client: StashClient = configured_client()
        self.library = StashLibrary(self.client)
        self.writes = StashWrites(self.client)

    @property
    def version(self) -> StashVersion:
        return self.client.known_version()


class Act:
    """An action while it is carried out; `record` is None for a dry run."""

    def __init__(
        self,
        deed: Deed,
        stash: StashAccess,
        recommendation: Recommendation | None,
        record: ActionRecord | None,
        *,
        seen_digest: str | None = None,
    ) -> None:
        self.deed = deed
        self.stash = stash
        self.recommendation = recommendation
        self.record = record
        self.steps: list[str] = []
        self._seen_digest = seen_digest
        self._targets: list[Callable[[], object]] = []

    def target(self, read: Callable[[], Read]) -> Read:
        """Return what the action is about; raises TargetGone where it is gone."""
        self._targets.append(read)
        try:
            return read()
        except StashNotFound as exc:
            raise TargetGone(str(exc)) from exc

    def is_target_gone(self) -> bool:
        """Return whether something that was there is surely not there any more."""
        for read in self._targets:
            try:
                read()
            except StashNotFound:
                return True
            except StashError:
                # Stash is away by now: nothing is sure.
                return False
        return False

    def begin(self, plan: Mapping[str, Any], before: object) -> bool:
        """Keep what is to be done and what was there; False where that is all.

        Raises PlanChanged where somebody agreed to another plan.
        """
        if self.record is None:
            return False
        digest = digest_of_plan(plan)
        if self._seen_digest not in (None, digest):
            raise PlanChanged(
                "Something else would be done by now than was shown; nothing was "
                "changed.",
                facts={"plan": told(plan), "plan_digest": digest},
            )
        self.record.before = {"plan": told(plan), "rows": told(before)}
        self.record.save(update_fields=["before"])
        return True

    def did(self, step: str) -> None:
        """Keep that a part was done; a failure that follows tells of it."""
        assert self.record is not None, "a dry run does nothing"
        self.steps.append(step)
        self.record.after = {**self.record.after, "steps": self.steps}
        self.record.save(update_fields=["after"])
        if self.recommendation is not None:
            # A long action keeps others out as long as it gets on.
            hold_on(self.recommendation)

    def keep_after(self, rows: object) -> None:
        """Keep what is there now."""
        assert self.record is not None, "a dry run does nothing"
        self.record.after = {**self.record.after, "rows": told(rows)}

    def read_after(self, read: Callable[[], Read]) -> Read | None:
        """Keep what is there now, and return it; None where Stash does not tell.

        What was done is done, whether it can be read afterwards or not.
        """
        try:
            found = read()
        except StashError as exc:
            assert self.record is not None, "a dry run does nothing"
            self.record.after = {**self.record.after, "unread": str(exc)}
            return None
        self.keep_after(found)
        return found

    def end(self, state: ActionRecord.State, error: str = "") -> None:
        if self.record is not None:
            self.record.state, self.record.error = state, error
            self.record.ended_at = timezone.now()
            self.record.save(update_fields=["state", "error", "after", "ended_at"])


@contextmanager
def acting(context: ActionContext, deed: Deed) -> Iterator[Act]:
    """Let the block act, and have kept how it ended.

    Raises ConfirmationRequired, WrongRecommendation, RecommendationClaimed and
    RecommendationClosed before Stash is asked anything. The recommendation is resolved
    after the block, stays pending after an error, and is closed by TargetGone.
    """
    if deed.is_destructive and not (context.is_dry_run or context.is_confirmed):
        raise ConfirmationRequired(
            f"{deed.name} cannot be undone: send `confirm: true`, or `dry_run: true` "
            "to see what it would do."
        )
    stash = StashAccess()
    row = _recommendation_of(context, deed)
    with _held(row, context) as held:
        record = None if context.is_dry_run else _record(context, deed, held)
        act = Act(deed, stash, held, record, seen_digest=context.plan_digest)
        try:
            yield act
        except StashSenseError as exc:
            error = _as_told(exc, act)
            act.end(ActionRecord.State.FAILED, str(error))
            if error is exc:
                raise
            raise error from exc
        if record is None:
            return
        act.end(ActionRecord.State.DONE)
        if held is not None:
            # Somebody may have closed it after the claim ran out; Stash is changed.
            with suppress(RecommendationClosed):
                resolve(held, deed.name, {"action_id": record.pk})


def _recommendation_of(context: ActionContext, deed: Deed) -> Recommendation | None:
    if context.recommendation_id is None:
        return None
    row = get_recommendation(context.recommendation_id)
    if not deed.fits(row):
        raise WrongRecommendation(
            f"Recommendation {row.pk} ({row}) is not about {deed.name} of "
            f"{deed.target_type} {deed.target_id}."
        )
    return row


@contextmanager
def _held(
    row: Recommendation | None, context: ActionContext
) -> Iterator[Recommendation | None]:
    """Keep others from acting on it; whoever is kept out is told by whom."""
    if row is None:
        yield None
        return
    if context.is_dry_run:
        if row.status != Recommendation.Status.PENDING:
            closed = f"Recommendation {row.pk} was {row.status} before."
            raise RecommendationClosed(closed, facts=_told_by_whom(row))
        require_unchanged(row, context.seen_at)
        yield row
        return
    with ExitStack() as stack:
        try:
            held = stack.enter_context(claimed(row))
        except (RecommendationClaimed, RecommendationClosed) as exc:
            exc.facts |= _told_by_whom(row)
            raise
        require_unchanged(held, context.seen_at)
        yield held


def _told_by_whom(row: Recommendation) -> dict[str, Any]:
    """Return who acted on it last, and how; nothing where nobody did through us."""
    record = ActionRecord.objects.filter(recommendation=row).first()
    if record is None:
        return {}
    return {
        "acted_by": record.user.get_username() if record.user else record.asked_by,
        "action": record.action,
        "acted_at": record.created_at.isoformat(),
    }


def _record(
    context: ActionContext, deed: Deed, row: Recommendation | None
) -> ActionRecord:
    return ActionRecord.objects.create(
        action=deed.name,
        asked_by=context.asker.way,
        user=context.asker.user,
        recommendation=row,
        target_type=deed.target_type,
        target_id=deed.target_id,
        is_destructive=deed.is_destructive,
    )


def _as_told(exc: StashSenseError, act: Act) -> StashSenseError:
    """Return the error as it is answered, after closing what it is the end of."""
    if act.steps:
        exc.facts["done_before"] = act.steps
    is_gone = isinstance(exc, TargetGone)
    if not is_gone:
        is_gone = isinstance(exc, StashNotFound) and act.is_target_gone()
    if not is_gone or act.recommendation is None or act.record is None:
        # Without a recommendation nothing was found before: there is no such thing.
        return StashNotFound(str(exc)) if isinstance(exc, TargetGone) else exc
    reason = f"{exc} Recommendation {act.recommendation.pk} was closed."
    with suppress(RecommendationClosed):
        resolve(act.recommendation, TARGET_GONE, {"reason": str(exc)})
    return TargetGone(reason, facts=exc.facts)
