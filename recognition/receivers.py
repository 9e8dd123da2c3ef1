"""What recognition does when releases change, and what it tells of its processes."""

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import psutil
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from dbupdates.signals import (
    ServingReport,
    release_activated,
    release_activating,
    release_preparing,
    serving_asked,
)
from recognition.preferences import LOCAL_PERFORMERS
from recognition.signals import correction_changed, fingerprint_changed
from stashsense.preferences.models import Preference

if TYPE_CHECKING:
    from dbupdates.store import ActiveRelease
    from recognition.models import Correction


@receiver(release_preparing)
def fetch_networks(
    network_set: str,
    network_files: Mapping[str, str],
    on_bytes: Callable[[int, int], None],
    note: Callable[[str], None],
    **_: Any,
) -> None:
    """Fetch the networks a release needs, where they are published and missing."""
    from recognition.model_downloads import install_networks
    from recognition.runtime.networks import PUBLISHED

    if network_set == PUBLISHED:
        install_networks(network_files, on_bytes=on_bytes, note=note)


@receiver(release_activating)
def require_networks(release: "ActiveRelease", **_: Any) -> None:
    """Refuse to activate a release whose networks are not installed."""
    # Every process loads this module; few need ONNX Runtime.
    from recognition.loading import network_set_of

    network_set_of(release).require_installed()


@receiver(release_activated)
def look_at_once(**_: Any) -> None:
    """Have this process follow without waiting for its next look."""
    from recognition import registry

    registry.look_at_once()


@receiver(release_activated)
def match_again(**_: Any) -> None:
    """Have what is kept matched with the release that is active now."""
    from recognition.library_runs import rematch_if_outdated

    rematch_if_outdated()


@receiver(fingerprint_changed)
def group_unknown_people(**_: Any) -> None:
    """Have the background put unknown people to those of their group, soon."""
    from recognition.tasks import ensure_grouping

    ensure_grouping()


@receiver(correction_changed)
def learn_whom_the_owner_named(correction: "Correction", **_: Any) -> None:
    """Have local performers be told by the people that the owner named after them."""
    from recognition.correction_learning import learn_or_forget

    learn_or_forget(correction)


@receiver(post_save, sender=Preference)
def erase_local_performers(instance: Preference, **_: Any) -> None:
    """Erase what was learnt, in the transaction that switches local performers off.

    A run that learns them ends, and nobody stays named after one of them.
    """
    from recognition import library_runs, local_faces
    from recognition.models import LibraryRun

    if instance.key != LOCAL_PERFORMERS or instance.value is True:
        return
    if run := library_runs.find_run_in_progress(LibraryRun.Kind.LOCAL):
        library_runs.stop_run(run)
    local_faces.erase_all()
    transaction.on_commit(library_runs.rematch_if_outdated)


@receiver(serving_asked)
def report_processes(**_: Any) -> list[ServingReport]:
    """Return what each live process last said of itself."""
    from recognition.models import ServingProcess

    own_host = socket.gethostname()
    return [
        ServingReport(
            host=row.host,
            pid=row.pid,
            version=row.release_version,
            failed_version=row.failed_version,
            problem=row.problem,
            available_memory_bytes=row.available_memory_bytes,
            has_unloaded_first=row.has_unloaded_first,
            is_unloaded=row.is_unloaded,
            is_fetching=row.fetched_percent is not None,
        )
        for row in ServingProcess.objects.live()
        # One that was killed had no time to take its row away.
        if row.host != own_host or psutil.pid_exists(row.pid)
    ]
