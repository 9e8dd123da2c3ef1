"""People of the library whom nobody has named, the same ones of many media together.

`recognition.people_grouping` writes groups and members, `recognition.people_groups`
what the owner decides about them.
"""

from typing import Any, ClassVar

import numpy as np
from django.db import models
from django.db.models import Count, Q
from numpy.typing import NDArray

from recognition.models.corrections import Correction
from recognition.models.fingerprints import Fingerprint, FingerprintPerson
from recognition.numeric.people import Decision

# Who is uncertain has no name either, and is shown as what they are.
GROUPABLE = (Decision.UNKNOWN.value, Decision.UNCERTAIN.value)
# In how many media somebody is who is worth a name.
RECURRENT_MEDIA = 2

_IS_PRESENT = Q(members__person__decision__in=GROUPABLE)


class PeopleGroupQuerySet(models.QuerySet["PeopleGroup"]):
    def counted(self, *, min_media: int = 0) -> "PeopleGroupQuerySet":
        """Return them with `media_count` and `member_count`, those in most media first.

        Counted are the people who are still without a name.
        """
        return (
            self.annotate(
                media_count=Count(
                    "members__fingerprint", filter=_IS_PRESENT, distinct=True
                ),
                member_count=Count("members", filter=_IS_PRESENT),
            )
            .filter(media_count__gte=min_media)
            .order_by("-media_count", "-member_count", "pk")
        )

    def listed(self, *, state: str, min_media: int) -> "PeopleGroupQuerySet":
        """Return the counted groups of a state; open ones with so many media at least.

        What was decided is listed though everybody in it has a name by now.
        """
        is_open = state == PeopleGroup.State.OPEN
        rows = self.filter(state=state, mean_count__gt=0)
        return rows.counted(min_media=min_media if is_open else 0)

    def abandoned(self) -> "PeopleGroupQuerySet":
        """Return those with nobody in them, and nothing decided about them."""
        return self.filter(
            members__isnull=True, decisions__isnull=True, other_decisions__isnull=True
        )


class PeopleGroup(models.Model):
    """Somebody who is in the library, whoever that may be.

    OPEN → NAMED or IGNORED by the owner, and back by undoing it. People who look like
    them come to the group in every state.
    """

    class State(models.TextChoices):
        OPEN = "open"
        NAMED = "named"
        IGNORED = "ignored"

    # What naming and ignoring change, and undoing them restores.
    STATE_FIELDS = ("state", "name", "universal_id", "local_performer_id")

    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    name = models.CharField(max_length=255, blank=True)
    universal_id = models.CharField(max_length=128, blank=True)
    local_performer_id = models.PositiveBigIntegerField(
        "performer in Stash", null=True, blank=True
    )
    mean = models.BinaryField(help_text="Of its members' templates, as float16.")
    mean_count = models.PositiveIntegerField(
        default=0, help_text="Of how many that is; 0 where all were moved away."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PeopleGroupQuerySet] = PeopleGroupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        verbose_name = "unknown person"
        verbose_name_plural = "unknown people"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state"])]

    def __str__(self) -> str:
        return self.name or self.universal_id or f"unknown person {self.pk}"

    @property
    def is_decided(self) -> bool:
        """Whether the owner said who it is, or that it does not matter."""
        return self.state != self.State.OPEN

    def state_values(self) -> dict[str, Any]:
        """Return what naming and ignoring change, as it is."""
        return {field: getattr(self, field) for field in self.STATE_FIELDS}


class GroupMemberQuerySet(models.QuerySet["GroupMember"]):
    def present(self) -> "GroupMemberQuerySet":
        """Return those who are seen where they were, and have no name."""
        return self.filter(person__decision__in=GROUPABLE)

    def gone(self) -> "GroupMemberQuerySet":
        """Return those who have a name by now, or are seen no more.

        Those about whom something was decided are kept: they may come back.
        """
        named = Q(person__isnull=True) | ~Q(person__decision__in=GROUPABLE)
        return self.filter(named, said__isnull=True)


class GroupMember(models.Model):
    """Somebody of a scene, image or gallery, through all matches of it.

    The rows of people are written anew by every match. So `faces`, positions among the
    fingerprint's faces of `seen_at`, say who it is, and after another look at the media
    the template does. `person` is the row of the last match, None where there is none.
    """

    fingerprint = models.ForeignKey(
        Fingerprint, on_delete=models.CASCADE, related_name="group_members"
    )
    person = models.OneToOneField(
        FingerprintPerson,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="group_member",
    )
    group = models.ForeignKey(
        PeopleGroup, null=True, on_delete=models.SET_NULL, related_name="members"
    )
    faces = models.JSONField(default=list)
    seen_at = models.DateTimeField(null=True, blank=True)
    is_settled = models.BooleanField(
        default=False, help_text="It was there when all were grouped together last."
    )
    template = models.BinaryField(help_text="Of both embedders, as float16.")
    quality = models.FloatField(default=0, help_text="The sum of its faces' qualities.")
    best = models.JSONField(
        null=True, help_text="The best face: frame, seconds, box and quality."
    )
    seconds = models.JSONField(default=list, help_text="When it is seen in the scene.")

    objects: ClassVar[GroupMemberQuerySet] = GroupMemberQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-quality", "pk"]

    def __str__(self) -> str:
        return f"member {self.pk} in {self.fingerprint}"


class GroupDecisionQuerySet(models.QuerySet["GroupDecision"]):
    def in_force(self) -> "GroupDecisionQuerySet":
        """Return those that were not undone, the oldest first."""
        return self.filter(undone_at__isnull=True).order_by("pk")

    def about(self, group_id: int) -> "GroupDecisionQuerySet":
        """Return those that changed the group."""
        return self.filter(Q(group=group_id) | Q(other=group_id))


class GroupDecision(models.Model):
    """What the owner said of groups, and of which members.

    MERGE: `other` went into `group`. SPLIT: `other` came out of `group`. A grouping
    anew holds to what is in force; of two that contradict each other the later counts.
    """

    class Kind(models.TextChoices):
        MERGE = "merge"
        SPLIT = "split"
        NAME = "name"
        IGNORE = "ignore"

    kind = models.CharField(max_length=8, choices=Kind)
    group = models.ForeignKey(
        PeopleGroup, on_delete=models.CASCADE, related_name="decisions"
    )
    other = models.ForeignKey(
        PeopleGroup,
        null=True,
        on_delete=models.CASCADE,
        related_name="other_decisions",
    )
    before = models.JSONField(default=dict, help_text="The state of the group before.")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[GroupDecisionQuerySet] = GroupDecisionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.group_id}"


class GroupDecisionMember(models.Model):
    """A member that a decision was about; `has_moved` from one group to the other.

    `correction` is what naming or ignoring the group said of that person.
    """

    decision = models.ForeignKey(
        GroupDecision, on_delete=models.CASCADE, related_name="said"
    )
    member = models.ForeignKey(
        GroupMember, on_delete=models.CASCADE, related_name="said"
    )
    has_moved = models.BooleanField(default=False)
    correction = models.ForeignKey(
        Correction,
        null=True,
        on_delete=models.SET_NULL,
        related_name="said_of_groups",
    )

    def __str__(self) -> str:
        return f"{self.decision}: {self.member_id}"


def as_bytes(template: NDArray[np.floating]) -> bytes:
    """Return the template as a row keeps it."""
    return template.astype("<f2").tobytes()
