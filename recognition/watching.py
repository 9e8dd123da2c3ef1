"""Following an identification while it goes on: how far it is, and having it end."""

from dataclasses import dataclass
from typing import Protocol

from recognition.exceptions import IdentificationStopped

# People so far are told no more often than this: it takes a query for each face.
PEOPLE_SO_FAR_SECONDS = 5.0


@dataclass(frozen=True)
class Progress:
    """How far it is: frames of a scene, images of a gallery.

    What is seen meanwhile has a class of its own that tells of the people so far.
    """

    frames_done: int
    frames_asked: int


class Watcher(Protocol):
    """Who follows an identification, and may end it."""

    def report(self, progress: Progress) -> None:
        """Hear how far it is."""

    def is_stop_asked(self) -> bool:
        """Say whether to leave; asked a few times a second."""

    def wants_people(self) -> bool:
        """Say whether people are to be told before the end."""


class Nobody:
    """A watcher that neither looks nor ends anything."""

    def report(self, progress: Progress) -> None:
        """Pass over it."""

    def is_stop_asked(self) -> bool:
        return False

    def wants_people(self) -> bool:
        return False


def check_stop(watcher: Watcher) -> None:
    """Raise IdentificationStopped if the watcher wants it to end."""
    if watcher.is_stop_asked():
        raise IdentificationStopped("The identification was stopped.")
