"""What analyzers ask of Stash, as texts of constants; values go as variables.

Rows come in two widths: lean ones of which a page holds a thousand, and full ones. A
field that newer versions renamed is answered under its new name by all of them.
"""

from dataclasses import dataclass
from functools import cache

from stashsense.integrations.stash_operations import (
    MAX_IDS_PER_DOCUMENT,
    OLDEST_VERSION,
    STASH_IDS,
    Fragment,
    Operation,
)
from stashsense.integrations.stash_types import StashVersion

_SINCE_26 = StashVersion(0, 26)
_SINCE_27 = StashVersion(0, 27)
_SINCE_28 = StashVersion(0, 28)
_SINCE_30 = StashVersion(0, 30)
_SINCE_31 = StashVersion(0, 31)

LIBRARY_FILE = Fragment(
    """\
fragment LibraryFile on VideoFile {
  id path basename size duration width height video_codec audio_codec frame_rate
  bit_rate fingerprints { type value }
}"""
)
_LEAN_SCENE = Fragment(
    """\
fragment LeanScene on Scene {
  id date studio { id } performers { id } stash_ids { endpoint stash_id }
  files { duration phash: fingerprint(type: "phash") }
}"""
)
_SCENE_ROW = Fragment(
    """\
fragment SceneRow on Scene {
  id title date updated_at organized studio { id name } performers { id name }
  stash_ids { ...StashIds } files { ...LibraryFile }
}"""
)
_FULL_SCENE = Fragment(
    """\
fragment FullScene on Scene {
  ...SceneRow
  code details director urls rating100 tags { id name } galleries { id title }
  scene_markers { id title seconds primary_tag { id name } tags { id name } }
  play_count play_duration play_history o_counter o_history resume_time
  paths { screenshot }
  ...SceneNewer
}"""
)
_SCENE_NEWER = Fragment(
    """\
fragment SceneNewer on Scene {
  groups: movies { group: movie { id name } scene_index }
}""",
    newer=(
        (
            _SINCE_27,
            """\
fragment SceneNewer on Scene { groups { group { id name } scene_index } }""",
        ),
        (
            _SINCE_31,
            """\
fragment SceneNewer on Scene {
  groups { group { id name } scene_index } custom_fields
}""",
        ),
    ),
)
_PERFORMER_ROW = Fragment(
    """\
fragment PerformerRow on Performer {
  id name disambiguation alias_list gender birthdate death_date ethnicity country
  eye_color hair_color height_cm weight measurements fake_tits penis_length
  circumcised career_length tattoos piercings details rating100 favorite
  ignore_auto_tag tags { id name } stash_ids { ...StashIds } image_path scene_count
  image_count gallery_count updated_at
  ...PerformerNewer
}"""
)
_PERFORMER_NEWER = Fragment(
    "fragment PerformerNewer on Performer { url twitter instagram }",
    newer=(
        (_SINCE_27, "fragment PerformerNewer on Performer { urls }"),
        (_SINCE_28, "fragment PerformerNewer on Performer { urls custom_fields }"),
        (
            _SINCE_31,
            """\
fragment PerformerNewer on Performer {
  urls custom_fields career_start career_end
}""",
        ),
    ),
)
_PERFORMER_NAME = Fragment(
    """\
fragment PerformerName on Performer {
  id name disambiguation alias_list stash_ids { endpoint stash_id }
}"""
)
_TAG_ROW = Fragment(
    """\
fragment TagRow on Tag {
  id name aliases description ignore_auto_tag parents { id name } image_path
  scene_count updated_at
  ...TagNewer
}"""
)
_TAG_NEWER = Fragment(
    "fragment TagNewer on Tag { id }",
    newer=(
        (_SINCE_26, "fragment TagNewer on Tag { favorite }"),
        (_SINCE_28, "fragment TagNewer on Tag { favorite sort_name }"),
        (
            _SINCE_30,
            """\
fragment TagNewer on Tag { favorite sort_name stash_ids { ...StashIds } }""",
        ),
        (
            _SINCE_31,
            """\
fragment TagNewer on Tag {
  favorite sort_name stash_ids { ...StashIds } custom_fields
}""",
        ),
    ),
)
# No server takes a fragment that nothing spreads.
_TAG_STASH_IDS = Fragment("", newer=((_SINCE_30, STASH_IDS.text_for(_SINCE_30)),))
_STUDIO_ROW = Fragment(
    """\
fragment StudioRow on Studio {
  id name aliases details rating100 ignore_auto_tag parent_studio { id name }
  stash_ids { ...StashIds } image_path scene_count updated_at
  ...StudioNewer
}"""
)
_STUDIO_NEWER = Fragment(
    "fragment StudioNewer on Studio { url }",
    newer=(
        (_SINCE_26, "fragment StudioNewer on Studio { url favorite }"),
        (
            _SINCE_27,
            "fragment StudioNewer on Studio { url favorite tags { id name } }",
        ),
        (
            _SINCE_30,
            "fragment StudioNewer on Studio { urls favorite tags { id name } }",
        ),
        (
            _SINCE_31,
            """\
fragment StudioNewer on Studio {
  urls favorite tags { id name } custom_fields
}""",
        ),
    ),
)


@dataclass(frozen=True)
class Shape:
    """What is asked of each row: a fragment's name, and all texts that it needs."""

    name: str
    fragments: tuple[Fragment, ...]


@dataclass(frozen=True)
class Finder:
    """A kind of rows, as Stash's queries name it."""

    one: str
    many: str
    items: str
    filter_name: str
    filter_type: str


SCENES = Finder("findScene", "findScenes", "scenes", "scene_filter", "SceneFilterType")
PERFORMERS = Finder(
    "findPerformer",
    "findPerformers",
    "performers",
    "performer_filter",
    "PerformerFilterType",
)
TAGS = Finder("findTag", "findTags", "tags", "tag_filter", "TagFilterType")
STUDIOS = Finder(
    "findStudio", "findStudios", "studios", "studio_filter", "StudioFilterType"
)

# Tags have stash ids from this version on, and no filter by them before.
TAGS_BY_STASH_IDS_SINCE = _SINCE_30

LEAN_SCENE = Shape("LeanScene", (_LEAN_SCENE,))
SCENE_ROW = Shape("SceneRow", (_SCENE_ROW, LIBRARY_FILE, STASH_IDS))
FULL_SCENE = Shape(
    "FullScene", (_FULL_SCENE, _SCENE_NEWER, _SCENE_ROW, LIBRARY_FILE, STASH_IDS)
)
PERFORMER_ROW = Shape("PerformerRow", (_PERFORMER_ROW, _PERFORMER_NEWER, STASH_IDS))
PERFORMER_NAME = Shape("PerformerName", (_PERFORMER_NAME,))
TAG_ROW = Shape("TagRow", (_TAG_ROW, _TAG_NEWER, _TAG_STASH_IDS))
STUDIO_ROW = Shape("StudioRow", (_STUDIO_ROW, _STUDIO_NEWER, STASH_IDS))


@cache
def page_of(finder: Finder, shape: Shape) -> Operation:
    """Return the query of one page: $items filters, $page orders and cuts.

    Scenes are not counted, as those after an id are asked for, page after page.
    """
    name = f"{shape.name}s"
    count = "" if finder is SCENES else "count "
    return Operation(
        name,
        f"""\
query {name}($items: {finder.filter_type}, $page: FindFilterType) {{
  {finder.many}({finder.filter_name}: $items, filter: $page) {{
    {count}{finder.items} {{ ...{shape.name} }}
  }}
}}""",
        shape.fragments,
    )


@cache
def by_ids(finder: Finder, shape: Shape, count: int) -> Operation:
    """Return one query of as many rows: $id0 is `found0`, null where there is none.

    Asked for with a list of ids, Stash refuses all of them where one is gone.
    """
    variables = ", ".join(f"$id{n}: ID!" for n in range(count))
    found = "\n".join(
        f"  found{n}: {finder.one}(id: $id{n}) {{ ...{shape.name} }}"
        for n in range(count)
    )
    name = f"{shape.name}ByIds"
    text = f"query {name}({variables}) {{\n{found}\n}}"
    return Operation(name, text, shape.fragments)


@cache
def by_stash_ids(finder: Finder, shape: Shape, count: int) -> Operation:
    """Return one query of as many searches, as `performers_by_stash_ids` does."""
    variables = ", ".join(f"$id{n}: String!" for n in range(count))
    found = "\n".join(
        f"  found{n}: {finder.many}({finder.filter_name}: {{ stash_id_endpoint: "
        f"{{ stash_id: $id{n}, modifier: EQUALS }} }}, filter: {{ per_page: -1 }}) "
        f"{{ {finder.items} {{ ...{shape.name} }} }}"
        for n in range(count)
    )
    name = f"{shape.name}ByStashIds"
    text = f"query {name}({variables}) {{\n{found}\n}}"
    since = TAGS_BY_STASH_IDS_SINCE if finder is TAGS else OLDEST_VERSION
    return Operation(name, text, shape.fragments, since)


SCENE_IDS = Operation(
    "SceneIds",
    """\
query SceneIds($items: SceneFilterType, $page: FindFilterType) {
  findScenes(scene_filter: $items, filter: $page) { scenes { id } }
}""",
)
IMAGE_IDS = Operation(
    "ImageIds",
    """\
query ImageIds($items: ImageFilterType, $page: FindFilterType) {
  findImages(image_filter: $items, filter: $page) { images { id } }
}""",
)
GALLERY_IDS = Operation(
    "GalleryIds",
    """\
query GalleryIds($items: GalleryFilterType, $page: FindFilterType) {
  findGalleries(gallery_filter: $items, filter: $page) { galleries { id } }
}""",
)

ROWS = (
    (SCENES, SCENE_ROW),
    (SCENES, FULL_SCENE),
    (PERFORMERS, PERFORMER_ROW),
    (PERFORMERS, PERFORMER_NAME),
    (TAGS, TAG_ROW),
    (STUDIOS, STUDIO_ROW),
)
LIBRARY_OPERATIONS = (
    SCENE_IDS,
    IMAGE_IDS,
    GALLERY_IDS,
    page_of(SCENES, LEAN_SCENE),
    *(page_of(finder, shape) for finder, shape in ROWS),
    *(
        by_ids(finder, shape, count)
        for finder, shape in ROWS
        for count in (1, MAX_IDS_PER_DOCUMENT)
    ),
    *(
        by_stash_ids(finder, shape, count)
        for finder, shape in ROWS
        for count in (1, MAX_IDS_PER_DOCUMENT)
    ),
)
