"""What a process serves at one moment, as facts that others look at."""

from dataclasses import dataclass

from dbupdates.store import ActiveRelease
from recognition.preferences import DEFAULT_OPTIONS, ServingOptions
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.recognizer import Recognizer


@dataclass(frozen=True)
class Serving:
    """A release that is being served, by what, and with which options."""

    release: ActiveRelease
    recognizer: Recognizer
    options: ServingOptions = DEFAULT_OPTIONS


@dataclass(frozen=True)
class LoadFailure:
    """Why a release could not be loaded, and when that was found (monotonic)."""

    release: ActiveRelease
    options: ServingOptions
    code: str
    message: str
    failed_at: float


@dataclass(frozen=True)
class RegistryState:
    """What the registry holds at one moment.

    `unloaded` is the release that the next request loads, where the process had
    nothing to do and gave its memory back. `fetched_percent` is how much of a release
    is here that this host lacks, None while nothing is fetched.
    """

    serving: Serving | None
    is_loading: bool
    failure: LoadFailure | None
    plan: ExecutionPlan | None
    unloaded: ActiveRelease | None = None
    fetched_percent: int | None = None

    @property
    def followed(self) -> ActiveRelease | None:
        """The release that a request is answered with, now or once it is loaded."""
        return self.serving.release if self.serving else self.unloaded

    @property
    def failed_version(self) -> str:
        """The release that cannot be served, "" while that is none.

        One that is served all the same, only not with changed options, can be.
        """
        failure = self.failure
        if failure is None or failure.release == self.followed:
            return ""
        return failure.release.version
