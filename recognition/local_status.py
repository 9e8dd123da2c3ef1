"""Which performers of the library are learnt, for those who look."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from dbupdates.store import active_release
from recognition import preferences
from recognition.library_status import latest_run
from recognition.models import LibraryRun, LocalFace, LocalPerformer


@dataclass(frozen=True)
class LocalStatus:
    """Counts of local performers; `face_count` is of the faces that are compared.

    `dormant_face_count` is of those that other networks saw than those of now.
    """

    is_enabled: bool
    performer_count: int
    learnt_count: int
    left_out_count: int
    face_count: int
    dormant_face_count: int
    last_run: LibraryRun | None


def local_status() -> LocalStatus:
    """Count what is learnt."""
    active = active_release()
    faces = LocalFace.objects.all()
    compared = faces.filter(network_set=active.network_set if active else "").count()
    counts = LocalPerformer.objects.aggregate(
        all=Count("pk"),
        learnt=Count("pk", filter=Q(state=LocalPerformer.State.LEARNT)),
        left_out=Count("pk", filter=Q(state=LocalPerformer.State.LEFT_OUT)),
    )
    return LocalStatus(
        is_enabled=preferences.is_local_performers_enabled(),
        performer_count=counts["all"],
        learnt_count=counts["learnt"],
        left_out_count=counts["left_out"],
        face_count=compared,
        dormant_face_count=faces.count() - compared,
        last_run=latest_run(LibraryRun.Kind.LOCAL),
    )


def local_performers() -> QuerySet[LocalPerformer]:
    """Return the performers by name, each with how many faces they have."""
    return LocalPerformer.objects.annotate(face_count=Count("faces"))
