"""Creating performers, tags and studios with all that a stash-box says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.exceptions import ActionRefused, InvalidFieldValue
from recommendations.field_maps import read_upstream
from recommendations.items import items_of, stash_box_id_of, text_of, value_of
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Fits,
    Outcome,
    acting,
)
from recommendations.stash_actions.boxes import stash_id_of, upstream_of
from recommendations.stash_actions.changing import not_kept
from recommendations.stash_actions.fitting import UNIDENTIFIED_SCENES, about, never
from recommendations.stash_actions.names import (
    clean_aliases,
    collisions_told,
    refuse_namesake,
    refuse_taken_name,
)
from recommendations.stash_actions.performers import CAREER_DATES_SINCE
from recommendations.stash_actions.pictures import find_upstream_picture
from recommendations.stash_actions.tags import with_sorted_aliases
from recommendations.stash_actions.telling import Entity, told_entity
from recommendations.stash_actions.values import as_stash_input, read_fields
from stashsense.integrations.stash_inputs import BulkIds, Mode
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashId
from stashsense.integrations.stash_writes import Written


@dataclass(frozen=True)
class Draft:
    """What is to be created, and what of the stash-box's was left out, and why."""

    kind: str
    stash_id: StashId
    values: Mapping[str, Any]
    image_url: str | None
    notes: tuple[str, ...] = ()
    refused_aliases: tuple[dict[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return str(self.values["name"])

    def told(self) -> dict[str, Any]:
        values = {key: each for key, each in self.values.items() if key != "stash_ids"}
        return {
            "creates": self.kind,
            "values": values,
            "stash_id": {
                "endpoint": self.stash_id.endpoint,
                "stash_id": self.stash_id.stash_id,
            },
            "image": self.image_url,
            "notes": list(self.notes),
            "refused_aliases": list(self.refused_aliases),
        }


@dataclass(frozen=True)
class Created:
    id: int
    name: str
    notes: tuple[str, ...] = ()


def create_entity(
    context: ActionContext,
    kind: str,
    upstream: Mapping[str, Any],
    *,
    endpoint: str,
    stashbox_id: str,
    scene_id: int | None = None,
) -> Outcome:
    """Create it as the data says, or as the stash-box does where that has no name.

    With a scene, a performer is added to it; one who was created stays where that
    fails. Raises NameCollision for a name, and ActionRefused where the id is another's.
    """
    deed = Deed(f"create-{kind}", kind, stashbox_id[:64], _fits(kind, scene_id))
    with acting(context, deed) as act:
        stash_id = stash_id_of(endpoint, stashbox_id)
        if scene_id is not None:
            act.target(lambda: act.stash.library.get_full_scene(scene_id))
        linked = find_linked(act.stash.library, kind, stash_id)
        if linked:
            raise ActionRefused(
                f"{linked[0].name} ({linked[0].id}) has this id already.",
                facts={"others": [told_entity(each) for each in linked]},
            )
        item: object = upstream
        if not text_of(upstream, "name").strip():
            item = upstream_of(kind, stash_id)
        draft = draft_of(act, kind, item, stash_id)
        plan = {**draft.told(), "scene_id": scene_id and str(scene_id)}
        if not act.begin(plan, None):
            return Outcome(plan, is_dry_run=True)
        created = create(act, draft)
        if scene_id is not None:
            add_to_scene(act, created, scene_id)
        answer = {kind: {"id": str(created.id), "name": created.name}}
        return Outcome(
            plan,
            {
                **answer,
                "notes": list(created.notes),
                "refused_aliases": list(draft.refused_aliases),
            },
        )


def create_performer_in_scene(
    context: ActionContext, *, scene_id: int, endpoint: str, stashbox_id: str
) -> Outcome:
    """Put the stash-box's performer into the scene, created if the library has none."""
    deed = Deed(
        "create-performer", "scene", str(scene_id), _fits("performer", scene_id)
    )
    with acting(context, deed) as act:
        library = act.stash.library
        act.target(lambda: library.get_full_scene(scene_id))
        stash_id = stash_id_of(endpoint, stashbox_id)
        linked = find_linked(library, "performer", stash_id)
        plan: dict[str, Any] = {"scene_id": str(scene_id)}
        draft = None
        if linked:
            plan["performer"] = told_entity(linked[0])
        else:
            upstream = upstream_of("performer", stash_id)
            draft = draft_of(act, "performer", upstream, stash_id)
            plan |= draft.told()
        if not act.begin(plan, None):
            return Outcome(plan, is_dry_run=True)
        if draft is None:
            performer = Created(linked[0].id, linked[0].name)
        else:
            performer = create(act, draft)
        add_to_scene(act, performer, scene_id)
        answer = {
            "performer_id": str(performer.id),
            "name": performer.name,
            "created": draft is not None,
            "notes": list(performer.notes),
        }
        return Outcome(plan, answer)


def _fits(kind: str, scene_id: int | None) -> Fits:
    if kind != "performer" or scene_id is None:
        return never
    return about((UNIDENTIFIED_SCENES,), "scene", scene_id)


def find_linked(
    library: StashLibrary, kind: str, stash_id: StashId
) -> Sequence[Entity]:
    """Return what the library has of that id; several are duplicates."""
    match kind:
        case "performer":
            return library.find_performers_by_stash_ids([stash_id])
        case "tag":
            return library.find_tags_by_stash_ids([stash_id])
    return library.find_studios_by_stash_ids([stash_id])


def find_named(library: StashLibrary, kind: str, name: str) -> Sequence[Entity]:
    """Return what the library has of that name or alias."""
    match kind:
        case "performer":
            return library.find_performers_named(name)
        case "tag":
            return library.find_tags_named(name)
    return library.find_studios_named(name)


def draft_of(act: Act, kind: str, item: object, stash_id: StashId) -> Draft:
    """Return what would be created; raises NameCollision where the name is taken."""
    library = act.stash.library
    upstream = read_upstream(kind, item)
    upstream.pop("parent_studio", None)
    if kind == "studio":
        upstream["aliases"] = list(items_of(item, "aliases"))
    said = {name: value for name, value in upstream.items() if value}
    values = read_fields(kind, said)
    name = values.get("name")
    if not name:
        raise InvalidFieldValue("name: What is created needs a name.")
    refused: tuple[dict[str, Any], ...] = ()
    if kind == "performer":
        refuse_namesake(library, None, name, values.get("disambiguation") or "")
        values["aliases"] = list(clean_aliases(values.get("aliases", []), name=name))
    elif kind in ("tag", "studio"):
        refuse_taken_name(library, "tag" if kind == "tag" else "studio", None, name)
        values, aliases = with_sorted_aliases(
            library, "tag" if kind == "tag" else "studio", None, values
        )
        refused = aliases.refused
    written = as_stash_input(
        kind,
        {key: value for key, value in values.items() if value},
        local={},
        has_career_dates=act.stash.version >= CAREER_DATES_SINCE,
    )
    notes: tuple[str, ...] = ()
    if kind == "studio":
        parent_id, notes = _parent_of(library, item, stash_id.endpoint)
        written |= {} if parent_id is None else {"parent_id": parent_id}
    return Draft(
        kind,
        stash_id,
        {**written, "stash_ids": [stash_id]},
        _image_url(item),
        notes,
        refused,
    )


def _parent_of(
    library: StashLibrary, item: object, endpoint: str
) -> tuple[int | None, tuple[str, ...]]:
    """Return the library's studio that has the parent's id, or a note on why none."""
    parent = value_of(item, "parent") or value_of(item, "parent_studio")
    if parent is None:
        return None, ()
    stash_id = text_of(parent, "id") or stash_box_id_of(parent, endpoint) or ""
    found = library.find_studios_by_stash_ids([StashId(endpoint, stash_id)])
    if len(found) == 1:
        return found[0].id, ()
    name = text_of(parent, "name")[:200]
    return None, (f"The parent studio {name} is not in the library by its id.",)


def _image_url(item: object) -> str | None:
    """Return the first picture's address, as stash-boxes have it first."""
    images = items_of(item, "images")
    url = text_of(images[0], "url") if images else text_of(item, "image")
    return url or None


def create(act: Act, draft: Draft) -> Created:
    """Create what the draft says, without the picture where that cannot be had."""
    values, notes = dict(draft.values), list(draft.notes)
    if draft.image_url is not None:
        picture, reason = find_upstream_picture(draft.image_url)
        if picture is None:
            notes.append(f"The picture was left out: {reason}")
        else:
            values["image"] = picture
    with collisions_told(
        None, lambda: find_named(act.stash.library, draft.kind, draft.name)
    ):
        written = _create(act, draft.kind, values)
    notes += [f"This Stash has no place for {each}." for each in not_kept(written)]
    act.did(f"Created {draft.kind} {written.id}, {draft.name}.")
    act.keep_after({"id": written.id, "name": draft.name})
    return Created(written.id, draft.name, tuple(notes))


def _create(act: Act, kind: str, values: Mapping[str, Any]) -> Written:
    writes = act.stash.writes
    match kind:
        case "performer":
            return writes.create_performer(values)
        case "tag":
            return writes.create_tag(values)
    return writes.create_studio(values)


def add_to_scene(act: Act, performer: Created, scene_id: int) -> None:
    """Add the performer; who else adds one meanwhile is not overwritten."""
    act.stash.writes.bulk_update_scenes(
        [scene_id], {"performer_ids": BulkIds(Mode.ADD, [performer.id])}
    )
    act.did(f"Added performer {performer.id} to scene {scene_id}.")


def create_studio_row(act: Act, item: object, stash_id: StashId) -> Created:
    """Create a studio that another one needs."""
    return create(act, draft_of(act, "studio", item, stash_id))
