"""What is kept of the library and how far a run is, for those who look."""

from dataclasses import dataclass

from django.db.models import QuerySet

from dbupdates.store import active_release
from recognition import enqueued_scenes
from recognition.attempts import BEGUN
from recognition.exceptions import FingerprintNotFound, LibraryRunNotFound
from recognition.library_runs import find_run_in_progress
from recognition.local_faces import current_revision
from recognition.models import (
    Fingerprint,
    FingerprintChange,
    FingerprintPerson,
    LibraryRun,
)
from recognition.numeric.packing import PackedFaces
from recognition.numeric.people import SeenFace

State = Fingerprint.State


@dataclass(frozen=True)
class LibraryStatus:
    """Counts of kept scenes and images; `run` is what identifies them now."""

    total_count: int
    complete_count: int
    pending_count: int
    failed_count: int
    parked_count: int
    version: str | None
    current_count: int
    outdated_count: int
    enqueued_count: int
    run: LibraryRun | None


@dataclass(frozen=True)
class KeptFingerprint:
    """What is kept of a scene or image, with its faces; people refer to those."""

    fingerprint: Fingerprint
    people: list[FingerprintPerson]
    faces: list[SeenFace]


def library_status() -> LibraryStatus:
    """Count what is kept. What needs a look at pictures, or at another release, is
    `outdated_count`."""
    rows = Fingerprint.objects.all()
    active = active_release()
    current_count = 0
    if active is not None:
        current = rows.complete().filter(network_set=active.network_set)
        revision = current_revision(active.network_set)
        current_count = current.matched_with(active.version, revision).count()
    seen_count = rows.exclude(state=State.FAILED).count()
    return LibraryStatus(
        total_count=rows.count(),
        complete_count=rows.complete().count(),
        pending_count=rows.filter(state=State.PENDING).count(),
        failed_count=rows.filter(state=State.FAILED).exclude(error=BEGUN).count(),
        parked_count=rows.parked().count(),
        version=active.version if active else None,
        current_count=current_count,
        outdated_count=seen_count - current_count,
        enqueued_count=enqueued_scenes.waiting_count(),
        run=find_run_in_progress(LibraryRun.Kind.IDENTIFY),
    )


def latest_run(kind: LibraryRun.Kind) -> LibraryRun | None:
    """Return the run of this kind that was asked for last."""
    return LibraryRun.objects.filter(kind=kind).first()


def runs(*, kind: LibraryRun.Kind | None = None) -> QuerySet[LibraryRun]:
    """Return the runs of this kind, or of all, the latest first."""
    rows = LibraryRun.objects.all()
    return rows.filter(kind=kind) if kind else rows


def get_run(run_id: int) -> LibraryRun:
    """Return the run of this id; raises LibraryRunNotFound."""
    # Longer ones are no ids, and SQLite takes none of them.
    run = LibraryRun.objects.filter(pk=run_id).first() if run_id < 2**63 else None
    if run is None:
        raise LibraryRunNotFound("There is no run of this id.")
    return run


def get_fingerprint(kind: str, stash_id: int) -> KeptFingerprint:
    """Return what is kept of it; raises FingerprintNotFound."""
    fingerprint = (
        Fingerprint.objects.filter(kind=kind, stash_id=stash_id)
        .exclude(state=State.FAILED)
        .select_related("packed")
        .first()
    )
    if fingerprint is None:
        raise FingerprintNotFound(f"Nothing is kept of {kind} {stash_id}.")
    faces = PackedFaces.from_bytes(bytes(fingerprint.packed.faces)).seen()
    return KeptFingerprint(fingerprint, [*fingerprint.people.all()], faces)


def parked() -> QuerySet[Fingerprint]:
    """Return what failed so often that it is left alone, the latest first."""
    return Fingerprint.objects.parked().order_by("-attempted_at", "pk")


def changes(*, to_version: str = "") -> QuerySet[FingerprintChange]:
    """Return whom other releases saw, the latest first."""
    rows = FingerprintChange.objects.select_related("fingerprint")
    return rows.filter(to_version=to_version) if to_version else rows
