"""Everything we ask Stash to change, as texts of constants; values go as variables."""

from stashsense.integrations.stash_operations import Operation
from stashsense.integrations.stash_types import StashVersion

PERFORMER_MERGE_SINCE = StashVersion(0, 31)


def _with_input(name: str, field: str, input_type: str) -> Operation:
    return Operation(
        name,
        f"mutation {name}($input: {input_type}!) {{ {field}(input: $input) {{ id }} }}",
    )


SCENE_UPDATE = _with_input("SceneUpdate", "sceneUpdate", "SceneUpdateInput")
SCENE_BULK_UPDATE = _with_input(
    "BulkSceneUpdate", "bulkSceneUpdate", "BulkSceneUpdateInput"
)
SCENE_MERGE = _with_input("SceneMerge", "sceneMerge", "SceneMergeInput")
SCENE_DESTROY = Operation(
    "SceneDestroy",
    "mutation SceneDestroy($input: SceneDestroyInput!) { sceneDestroy(input: $input) }",
)
IMAGE_BULK_UPDATE = _with_input(
    "BulkImageUpdate", "bulkImageUpdate", "BulkImageUpdateInput"
)
GALLERY_BULK_UPDATE = _with_input(
    "BulkGalleryUpdate", "bulkGalleryUpdate", "BulkGalleryUpdateInput"
)
PERFORMER_CREATE = _with_input(
    "PerformerCreate", "performerCreate", "PerformerCreateInput"
)
PERFORMER_UPDATE = _with_input(
    "PerformerUpdate", "performerUpdate", "PerformerUpdateInput"
)
PERFORMER_BULK_UPDATE = _with_input(
    "BulkPerformerUpdate", "bulkPerformerUpdate", "BulkPerformerUpdateInput"
)
PERFORMER_MERGE = Operation(
    "PerformerMerge",
    """\
mutation PerformerMerge($input: PerformerMergeInput!) {
  performerMerge(input: $input) { id }
}""",
    since=PERFORMER_MERGE_SINCE,
)
PERFORMERS_DESTROY = Operation(
    "PerformersDestroy",
    "mutation PerformersDestroy($ids: [ID!]!) { performersDestroy(ids: $ids) }",
)
TAG_CREATE = _with_input("TagCreate", "tagCreate", "TagCreateInput")
TAG_UPDATE = _with_input("TagUpdate", "tagUpdate", "TagUpdateInput")
STUDIO_CREATE = _with_input("StudioCreate", "studioCreate", "StudioCreateInput")
STUDIO_UPDATE = _with_input("StudioUpdate", "studioUpdate", "StudioUpdateInput")
DELETE_FILES = Operation(
    "DeleteFiles", "mutation DeleteFiles($ids: [ID!]!) { deleteFiles(ids: $ids) }"
)

WRITE_OPERATIONS = (
    SCENE_UPDATE,
    SCENE_BULK_UPDATE,
    SCENE_MERGE,
    SCENE_DESTROY,
    IMAGE_BULK_UPDATE,
    GALLERY_BULK_UPDATE,
    PERFORMER_CREATE,
    PERFORMER_UPDATE,
    PERFORMER_BULK_UPDATE,
    PERFORMER_MERGE,
    PERFORMERS_DESTROY,
    TAG_CREATE,
    TAG_UPDATE,
    STUDIO_CREATE,
    STUDIO_UPDATE,
    DELETE_FILES,
)
