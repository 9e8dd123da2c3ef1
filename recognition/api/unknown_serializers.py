"""Requests and answers about unknown people of the library."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from recognition.api.fingerprint_serializers import PageQuery
from recognition.models import Fingerprint, GroupMember, PeopleGroup
from recognition.numeric.people import Decision

MAX_ID = 2**63 - 1


def _ids(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        min_length=1,
        max_length=1000,
        help_text=help_text,
    )


class UnknownQuery(PageQuery):
    """Which groups, and which part of their list."""

    state = serializers.ChoiceField(
        choices=PeopleGroup.State.choices, default=PeopleGroup.State.OPEN
    )
    include_single = serializers.BooleanField(
        default=False, help_text="Also who is in one scene or image alone."
    )


class CropQuery(serializers.Serializer[Any]):
    """Whose picture."""

    member = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="A member of the group; its clearest if left out.",
    )


class NameUnknownRequest(serializers.Serializer[Any]):
    """Who it is; one of them at least."""

    universal_id = serializers.CharField(
        default=None, allow_null=True, allow_blank=True, max_length=128
    )
    local_performer_id = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="A performer of this Stash.",
    )
    name = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=255,
        help_text="Without an id it is the group's alone; no scene tells it.",
    )


class MergeUnknownRequest(serializers.Serializer[Any]):
    """Who else it is."""

    group_ids = _ids("Groups that go into this one.")


class SplitUnknownRequest(serializers.Serializer[Any]):
    """Who is somebody else."""

    member_ids = _ids("Members that get a group of their own.")


class UnknownGroupAnswer(serializers.Serializer[Any]):
    """Somebody who is in the library, whoever that may be."""

    group_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PeopleGroup.State.choices)
    name = serializers.CharField()
    universal_id = serializers.CharField(allow_null=True)
    local_performer_id = serializers.CharField(allow_null=True)
    media_count = serializers.IntegerField(
        help_text="Scenes, images and galleries where they have no name."
    )
    member_count = serializers.IntegerField()
    crop_url = serializers.CharField()


class UnknownListAnswer(serializers.Serializer[Any]):
    """A part of the groups; who waits is in none yet."""

    total = serializers.IntegerField()
    waiting_people = serializers.IntegerField()
    groups = UnknownGroupAnswer(many=True)


class UnknownBoxAnswer(serializers.Serializer[Any]):
    """The best face's box, in pixels of the displayed picture."""

    x = serializers.IntegerField()
    y = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class UnknownFaceAnswer(serializers.Serializer[Any]):
    """The best face of a member."""

    frame = serializers.IntegerField(
        help_text="Of the scene, -1 is its cover; or which image of the gallery."
    )
    timestamp = serializers.FloatField(allow_null=True)
    box = UnknownBoxAnswer()
    quality = serializers.FloatField()


class UnknownMemberAnswer(serializers.Serializer[Any]):
    """Where somebody was seen."""

    member_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Fingerprint.Kind.choices)
    stash_id = serializers.CharField()
    decision = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Decision]
    )
    face_count = serializers.IntegerField()
    timestamps = serializers.ListField(child=serializers.FloatField())
    best_face = UnknownFaceAnswer(allow_null=True)
    crop_url = serializers.CharField()


class UnknownDetailAnswer(UnknownGroupAnswer):
    """A group, and a part of its members, the clearest first."""

    members = UnknownMemberAnswer(many=True)


class SplitAnswer(serializers.Serializer[Any]):
    """The group of those who are somebody else."""

    group_id = serializers.IntegerField()


class UndoneAnswer(serializers.Serializer[Any]):
    """What was undone."""

    undone = serializers.CharField()
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()


def crop_url(group_id: int, member_id: int | None = None) -> str:
    """Return where the picture of a group or member is."""
    url = reverse("unknown:crop", args=[group_id])
    return url if member_id is None else f"{url}?member={member_id}"


def group_answer(group: Any) -> dict[str, Any]:
    """Return the body of UnknownGroupAnswer, of a group with its counts."""
    performer_id = group.local_performer_id
    return {
        "group_id": group.pk,
        "state": group.state,
        "name": group.name,
        "universal_id": group.universal_id or None,
        "local_performer_id": None if performer_id is None else str(performer_id),
        "media_count": group.media_count,
        "member_count": group.member_count,
        "crop_url": crop_url(group.pk),
    }


def member_answer(member: GroupMember) -> dict[str, Any]:
    """Return the body of UnknownMemberAnswer."""
    assert member.group_id is not None
    assert member.person is not None
    return {
        "member_id": member.pk,
        "kind": member.fingerprint.kind,
        "stash_id": str(member.fingerprint.stash_id),
        "decision": member.person.decision,
        "face_count": len(member.faces),
        "timestamps": member.seconds,
        "best_face": _face(member.best),
        "crop_url": crop_url(member.group_id, member.pk),
    }


def _face(best: dict[str, Any] | None) -> dict[str, Any] | None:
    if best is None:
        return None
    names = ("x", "y", "width", "height")
    return {
        "frame": best["frame"],
        "timestamp": best["seconds"],
        "box": dict(zip(names, best["box"], strict=True)),
        "quality": best["quality"],
    }
