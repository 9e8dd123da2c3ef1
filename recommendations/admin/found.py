"""Recommendations in the admin: what was found, laid out, and letting it be."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from recommendations import decisions
from recommendations.admin.details import laid_out
from recommendations.admin.policy import ReadOnly, decider
from recommendations.admin.type_names import AnalysisTypeFilter, type_name
from recommendations.models import Dismissal, Recommendation
from stashsense.exceptions import StashSenseError
from stashsense.integrations.stash_address import parse_stash_url
from stashsense.integrations.stash_errors import StashNotConfigured
from stashsense.integrations.stash_types import endpoint_domain

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Recommendation]
else:
    _ModelAdmin = admin.ModelAdmin

PAGE = "admin:recommendations_recommendation_change"
MAX_REASON_CHARACTERS = 2000


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnly, _ModelAdmin):
    change_form_template = "admin/recommendations/recommendation/change_form.html"
    list_display = (
        *("id", "kind", "status", "about", "stash_box"),
        *("percent", "updated_at", "resolution_action"),
    )
    list_filter = ("status", AnalysisTypeFilter, "target_type")
    search_fields = ("=target_id", "endpoint")
    search_help_text = "An id of Stash, exactly, or part of a stash-box's address."
    actions = ("dismiss_action", "dismiss_for_good_action", "restore_action")
    # Counting them all again beside what was searched for takes as long as searching.
    show_full_result_count = False
    fields = (
        ("type", "status", "target_type", "target_id"),
        ("endpoint", "confidence"),
        ("created_at", "updated_at"),
        ("resolution_action", "resolved_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recommendation]:
        """Return the rows; a list goes without their contents."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == self._list_name:
            return rows.defer("details", "resolution_details")
        return rows

    @property
    def _list_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_changelist"

    @admin.display(description="type", ordering="type")
    def kind(self, row: Recommendation) -> str:
        return type_name(row.type)

    @admin.display(description="about")
    def about(self, row: Recommendation) -> str:
        return f"{row.target_type} {row.target_id}"

    @admin.display(description="stash-box", ordering="endpoint")
    def stash_box(self, row: Recommendation) -> str:
        return endpoint_domain(row.endpoint) if row.endpoint else "-"

    @admin.display(description="confidence", ordering="confidence")
    def percent(self, row: Recommendation) -> str:
        return "-" if row.confidence is None else f"{row.confidence:.0%}"

    @admin.action(description="Dismiss", permissions=["decide"])
    def dismiss_action(
        self, request: HttpRequest, rows: QuerySet[Recommendation]
    ) -> None:
        """Dismiss the chosen ones."""
        self._dismiss_all(request, rows, is_permanent=False)

    @admin.action(description="Dismiss for good", permissions=["decide"])
    def dismiss_for_good_action(
        self, request: HttpRequest, rows: QuerySet[Recommendation]
    ) -> None:
        """Dismiss the chosen ones, whatever changes later."""
        self._dismiss_all(request, rows, is_permanent=True)

    @admin.action(description="Take their dismissal back", permissions=["decide"])
    def restore_action(
        self, request: HttpRequest, rows: QuerySet[Recommendation]
    ) -> None:
        """Have the dismissed ones of those chosen wait for a decision again."""
        decider(request)
        dismissed = [*rows.filter(status=Recommendation.Status.DISMISSED)]
        for row in dismissed:
            self._try(
                request, row, "Taken back.", lambda row=row: decisions.restore(row)
            )
        messages.success(request, f"{len(dismissed)} wait for a decision again.")

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/dismiss/",
                wrap(self.dismiss_view),
                name="recommendations_dismiss",
            ),
            path(
                "<int:pk>/restore/",
                wrap(self.restore_view),
                name="recommendations_restore",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what was found, with what may be decided of it."""
        row = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if row is not None:
            context = {
                "recommendation": row,
                "type_name": type_name(row.type),
                "laid_out": laid_out(row.details),
                "outcome": laid_out(row.resolution_details),
                "dismissal": _dismissal_of(row),
                "is_pending": row.status == Recommendation.Status.PENDING,
                "is_dismissed": row.status == Recommendation.Status.DISMISSED,
                "action_records": row.actions.all(),
                "stash_links": _stash_links(row),
                "can_decide": self.has_decide_permission(request),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def dismiss_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Dismiss it, for good where that button was pressed."""
        person = decider(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(Recommendation, pk=pk)
        is_permanent = request.POST.get("for_good") == "yes"
        reason = request.POST.get("reason", "").replace("\0", "").strip()
        self._try(
            request,
            row,
            "Dismissed for good." if is_permanent else "Dismissed.",
            lambda: decisions.dismiss(
                row,
                person=person,
                reason=reason[:MAX_REASON_CHARACTERS],
                is_permanent=is_permanent,
            ),
        )
        return redirect(PAGE, pk)

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take its dismissal back."""
        decider(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(Recommendation, pk=pk)
        self._try(request, row, "Taken back.", lambda: decisions.restore(row))
        return redirect(PAGE, pk)

    def _dismiss_all(
        self,
        request: HttpRequest,
        rows: QuerySet[Recommendation],
        *,
        is_permanent: bool,
    ) -> None:
        count = decisions.dismiss_rows(
            rows, person=decider(request), is_permanent=is_permanent
        )
        messages.success(request, f"Dismissed {count}; others were decided before.")

    def _try(
        self, request: HttpRequest, row: Recommendation, said: str, do: Any
    ) -> None:
        try:
            do()
        except StashSenseError as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, row, said)


def _dismissal_of(row: Recommendation) -> Dismissal | None:
    return Dismissal.objects.filter(
        type=row.type,
        target_type=row.target_type,
        target_id=row.target_id,
        endpoint=row.endpoint,
    ).first()


def _stash_links(row: Recommendation) -> list[tuple[str, str]]:
    """Return what it is about, and where Stash shows that; none without a Stash."""
    try:
        root = parse_stash_url(settings.STASH_URL).root
    except StashNotConfigured:
        return []
    ids = row.target_id.partition("|")[0].split(":")
    return [
        (f"{row.target_type} {each}", f"{root}/{row.target_type}s/{each}")
        for each in ids
        if each.isdecimal()
        and row.target_type in ("performer", "scene", "studio", "tag")
    ]
