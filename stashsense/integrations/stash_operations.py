"""Every operation we send to Stash, as texts of constants; values go as variables.

Stash refuses an operation that names a field it does not know, so that fields newer
than the oldest Stash we work with are in fragments of which the server's version
decides.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from stashsense.integrations.stash_types import StashVersion

# The first with runPluginOperation, by which the plugin reaches us.
OLDEST_VERSION = StashVersion(0, 25)


@dataclass(frozen=True)
class Fragment:
    """A fragment for every version, and what takes its place from a version on."""

    text: str
    newer: tuple[tuple[StashVersion, str], ...] = ()

    def text_for(self, version: StashVersion) -> str:
        known = [text for since, text in self.newer if version >= since]
        return known[-1] if known else self.text


@dataclass(frozen=True)
class Operation:
    """A named query or mutation and the fragments that it spreads.

    Stash has it from the version `since` on.
    """

    name: str
    text: str
    fragments: tuple[Fragment, ...] = ()
    since: StashVersion = OLDEST_VERSION

    @property
    def is_read(self) -> bool:
        """Whether asking twice is the same as asking once."""
        return self.text.lstrip().startswith("query ")

    def document_for(self, version: StashVersion) -> str:
        parts = (fragment.text_for(version) for fragment in self.fragments)
        return "\n".join((self.text, *parts))


STASH_IDS = Fragment(
    "fragment StashIds on StashID { endpoint stash_id }",
    newer=(
        (
            StashVersion(0, 28),
            "fragment StashIds on StashID { endpoint stash_id updated_at }",
        ),
    ),
)
STASH_BOX = Fragment(
    "fragment Box on StashBox { endpoint name }",
    newer=(
        (
            StashVersion(0, 29),
            "fragment Box on StashBox { endpoint name max_requests_per_minute }",
        ),
    ),
)
TAGGED = Fragment("fragment Tagged on Performer { id name stash_ids { ...StashIds } }")
VIDEO = Fragment(
    """\
fragment Video on VideoFile {
  id basename size duration width height frame_rate video_codec
  fingerprints { type value }
}"""
)
SCENE_PARTS = Fragment(
    """\
fragment SceneParts on Scene {
  id title updated_at
  files { ...Video }
  paths { screenshot stream vtt sprite }
  performers { ...Tagged }
}"""
)
IMAGE_PARTS = Fragment(
    """\
fragment ImageParts on Image {
  id title updated_at
  visual_files {
    __typename
    ... on VideoFile { ...Video }
    ... on ImageFile { width height }
  }
  paths { image thumbnail }
  performers { ...Tagged }
}"""
)

PICTURED = Fragment(
    """\
fragment Pictured on Performer {
  id name updated_at image_path image_count stash_ids { ...StashIds }
}"""
)

VERSION = Operation("Version", "query Version { version { version } }")
SYSTEM_STATUS = Operation(
    "SystemStatus",
    "query SystemStatus { systemStatus { status databaseSchema appSchema } }",
)
STASH_BOXES = Operation(
    "StashBoxes",
    "query StashBoxes { configuration { general { stashBoxes { ...Box } } } }",
    (STASH_BOX,),
)
STASH_BOX_CONNECTIONS = Operation(
    "StashBoxConnections",
    "query StashBoxConnections "
    "{ configuration { general { stashBoxes { ...Box api_key } } } }",
    (STASH_BOX,),
)
SCENE = Operation(
    "Scene",
    "query Scene($id: ID!) { findScene(id: $id) { ...SceneParts } }",
    (SCENE_PARTS, VIDEO, TAGGED, STASH_IDS),
)
SCENES = Operation(
    "Scenes",
    """\
query Scenes($items: SceneFilterType, $page: FindFilterType) {
  findScenes(scene_filter: $items, filter: $page) { scenes { ...SceneParts } }
}""",
    (SCENE_PARTS, VIDEO, TAGGED, STASH_IDS),
)
SCENE_COUNT = Operation(
    "SceneCount",
    """\
query SceneCount($items: SceneFilterType, $page: FindFilterType) {
  findScenes(scene_filter: $items, filter: $page) { count }
}""",
)
IMAGE = Operation(
    "Image",
    "query Image($id: ID!) { findImage(id: $id) { ...ImageParts } }",
    (IMAGE_PARTS, VIDEO, TAGGED, STASH_IDS),
)
IMAGES = Operation(
    "Images",
    """\
query Images($items: ImageFilterType, $page: FindFilterType) {
  findImages(image_filter: $items, filter: $page) { images { ...ImageParts } }
}""",
    (IMAGE_PARTS, VIDEO, TAGGED, STASH_IDS),
)
GALLERY = Operation(
    "Gallery",
    """\
query Gallery($id: ID!) {
  findGallery(id: $id) { id title image_count performers { ...Tagged } }
}""",
    (TAGGED, STASH_IDS),
)
PERFORMER = Operation(
    "Performer",
    "query Performer($id: ID!) { findPerformer(id: $id) { ...Pictured } }",
    (PICTURED, STASH_IDS),
)
PERFORMERS = Operation(
    "Performers",
    """\
query Performers($page: FindFilterType) {
  findPerformers(filter: $page) { count performers { ...Pictured } }
}""",
    (PICTURED, STASH_IDS),
)
TAGGED_SCENES = Operation(
    "TaggedScenes",
    """\
query TaggedScenes($items: SceneFilterType, $page: FindFilterType) {
  findScenes(scene_filter: $items, filter: $page) {
    scenes { id title performers { ...Tagged } }
  }
}""",
    (TAGGED, STASH_IDS),
)
TAGGED_IMAGES = Operation(
    "TaggedImages",
    """\
query TaggedImages($items: ImageFilterType, $page: FindFilterType) {
  findImages(image_filter: $items, filter: $page) {
    images { id title performers { ...Tagged } }
  }
}""",
    (TAGGED, STASH_IDS),
)
TAGGED_GALLERIES = Operation(
    "TaggedGalleries",
    """\
query TaggedGalleries($items: GalleryFilterType, $page: FindFilterType) {
  findGalleries(gallery_filter: $items, filter: $page) {
    galleries { id title performers { ...Tagged } }
  }
}""",
    (TAGGED, STASH_IDS),
)
SEARCH_PERFORMERS = Operation(
    "SearchPerformers",
    """\
query SearchPerformers($page: FindFilterType) {
  findPerformers(filter: $page) {
    performers {
      id name disambiguation alias_list image_path stash_ids { ...StashIds }
    }
  }
}""",
    (STASH_IDS,),
)

# What one document asks for: Stash runs a search for each.
MAX_IDS_PER_DOCUMENT = 40


@cache
def performers_by_stash_ids(id_count: int) -> Operation:
    """Return one query of as many searches: $id0 is found as `found0`, and so on.

    No endpoint goes with the ids, as Stash puts that into its SQL as it is; who asks
    looks for it among the stash ids of those found.
    """
    numbers = range(id_count)
    variables = ", ".join(f"$id{n}: String!" for n in numbers)
    searches = "\n".join(
        f"  found{n}: findPerformers("
        f"performer_filter: {{ stash_id_endpoint: {{ stash_id: $id{n}, "
        "modifier: EQUALS } }, filter: { per_page: -1 }) "
        "{ performers { ...Tagged } }"
        for n in numbers
    )
    return Operation(
        "PerformersByStashIds",
        f"query PerformersByStashIds({variables}) {{\n{searches}\n}}",
        (TAGGED, STASH_IDS),
    )


@cache
def tagged_by_ids(
    finder: Literal["Scene", "Image", "Gallery"], count: int
) -> Operation:
    """Return one query of as many: $id0 is `found0`, and null where there is none.

    Asked for with a list of ids, Stash refuses all of them where one is gone.
    """
    variables = ", ".join(f"$id{n}: ID!" for n in range(count))
    fields = "{ id title performers { ...Tagged } }"
    found = "\n".join(
        f"  found{n}: find{finder}(id: $id{n}) {fields}" for n in range(count)
    )
    name = f"Tagged{finder}ByIds"
    text = f"query {name}({variables}) {{\n{found}\n}}"
    return Operation(name, text, (TAGGED, STASH_IDS))


OPERATIONS = (
    VERSION,
    SYSTEM_STATUS,
    STASH_BOXES,
    STASH_BOX_CONNECTIONS,
    SCENE,
    SCENES,
    SCENE_COUNT,
    IMAGE,
    IMAGES,
    GALLERY,
    PERFORMER,
    TAGGED_SCENES,
    TAGGED_IMAGES,
    TAGGED_GALLERIES,
    PERFORMERS,
    SEARCH_PERFORMERS,
    performers_by_stash_ids(1),
    performers_by_stash_ids(MAX_IDS_PER_DOCUMENT),
    tagged_by_ids("Scene", 1),
    tagged_by_ids("Image", 1),
    tagged_by_ids("Gallery", MAX_IDS_PER_DOCUMENT),
)
