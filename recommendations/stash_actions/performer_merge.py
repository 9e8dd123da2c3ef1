"""Merging performers: by Stash's own merge, or step by step where it has none.

Sources are destroyed last, and only when nothing is linked to them any more. A failure
anywhere before leaves them, and what was added to the destination stays: the same merge
may be asked for again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from recommendations.compound import (
    Career,
    Measurements,
    build_career,
    build_measurements,
    parse_career,
    parse_measurements,
)
from recommendations.exceptions import ActionRefused
from recommendations.stash_actions.acting import (
    Act,
    ActionContext,
    Deed,
    Outcome,
    StashAccess,
    acting,
)
from recommendations.stash_actions.changing import (
    changes_to,
    lost_custom_fields,
    not_kept,
)
from recommendations.stash_actions.fitting import among_performers
from recommendations.stash_actions.names import clean_aliases
from recommendations.stash_actions.performers import write_performer
from recommendations.stash_actions.pictures import find_stash_picture
from recommendations.stash_actions.telling import told_entity
from stashsense.integrations.stash_errors import StashNotFound
from stashsense.integrations.stash_inputs import BulkIds, CustomFields, Mode
from stashsense.integrations.stash_library_types import PerformerRow
from stashsense.integrations.stash_tags import TaggedKind
from stashsense.integrations.stash_writes import has_native_performer_merge

# Of what one mutation relinks: a second or two of Stash's time.
BATCH = 200
# Somebody who tags a source all the while is asked to stop.
_MAX_ROUNDS = 3
_SIMPLE = (
    *("gender", "birthdate", "death_date", "ethnicity", "country", "eye_color"),
    *("hair_color", "height_cm", "weight", "fake_tits", "penis_length"),
    *("circumcised", "tattoos", "piercings", "details", "rating100"),
    *("career_start", "career_end"),
)


_PLURALS = {
    TaggedKind.SCENE: "scenes",
    TaggedKind.IMAGE: "images",
    TaggedKind.GALLERY: "galleries",
}


@dataclass(frozen=True)
class PerformerMergePlan:
    """What the destination is to have, and what is linked to it instead of sources."""

    destination: PerformerRow
    sources: tuple[PerformerRow, ...]
    values: dict[str, Any]
    image_from: PerformerRow | None
    links: Mapping[TaggedKind, tuple[int, ...]]
    is_native: bool

    def told(self) -> dict[str, Any]:
        fields = self.values.get("custom_fields")
        values = {k: each for k, each in self.values.items() if k != "custom_fields"}
        tag_ids = values.pop("tag_ids", None)
        changes = changes_to(self.destination, values)
        if tag_ids is not None:
            before = [str(each.id) for each in self.destination.tags]
            changes["tag_ids"] = {"before": before, "after": [*map(str, tag_ids)]}
        if isinstance(fields, CustomFields):
            had = self.destination.custom_fields
            after = {**had, **(fields.partial or {})}
            changes["custom_fields"] = {"before": had, "after": after}
        return {
            "destination": told_entity(self.destination),
            "removed_performers": [told_entity(each) for each in self.sources],
            "method": "merge" if self.is_native else "step_by_step",
            "changes": changes,
            "image_from": self.image_from and str(self.image_from.id),
            "relinked": {
                _PLURALS[kind]: [str(each) for each in ids]
                for kind, ids in self.links.items()
            },
            "lost": _lost(self.destination, self.sources, self.values),
        }


def merge_performers(
    context: ActionContext, destination_id: int, source_ids: Sequence[int]
) -> Outcome:
    """Make the sources' links and what they alone know the destination's; end them."""
    sources = list(dict.fromkeys(source_ids))
    if destination_id in sources or not sources:
        raise ActionRefused("A performer is merged with others, not with themselves.")
    deed = Deed(
        "merge-performers",
        "performer",
        str(destination_id),
        among_performers([destination_id, *sources]),
        is_destructive=True,
    )
    with acting(context, deed) as act:
        destination, *others = act.target(
            lambda: _read(act.stash, [destination_id, *sources])
        )
        plan = _plan(act.stash, destination, others)
        shown = plan.told()
        if not act.begin(shown, [destination, *others]):
            return Outcome(shown, is_dry_run=True)
        left_out = _carry_out(act, plan)
        act.read_after(lambda: act.stash.library.get_performer_row(destination.id))
        merged = {"id": str(destination.id), "name": destination.name}
        return Outcome(shown, {"merged_into": merged, "not_kept": left_out})


def _read(stash: StashAccess, ids: Sequence[int]) -> tuple[PerformerRow, ...]:
    found = {each.id: each for each in stash.library.find_performer_rows(ids)}
    for each in ids:
        if each not in found:
            raise StashNotFound(f"Performer {each} not found.")
    return tuple(found[each] for each in ids)


def _plan(
    stash: StashAccess, destination: PerformerRow, sources: Sequence[PerformerRow]
) -> PerformerMergePlan:
    image_from = None
    if not destination.has_own_image:
        image_from = next((each for each in sources if each.has_own_image), None)
    ids = [each.id for each in sources]
    return PerformerMergePlan(
        destination,
        tuple(sources),
        _values(destination, sources),
        image_from,
        _links(stash, ids),
        has_native_performer_merge(stash.version),
    )


def _links(
    stash: StashAccess, performer_ids: Iterable[int]
) -> dict[TaggedKind, tuple[int, ...]]:
    """Return what one of them is tagged in."""
    found: dict[TaggedKind, set[int]] = {kind: set() for kind in TaggedKind}
    for each in performer_ids:
        for kind, ids in found.items():
            ids.update(stash.library.iter_ids_with(each, kind))
    return {kind: tuple(sorted(ids)) for kind, ids in found.items()}


def _values(
    destination: PerformerRow, sources: Sequence[PerformerRow]
) -> dict[str, Any]:
    """Return what the destination lacks and a source has, the first source's first."""
    values: dict[str, Any] = {}
    for name in _SIMPLE:
        if getattr(destination, name) in (None, ""):
            found = (getattr(each, name) for each in sources)
            value = next((each for each in found if each not in (None, "")), None)
            if value is not None:
                values[name] = value
    names = chain.from_iterable((each.name, *each.alias_list) for each in sources)
    joined: dict[str, tuple[Sequence[Any], Iterable[Any]]] = {
        "alias_list": (
            destination.alias_list,
            clean_aliases([*destination.alias_list, *names], name=destination.name),
        ),
        "stash_ids": (
            destination.stash_ids,
            chain.from_iterable(each.stash_ids for each in sources),
        ),
        "urls": (
            destination.urls,
            chain.from_iterable(each.urls for each in sources),
        ),
        "tag_ids": (
            [each.id for each in destination.tags],
            (tag.id for each in sources for tag in each.tags),
        ),
    }
    for key, (has, more) in joined.items():
        value = list(more) if key == "alias_list" else [*has, *more]
        value = list(dict.fromkeys(value))
        if value != list(has):
            values[key] = value
    if not destination.is_favorite and any(each.is_favorite for each in sources):
        values["favorite"] = True
    _join_texts(values, destination, sources)
    fields: dict[str, Any] = {}
    for source in reversed(sources):
        fields |= source.custom_fields
    new = {k: v for k, v in fields.items() if k not in destination.custom_fields}
    if new:
        values["custom_fields"] = CustomFields(partial=new)
    return values


def _join_texts(
    values: dict[str, Any], destination: PerformerRow, sources: Sequence[PerformerRow]
) -> None:
    """Fill in the parts of measurements and career that the destination lacks."""
    sizes, has_sizes = parse_measurements(destination.measurements), False
    career, has_years = parse_career(destination.career_length), False
    for source in sources:
        more = parse_measurements(source.measurements)
        years = parse_career(source.career_length)
        joined = Measurements(
            sizes.band_size or more.band_size,
            sizes.cup_size or more.cup_size,
            sizes.waist_size or more.waist_size,
            sizes.hip_size or more.hip_size,
            sizes.remainder or more.remainder,
        )
        merged = Career(
            career.start_year or years.start_year,
            career.end_year or years.end_year,
            career.remainder or years.remainder,
        )
        has_sizes, has_years = (
            has_sizes or joined != sizes,
            has_years or merged != career,
        )
        sizes, career = joined, merged
    if has_sizes:
        values["measurements"] = build_measurements(sizes)
    if has_years:
        values["career_length"] = build_career(career)


def _carry_out(act: Act, plan: PerformerMergePlan) -> list[str]:
    """Do what the plan says; return the fields that this Stash has no place for."""
    values = dict(plan.values)
    if plan.image_from is not None:
        url = plan.image_from.image_url
        picture = find_stash_picture(act.stash.client, url, is_own=True)
        if picture is not None:
            values["image"] = picture
    into = plan.destination.id
    ids = [each.id for each in plan.sources]
    if plan.is_native:
        written = act.stash.writes.merge_performers(ids, into, values=values)
        act.did(f"Merged performers {_listed(ids)} into {into}.")
        return not_kept(written)
    left_out: list[str] = []
    if values:
        left_out = write_performer(act, plan.destination, values)
    _relink(act, plan.links, ids, into)
    act.stash.writes.destroy_performers(ids)
    act.did(f"Removed performers {_listed(ids)}.")
    return left_out


def _relink(
    act: Act,
    links: Mapping[TaggedKind, Sequence[int]],
    source_ids: Sequence[int],
    into: int,
) -> None:
    """Link everything to the destination; raise where sources stay linked."""
    left: Mapping[TaggedKind, Sequence[int]] = links
    for _ in range(_MAX_ROUNDS):
        for kind, ids in left.items():
            for start in range(0, len(ids), BATCH):
                batch = ids[start : start + BATCH]
                _relink_batch(act, kind, batch, source_ids, into)
        # Asked anew: somebody may have tagged one of them meanwhile.
        left = _links(act.stash, source_ids)
        if not any(left.values()):
            return
    count = sum(map(len, left.values()))
    raise ActionRefused(
        f"{count} items are still linked to performers {_listed(source_ids)}, who were "
        "not removed.",
        facts={"left": {_PLURALS[kind]: len(ids) for kind, ids in left.items()}},
    )


def _relink_batch(
    act: Act,
    kind: TaggedKind,
    ids: Sequence[int],
    source_ids: Sequence[int],
    into: int,
) -> None:
    # Added first: after a failure between the two an item has one too many, not none.
    for mode, performers in ((Mode.ADD, [into]), (Mode.REMOVE, list(source_ids))):
        values = {"performer_ids": BulkIds(mode, performers)}
        match kind:
            case TaggedKind.SCENE:
                act.stash.writes.bulk_update_scenes(ids, values)
            case TaggedKind.IMAGE:
                act.stash.writes.bulk_update_images(ids, values)
            case TaggedKind.GALLERY:
                act.stash.writes.bulk_update_galleries(ids, values)
    act.did(f"Linked {len(ids)} {_PLURALS[kind]} to performer {into}.")


def _lost(
    destination: PerformerRow,
    sources: Sequence[PerformerRow],
    values: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return what sources say otherwise than what the destination will say."""
    names = (*_SIMPLE, "disambiguation", "measurements", "career_length")
    lost: list[tuple[PerformerRow, str, Any, Any]] = []
    for source in sources:
        for name in names:
            theirs = getattr(source, name)
            kept = values.get(name, getattr(destination, name))
            if theirs not in (None, "", kept):
                lost.append((source, name, theirs, kept))
    lost += [
        (source, f"custom_fields.{name}", theirs, kept)
        for source, name, theirs, kept in lost_custom_fields(
            destination.custom_fields, [(s, s.custom_fields) for s in sources], values
        )
    ]
    return [
        {
            "performer_id": str(source.id),
            "field": name,
            "value": theirs,
            "kept": kept,
        }
        for source, name, theirs, kept in lost
    ]


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
