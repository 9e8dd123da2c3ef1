"""Scenes of the library that show the same recording."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from recognition.models import Fingerprint, FingerprintPerson
from recommendations.analyzers.base import (
    EVERYWHERE,
    Analyzer,
    Finding,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.causes import cause_of
from recommendations.duplicate_candidates import (
    ScoredPair,
    Source,
    find_candidates,
    iter_duplicates,
)
from recommendations.phashes import parse_phash
from recommendations.scoring import UNKNOWN_PERFORMER, SceneFacts
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import LeanScene, SceneRow

_PAIRS_A_STEP = 100
# Of scenes that are read; a thousand come with each question.
_SCENES_A_STEP = 5_000

Faces = Mapping[str, Mapping[str, int]]


class DuplicateScenes(Analyzer):
    """Compares pictures, stash-box ids, metadata and who was recognised.

    The whole library is held while it looks, in a form of its own of some hundred
    bytes a scene; so it is not cut into slices.
    """

    type = "duplicate_scenes"
    display_name = "Duplicate scenes"
    description = "Scenes that look alike, or share an id, cast and date, or people."

    def analyze(self, work: Work) -> Steps:
        """Read every scene, pair those worth it, and yield what scores high enough."""
        library = StashLibrary(work.stash)
        scenes: list[SceneFacts] = []
        for scene in library.iter_lean_scenes():
            scenes.append(_facts(scene))
            work.check()
            if len(scenes) % _SCENES_A_STEP == 0:
                yield Step(done_count=0, total_count=len(scenes))
        faces = _faces(work)
        candidates = find_candidates(scenes, faces=faces, check=work.check)
        yield Step(
            done_count=0, total_count=len(scenes), note=_note(candidates.cut_counts)
        )
        places = {scene.scene_id: place for place, scene in enumerate(scenes)}
        duplicates = iter_duplicates(scenes, candidates, faces=faces, check=work.check)
        for pairs in _batches(duplicates):
            yield Step(
                findings=[*_findings(pairs, library)],
                done_count=places[pairs[-1].a.scene_id],
            )
        yield Step(sweeps=[EVERYWHERE], done_count=len(scenes))


def _facts(scene: LeanScene) -> SceneFacts:
    phashes = map(parse_phash, scene.phashes)
    return SceneFacts(
        scene_id=str(scene.id),
        phash=next((phash for phash in phashes if phash is not None), None),
        date=scene.date or None,
        studio_id=None if scene.studio_id is None else str(scene.studio_id),
        performer_ids=frozenset(map(str, scene.performer_ids)),
        duration_seconds=scene.duration_seconds,
        stash_ids=frozenset(
            (stash_id.endpoint, stash_id.stash_id) for stash_id in scene.stash_ids
        ),
    )


def _faces(work: Work) -> Faces:
    """Return in how many frames everybody was seen, by scene, of scenes kept."""
    people = FingerprintPerson.objects.filter(
        fingerprint__kind=Fingerprint.Kind.SCENE,
        fingerprint__state=Fingerprint.State.COMPLETE,
    ).order_by()
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    rows = people.values_list("fingerprint__stash_id", "universal_id", "frame_count")
    for scene_id, universal_id, frame_count in rows.iterator(chunk_size=5_000):
        work.check()
        who = universal_id or UNKNOWN_PERFORMER
        counts = seen[str(scene_id)]
        counts[who] = counts.get(who, 0) + frame_count
    return seen


def _batches(pairs: Iterable[ScoredPair]) -> Iterator[Sequence[ScoredPair]]:
    rest = iter(pairs)
    while batch := [*islice(rest, _PAIRS_A_STEP)]:
        yield batch


def _note(cut_counts: Mapping[Source, int]) -> str:
    """Return what was left out, for people."""
    parts = {
        Source.PHASH: "{} scenes share a picture hash with too many others",
        Source.METADATA: "{} scenes have too many of the same performer and studio "
        "beside them",
        Source.FACES: "{} scenes have too many of the same people beside them",
    }
    told = [
        text.format(cut_counts[source])
        for source, text in parts.items()
        if cut_counts.get(source)
    ]
    if not told:
        return ""
    return f"{'; '.join(told)}: they were compared with the nearest ones only."


def _findings(pairs: Sequence[ScoredPair], library: StashLibrary) -> Iterator[Finding]:
    wanted = {int(scene.scene_id) for pair in pairs for scene in (pair.a, pair.b)}
    rows = {str(row.id): row for row in library.find_scene_rows(sorted(wanted))}
    for pair in pairs:
        first, second = rows.get(pair.a.scene_id), rows.get(pair.b.scene_id)
        # One may have gone since it was read.
        if first is not None and second is not None:
            yield _finding(pair, first, second)


def _finding(pair: ScoredPair, first: SceneRow, second: SceneRow) -> Finding:
    score = pair.score
    return Finding(
        target=Target("scene", f"{first.id}:{second.id}"),
        details={
            "scene_a_id": str(first.id),
            "scene_b_id": str(second.id),
            "confidence": score.confidence,
            "label": score.label,
            "reasoning": list(score.reasoning),
            "signal_breakdown": score.signal_breakdown(),
            "scene_a_summary": _summary(first),
            "scene_b_summary": _summary(second),
        },
        cause=cause_of(score.stash_box_endpoint, score.phash_distance),
        confidence=score.confidence / 100,
    )


def _summary(scene: SceneRow) -> dict[str, Any]:
    file = scene.files[0] if scene.files else None
    return {
        "title": scene.title,
        "studio": scene.studio.name if scene.studio else None,
        "performers": [performer.name for performer in scene.performers],
        "path": file.path if file else None,
        "duration": file.duration_seconds if file else None,
        "date": scene.date or None,
        "size": file.size_bytes if file else None,
        "resolution": f"{file.width}x{file.height}" if file else None,
    }
