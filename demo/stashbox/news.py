"""What the stand-in stash-box of the demo says otherwise than the library.

So every analysis has something to find. What it is about is looked for by title and
name: of a library that lacks it, nothing is said.
"""

from dataclasses import replace
from typing import TypeVar

from demo.stash.library import Library
from demo.stash.library import Scene as LibraryScene
from demo.stashbox.content import (
    BoxIds,
    add_scene,
    box_id,
    fingerprints_of,
    ids_of,
    moments,
    put_picture,
)
from demo.stashbox.rows import (
    Appearance,
    BodyModification,
    Box,
    BoxUrl,
    Performer,
    Studio,
    Tag,
)

_Row = TypeVar("_Row", Tag, Studio)

# A pHash that is this many bits off is near, and no more.
_FLIPPED_BITS = 0b1001_0001


def add_news(box: Box, library: Library, endpoint: str) -> None:
    """Have a box of the library know more by now, and some of it better."""
    ids = ids_of(library, endpoint)
    # Merges and deletions are no matter for those whom another change is about.
    busy = {
        performer_id
        for scene in library.scenes.values()
        if scene.stash_ids
        for performer_id in scene.performer_ids
    }
    free = [box.performers[id] for row, id in ids.performers.items() if row not in busy]
    if len(free) > 3:
        # Of whom most is known, most can be seen to change.
        changed = next((each for each in free if each.aliases and each.cup_size), None)
        free = [each for each in free if each is not changed]
        deleted, merged, joins = free[:3]
        _describe_anew(changed or joins)
        _merge(box, merged)
        box.destroy("PERFORMER", deleted.id, moment=deleted.updated)
        _change_scene(box, library, ids, joins)
    _know_by_name(box, library, ids)
    _change_tags(box)
    _change_studios(box)
    _know_by_fingerprint(box, library, ids)


def _describe_anew(row: Performer) -> None:
    """Change what a profile is mostly corrected in, and leave the rest."""
    given, _, family = row.name.partition(" ")
    row.disambiguation = "actor"
    row.aliases = [*row.aliases, f"{given} {family[:1]}.", f"Miss {family}"]
    row.country = "NO" if row.country != "NO" else "SE"
    row.hair_color = "RED"
    row.height = (row.height or 170) + 2
    row.cup_size, row.band_size, row.waist_size, row.hip_size = "D", 34, 25, 36
    row.career_start_year = 2012
    row.tattoos = [BodyModification("Left arm", "a swallow")]
    row.urls.append(BoxUrl(f"https://profiles.example.org/{given.lower()}"))
    row.updated = moments(100)[1]


def _merge(box: Box, row: Performer) -> None:
    """Merge somebody into a new row that says the same of them."""
    into = box_id("performer", f"{row.name}, once more")
    box.performers[into] = replace(row, id=into, aliases=[*row.aliases])
    image = box_id("image", row.id)
    if image in box.pictures:
        box.pictures[box_id("image", into)] = box.pictures[image]
        box.performers[into].images = [box_id("image", into)]
    box.merge("PERFORMER", [row.id], into, moment=moments(101)[1])


def _know_by_name(box: Box, library: Library, ids: BoxIds) -> None:
    """Add whoever has no id of any box in the library, under their name."""
    for number, row in enumerate(library.performers.values(), start=102):
        if not row.stash_ids and row.id not in ids.performers:
            id = box_id("performer", row.name)
            box.performers[id] = Performer(
                id, *moments(number), name=row.name, gender=row.gender,
                birth_date=row.birthdate, country=row.country,
                images=[box_id("image", id)],
            )  # fmt: skip
            if row.picture_name is not None:
                put_picture(box, id, library.folder / row.picture_name)


def _change_tags(box: Box) -> None:
    outdoors, couple = (_named(box.tags, each) for each in ("outdoors", "two people"))
    if outdoors is not None:
        outdoors.description = "In the open air, be it a garden or a street."
        outdoors.aliases = ["open air", "outside"]
    if couple is not None:
        couple.name, couple.aliases = "duo", ["two people", "couple"]


def _change_studios(box: Box) -> None:
    """Give one studio a parent that the library has, another one that it lacks."""
    lantern, lane, attic = (
        _named(box.studios, each)
        for each in ("Lantern Pictures", "Harbour Lane", "Attic Tapes")
    )
    if lantern is not None and lane is not None:
        lane.parent_id = lantern.id
        lane.urls.append(BoxUrl("https://harbour-lane.example.org"))
    if attic is not None:
        id = box_id("studio", "Attic Network")
        box.studios[id] = Studio(id, *moments(120), name="Attic Network")
        attic.parent_id = id


def _change_scene(box: Box, library: Library, ids: BoxIds, joins: Performer) -> None:
    """Correct the first scene that is linked: title, day, cast, studio and tags."""
    linked = (
        (scene, box.scenes[each.stash_id])
        for scene in library.scenes.values()
        for each in scene.stash_ids
        if each.stash_id in box.scenes
    )
    own, row = next(linked, (None, None))
    if own is None or row is None:
        return
    row.title = f"{row.title} by Night"
    row.release_date = "2024-11-05"
    row.details = "Two of the house stay up, and a third one comes to see why."
    row.director = "Rowan Quill"
    row.performers.append(Appearance(joins.id, credited_as="The Neighbour"))
    others = [id for key, id in ids.studios.items() if key != own.studio_id]
    row.studio_id = others[0] if others else row.studio_id
    row.tag_ids += [each for each in ids.tags.values() if each not in row.tag_ids][-1:]


def _know_by_fingerprint(box: Box, library: Library, ids: BoxIds) -> None:
    """Add two scenes whose files it knows: one surely, one by a near pHash alone."""
    exact, near = (_titled(library, title) for title in ("Half the Credits", "Upright"))
    for number, own in enumerate(each for each in (exact, near) if each is not None):
        id = box_id("scene", own.title)
        row = add_scene(box, id, own, library, ids, 130 + number)
        row.urls = [BoxUrl(f"https://scenes.example.org/{id}")]
        file = library.primary_file(own)
        if own is near and file is not None:
            row.fingerprints = [
                replace(each, hash=f"{int(each.hash, 16) ^ _FLIPPED_BITS:016x}")
                for each in fingerprints_of(file, row.duration or 0)
                if each.algorithm == "PHASH"
            ]
    box.phash_distance = max(box.phash_distance, _FLIPPED_BITS.bit_count())


def _named(rows: dict[str, _Row], name: str) -> _Row | None:
    return next((row for row in rows.values() if row.name == name), None)


def _titled(library: Library, title: str) -> LibraryScene | None:
    return next((s for s in library.scenes.values() if s.title == title), None)
