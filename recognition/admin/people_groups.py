"""Unknown people in the admin: who recurs, where, and what the owner decides."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html

from recognition import people_groups
from recognition.admin.library import ReadOnly
from recognition.api.unknown_serializers import crop_url, member_answer
from recognition.models import GroupDecision, PeopleGroup
from recognition.models.groups import RECURRENT_MEDIA
from recognition.people_groups import Naming
from stashsense.exceptions import StashSenseError

if TYPE_CHECKING:
    _GroupAdmin = admin.ModelAdmin[PeopleGroup]
    _DecisionInline = admin.TabularInline[GroupDecision, PeopleGroup]
else:
    _GroupAdmin = admin.ModelAdmin
    _DecisionInline = admin.TabularInline

LIST = "admin:recognition_peoplegroup_changelist"
DETAIL = "admin:recognition_peoplegroup_change"
# Each is a picture that Stash is asked for.
MAX_SHOWN_MEMBERS = 100


class NameForm(forms.Form):
    """Who somebody is."""

    name = forms.CharField(required=False, max_length=255)
    universal_id = forms.CharField(required=False, max_length=128)
    local_performer_id = forms.IntegerField(required=False, min_value=1)


class SplitForm(forms.Form):
    """Who is somebody else."""

    member_ids = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, group: PeopleGroup, data: Any) -> None:
        super().__init__(data)
        ids = group.members.values_list("pk", flat=True)
        field: Any = self.fields["member_ids"]
        field.choices = [(each, each) for each in ids]


class ShownFilter(admin.SimpleListFilter):
    """Who recurs, unless something else is asked for."""

    title = "shown"
    parameter_name = "shown"

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        return [
            ("single", "In one scene alone"),
            ("named", "Named"),
            ("ignored", "Ignored"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is chosen."""
        if self.value() in (PeopleGroup.State.NAMED, PeopleGroup.State.IGNORED):
            return queryset.filter(state=self.value())
        rows = queryset.filter(state=PeopleGroup.State.OPEN)
        if self.value() == "single":
            return rows.filter(media_count__gte=1, media_count__lt=RECURRENT_MEDIA)
        return rows.filter(media_count__gte=RECURRENT_MEDIA)


class DecisionInline(ReadOnly, _DecisionInline):
    model = GroupDecision
    fk_name = "group"
    verbose_name_plural = "decisions"
    fields = ("kind", "other", "made_by", "made_at", "undone_by", "undone_at")
    readonly_fields = fields


@admin.register(PeopleGroup)
class PeopleGroupAdmin(ReadOnly, _GroupAdmin):
    change_list_template = "admin/recognition/peoplegroup/change_list.html"
    change_form_template = "admin/recognition/peoplegroup/change_form.html"
    list_display = ("picture", "__str__", "state", "seen_in", "people")
    list_filter = (ShownFilter,)
    list_per_page = 25
    search_fields = ("name", "universal_id")
    inlines = (DecisionInline,)
    actions = ("merge_action", "ignore_action", "undo_action")
    fields = (("state", "name"), ("universal_id", "local_performer_id"), "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeopleGroup]:
        """Return the rows with their counts."""
        return PeopleGroup.objects.counted()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Return the order of `counted`."""
        return ["-media_count", "-member_count", "pk"]

    @admin.display(description="")
    def picture(self, group: PeopleGroup) -> str:
        return format_html(
            '<img src="{}" alt="" width="96" loading="lazy">', crop_url(group.pk)
        )

    @admin.display(description="scenes and images", ordering="media_count")
    def seen_in(self, group: Any) -> int:
        count: int = group.media_count
        return count

    @admin.display(description="times seen", ordering="member_count")
    def people(self, group: Any) -> int:
        count: int = group.member_count
        return count

    def get_urls(self) -> list[URLPattern]:
        """Return Django's routes and those behind the buttons."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "regroup/", wrap(self.regroup_view), name="recognition_unknown_regroup"
            ),
            path(
                "<int:pk>/<slug:verb>/do/",
                wrap(self.do_view),
                name="recognition_unknown_do",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the groups, with what can be done about all."""
        context = {
            "can_operate": self.has_operate_permission(request),
            "waiting_count": people_groups.waiting_count(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the group's people and what can be decided about them."""
        group: Any = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if group is not None:
            members = people_groups.members_of(group)[:MAX_SHOWN_MEMBERS]
            context = {
                "group": group,
                "members": [member_answer(member) for member in members],
                "more_count": max(0, group.member_count - MAX_SHOWN_MEMBERS),
                "can_operate": self.has_operate_permission(request),
                "can_undo": people_groups.can_undo(group.pk),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def regroup_view(self, request: HttpRequest) -> HttpResponse:
        """Have all unknown people grouped anew."""
        user = self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        people_groups.ask_for_regrouping()
        # About all rows, so that there is none whose history would have it.
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(PeopleGroup),
            object_repr="all unknown people",
            action_flag=CHANGE,
            change_message="To be grouped anew.",
        )
        messages.success(request, "The background groups all unknown people anew.")
        return redirect(LIST)

    def do_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Decide something about one group."""
        self.operator(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        shown = PeopleGroup.objects.filter(pk=pk).first()
        with _telling(request):
            shown = self._decide(request, pk, verb)
        return redirect(LIST) if shown is None else redirect(DETAIL, shown.pk)

    def _decide(self, request: HttpRequest, pk: int, verb: str) -> PeopleGroup | None:
        """Do what the button says; return the group to be shown after it."""
        by = request.user.get_username()
        match verb:
            case "ignore":
                people_groups.ignore_group(pk, by=by)
                return None
            case "undo":
                people_groups.undo(pk, by=by)
                return PeopleGroup.objects.filter(pk=pk).first()
            case "name":
                form: forms.Form = NameForm(request.POST)
                if form.is_valid():
                    return people_groups.name_group(
                        pk, Naming(**form.cleaned_data), by=by
                    )
            case "split":
                group = people_groups.get_group(pk)
                form = SplitForm(group, request.POST)
                if form.is_valid():
                    chosen = form.cleaned_data["member_ids"]
                    return people_groups.split_group(pk, chosen, by=by)
        messages.error(request, "That is not filled in rightly: nothing was decided.")
        return PeopleGroup.objects.filter(pk=pk).first()

    @admin.action(
        description="These are one person: merge them", permissions=["operate"]
    )
    def merge_action(self, request: HttpRequest, rows: QuerySet[PeopleGroup]) -> None:
        """Have the chosen groups go into the largest of them."""
        first, *others = [group.pk for group in rows]
        with _telling(request):
            people_groups.merge_groups(first, others, by=request.user.get_username())

    @admin.action(description="Ignore", permissions=["operate"])
    def ignore_action(self, request: HttpRequest, rows: QuerySet[PeopleGroup]) -> None:
        """List the chosen groups no more."""
        for group in rows:
            with _telling(request):
                people_groups.ignore_group(group.pk, by=request.user.get_username())

    @admin.action(description="Undo what was decided last", permissions=["operate"])
    def undo_action(self, request: HttpRequest, rows: QuerySet[PeopleGroup]) -> None:
        """Take back the last decision about each of the chosen groups."""
        for group in rows:
            with _telling(request):
                people_groups.undo(group.pk, by=request.user.get_username())


@contextmanager
def _telling(request: HttpRequest) -> Iterator[None]:
    """Tell the person why something was not done; it ends there."""
    try:
        yield
    except StashSenseError as error:
        messages.error(request, str(error))
