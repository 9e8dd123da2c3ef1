"""Scenes without an id at a stash-box, looked for there by their fingerprints.

One stash-box after the other, in the order of belief. A batch that fails is told of and
does not keep the others from being asked; a box that does not answer at all does not
keep the other boxes. Its mark stays where it was, so that its scenes are asked again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Self

from django.db.models import Q

from recommendations import findings, marks, preferences, snapshots
from recommendations.analyzers.base import (
    Analyzer,
    Finding,
    Resource,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.causes import cause_of
from recommendations.endpoints import ordered_endpoints
from recommendations.models import Recommendation
from recommendations.scene_matching import (
    LocalFingerprint,
    SceneMatch,
    local_fingerprints,
    match_scene,
)
from stashsense.integrations.stash_library import StashLibrary, is_linked
from stashsense.integrations.stash_library_types import SceneRow
from stashsense.integrations.stash_types import endpoint_domain
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_connections import client_for
from stashsense.integrations.stashbox_errors import (
    StashBoxBusy,
    StashBoxError,
    StashBoxUnauthorized,
    StashBoxUnreachable,
    UnknownStashBox,
)
from stashsense.integrations.stashbox_operations import MAX_SCENES_PER_CALL
from stashsense.integrations.stashbox_types import BoxScene

TYPE = "scene_fingerprint_match"
# Another one has everything asked anew.
LOGIC_VERSION = 1
# Somebody may have submitted fingerprints of an old scene meanwhile.
ASKED_AGAIN_AFTER = timedelta(days=30)
# A box that fails so often in a row is not asked any more in this run.
MAX_FAILURES_IN_A_ROW = 3
# The surest ones; a short pHash of black frames may be that of hundreds.
MAX_CANDIDATES = 5
# Rows passed over before what was reached is stored: scenes may have no fingerprint.
_ROWS_A_BATCH = 200
_CHECKED_A_STEP = 200
# When each scene of a stash-box was last asked for, in the facts of its mark.
_ALL_ASKED_AT = "all_asked_at"

_ERRORS: dict[str, type[StashBoxError]] = {
    each.code: each
    for each in (
        StashBoxError,
        UnknownStashBox,
        StashBoxUnauthorized,
        StashBoxUnreachable,
        StashBoxBusy,
    )
}


@dataclass
class _Box:
    """How far a stash-box was asked. Moments are texts, as all of it goes as JSON.

    since: scenes changed after it are asked for; None: all.
    checked_pk: of the last pending recommendation that was looked at; None: all were.
    after_id, solid_id: of the last scene that was passed, and that was answered for.
    """

    endpoint: str
    since: str | None
    all_asked_at: str | None
    checked_pk: int | None = 0
    after_id: int = 0
    solid_id: int = 0
    newest: str | None = None
    answered_count: int = 0
    failed_count: int = 0
    failures_in_a_row: int = 0
    problem: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        return endpoint_domain(self.endpoint)

    def failed(self, error: StashBoxError) -> None:
        self.failed_count += 1
        self.failures_in_a_row += 1
        self.problem = (error.code, str(error))

    def answered(self) -> None:
        self.answered_count += 1
        self.failures_in_a_row = 0
        self.solid_id = self.after_id

    def again(self) -> "_Box":
        """Return it as it was before what failed last, to be asked on from there."""
        return _Box(
            self.endpoint,
            self.since,
            self.all_asked_at,
            checked_pk=self.checked_pk,
            after_id=self.solid_id,
            solid_id=self.solid_id,
            newest=self.newest,
            answered_count=self.answered_count,
            failed_count=self.failed_count - self.failures_in_a_row,
        )


@dataclass
class _Pass:
    """What is left of a pass: boxes not begun, the one at work, and those given up.

    A later slice, or a new attempt after a failed one, asks those that failed again
    once nothing else is left.
    """

    left: list[str]
    box: _Box | None = None
    given_up: list[_Box] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    done_count: int = 0

    @classmethod
    def of(cls, work: Work, endpoints: Sequence[str]) -> Self:
        if not work.cursor:
            return cls([*endpoints])
        stored = dict(work.cursor)
        box = _Box(**stored["box"]) if stored["box"] else None
        given_up = [_Box(**each) for each in stored["given_up"]]
        # Some may have been disabled since.
        return cls(
            left=[each for each in stored["left"] if each in endpoints],
            box=box if box is not None and box.endpoint in endpoints else None,
            given_up=[each for each in given_up if each.endpoint in endpoints],
            notes=stored["notes"],
            done_count=stored["done_count"],
        )

    def cursor(self) -> dict[str, Any]:
        return asdict(self)

    def step(self, **facts: Any) -> Step:
        return Step(
            cursor=self.cursor(),
            done_count=self.done_count,
            note=" ".join(self.notes.values()),
            **facts,
        )

    def boxes(self, work: Work) -> Iterator[_Box]:
        """Yield the boxes to be asked, one after the other."""
        if self.box is not None:
            yield self.box
        while self.left:
            self.box = _begun(self.left.pop(0), work)
            yield self.box

    def take_up(self, lost: _Box) -> _Box:
        """Return a box that was given up, to be asked once more."""
        self.given_up.remove(lost)
        self.notes.pop(lost.endpoint, None)
        self.box = lost.again()
        return self.box

    def give_up(self, box: _Box, error: StashBoxError) -> None:
        self.box = None
        box.problem = (error.code, str(error))
        self.given_up.append(box)
        self.notes[box.endpoint] = f"{box.name} was given up: {error}"


class SceneFingerprintMatches(Analyzer):
    """Scenes of stash-boxes that have fingerprints of ours.

    A recommendation is about a pair, so a scene may have several; only one that is
    alone may be sure.
    """

    type = TYPE
    display_name = "Scene matches"
    description = "Scenes of stash-boxes that have the fingerprints of yours."
    resource = Resource.NETWORK
    is_incremental = True

    def analyze(self, work: Work) -> Steps:
        """Ask one stash-box after the other; raise what the first of the lost ones did.

        StashBoxError comes last, after all others were asked.
        """
        endpoints = [each.endpoint for each in ordered_endpoints()]
        now = _Pass.of(work, endpoints)
        if now.box is None and not now.left and now.given_up:
            for lost in [*now.given_up]:
                yield from self._ask(now, now.take_up(lost), work)
        for box in now.boxes(work):
            yield from self._ask(now, box, work)
        if not endpoints:
            yield Step(note="No stash-box may be asked.")
        if now.given_up:
            code, message = now.given_up[0].problem
            raise _ERRORS.get(code, StashBoxError)(message)

    def _ask(self, now: _Pass, box: _Box, work: Work) -> Steps:
        try:
            yield from _check_pending(now, box, work)
            yield from _ask_for_scenes(now, box, work)
        except StashBoxError as error:
            now.give_up(box, error)


def _begun(endpoint: str, work: Work) -> _Box:
    mark = snapshots.find_mark(TYPE, endpoint, logic_version=LOGIC_VERSION)
    asked_at = None if mark is None else marks.as_moment(mark.facts.get(_ALL_ASKED_AT))
    is_whole = (
        work.is_full
        or mark is None
        or asked_at is None
        or work.began_at - asked_at >= ASKED_AGAIN_AFTER
    )
    if is_whole:
        return _Box(endpoint, None, marks.as_text(work.began_at))
    assert mark is not None
    return _Box(endpoint, marks.as_text(mark.reached_at), marks.as_text(asked_at))


def _check_pending(now: _Pass, box: _Box, work: Work) -> Steps:
    """Clear what waits for scenes that were linked there meanwhile, or are gone."""
    library = StashLibrary(work.stash)
    while box.checked_pk is not None:
        work.check()
        rows = (
            Recommendation.objects.pending()
            .filter(type=TYPE, endpoint=box.endpoint, pk__gt=box.checked_pk)
            .order_by("pk")
            .values_list("pk", "target_id")[:_CHECKED_A_STEP]
        )
        waiting = {target_id: pk for pk, target_id in rows}
        scene_ids = {each: _scene_id(each) for each in waiting}
        known = {id for id in scene_ids.values() if id is not None}
        open_ids = {
            scene.id
            for scene in library.find_scene_rows(sorted(known))
            if not is_linked(scene, box.endpoint)
        }
        cleared = [
            Target("scene", target_id, box.endpoint)
            for target_id, scene_id in scene_ids.items()
            if scene_id not in open_ids
        ]
        box.checked_pk = max(waiting.values(), default=None)
        yield now.step(cleared=cleared)


def _ask_for_scenes(now: _Pass, box: _Box, work: Work) -> Steps:
    """Ask for every scene that is due; raise StashBoxError to give the box up."""
    client = client_for(box.endpoint).stopped_by(work.check)
    dismissed = findings.dismissed_for_good(TYPE, "scene", box.endpoint)
    for batch in _batches(box, work):
        now.done_count += len(batch)
        asked = _with_fingerprints(batch)
        newest = marks.as_moment(box.newest)
        for scene in batch:
            newest = marks.later(newest, scene.updated_at)
        box.newest = marks.as_text(newest)
        box.after_id = batch[-1].id
        try:
            answers = _answers(client, asked)
        except StashBoxError as error:
            box.failed(error)
            is_hopeless = isinstance(error, StashBoxUnauthorized | StashBoxBusy)
            if is_hopeless or box.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                raise
            now.notes[box.endpoint] = (
                f"{box.name} failed {box.failed_count} times: {error}"
            )
            # No step: an attempt after a failed run begins before it.
            continue
        if asked:
            box.answered()
        found = [
            finding
            for (scene, local), scenes in zip(asked, answers, strict=True)
            for finding in _findings(box, scene, local, scenes, dismissed)
        ]
        yield now.step(findings=found, cleared=_gone(box, batch, found))
    yield _last_step(now, box, work)


def _last_step(now: _Pass, box: _Box, work: Work) -> Step:
    """Return what is stored once the box was asked for all; raise if it never answered.

    Where some batches failed the mark stays, and nothing is swept.
    """
    if box.failed_count:
        if not box.answered_count:
            code, message = box.problem
            raise _ERRORS.get(code, StashBoxError)(message)
        now.box = None
        return now.step()
    now.box = None
    newest = marks.as_moment(box.newest)
    before = marks.as_moment(box.since)
    reached_at = marks.overlapping(newest, work.began_at)
    return now.step(
        # Known when the last stash-box was asked.
        total_count=None if now.left else now.done_count,
        sweeps=[box.endpoint] if box.since is None else [],
        write=partial(
            snapshots.set_mark,
            TYPE,
            box.endpoint,
            reached_at=marks.later(before, reached_at),
            logic_version=LOGIC_VERSION,
            facts={_ALL_ASKED_AT: box.all_asked_at},
        ),
    )


def _batches(box: _Box, work: Work) -> Iterator[list[SceneRow]]:
    """Yield scenes of which as many as one call takes have fingerprints."""
    rows = StashLibrary(work.stash).iter_scenes_not_linked_to(
        box.endpoint,
        updated_after=marks.as_moment(box.since),
        after_id=box.after_id,
    )
    batch: list[SceneRow] = []
    asked_count = 0
    for row in rows:
        work.check()
        batch.append(row)
        asked_count += bool(local_fingerprints(row.files))
        if asked_count == MAX_SCENES_PER_CALL or len(batch) == _ROWS_A_BATCH:
            yield batch
            batch, asked_count = [], 0
    if batch:
        yield batch


_Asked = tuple[SceneRow, list[LocalFingerprint]]


def _with_fingerprints(batch: Sequence[SceneRow]) -> list[_Asked]:
    pairs = ((scene, local_fingerprints(scene.files)) for scene in batch)
    return [(scene, local) for scene, local in pairs if local]


def _answers(client: StashBoxClient, asked: Sequence[_Asked]) -> list[list[BoxScene]]:
    if not asked:
        return []
    return client.find_scenes_by_fingerprints(
        [[each.fingerprint for each in local] for _, local in asked]
    )


def _findings(
    box: _Box,
    scene: SceneRow,
    local: Sequence[LocalFingerprint],
    upstream: Sequence[BoxScene],
    dismissed: set[str],
) -> Iterator[Finding]:
    """Yield the candidates that nobody dismissed for good, the surest first."""
    matches: dict[str, SceneMatch] = {}
    for each in upstream:
        is_out = each.deleted or _target_id(scene.id, box, each.id) in dismissed
        if not is_out and (match := match_scene(local, each)) is not None:
            matches[each.id] = match
    best = sorted(matches.values(), key=lambda each: (-each.confidence, each.scene.id))
    is_sure = len(best) == 1 and best[0].is_sure(
        min_count=preferences.scene_fp_min_count(),
        min_percentage=preferences.scene_fp_min_percentage(),
    )
    for match in best[:MAX_CANDIDATES]:
        target_id = _target_id(scene.id, box, match.scene.id)
        yield Finding(
            target=Target("scene", target_id, box.endpoint),
            details={
                **_told(box, scene, match),
                "candidate_count": len(best),
                "high_confidence": is_sure,
            },
            cause=cause_of(
                match.scene.id,
                sorted([*each.local.key, each.distance] for each in match.matches),
            ),
            confidence=match.confidence,
        )


def _told(box: _Box, scene: SceneRow, match: SceneMatch) -> dict[str, Any]:
    upstream = match.scene
    file = scene.files[0] if scene.files else None
    return {
        "scene_id": str(scene.id),
        "scene_title": scene.title,
        "scene_path": "" if file is None else file.path,
        "scene_duration": None if file is None else file.duration_seconds,
        "endpoint": box.endpoint,
        "endpoint_name": box.name,
        "stash_id": upstream.id,
        "stashbox_scene_id": upstream.id,
        "stashbox_scene_title": upstream.title,
        "stashbox_studio": None if upstream.studio is None else upstream.studio.name,
        "stashbox_performers": [each.performer.name for each in upstream.performers],
        "stashbox_date": upstream.release_date,
        "stashbox_duration": upstream.duration_seconds,
        "stashbox_cover_url": upstream.images[0].url if upstream.images else None,
        "matching_fingerprints": [
            {
                "algorithm": each.upstream.algorithm,
                "hash": each.local.fingerprint.hash,
                "stashbox_hash": each.upstream.hash,
                "distance": each.distance,
                "duration": each.upstream.duration_seconds,
                "submissions": each.upstream.submissions,
            }
            for each in match.matches
        ],
        "match_count": len(match.matches),
        "total_local_fingerprints": match.local_count,
        "match_percentage": match.percentage,
        "total_submissions": match.submission_count,
        "is_exact": any(
            each.is_exact and each.upstream.algorithm == "OSHASH"
            for each in match.matches
        ),
        "durations_agree": match.durations_agree,
    }


def _gone(
    box: _Box, batch: Sequence[SceneRow], found: Sequence[Finding]
) -> list[Target]:
    """Return what waits for these scenes and was not found any more."""
    waiting = Q(pk__in=[])
    for scene in batch:
        prefix = f"{scene.id}|{box.endpoint}"
        # All that begins so; the index has texts in order.
        waiting |= Q(target_id__gte=f"{prefix}|", target_id__lt=f"{prefix}}}")
    rows = Recommendation.objects.pending().filter(
        waiting, type=TYPE, target_type="scene", endpoint=box.endpoint
    )
    kept = {each.target.target_id for each in found}
    return [
        Target("scene", target_id, box.endpoint)
        for target_id in rows.values_list("target_id", flat=True)
        if target_id not in kept
    ]


def _target_id(scene_id: int, box: _Box, stash_id: str) -> str:
    return f"{scene_id}|{box.endpoint}|{stash_id}"


def _scene_id(target_id: str) -> int | None:
    text = target_id.partition("|")[0]
    return int(text) if text.isdecimal() else None
