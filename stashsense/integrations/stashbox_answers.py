"""From a stash-box's JSON to our types; what does not fit is a StashBoxError."""

from stashsense.integrations.stash_answers import Node
from stashsense.integrations.stashbox_types import (
    AppliedEdit,
    BodyModification,
    BoxAppearance,
    BoxCategory,
    BoxFingerprint,
    BoxImage,
    BoxPerformer,
    BoxReference,
    BoxScene,
    BoxStudio,
    BoxTag,
    BoxUrl,
    EditOperation,
    TargetType,
)


def read_performer(node: Node) -> BoxPerformer:
    return BoxPerformer(
        id=node.text("id"),
        name=node.text("name"),
        disambiguation=node.optional_text("disambiguation"),
        aliases=node.texts("aliases"),
        gender=node.optional_text("gender"),
        birth_date=node.optional_text("birth_date"),
        death_date=node.optional_text("death_date"),
        ethnicity=node.optional_text("ethnicity"),
        country=node.optional_text("country"),
        eye_color=node.optional_text("eye_color"),
        hair_color=node.optional_text("hair_color"),
        height=node.optional_integer("height"),
        cup_size=node.optional_text("cup_size"),
        band_size=node.optional_integer("band_size"),
        waist_size=node.optional_integer("waist_size"),
        hip_size=node.optional_integer("hip_size"),
        breast_type=node.optional_text("breast_type"),
        career_start_year=node.optional_integer("career_start_year"),
        career_end_year=node.optional_integer("career_end_year"),
        tattoos=_modifications(node, "tattoos"),
        piercings=_modifications(node, "piercings"),
        urls=_urls(node),
        images=_images(node),
        deleted=node.flag("deleted"),
        merged_into_id=node.optional_text("merged_into_id") or None,
        merged_ids=node.optional_texts("merged_ids"),
        created=node.moment("created"),
        updated=node.moment("updated"),
    )


def read_scene(node: Node) -> BoxScene:
    return BoxScene(
        id=node.text("id"),
        title=node.optional_text("title"),
        code=node.optional_text("code"),
        details=node.optional_text("details"),
        director=node.optional_text("director"),
        release_date=node.optional_text("release_date"),
        duration_seconds=node.optional_integer("duration"),
        urls=_urls(node),
        studio=_optional_reference(node, "studio"),
        performers=tuple(_appearance(child) for child in node.children("performers")),
        tags=tuple(_reference(child) for child in node.children("tags")),
        images=_images(node),
        fingerprints=tuple(
            BoxFingerprint(
                algorithm=child.text("algorithm"),
                hash=child.text("hash"),
                duration_seconds=child.integer("duration"),
                submissions=child.integer("submissions"),
            )
            for child in node.children("fingerprints")
        ),
        deleted=node.flag("deleted"),
        created=node.moment("created"),
        updated=node.moment("updated"),
    )


def read_studio(node: Node) -> BoxStudio:
    return BoxStudio(
        id=node.text("id"),
        name=node.text("name"),
        aliases=node.optional_texts("aliases"),
        urls=_urls(node),
        parent=_optional_reference(node, "parent"),
        images=_images(node),
        deleted=node.flag("deleted"),
        created=node.moment("created"),
        updated=node.moment("updated"),
    )


def read_tag(node: Node) -> BoxTag:
    category = node.optional("category")
    return BoxTag(
        id=node.text("id"),
        name=node.text("name"),
        description=node.optional_text("description"),
        aliases=node.optional_texts("aliases"),
        category=None if category is None else _category(category),
        deleted=node.flag("deleted"),
        created=node.moment("created"),
        updated=node.moment("updated"),
    )


def read_edit(
    node: Node, operation: EditOperation, target_type: TargetType
) -> AppliedEdit | None:
    """Return the edit; None for one of a thing that nothing is known of any more."""
    target = node.optional("target")
    closed_at = node.optional_moment("closed")
    if target is None or closed_at is None:
        return None
    return AppliedEdit(
        id=node.text("id"),
        operation=operation,
        target_type=target_type,
        target_id=target.text("id"),
        merged_source_ids=tuple(
            source.text("id") for source in node.children("merge_sources")
        ),
        closed_at=closed_at,
    )


def _reference(node: Node) -> BoxReference:
    return BoxReference(
        node.text("id"), node.text("name"), node.optional_texts("aliases")
    )


def _optional_reference(node: Node, name: str) -> BoxReference | None:
    child = node.optional(name)
    return None if child is None else _reference(child)


def _category(node: Node) -> BoxCategory:
    return BoxCategory(node.text("id"), node.text("name"), node.text("group"))


def _appearance(node: Node) -> BoxAppearance:
    performer = node.child("performer")
    return BoxAppearance(
        performer=_reference(performer),
        disambiguation=performer.optional_text("disambiguation"),
        gender=performer.optional_text("gender"),
        credited_as=node.optional_text("as"),
    )


def _urls(node: Node) -> tuple[BoxUrl, ...]:
    return tuple(
        BoxUrl(child.text("url"), child.child("site").text("name"))
        for child in node.children("urls")
    )


def _images(node: Node) -> tuple[BoxImage, ...]:
    return tuple(
        BoxImage(
            child.text("id"),
            child.text("url"),
            child.integer("width"),
            child.integer("height"),
        )
        for child in node.children("images")
    )


def _modifications(node: Node, name: str) -> tuple[BodyModification, ...]:
    return tuple(
        BodyModification(child.text("location"), child.optional_text("description"))
        for child in (node.children(name) if node.fields.get(name) is not None else ())
    )
