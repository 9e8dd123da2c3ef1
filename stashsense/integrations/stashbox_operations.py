"""Every operation we send to stash-boxes, as texts of constants; values are variables.

No field is asked for that nothing needs: a look-alike of a stash-box refuses the whole
operation for one field that it does not know.
"""

from dataclasses import dataclass
from functools import cache

from stashsense.integrations.stashbox_types import TargetType

# Of the box: a call about more scenes is refused.
MAX_SCENES_PER_CALL = 40
# A scene with its fingerprints is about 10 KB, so an answer is well under a megabyte.
MAX_IDS_PER_DOCUMENT = 40


@dataclass(frozen=True)
class BoxOperation:
    """A named query, with the fragments that it spreads."""

    name: str
    document: str


@dataclass(frozen=True)
class Kind:
    """How a box names one kind of thing; `fragment` is of the name `Parts`."""

    target_type: TargetType
    singular: str
    plural: str
    input_type: str
    fragment: str

    @property
    def find_name(self) -> str:
        return f"find{self.singular}"

    @property
    def query_name(self) -> str:
        return f"query{self.plural}"

    @property
    def list_name(self) -> str:
        return self.plural.lower()


_URLS = "urls { url site { name } }"
_IMAGES = "images { id url width height }"

PERFORMER = Kind(
    TargetType.PERFORMER,
    "Performer",
    "Performers",
    "PerformerQueryInput",
    f"""\
fragment Parts on Performer {{
  id name disambiguation aliases gender birth_date death_date ethnicity country
  eye_color hair_color height cup_size band_size waist_size hip_size breast_type
  career_start_year career_end_year
  tattoos {{ location description }} piercings {{ location description }}
  {_URLS} {_IMAGES} deleted merged_into_id merged_ids created updated
}}""",
)
SCENE = Kind(
    TargetType.SCENE,
    "Scene",
    "Scenes",
    "SceneQueryInput",
    f"""\
fragment Parts on Scene {{
  id title code details director release_date duration
  {_URLS} {_IMAGES}
  studio {{ id name aliases }} tags {{ id name aliases }}
  performers {{ as performer {{ id name disambiguation aliases gender }} }}
  fingerprints {{ hash algorithm duration submissions }}
  deleted created updated
}}""",
)
STUDIO = Kind(
    TargetType.STUDIO,
    "Studio",
    "Studios",
    "StudioQueryInput",
    f"""\
fragment Parts on Studio {{
  id name aliases {_URLS} {_IMAGES} parent {{ id name aliases }}
  deleted created updated
}}""",
)
TAG = Kind(
    TargetType.TAG,
    "Tag",
    "Tags",
    "TagQueryInput",
    """\
fragment Parts on Tag {
  id name description aliases category { id name group } deleted created updated
}""",
)
KINDS = (PERFORMER, SCENE, STUDIO, TAG)

EDITS = BoxOperation(
    "Edits",
    """\
query Edits($input: EditQueryInput!) {
  queryEdits(input: $input) {
    count
    edits { id operation closed target { ...Which } merge_sources { ...Which } }
  }
}
fragment Which on EditTarget {
  ... on Performer { id } ... on Scene { id } ... on Studio { id } ... on Tag { id }
}""",
)
SCENES_BY_FINGERPRINTS = BoxOperation(
    "ScenesByFingerprints",
    f"""\
query ScenesByFingerprints($fingerprints: [[FingerprintQueryInput!]!]!) {{
  findScenesBySceneFingerprints(fingerprints: $fingerprints) {{ ...Parts }}
}}
{SCENE.fragment}""",
)
SEARCH_PERFORMERS = BoxOperation(
    "SearchPerformers",
    f"""\
query SearchPerformers($term: String!, $limit: Int!) {{
  searchPerformers(term: $term, page: 1, per_page: $limit) {{
    performers {{ ...Parts }}
  }}
}}
{PERFORMER.fragment}""",
)


@cache
def find_by_ids(kind: Kind, count: int) -> BoxOperation:
    """Return a query of so many of a kind: $id0 is answered as `found0`."""
    variables = ", ".join(f"$id{n}: ID!" for n in range(count))
    fields = "\n".join(
        f"  found{n}: {kind.find_name}(id: $id{n}) {{ ...Parts }}" for n in range(count)
    )
    name = f"Find{kind.plural}"
    return BoxOperation(
        name, f"query {name}({variables}) {{\n{fields}\n}}\n{kind.fragment}"
    )


@cache
def query_page(kind: Kind) -> BoxOperation:
    """Return a query of a page of a kind, in whatever order the input says."""
    name = f"Query{kind.plural}"
    return BoxOperation(
        name,
        f"""\
query {name}($input: {kind.input_type}!) {{
  {kind.query_name}(input: $input) {{ count {kind.list_name} {{ ...Parts }} }}
}}
{kind.fragment}""",
    )


OPERATIONS = (
    EDITS,
    SCENES_BY_FINGERPRINTS,
    SEARCH_PERFORMERS,
    *[query_page(kind) for kind in KINDS],
    *[find_by_ids(kind, MAX_IDS_PER_DOCUMENT) for kind in KINDS],
)
