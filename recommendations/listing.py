"""Reading recommendations in quantity: pages of them, and how many there are."""

from dataclasses import dataclass

from django.db.models import Count

from recommendations.models import Recommendation
from recommendations.models.found import RecommendationQuerySet

Status = Recommendation.Status


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which recommendations are asked for; an empty text asks for all."""

    status: str = ""
    type: str = ""
    target_type: str = ""


@dataclass(frozen=True)
class Page:
    """Some of the recommendations, the newest first, and how many there are in all."""

    rows: list[Recommendation]
    total_count: int


@dataclass(frozen=True)
class Counts:
    """How many there are of each type in each status, and how many wait in all."""

    by_type: dict[str, dict[str, int]]
    pending_count: int


def list_recommendations(wanted: Wanted, *, limit: int, offset: int) -> Page:
    """Return a page of what is wanted."""
    rows = _rows(wanted)
    # Two questions: the first finds its place in an index, past the contents of the
    # rows before it, which are large.
    place = rows.order_by("-pk").values_list("pk", flat=True)
    ids = [*place[offset : offset + limit]]
    found = Recommendation.objects.in_bulk(ids)
    return Page([found[id] for id in ids if id in found], rows.count())


def count_recommendations() -> Counts:
    """Return how many there are, by type and status."""
    by_type: dict[str, dict[str, int]] = {}
    found = Recommendation.objects.order_by().values_list("type", "status")
    for type, status, count in found.annotate(count=Count("*")):
        by_type.setdefault(type, {})[status] = count
    pending = sum(counts.get(Status.PENDING, 0) for counts in by_type.values())
    return Counts(by_type, pending)


def _rows(wanted: Wanted) -> RecommendationQuerySet:
    rows = Recommendation.objects.all()
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.target_type:
        rows = rows.filter(target_type=wanted.target_type)
    return rows
