"""The made-up library with planted duplicates as the rows of a stand-in Stash."""

from datetime import UTC, datetime

from benchmarks.duplicate_library import DuplicateLibrary
from demo.stash.generated import generated_library
from demo.stash.library import (
    Library,
    MediaFile,
    Performer,
    Scene,
    StashId,
    Studio,
    as_time,
)
from recommendations.scoring import SceneFacts

_MOMENT = as_time(datetime(2024, 1, 1, tzinfo=UTC))


class _Numbers:
    """Ids as Stash has them for the names of the made-up library."""

    def __init__(self) -> None:
        self._of_names: dict[str, str] = {}

    def of(self, name: str) -> str:
        return self._of_names.setdefault(name, str(len(self._of_names) + 1))

    def items(self) -> list[tuple[str, str]]:
        return [*self._of_names.items()]


def stash_library(made_up: DuplicateLibrary) -> Library:
    """Return the library as Stash has it, its scenes with their own ids, a file each.

    No file lies behind a row.
    """
    library = generated_library(studios=0, tags=0)
    library.stash_boxes.clear()
    studios, performers = _Numbers(), _Numbers()
    for scene in made_up.scenes:
        library.files[scene.scene_id] = _file(scene)
        library.scenes[scene.scene_id] = Scene(
            scene.scene_id,
            _MOMENT,
            _MOMENT,
            title=f"Scene {scene.scene_id}",
            date=scene.date,
            file_ids=[scene.scene_id],
            performer_ids=[performers.of(each) for each in sorted(scene.performer_ids)],
            studio_id=None if scene.studio_id is None else studios.of(scene.studio_id),
            stash_ids=[StashId(*each, _MOMENT) for each in sorted(scene.stash_ids)],
        )
    for name, number in studios.items():
        library.studios[number] = Studio(
            number, _MOMENT, _MOMENT, name=f"Studio {name}"
        )
    for name, number in performers.items():
        library.performers[number] = Performer(
            number, _MOMENT, _MOMENT, name=f"Performer {name}"
        )
    return library


def _file(scene: SceneFacts) -> MediaFile:
    seconds = scene.duration_seconds or 0.0
    fingerprints = {"oshash": f"{int(scene.scene_id):016x}"}
    if scene.phash is not None:
        fingerprints["phash"] = f"{scene.phash:x}"
    return MediaFile(
        id=scene.scene_id,
        name=f"media/scene-{scene.scene_id}.mp4",
        size=int(seconds * 1_000_000),
        width=1920,
        height=1080,
        fingerprints=fingerprints,
        created_at=_MOMENT,
        updated_at=_MOMENT,
        mod_time=_MOMENT,
        format="mp4",
        duration=scene.duration_seconds,
        video_codec="h264",
        audio_codec="aac",
        frame_rate=25.0,
        bit_rate=8_000_000,
    )
