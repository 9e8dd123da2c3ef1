"""Performers of the library that no release knows, in the admin."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from recognition import local_faces
from recognition.admin.library import ReadOnly
from recognition.models import LibraryRun, LocalPerformer

if TYPE_CHECKING:
    _PerformerAdmin = admin.ModelAdmin[LocalPerformer]
else:
    _PerformerAdmin = admin.ModelAdmin


@admin.register(LocalPerformer)
class LocalPerformerAdmin(ReadOnly, _PerformerAdmin):
    # The one of runs has the button that begins one.
    change_list_template = "admin/recognition/libraryrun/change_list.html"
    list_display = ("name", "stash_id", "state", "face_count", "synced_at")
    list_filter = ("state",)
    search_fields = ("name", "=stash_id")
    actions = ("learn_again_action", "forget_action")
    fields = (("name", "stash_id"), ("state", "face_count"), "synced_at", "learnt_from")
    readonly_fields = ("face_count",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LocalPerformer]:
        """Return the rows with how many faces each has."""
        rows = super().get_queryset(request)
        return rows.annotate(counted_faces=Count("faces"))

    @admin.display(description="faces", ordering="counted_faces")
    def face_count(self, performer: Any) -> int:
        return int(performer.counted_faces)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List the performers, with the button that has them learnt."""
        context = {
            "can_operate": self.has_operate_permission(request),
            "kinds": [(LibraryRun.Kind.LOCAL, "Learn local performers")],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.action(
        description="Learn anew in the next run (also who is left out)",
        permissions=["operate"],
    )
    def learn_again_action(
        self, request: HttpRequest, rows: QuerySet[LocalPerformer]
    ) -> None:
        """Have the chosen performers' pictures looked at again."""
        performers = [*rows]
        for performer in performers:
            local_faces.learn_again(performer.stash_id)
            self.log_change(request, performer, "To be learnt anew.")
        messages.success(
            request, f"The next run looks at {len(performers)} performers again."
        )

    @admin.action(
        description="Forget: erase their faces and learn them no more",
        permissions=["operate"],
    )
    def forget_action(
        self, request: HttpRequest, rows: QuerySet[LocalPerformer]
    ) -> None:
        """Erase the chosen performers' faces."""
        performers = [*rows]
        for performer in performers:
            local_faces.leave_out(performer.stash_id)
            self.log_change(request, performer, "Forgotten.")
        messages.success(request, f"The faces of {len(performers)} were erased.")
