"""Requests and answers of actions, with the predecessor's names."""

import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recommendations.stash_actions.acting import Outcome

KINDS = ("performer", "tag", "studio")
LINKED_KINDS = (*KINDS, "scene")
MAX_IDS = 1000
# Ten thousand aliases are a third of this.
MAX_JSON_CHARACTERS = 2_000_000
_MAX_ID = 10**18 - 1
_MAX_KEY = 2**63 - 1


class StashIdField(serializers.IntegerField):
    """An id of Stash: a number, or a text of digits as Stash writes them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=_MAX_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the number; neither 1.0 nor true is one."""
        if isinstance(data, bool) or not str(data).isascii() or not str(data).isdigit():
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StashIdsField(serializers.ListField):
    """Ids of Stash, some at least."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_empty", False)
        super().__init__(child=StashIdField(), max_length=MAX_IDS, **kwargs)


class OptionalIdsField(StashIdsField):
    """Ids of Stash, none as well."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty=True, **kwargs)


@extend_schema_field({"type": "object", "additionalProperties": True})
class FieldsField(serializers.DictField):
    """A JSON object of bounded size that every database can keep."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it as it is."""
        found = super().to_internal_value(data)
        try:
            text = json.dumps(found, allow_nan=False)
        except ValueError:
            raise serializers.ValidationError("NaN is no value.") from None
        if len(text) > MAX_JSON_CHARACTERS:
            raise serializers.ValidationError(
                f"At most {MAX_JSON_CHARACTERS} characters of JSON."
            )
        if "\\u0000" in text:
            raise serializers.ValidationError("Null characters are not allowed.")
        return found


class ActionRequest(serializers.Serializer[Any]):
    """What every action may be asked with."""

    recommendation_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=_MAX_KEY,
        help_text="What is acted on: claimed meanwhile, and resolved afterwards.",
    )
    seen_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Its `updated_at` as the person saw it: refused with "
        "409 where it tells something else by now.",
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only tell what would be changed."
    )


class DestructiveRequest(ActionRequest):
    """What cannot be undone has to be confirmed."""

    confirm = serializers.BooleanField(required=False, default=False)
    plan_digest = serializers.RegexField(
        r"^[0-9a-f]{64}$",
        required=False,
        allow_null=True,
        default=None,
        help_text="That of the dry run which was shown: refused with 409 where "
        "something else would be done by now.",
    )


class MergeRequest(DestructiveRequest):
    """What stays, and what goes into it and is gone then."""

    destination_id = StashIdField()
    source_ids = StashIdsField()


class DeleteFilesRequest(DestructiveRequest):
    """Which files of a scene go."""

    scene_id = StashIdField()
    file_ids_to_delete = StashIdsField()
    keep_file_id = StashIdField()
    all_file_ids = OptionalIdsField(
        required=False,
        default=list,
        help_text="Not used: the scene is read at that moment.",
    )


class DeleteSceneRequest(DestructiveRequest):
    scene_id = StashIdField()
    delete_file = serializers.BooleanField(
        required=False, default=False, help_text="The scene's files too, from the disk."
    )


class UpdatePerformerRequest(ActionRequest):
    performer_id = StashIdField()
    fields = FieldsField()  # type: ignore[assignment]


class UpdateTagRequest(ActionRequest):
    tag_id = StashIdField()
    fields = FieldsField()  # type: ignore[assignment]


class UpdateStudioRequest(ActionRequest):
    """`parent_studio` of the fields is an id at the stash-box `endpoint`."""

    studio_id = StashIdField()
    fields = FieldsField()  # type: ignore[assignment]
    endpoint = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=255
    )
    parent_id = StashIdField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The parent in the library, where its id upstream does not tell.",
    )
    create_parent = serializers.BooleanField(
        required=False, default=False, help_text="Where the library has no such studio."
    )


class UpdateSceneRequest(ActionRequest):
    """`performer_ids` and `tag_ids` replace; those to add and remove change some."""

    scene_id = StashIdField()
    fields = FieldsField(required=False, default=dict)  # type: ignore[assignment]
    performer_ids = OptionalIdsField(required=False, allow_null=True, default=None)
    tag_ids = OptionalIdsField(required=False, allow_null=True, default=None)
    studio_id = StashIdField(
        required=False, allow_null=True, help_text="null keeps the one there is."
    )
    clear_studio = serializers.BooleanField(required=False, default=False)
    add_performer_ids = OptionalIdsField(required=False, default=list)
    remove_performer_ids = OptionalIdsField(required=False, default=list)
    add_tag_ids = OptionalIdsField(required=False, default=list)
    remove_tag_ids = OptionalIdsField(required=False, default=list)


class CreateRequest(ActionRequest):
    """What a stash-box says of it; without a name in it, the stash-box is asked."""

    stashbox_data = FieldsField(required=False, default=dict)
    endpoint = serializers.CharField(max_length=255)
    stashbox_id = serializers.CharField(max_length=64)


class CreatePerformerRequest(CreateRequest):
    scene_id = StashIdField(
        required=False, allow_null=True, default=None, help_text="To be added to."
    )


class SearchEntitiesRequest(serializers.Serializer[Any]):
    entity_type = serializers.ChoiceField(KINDS)
    query = serializers.CharField(max_length=500)
    endpoint = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=255
    )


class LinkRequest(ActionRequest):
    entity_type = serializers.ChoiceField(KINDS)
    entity_id = StashIdField()
    endpoint = serializers.CharField(max_length=255)
    stashbox_id = serializers.CharField(max_length=64)
    add_second = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Also where it has another id at the stash-box.",
    )


class RelinkRequest(ActionRequest):
    entity_type = serializers.ChoiceField(LINKED_KINDS)
    entity_id = StashIdField()
    endpoint = serializers.CharField(max_length=255)
    old_stashbox_id = serializers.CharField(max_length=64)
    new_stashbox_id = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Without one, the old id is taken away.",
    )


class AcceptMatchRequest(ActionRequest):
    recommendation_id = serializers.IntegerField(min_value=1, max_value=_MAX_KEY)
    scene_id = StashIdField()
    endpoint = serializers.CharField(max_length=255)
    stash_id = serializers.CharField(max_length=64)


class AcceptAllRequest(serializers.Serializer[Any]):
    endpoint = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, default="", max_length=255
    )
    dry_run = serializers.BooleanField(required=False, default=False)


class SceneCreatePerformerRequest(ActionRequest):
    scene_id = StashIdField()
    endpoint = serializers.CharField(max_length=255)
    stashdb_id = serializers.CharField(max_length=64)


class GivenStashId(serializers.Serializer[Any]):
    endpoint = serializers.CharField(max_length=255)
    stash_id = serializers.CharField(max_length=64)


class SceneLinkPerformerRequest(ActionRequest):
    """`stash_ids` are given to the performer with `update_metadata` alone."""

    scene_id = StashIdField()
    performer_id = StashIdField()
    stash_ids = GivenStashId(many=True, required=False, default=list)
    update_metadata = serializers.BooleanField(required=False, default=False)


class ActionAnswer(serializers.Serializer[Any]):
    """`plan` is what was done, or what a dry run would do."""

    success = serializers.BooleanField()
    dry_run = serializers.BooleanField()
    plan = serializers.DictField()


class DestructiveAnswer(ActionAnswer):
    """`plan_digest` is to be sent with the real run, so that just this is done."""

    plan_digest = serializers.CharField()


class Named(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


_NOTES = {
    "not_kept": serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Fields that this version of Stash has no place for.",
    ),
    "refused_aliases": serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Aliases that are another's, and whose.",
    ),
    "notes": serializers.ListField(child=serializers.CharField(), required=False),
}


def _answer(
    type_name: str,
    /,
    *notes: str,
    base: type[ActionAnswer] = ActionAnswer,
    **fields: serializers.Field,  # type: ignore[type-arg]
) -> Any:
    """Return the base with more fields, which a dry run leaves out."""
    more = {**fields, **{each: _NOTES[each] for each in notes}}
    return type(type_name, (base,), more)


MergePerformersAnswer = _answer(
    "MergePerformersAnswer",
    "not_kept",
    base=DestructiveAnswer,
    merged_into=Named(required=False),
)
MergeScenesAnswer = _answer(
    "MergeScenesAnswer",
    base=DestructiveAnswer,
    result=serializers.DictField(required=False),
)
DeletedAnswer = _answer(
    "DeletedAnswer",
    base=DestructiveAnswer,
    deleted=serializers.JSONField(
        required=False, help_text="The scene, or its files that are gone."
    ),
)
PerformerAnswer = _answer(
    "PerformerActionAnswer",
    *("not_kept", "notes", "refused_aliases"),
    performer=Named(required=False),
)
TagAnswer = _answer(
    "TagActionAnswer",
    *("not_kept", "notes", "refused_aliases"),
    tag=Named(required=False),
)
StudioAnswer = _answer(
    "StudioActionAnswer",
    *("not_kept", "notes", "refused_aliases"),
    studio=Named(required=False),
)
SceneAnswer = _answer("SceneActionAnswer", scene=serializers.DictField(required=False))
LinkAnswer = _answer(
    "LinkAnswer",
    entity_id=serializers.CharField(required=False),
    entity_name=serializers.CharField(required=False),
    already_linked=serializers.BooleanField(required=False),
)
SceneCreatePerformerAnswer = _answer(
    "SceneCreatePerformerAnswer",
    "notes",
    performer_id=serializers.CharField(required=False),
    name=serializers.CharField(required=False),
    created=serializers.BooleanField(
        required=False, help_text="False where the library had the performer."
    ),
)


class FoundEntity(Named):
    disambiguation = serializers.CharField(required=False, allow_null=True)
    linked = serializers.BooleanField()
    stash_ids = GivenStashId(many=True)


class SearchAnswer(serializers.Serializer[Any]):
    results = FoundEntity(many=True)


class FailedMatch(serializers.Serializer[Any]):
    recommendation_id = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class AcceptAllAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="Whether none failed.")
    accepted_count = serializers.IntegerField()
    accepted = serializers.ListField(child=serializers.IntegerField())
    failed = FailedMatch(many=True)
    remaining_count = serializers.IntegerField(
        help_text="Not come to: ask again for these."
    )
    dry_run = serializers.BooleanField()


def action_answer(
    outcome: Outcome, shape: type[serializers.Serializer[Any]]
) -> Mapping[str, Any]:
    """Return the body of the shape, with what the action answers besides."""
    answer = {"success": True, "dry_run": outcome.is_dry_run, "plan": outcome.plan}
    if issubclass(shape, DestructiveAnswer):
        answer["plan_digest"] = outcome.plan_digest
    return {**answer, **outcome.answer}
