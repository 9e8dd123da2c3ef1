"""Scenes of several files, of which one would do."""

from collections.abc import Sequence
from typing import Any

from django.template.defaultfilters import filesizeformat

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
from recommendations.phashes import parse_phash
from recommendations.scoring import (
    MAX_PHASH_DISTANCE,
    FileFacts,
    rank_files,
    score_file_quality,
)
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import LibraryFile, SceneRow

_SCENES_A_STEP = 50
# Two encodings of a recording differ by some seconds of titles, or by rounding.
_SAME_DURATION_SHARE = 0.02
_SAME_DURATION_SECONDS = 5.0
# Of files that may show different things: Stash joined them, or a person did.
DOUBTFUL_CONFIDENCE = 0.5


class DuplicateSceneFiles(Analyzer):
    """The best file is proposed to be kept.

    Files that differ in length or in what they show are told of as such: they may be
    another cut, and deleting cannot be taken back.
    """

    type = "duplicate_scene_files"
    display_name = "Duplicate scene files"
    description = "Scenes that have several files, with the best one to keep."

    def analyze(self, work: Work) -> Steps:
        """Yield scenes by ascending id, from the cursor on."""
        after_id = int(work.cursor.get("scene_id", 0))
        done = int(work.cursor.get("done", 0))
        scenes = StashLibrary(work.stash).iter_scenes_with_several_files(
            after_id=after_id
        )
        batch: list[SceneRow] = []
        for scene in scenes:
            work.check()
            batch.append(scene)
            if len(batch) == _SCENES_A_STEP:
                done += len(batch)
                yield _step(batch, done)
                batch = []
        if batch:
            done += len(batch)
            yield _step(batch, done)
        yield Step(sweeps=[EVERYWHERE], total_count=done)


def _step(scenes: Sequence[SceneRow], done: int) -> Step:
    return Step(
        findings=[_finding(scene) for scene in scenes if len(scene.files) > 1],
        cursor={"scene_id": scenes[-1].id, "done": done},
        done_count=done,
    )


def _finding(scene: SceneRow) -> Finding:
    ranked = rank_files(_facts(file) for file in scene.files)
    keeper_id = ranked[0].file_id
    files = {str(file.id): file for file in scene.files}
    total = sum(file.size_bytes for file in scene.files)
    savings = total - files[keeper_id].size_bytes
    warnings = _warnings(scene.files)
    return Finding(
        target=Target("scene", str(scene.id)),
        details={
            "scene_title": scene.title,
            "studio": scene.studio.name if scene.studio else None,
            "performers": [each.name for each in scene.performers],
            "files": [
                _told(files[facts.file_id], facts, keeper_id) for facts in ranked
            ],
            "suggested_keeper_id": keeper_id,
            "primary_file_id": str(scene.files[0].id),
            "total_size": total,
            "total_size_formatted": formatted_bytes(total),
            "potential_savings": savings,
            "potential_savings_formatted": formatted_bytes(savings),
            "warnings": warnings,
        },
        cause=cause_of(sorted(file.id for file in scene.files)),
        confidence=DOUBTFUL_CONFIDENCE if warnings else 1.0,
    )


def _warnings(files: Sequence[LibraryFile]) -> list[str]:
    """Return why the files may not show the same thing, in sentences."""
    warnings = []
    durations = sorted(file.duration_seconds for file in files)
    margin = max(_SAME_DURATION_SECONDS, _SAME_DURATION_SHARE * durations[-1])
    if durations[-1] - durations[0] > margin:
        warnings.append(
            f"The files last from {formatted_seconds(durations[0])} to "
            f"{formatted_seconds(durations[-1])}: one may be another cut."
        )
    phashes = [
        phash
        for file in files
        if (phash := parse_phash(file.fingerprint("phash"))) is not None
    ]
    furthest = max(((a ^ b).bit_count() for a in phashes for b in phashes), default=0)
    if furthest > MAX_PHASH_DISTANCE:
        warnings.append("Their pictures differ: they may show different scenes.")
    return warnings


def _facts(file: LibraryFile) -> FileFacts:
    return FileFacts(
        file_id=str(file.id),
        width=file.width,
        height=file.height,
        bit_rate=file.bit_rate,
        size_bytes=file.size_bytes,
        video_codec=file.video_codec,
    )


def _told(file: LibraryFile, facts: FileFacts, keeper_id: str) -> dict[str, Any]:
    return {
        "id": facts.file_id,
        "path": file.path,
        "basename": file.basename,
        "size": file.size_bytes,
        "size_formatted": formatted_bytes(file.size_bytes),
        "duration": file.duration_seconds,
        "duration_formatted": formatted_seconds(file.duration_seconds),
        "video_codec": file.video_codec,
        "audio_codec": file.audio_codec,
        "width": file.width,
        "height": file.height,
        "resolution": f"{file.width}x{file.height}",
        "frame_rate": file.frame_rate,
        "bit_rate": file.bit_rate,
        "quality_score": score_file_quality(facts),
        "is_suggested_keeper": facts.file_id == keeper_id,
    }


def formatted_bytes(size_bytes: int) -> str:
    """Return "1.4 GB", with an ordinary space."""
    return filesizeformat(size_bytes).replace("\xa0", " ")


def formatted_seconds(seconds: float) -> str:
    """Return "1:02:03", or "2:03" below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"
