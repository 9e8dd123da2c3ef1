"""What other apps are told about releases. Receivers live in those apps.

`release_preparing(network_set, network_files, on_bytes, note)` is sent by a run that is
going to activate a release, before anything large is fetched where its networks are
known by then, and again before the row flips: a receiver gets the networks that are
missing, tells how far it is by `on_bytes(done, total)` and what it does by
`note(text)`, both of which may raise to end it, and fails the run by raising.
`release_activating(release)` is sent before the row flips: a receiver refuses the
release by raising, and nothing changes then.
`release_activated(release)` is sent in the activating process once the new row is
committed; other processes find out by watching the active row.
`serving_asked()` asks which processes serve what: a receiver answers with a list of
`ServingReport`, one for each live process it knows of.
"""

from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal

release_preparing = Signal()
release_activating = Signal()
release_activated = Signal()
serving_asked = Signal()


@dataclass(frozen=True)
class ServingReport:
    """What a live process last said of itself.

    `version` is the release it serves, "" for none. `failed_version` is the release
    whose load failed last, with the reason in `problem`; both are "" once it serves
    the active one. `available_memory_bytes` is what its host or container can still
    give, before it loads anything; processes of one `host` share it. `is_unloaded`:
    it holds nothing for want of work, and loads `version` when it is next asked.
    `is_fetching`: its host lacks the files of the active release, and gets them.
    """

    host: str
    pid: int
    version: str
    failed_version: str
    problem: str
    available_memory_bytes: int
    has_unloaded_first: bool
    is_unloaded: bool = False
    is_fetching: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


def serving_reports() -> list[ServingReport]:
    """Return what every live serving process last said, by host and process id."""
    answers: list[tuple[Any, Any]] = serving_asked.send(sender=ServingReport)
    reports: list[ServingReport] = [each for _, answer in answers for each in answer]
    return sorted(reports, key=lambda report: (report.host, report.pid))
