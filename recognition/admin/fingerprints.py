"""What is kept of the library in the admin, and what its owner says of the people."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path

from recognition import attempts, corrections
from recognition.admin.library import ReadOnly
from recognition.exceptions import InvalidCorrection
from recognition.models import (
    Correction,
    Fingerprint,
    FingerprintChange,
    FingerprintPerson,
)
from recognition.numeric.corrections import Verdict
from stashsense.exceptions import StashSenseError

if TYPE_CHECKING:
    _FingerprintAdmin = admin.ModelAdmin[Fingerprint]
    _CorrectionAdmin = admin.ModelAdmin[Correction]
    _PersonInline = admin.TabularInline[FingerprintPerson, Fingerprint]
    _ChangeInline = admin.TabularInline[FingerprintChange, Fingerprint]
else:
    _FingerprintAdmin = _CorrectionAdmin = admin.ModelAdmin
    _PersonInline = _ChangeInline = admin.TabularInline

PAGE = "admin:recognition_fingerprint_change"


class PersonInline(ReadOnly, _PersonInline):
    model = FingerprintPerson
    verbose_name_plural = "people"
    fields = (
        *("number", "decision", "name", "universal_id"),
        *("frame_count", "distance", "confidence"),
    )
    readonly_fields = fields


class ChangeInline(ReadOnly, _ChangeInline):
    model = FingerprintChange
    verbose_name_plural = "changes by releases"
    fields = ("changed_at", "from_version", "to_version", "gained", "lost")
    readonly_fields = fields


class ParkedFilter(admin.SimpleListFilter):
    """What failed so often that it is left alone, or the rest."""

    title = "parked"
    parameter_name = "parked"

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is chosen."""
        parked = Fingerprint.objects.parked().values("pk")
        match self.value():
            case "yes":
                return queryset.filter(pk__in=parked)
            case "no":
                return queryset.exclude(pk__in=parked)
        return queryset


@admin.register(Fingerprint)
class FingerprintAdmin(ReadOnly, _FingerprintAdmin):
    change_form_template = "admin/recognition/fingerprint/change_form.html"
    list_display = (
        "kind",
        "stash_id",
        "state",
        "who",
        "face_count",
        "release_version",
        "seen_at",
        "attempt_count",
        "error",
    )
    list_filter = (ParkedFilter, "state", "kind", "release_version")
    search_fields = ("=stash_id", "people__name", "people__universal_id")
    actions = ("look_again_action",)
    inlines = (PersonInline, ChangeInline)
    fields = (
        ("kind", "stash_id", "state"),
        ("release_version", "network_set", "matched_at"),
        ("seen_at", "source", "duration_seconds", "width", "height"),
        ("frames_requested", "frames_analyzed", "face_count", "is_match_due"),
        ("attempt_count", "attempted_at", "error"),
        "options",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fingerprint]:
        """Return the rows with their people."""
        named = FingerprintPerson.objects.exclude(universal_id="")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("people", queryset=named, to_attr="named"))
        )

    @admin.display(description="people")
    def who(self, fingerprint: Any) -> str:
        return ", ".join(person.name for person in fingerprint.named) or "-"

    @admin.action(
        description="Look at again in the next run (also what is parked)",
        permissions=["operate"],
    )
    def look_again_action(
        self, request: HttpRequest, rows: QuerySet[Fingerprint]
    ) -> None:
        """Have the chosen scenes looked at again, and say so in Django's log."""
        scenes = [*rows.filter(kind=Fingerprint.Kind.SCENE)]
        marked = attempts.mark_for_refresh([scene.stash_id for scene in scenes])
        for scene in scenes:
            self.log_change(request, scene, "To be looked at again.")
        messages.success(request, f"The next run looks at {marked} scenes again.")

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/correct/<int:person_pk>/",
                wrap(self.correct_view),
                name="recognition_correct",
            ),
            path(
                "<int:pk>/undo/<int:correction_pk>/",
                wrap(self.undo_view),
                name="recognition_undo",
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
        """Show what is kept, with what the owner may say and has said of it."""
        fingerprint = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if fingerprint is not None:
            context = {
                "fingerprint": fingerprint,
                "people": fingerprint.people.all(),
                "corrections": corrections.history(
                    kind=fingerprint.kind, stash_id=fingerprint.stash_id
                ),
                "can_operate": self.has_operate_permission(request),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def correct_view(
        self, request: HttpRequest, pk: int, person_pk: int
    ) -> HttpResponse:
        """Say of the person what the button says."""
        by = self.operator(request).get_username()
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        # People are made anew by every match: the page may show former ones.
        person = FingerprintPerson.objects.filter(pk=person_pk, fingerprint=pk).first()
        if person is None:
            messages.error(request, "The people have been made anew; look again.")
            return redirect(PAGE, pk)
        try:
            made = _correct(person, request, by=by)
        except StashSenseError as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, person.fingerprint, f"Corrected: {made}.")
            messages.success(request, f"Noted: {made}.")
        return redirect(PAGE, pk)

    def undo_view(
        self, request: HttpRequest, pk: int, correction_pk: int
    ) -> HttpResponse:
        """Undo a correction of the fingerprint."""
        by = self.operator(request).get_username()
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        fingerprint = get_object_or_404(Fingerprint, pk=pk)
        correction = get_object_or_404(
            Correction,
            pk=correction_pk,
            kind=fingerprint.kind,
            stash_id=fingerprint.stash_id,
        )
        _undo(self, request, correction, by=by)
        return redirect(PAGE, pk)


@admin.register(Correction)
class CorrectionAdmin(ReadOnly, _CorrectionAdmin):
    list_display = (
        *("made_at", "made_by", "kind", "stash_id", "verdict", "name"),
        *("universal_id", "undone_at", "undone_by", "superseded_by"),
    )
    list_filter = ("verdict", "kind", ("undone_at", admin.EmptyFieldListFilter))
    search_fields = ("=stash_id", "name", "universal_id", "made_by")
    actions = ("undo_action",)
    fields = (
        ("kind", "stash_id"),
        ("verdict", "name", "universal_id", "local_performer_id", "other_ids"),
        ("made_by", "made_at"),
        ("undone_by", "undone_at", "superseded_by"),
    )

    @admin.action(description="Undo", permissions=["operate"])
    def undo_action(self, request: HttpRequest, rows: QuerySet[Correction]) -> None:
        """Undo the chosen ones that hold, the latest first."""
        by = self.operator(request).get_username()
        for correction in rows.order_by("-pk"):
            _undo(self, request, correction, by=by)


def _correct(person: FingerprintPerson, request: HttpRequest, *, by: str) -> Correction:
    universal_id = request.POST.get("universal_id", "").strip()
    local_id = request.POST.get("local_performer_id", "").strip()
    verdict = request.POST.get("verdict", "")
    match verdict:
        case Verdict.REJECT:
            return corrections.reject(person, universal_id, by=by)
        case Verdict.IGNORE:
            return corrections.ignore(person, by=by)
        case Verdict.NAME:
            is_id = local_id.isascii() and local_id.isdecimal()
            return corrections.name(
                person,
                universal_id=universal_id or None,
                local_performer_id=int(local_id) if is_id else None,
                by=by,
            )
    raise InvalidCorrection(f"{verdict[:20]!r} is no verdict.")


def _undo(
    model_admin: Any, request: HttpRequest, correction: Correction, *, by: str
) -> None:
    try:
        corrections.undo(correction, by=by)
    except StashSenseError as error:
        messages.error(request, str(error))
    else:
        model_admin.log_change(request, correction, "Undone.")
        messages.success(request, f"Undone: {correction}.")
