"""People recognised in scenes who are not tagged there in Stash.

What recognition kept of scenes is joined with Stash's tags: a performer of the library
is tagged by any of their ids. Nothing is decoded and no stash-box is asked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from recognition.recognised import (
    RecognisedMedia,
    RecognisedPerson,
    count_recognised,
    evidence_seconds,
    performers_named_by_owner,
    recognised_after,
    recognised_in,
)
from recommendations import findings, marks, snapshots
from recommendations.analyzers.base import (
    Analyzer,
    Finding,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.causes import cause_of
from recommendations.endpoints import all_endpoints
from recommendations.models import HighWaterMark, Recommendation
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import SceneRow

TYPE = "unidentified_scenes"
# Another one has everything looked at anew.
LOGIC_VERSION = 1
# Scenes that Stash is asked for at once: three questions of 40, and one for people.
_SCENES_A_STEP = 100
# When somebody is shown: enough to look at, not every frame.
MAX_TIMESTAMPS = 10
_STASH_UPDATED_AT = "stash_updated_at"
_SCENE = "scene"


class UnidentifiedScenes(Analyzer):
    """One recommendation for each scene, with all who are missing in it.

    Only names that recognition is sure of. After the first pass: what waits, what was
    matched since the last one, and what Stash changed since.
    """

    type = TYPE
    display_name = "Unidentified scenes"
    description = "Scenes with people who were recognised and are not tagged."
    is_incremental = True
    # Somebody else in the scene is another matter.
    reopens_when_changed = True

    def analyze(self, work: Work) -> Steps:
        """Yield what was looked at, a hundred scenes a step; the marks come last."""
        mark = snapshots.find_mark(TYPE, "", logic_version=LOGIC_VERSION)
        # A later slice does what the first began, whatever became of the mark.
        is_whole = work.cursor.get("is_whole", work.is_full or mark is None)
        scenes = _Scenes(work, is_whole=is_whole)
        if is_whole:
            # In pages of hundreds, where scenes by their ids come forty at once.
            yield from scenes.updated(None)
        else:
            yield from scenes.waiting()
            if mark is not None and mark.reached_at is not None:
                yield from scenes.matched(mark.reached_at)
                updated_at = marks.as_moment(mark.facts.get(_STASH_UPDATED_AT))
                yield from scenes.updated(updated_at or mark.reached_at)
        yield Step(
            sweeps=[""] if is_whole else [],
            write=partial(
                snapshots.set_mark,
                TYPE,
                "",
                reached_at=marks.overlapping(None, work.began_at),
                logic_version=LOGIC_VERSION,
                facts={_STASH_UPDATED_AT: marks.as_text(scenes.reached(mark))},
            ),
        )


class _Scenes:
    """Looks at scenes in phases, each from where the cursor is."""

    PHASES = ("waiting", "matched", "updated")

    def __init__(self, work: Work, *, is_whole: bool) -> None:
        self._work = work
        self._library = StashLibrary(work.stash)
        self._people = _LibraryPeople(work.stash)
        self._is_whole = is_whole
        self._phase = work.cursor.get("phase", self.PHASES[0])
        self._after_id = int(work.cursor.get("after_id", 0))
        self._done_count = int(work.cursor.get("done_count", 0))
        self._total_count = int(work.cursor.get("total_count", 0))
        self._newest = marks.as_moment(work.cursor.get("newest"))
        self._dismissed = findings.dismissed_for_good(TYPE, _SCENE, "")
        self._endpoints = {
            each.domain: each.endpoint for each in all_endpoints().enabled
        }

    def reached(self, mark: HighWaterMark | None) -> datetime:
        """Return up to which change of Stash's scenes nothing is left to look at."""
        before = None
        if mark is not None and not self._is_whole:
            before = marks.as_moment(mark.facts.get(_STASH_UPDATED_AT))
        reached_at = marks.overlapping(self._newest, self._work.began_at)
        return marks.later(before, reached_at)

    def waiting(self) -> Steps:
        """Look again at what is recommended: scenes go, and people get ids."""
        if not self._begin("waiting"):
            return
        pending = Recommendation.objects.pending().filter(type=TYPE).order_by("pk")
        while True:
            rows = pending.filter(pk__gt=self._after_id)[:_SCENES_A_STEP]
            ids = {row.pk: int(row.target_id) for row in rows}
            if not ids:
                return
            self._after_id = max(ids)
            yield self._step(ids.values(), recognised_in(_SCENE, ids.values()))

    def matched(self, matched_after: datetime) -> Steps:
        """Look at the scenes that were matched after a moment."""
        if not self._begin("matched"):
            return
        self._expect(count_recognised(_SCENE, matched_after=matched_after))
        while media := recognised_after(
            _SCENE,
            self._after_id,
            limit=_SCENES_A_STEP,
            matched_after=matched_after,
        ):
            self._after_id = media[-1].stash_id
            seen = {each.stash_id: each for each in media}
            yield self._step(seen, seen)

    def updated(self, updated_after: datetime | None) -> Steps:
        """Look at the scenes that Stash changed after a moment; None: at all."""
        if not self._begin("updated"):
            return
        if updated_after is None:
            self._expect(count_recognised(_SCENE))
        rows = self._library.iter_scene_rows(
            updated_after=updated_after, after_id=self._after_id
        )
        while batch := list(islice(rows, _SCENES_A_STEP)):
            self._after_id = batch[-1].id
            media = recognised_in(_SCENE, [row.id for row in batch])
            yield self._step(media, media, rows=batch)

    def _expect(self, count: int) -> None:
        """Have so many scenes be ahead of us, if no earlier slice said so."""
        if not self._total_count:
            self._total_count = self._done_count + count

    def _begin(self, phase: str) -> bool:
        """Return whether the phase is not behind us."""
        if self.PHASES.index(phase) < self.PHASES.index(self._phase):
            return False
        if phase != self._phase:
            self._phase, self._after_id = phase, 0
        return True

    def _step(
        self,
        wanted: Iterable[int],
        media: dict[int, RecognisedMedia],
        *,
        rows: Sequence[SceneRow] | None = None,
    ) -> Step:
        """Return what there is to tell of these scenes, and which are in order."""
        self._work.check()
        ids = [each for each in wanted if str(each) not in self._dismissed]
        # Who nobody is recognised in need not be asked for.
        asked = [each for each in ids if each in media and media[each].people]
        if rows is None:
            rows = self._library.find_scene_rows(asked)
        for row in rows:
            self._newest = marks.later(self._newest, row.updated_at)
        scenes = {row.id: row for row in rows if row.id in asked}
        self._people.look_up([media[each] for each in scenes])
        found = [
            finding
            for row in scenes.values()
            if (finding := self._finding(row, media[row.id])) is not None
        ]
        told = {each.target for each in found}
        looked_at = (Target(_SCENE, str(each)) for each in ids)
        self._done_count += len(ids)
        return Step(
            findings=found,
            cleared=[each for each in looked_at if each not in told],
            cursor={
                "is_whole": self._is_whole,
                "phase": self._phase,
                "after_id": self._after_id,
                "done_count": self._done_count,
                "total_count": self._total_count,
                "newest": marks.as_text(self._newest),
            },
            done_count=self._done_count,
            # A scene that is changed as well is looked at again, beyond those expected.
            total_count=self._total_count and max(self._total_count, self._done_count),
        )

    def _finding(self, scene: SceneRow, media: RecognisedMedia) -> Finding | None:
        """Return who is missing in the scene; None where everybody is tagged."""
        tagged_ids = {each.id for each in scene.performers}
        missing: list[RecognisedPerson] = []
        present: list[RecognisedPerson] = []
        for person in media.people:
            is_tagged = self._people.ids_of(person) & tagged_ids
            (present if is_tagged else missing).append(person)
        if not missing:
            return None
        missing.sort(key=lambda each: (-each.confidence, each.universal_id))
        # The owner may have named two people so.
        missing = list({each.universal_id: each for each in missing[::-1]}.values())[
            ::-1
        ]
        shown = evidence_seconds(media.fingerprint_id, missing)
        file = scene.files[0] if scene.files else None
        return Finding(
            target=Target(_SCENE, str(scene.id)),
            details={
                "scene_id": str(scene.id),
                "scene_title": scene.title,
                "scene_path": "" if file is None else file.path,
                # Of Stash itself, whatever address it is reached by.
                "screenshot_path": f"/scene/{scene.id}/screenshot",
                "people": [
                    self._told(person) | {"timestamps": times[:MAX_TIMESTAMPS]}
                    for person, times in zip(missing, shown, strict=True)
                ],
                "already_tagged": [self._told(each) for each in present],
                "tagged_performers": [
                    {"id": str(each.id), "name": each.name} for each in scene.performers
                ],
                "unknown_count": media.unknown_count,
                "uncertain_count": media.uncertain_count,
            },
            cause=cause_of(sorted(each.universal_id for each in missing)),
            confidence=missing[0].confidence,
        )

    def _told(self, person: RecognisedPerson) -> dict[str, Any]:
        domain, _, stash_box_id = person.universal_id.rpartition(":")
        is_local = person.local_performer_id is not None
        local_ids = sorted(self._people.ids_of(person))
        return {
            "name": person.name,
            "universal_id": person.universal_id,
            # None where Stash is not configured with it, or where it is disabled.
            "endpoint": None if is_local else self._endpoints.get(domain),
            "stash_box_id": None if is_local else stash_box_id,
            "local_performer_id": str(local_ids[0]) if local_ids else None,
            "confidence": person.confidence,
            "face_count": len(person.faces),
            "frame_count": person.frame_count,
        }


class _LibraryPeople:
    """Which performers of the library recognised people are; each is asked for once."""

    def __init__(self, stash: StashClient) -> None:
        self._stash = stash
        self._ids: dict[str, set[int]] = {}

    def look_up(self, media: Iterable[RecognisedMedia]) -> None:
        """Ask Stash for those of the people who were not asked for yet."""
        people = {person.universal_id for each in media for person in each.people}
        wanted = sorted(people - self._ids.keys())
        named = performers_named_by_owner(wanted)
        self._ids |= {each: named.get(each, set()) for each in wanted}
        for performer in self._stash.find_performers_by_stash_ids(wanted):
            for universal_id in performer.universal_ids & self._ids.keys():
                self._ids[universal_id].add(performer.id)

    def ids_of(self, person: RecognisedPerson) -> set[int]:
        local_id = person.local_performer_id
        own = set() if local_id is None else {local_id}
        return own | self._ids[person.universal_id]
