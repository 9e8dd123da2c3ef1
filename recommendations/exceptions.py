"""What can be refused or go wrong: an error for each decision a caller can make."""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class RecommendationError(StashSenseError):
    """Something about recommendations was refused; nothing was changed in Stash."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "recommendation_error"


class UnknownAnalysis(RecommendationError):
    """There is no such type of run."""

    code: ClassVar[str] = "unknown_analysis"


class UnknownSchedule(RecommendationError):
    """There is no such type of run, or it cannot be scheduled."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "unknown_schedule"


class InvalidSchedule(RecommendationError):
    """The interval is not one of those that the type allows; nothing was stored."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_schedule"


class AnalysisInProgress(RecommendationError):
    """A run of the type has not ended; it goes on as it was."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "analysis_in_progress"


class AnalysisRunNotFound(RecommendationError):
    """There is no run of this id."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "analysis_run_not_found"


class AnalysisNotEnded(RecommendationError):
    """Only what failed or was cancelled can be tried again."""

    code: ClassVar[str] = "analysis_not_ended"


class AnalysisStuck(RecommendationError):
    """The run ended: it did not get on. What it found stays."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "analysis_stuck"


class AnalysisIncomplete(RecommendationError):
    """The run ended without some stash-boxes; what it found of others stays."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "analysis_incomplete"


class RecommendationNotFound(RecommendationError):
    """There is no recommendation of this id."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "recommendation_not_found"


class RecommendationClosed(RecommendationError):
    """It was resolved or dismissed before, perhaps by somebody else."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "recommendation_closed"


class RecommendationClaimed(RecommendationError):
    """Somebody else acts on it at this moment."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "recommendation_claimed"


class RecommendationChanged(RecommendationError):
    """It tells something else than when it was looked at; nothing was done."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "recommendation_changed"


class WrongRecommendation(RecommendationError):
    """The recommendation is about something else than the action."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "wrong_recommendation"


class TargetGone(RecommendationError):
    """What it is about is no longer in Stash or upstream; it was closed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "target_gone"


class ConfirmationRequired(RecommendationError):
    """The action destroys something and was not confirmed; nothing was done."""

    code: ClassVar[str] = "confirmation_required"


class PlanChanged(RecommendationError):
    """More or else would be done than was shown; nothing was done."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "plan_changed"


class ActionRefused(RecommendationError):
    """The action would do what it must not; nothing was done."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "action_refused"


class NameCollision(RecommendationError):
    """Another entity has the name; both are told, and nothing was changed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "name_collision"


class UnknownField(RecommendationError):
    """The entity has no such field."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "unknown_field"


class InvalidEndpointName(RecommendationError):
    """A path names a stash-box by what is no address in base64."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_endpoint_name"


class PredecessorUnreadable(RecommendationError):
    """The predecessor's database cannot be read; nothing was changed, here or there."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "predecessor_unreadable"


class InvalidFieldValue(RecommendationError):
    """A field cannot be what was sent; nothing was changed."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_field_value"
