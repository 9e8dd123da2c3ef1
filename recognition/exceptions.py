"""Everything recognition refuses or cannot do, one class per decision of a caller."""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class RecognitionError(StashSenseError):
    """Nobody was identified, and nothing was stored about the attempt."""

    code: ClassVar[str] = "recognition_error"


class DatabaseNotLoaded(RecognitionError):
    """This process serves no release at this moment.

    None is installed, or one is being loaded; the message says which. A later
    attempt can succeed without any change to the request.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "database_not_loaded"
    # Loading a published release takes a few seconds once it is in the page cache.
    retry_after_seconds: int | None = 10


class DatabaseUpdating(DatabaseNotLoaded):
    """This process has let go of one release and is loading another.

    There was no memory for both. A later attempt succeeds.
    """

    code: ClassVar[str] = "database_updating"


class ModelsNotInstalled(RecognitionError):
    """A network that the active release needs is missing or is another file.

    Nothing is identified until an operator installs it; the message names the file
    and what to do.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "models_not_installed"


class ModelNotFound(RecognitionError):
    """There is no model file of that name; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "model_not_found"


class InvalidModelFile(RecognitionError):
    """What was fetched is not the model file; it was removed, nothing was installed.

    The message carries what was expected and what came.
    """

    status: ClassVar[int] = 502
    code: ClassVar[str] = "invalid_model_file"


class DownloadInProgress(RecognitionError):
    """The model file is being downloaded already; that goes on."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "download_in_progress"


class NoDownload(RecognitionError):
    """No model file is being downloaded; there is nothing to cancel."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "no_download"


class DownloadStopped(RecognitionError):
    """Somebody asked for the end of a download, and it ended; see the subclasses."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "download_stopped"


class DownloadCancelled(DownloadStopped):
    """A person cancelled the download; nothing of it is left."""

    code: ClassVar[str] = "download_cancelled"


class DownloadInterrupted(DownloadStopped):
    """The process that downloaded ended; what was fetched is kept for the next."""

    code: ClassVar[str] = "download_interrupted"


class UnreadableImage(RecognitionError):
    """The bytes given are no picture we read, and never will be.

    No detector saw them. The message says what is wrong with them.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "unreadable_image"


class MediaUnavailable(RecognitionError):
    """A picture or video that a request points to could not be had.

    Nothing is known about its content; the message says what its source answered.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "media_unavailable"


class MediaUnreachable(MediaUnavailable):
    """Nobody accepts connections where the media is; a later attempt can succeed."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "media_unreachable"
    # Stash is up again some seconds after it was restarted.
    retry_after_seconds: int | None = 10


class MediaInterrupted(MediaUnreachable):
    """The source accepted a connection and did not send all that was asked for.

    It broke the connection or fell silent. That may pass, or be this one file's fault.
    """

    code: ClassVar[str] = "media_interrupted"


class MediaRefused(MediaUnavailable):
    """The source answers, but not with the media: it refuses us, fails or redirects.

    No repeating helps until an operator has changed something; the message says what
    to check.
    """

    status: ClassVar[int] = 502
    code: ClassVar[str] = "media_refused"


class MediaMissing(MediaUnavailable):
    """The source answered that it has no such file."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "media_missing"


class UnreadableVideo(RecognitionError):
    """The video's source answers, but no frame could be taken from what it sends.

    The message says why: there is no picture in it, or nothing that we can decode.
    """

    status: ClassVar[int] = 422
    code: ClassVar[str] = "unreadable_video"


class Busy(RecognitionError):
    """As many requests are waiting as we let wait; this one was not begun."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "busy"
    # A full queue drains in about this time on the slowest machine we support.
    retry_after_seconds: int | None = 2


class NoSprites(UnreadableVideo):
    """Stash has not made the small pictures that the scene was to be judged by."""

    code: ClassVar[str] = "no_sprites"


class SceneWithoutFiles(RecognitionError):
    """Stash knows the scene but has no file of it; there is nothing to look at."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "scene_without_files"


class JobNotFound(RecognitionError):
    """There is no such job, or no longer: old ones are forgotten."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "job_not_found"


class IdentificationStopped(RecognitionError):
    """Whoever watched wanted it to end; nothing was kept of it."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "identification_stopped"


class LibraryRunInProgress(RecognitionError):
    """A run of this kind goes on; no second one was begun."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "library_run_in_progress"


class LibraryRunNotFound(RecognitionError):
    """There is no such run, or none in progress; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "library_run_not_found"


class FingerprintNotFound(RecognitionError):
    """Nothing is kept of the scene or image: it was never looked at with success."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "fingerprint_not_found"


class PersonNotFound(RecognitionError):
    """Nobody of this number is kept there, or no longer: people are made anew."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "person_not_found"


class PerformerNotFound(RecognitionError):
    """Neither the release nor this Stash has the performer; nothing was corrected."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "performer_not_found"


class InvalidCorrection(RecognitionError):
    """It does not say whom it means; nothing was corrected."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_correction"


class CorrectionNotFound(RecognitionError):
    """There is no such correction; nothing was undone."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "correction_not_found"


class CorrectionUndone(RecognitionError):
    """The correction was undone before, by a person or a later one; it stays so."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "correction_undone"


class RecognitionServiceAway(RecognitionError):
    """The service that identifies did not answer, or wants to be asked later.

    `asked_to_wait_seconds` is what it said of when. Whether it began what it was asked
    for is not known.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "recognition_service_away"

    def __init__(self, message: str, *, asked_to_wait_seconds: float = 0) -> None:
        super().__init__(message)
        self.asked_to_wait_seconds = asked_to_wait_seconds


class RecognitionServiceRefused(RecognitionError):
    """The service that identifies answered with an error; `refusal` is its code."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "recognition_service_refused"

    def __init__(
        self, message: str, *, http_status: int = 0, refusal: str = ""
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.refusal = refusal


class LibraryRunStuck(RecognitionError):
    """A run waited as long as it may for what it needs; what is done stays done."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "library_run_stuck"


class PeopleGroupNotFound(RecognitionError):
    """There is no such group of unknown people, or no such member; nothing changed.

    Ids of groups last while these have anybody in them.
    """

    status: ClassVar[int] = 404
    code: ClassVar[str] = "people_group_not_found"


class GroupDecisionRefused(RecognitionError):
    """What was to be decided about a group makes no sense; nothing was changed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "group_decision_refused"


class CropUnavailable(RecognitionError):
    """The picture of a face cannot be cut out any more; its media may have changed.

    No repeating helps, but looking at the scene or image again does.
    """

    status: ClassVar[int] = 404
    code: ClassVar[str] = "crop_unavailable"


class NothingToEvaluate(RecognitionError):
    """The library has nothing to measure names by; the message says what is missing."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "nothing_to_evaluate"


class EvaluationNotFound(RecognitionError):
    """No evaluation was made, or it has no such item or name; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "evaluation_not_found"


class NothingToAdopt(RecognitionError):
    """The evaluation does not carry a calibration; what was in force stays so."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "nothing_to_adopt"


class LocalPerformerNotFound(RecognitionError):
    """There is no local performer of this id; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "local_performer_not_found"


class LocalPerformersDisabled(RecognitionError):
    """The owner has local performers switched off; nothing was learnt."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "local_performers_disabled"
