"""Routes about unknown people of the library: who recurs, and who that is."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import people_crops, people_groups
from recognition.api import unknown_serializers as shapes
from recognition.api.crops import CROP_RESPONSES, CropRoute, crop_answer
from recognition.api.fingerprint_serializers import MessageAnswer, PageQuery
from recognition.api.requests import author_of, page_of
from recognition.models import OPERATE
from recognition.people_groups import Naming
from stashsense.api.requests import validated

_NOT_FOUND = {404: OpenApiResponse(description="No such group or member.")}
_REFUSED = {**_NOT_FOUND, 409: OpenApiResponse(description="That makes no sense.")}


class UnknownPeopleView(APIView):
    """Who is in the library again and again without a name?"""

    @extend_schema(
        operation_id="unknown_list",
        parameters=[shapes.UnknownQuery],
        responses=shapes.UnknownListAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return groups of unknown people, those in most scenes and images first."""
        asked = validated(shapes.UnknownQuery, request.query_params)
        rows = people_groups.list_groups(
            state=asked["state"], includes_single=asked["include_single"]
        )
        groups = [shapes.group_answer(group) for group in page_of(rows, asked)]
        return Response(
            {
                "total": rows.count(),
                "waiting_people": people_groups.waiting_count(),
                "groups": groups,
            }
        )


class UnknownPersonView(APIView):
    """Where is this unknown person?"""

    @extend_schema(
        operation_id="unknown_detail",
        parameters=[PageQuery],
        responses={200: shapes.UnknownDetailAnswer, **_NOT_FOUND},
    )
    def get(self, request: Request, group_id: int) -> Response:
        """Return a group with its members and when they are seen, a part of them."""
        asked = validated(PageQuery, request.query_params)
        group = people_groups.get_group(group_id)
        rows = people_groups.members_of(group)
        members = [shapes.member_answer(member) for member in page_of(rows, asked)]
        return Response({**shapes.group_answer(group), "members": members})


class UnknownCropView(CropRoute):
    """What does this unknown person look like?"""

    @extend_schema(
        operation_id="unknown_crop",
        parameters=[shapes.CropQuery],
        responses=CROP_RESPONSES,
    )
    def get(self, request: Request, group_id: int) -> HttpResponse:
        """Return the best face as a small JPEG, cut out of what Stash has now."""
        asked = validated(shapes.CropQuery, request.query_params)
        group = people_groups.get_group(group_id)
        member = people_groups.get_member(group, asked["member"])
        return crop_answer(people_crops.crop_of_member(member))


class NameUnknownView(APIView):
    """This is …"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_name",
        request=shapes.NameUnknownRequest,
        responses={200: shapes.UnknownGroupAnswer, **_REFUSED},
    )
    def post(self, request: Request, group_id: int) -> Response:
        """Give everybody of the group a name, in effect at once and kept for good."""
        asked = validated(shapes.NameUnknownRequest, request.data or {})
        people_groups.name_group(group_id, Naming(**asked), by=author_of(request))
        return _group(group_id)


class MergeUnknownView(APIView):
    """They are one."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_merge",
        request=shapes.MergeUnknownRequest,
        responses={200: shapes.UnknownGroupAnswer, **_REFUSED},
    )
    def post(self, request: Request, group_id: int) -> Response:
        """Have other groups go into this one."""
        asked = validated(shapes.MergeUnknownRequest, request.data or {})
        people_groups.merge_groups(group_id, asked["group_ids"], by=author_of(request))
        return _group(group_id)


class SplitUnknownView(APIView):
    """They are not."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_split",
        request=shapes.SplitUnknownRequest,
        responses={200: shapes.SplitAnswer, **_REFUSED},
    )
    def post(self, request: Request, group_id: int) -> Response:
        """Have some members be somebody else; returns their group."""
        asked = validated(shapes.SplitUnknownRequest, request.data or {})
        other = people_groups.split_group(
            group_id, asked["member_ids"], by=author_of(request)
        )
        return Response({"group_id": other.pk})


class IgnoreUnknownView(APIView):
    """It does not matter who that is."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_ignore",
        request=None,
        responses={200: shapes.UnknownGroupAnswer, **_REFUSED},
    )
    def post(self, request: Request, group_id: int) -> Response:
        """List the group no more, nor who looks like them."""
        people_groups.ignore_group(group_id, by=author_of(request))
        return _group(group_id)


class UndoUnknownView(APIView):
    """Not so."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_undo",
        request=None,
        responses={200: shapes.UndoneAnswer, **_REFUSED},
    )
    def post(self, request: Request, group_id: int) -> Response:
        """Take back what was decided last about the group."""
        decision = people_groups.undo(group_id, by=author_of(request))
        return Response(
            {
                "undone": decision.kind,
                "made_by": decision.made_by,
                "made_at": decision.made_at,
            }
        )


class RegroupUnknownView(APIView):
    """Group them all anew."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="unknown_regroup",
        request=None,
        responses={202: MessageAnswer},
    )
    def post(self, request: Request) -> Response:
        """Have the background group all unknown people anew; decisions stay."""
        people_groups.ask_for_regrouping()
        return Response({"message": "Unknown people are grouped anew."}, status=202)


def _group(group_id: int) -> Response:
    return Response(shapes.group_answer(people_groups.get_group(group_id)))
