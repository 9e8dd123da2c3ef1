"""How good names are on this library: its page in the admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from recognition import (
    calibrations,
    evaluation_report,
    evaluation_texts,
    evaluations,
    library_runs,
)
from recognition.admin.evaluation_page import page_of
from recognition.admin.library import REFRESH_SECONDS, ReadOnly
from recognition.evaluations import EvaluationOptions, Kind
from recognition.library_runs import LibraryAsker
from recognition.models import (
    Evaluation,
    LibraryRun,
    ReviewedName,
    StoredCalibration,
)
from recognition.numeric.people import MatchingMode
from stashsense.exceptions import StashSenseError

if TYPE_CHECKING:
    _EvaluationAdmin = admin.ModelAdmin[Evaluation]
    _CalibrationAdmin = admin.ModelAdmin[StoredCalibration]
else:
    _EvaluationAdmin = _CalibrationAdmin = admin.ModelAdmin

LIST = "admin:recognition_evaluation_changelist"
PAGE = "admin:recognition_evaluation_change"
DISAGREEMENTS_PER_PAGE = 12
MODES = [(mode.value, mode.value) for mode in MatchingMode]


class StartForm(forms.Form):
    sample = forms.IntegerField(
        min_value=1,
        max_value=evaluations.MAX_SAMPLE_SIZE,
        initial=evaluations.DEFAULT_SAMPLE_SIZE,
        label="Of each kind, at most",
    )
    kinds = forms.MultipleChoiceField(
        choices=Kind.choices,
        initial=Kind.values,
        widget=forms.CheckboxSelectMultiple,
    )
    decode_missing = forms.BooleanField(
        required=False, label="Look at what nothing is kept of (takes long)"
    )


class AdoptForm(forms.Form):
    mode = forms.ChoiceField(choices=MODES, widget=forms.HiddenInput)
    wrong_names = forms.IntegerField(
        min_value=0, max_value=1000, initial=1, label="At most"
    )
    per_scenes = forms.IntegerField(
        min_value=1, max_value=1_000_000, initial=20, label="wrong names in"
    )


class ReviewForm(forms.Form):
    kind = forms.ChoiceField(choices=Kind.choices)
    stash_id = forms.IntegerField(min_value=1)
    universal_id = forms.CharField(max_length=128)
    verdict = forms.ChoiceField(choices=ReviewedName.Verdict.choices, required=False)


class ModeForm(forms.Form):
    mode = forms.ChoiceField(choices=MODES)


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnly, _EvaluationAdmin):
    change_list_template = "admin/recognition/evaluation/change_list.html"
    change_form_template = "admin/recognition/evaluation/change_form.html"
    list_display = ("created_at", "state", "how_far", "release_version", "error")
    list_select_related = ("run",)

    @admin.display(description="state")
    def state(self, evaluation: Evaluation) -> str:
        return evaluation.run.state

    @admin.display(description="done")
    def how_far(self, evaluation: Evaluation) -> str:
        return f"{evaluation.run.done_count} of {evaluation.run.total_count}"

    @admin.display(description="error")
    def error(self, evaluation: Evaluation) -> str:
        return evaluation.run.error

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        name = "recognition_evaluation"
        return [
            path("begin/", wrap(self.begin_view), name=f"{name}_begin"),
            path("<int:pk>/stop/", wrap(self.stop_view), name=f"{name}_stop"),
            path("<int:pk>/adopt/", wrap(self.adopt_view), name=f"{name}_adopt"),
            path("<int:pk>/shipped/", wrap(self.shipped_view), name=f"{name}_shipped"),
            path("<int:pk>/review/", wrap(self.review_view), name=f"{name}_review"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the evaluations, with a form to begin one."""
        context = {
            "title": "How good is it on my library?",
            "can_operate": self.has_operate_permission(request),
            "start_form": StartForm(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the report, anew every few seconds while the evaluation goes on."""
        evaluation = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if evaluation is not None:
            context = self._report_context(request, evaluation)
        response = super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        if evaluation is not None and evaluation.run.is_in_progress:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def begin_view(self, request: HttpRequest) -> HttpResponse:
        """Begin an evaluation."""
        user = self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = StartForm(request.POST)
        if not form.is_valid():
            messages.error(request, _problems(form))
            return redirect(LIST)
        asked = form.cleaned_data
        options = EvaluationOptions(
            sample_size=asked["sample"],
            kinds=tuple(kind for kind in Kind if kind.value in asked["kinds"]),
            may_decode=asked["decode_missing"],
        )
        asker = LibraryAsker(LibraryRun.Asker.ADMIN, user)
        try:
            evaluation = evaluations.evaluate_library(options, asker=asker)
        except StashSenseError as error:
            messages.error(request, str(error))
            return redirect(LIST)
        self.log_change(request, evaluation, "Asked for.")
        return redirect(PAGE, evaluation.pk)

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the evaluation; the next one goes on from there."""
        self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        evaluation = get_object_or_404(Evaluation, pk=pk)
        library_runs.stop_run(evaluation.run)
        self.log_change(request, evaluation, "Stopped.")
        return redirect(PAGE, pk)

    def adopt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Adopt the fitted calibration and the threshold that was asked for."""
        user = self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        evaluation = get_object_or_404(Evaluation, pk=pk)
        form = AdoptForm(request.POST)
        if not form.is_valid():
            messages.error(request, _problems(form))
            return redirect(PAGE, pk)
        asked = form.cleaned_data
        try:
            adopted = evaluation_report.adopt_threshold(
                evaluation,
                MatchingMode(asked["mode"]),
                wrong_names=asked["wrong_names"],
                per_scenes=asked["per_scenes"],
                by=user,
            )
        except StashSenseError as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, evaluation, f"Adopted the {adopted.row}.")
            text = evaluation_texts.choice_text(adopted.choice)
            messages.success(request, f"Adopted. {text}")
        return _page(pk, asked["mode"])

    def shipped_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the shipped calibration of a mode decide again."""
        user = self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        evaluation = get_object_or_404(Evaluation, pk=pk)
        form = ModeForm(request.POST)
        if not form.is_valid():
            messages.error(request, _problems(form))
            return redirect(PAGE, pk)
        mode = MatchingMode(form.cleaned_data["mode"])
        calibrations.go_back_to_shipped(mode, by=user)
        self.log_change(request, evaluation, f"Went back to shipped for {mode}.")
        messages.success(request, "The shipped calibration is in force again.")
        return _page(pk, mode.value)

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep what was said of a name."""
        user = self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = ReviewForm(request.POST)
        if not form.is_valid():
            messages.error(request, _problems(form))
            return redirect(PAGE, pk)
        said = form.cleaned_data
        evaluation = get_object_or_404(Evaluation, pk=pk)
        evaluations.review_name(
            Kind(said["kind"]),
            said["stash_id"],
            said["universal_id"],
            verdict=ReviewedName.Verdict(said["verdict"]) if said["verdict"] else None,
            by=user,
        )
        # The row tells of its last change alone, and of none when it is taken back.
        self.log_change(
            request,
            evaluation,
            f"Said of {said['universal_id']} in {said['kind']} {said['stash_id']}: "
            f"{said['verdict'] or 'nothing any more'}.",
        )
        return _page(pk, request.GET.get("mode", ""), anchor="disagreements")

    def _report_context(
        self, request: HttpRequest, evaluation: Evaluation
    ) -> dict[str, Any]:
        report = evaluation_report.report_of(evaluation)
        found = evaluation_report.disagreements(evaluation)
        paginator = Paginator(found, DISAGREEMENTS_PER_PAGE)
        page = page_of(report, wanted_mode=request.GET.get("mode", ""))
        mode = page.shown.report.mode.value if page.shown else ""
        return {
            "title": "How good is it on my library?",
            "subtitle": None,
            "run": evaluation.run,
            "report": report,
            "page": page,
            "texts": evaluation_texts,
            "verdicts": ReviewedName.Verdict.choices,
            "disagreements": paginator.get_page(request.GET.get("page")),
            "adopt_form": AdoptForm(initial={"mode": mode}),
            "can_operate": self.has_operate_permission(request),
        }


@admin.register(StoredCalibration)
class StoredCalibrationAdmin(ReadOnly, _CalibrationAdmin):
    list_display = (
        *("adopted_at", "mode", "origin", "is_active", "known_score"),
        *("sample_size", "network_set", "adopted_by"),
    )
    list_filter = ("mode", "origin", "is_active")
    list_select_related = ("adopted_by",)


def _page(pk: int, mode: str, *, anchor: str = "") -> HttpResponse:
    query = f"?{urlencode({'mode': mode})}" if mode else ""
    return redirect(reverse(PAGE, args=[pk]) + query + (anchor and f"#{anchor}"))


def _problems(form: forms.Form) -> str:
    return " ".join(
        f"{name}: {problem}"
        for name, problems in form.errors.items()
        for problem in problems
    )
