"""Who is in a scene of Stash: its frames, the people in them, the evidence.

Detection runs while the next frame is decoded, and of frames no more than a few are
held. What takes the device takes it for one frame or one batch at a time, so pictures
that come meanwhile are answered in between. The networks stay the ones a scene began
with; whom the faces show is asked of the release served at the end.
"""

import functools
import logging
import time
from dataclasses import dataclass, field, replace

from django.conf import settings

from recognition import fingerprints, preferences, registry, watching
from recognition.calibrations import deciding_calibration
from recognition.correction_binding import SeenMedia, corrections_of
from recognition.covers import Cover, fetch_cover
from recognition.evidence import (
    NOTHING_SEEN,
    Observations,
    PictureShelf,
    candidate_count,
    observations_as_json,
    wanted_signals,
    weigh,
    with_calibrated_confidence,
)
from recognition.exceptions import (
    DatabaseNotLoaded,
    DatabaseUpdating,
    SceneWithoutFiles,
    UnreadableImage,
    UnreadableVideo,
)
from recognition.inference_queue import InferenceQueue
from recognition.local_performers import LocalMatch, every_universal_id, look_up
from recognition.models import Fingerprint
from recognition.numeric.arrays import RgbImage
from recognition.numeric.people import COVER_FRAME, MatchingMode, SeenPerson
from recognition.numeric.sampling import frame_timestamps
from recognition.runtime.collector import (
    CollectedFaces,
    FaceCollector,
    FaceFilter,
    Look,
    Turn,
    look_at,
)
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.networks import Networks
from recognition.runtime.people import (
    MatchedFaces,
    MatchingOptions,
    match_scene_faces,
)
from recognition.runtime.recognizer import Recognizer, Timing, matches_of
from recognition.runtime.video import VideoFrame
from recognition.scene_frames import FrameSource, SceneFrames
from recognition.services import inference_queue
from recognition.watching import Nobody, Progress, Watcher, check_stop
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_types import StashScene

logger = logging.getLogger(__name__)

# How long the end of a scene waits for a release that is being exchanged.
RELEASE_WAIT_SECONDS = 120.0
_WAIT_STEP_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class SceneOptions:
    """How a scene is looked at; `num_frames` None means as the settings say."""

    num_frames: int | None = None
    start: float = 0.05
    end: float = 0.95
    source: FrameSource = FrameSource.AUTO
    min_face_size_px: int = 40
    min_face_confidence: float = 0.5
    top_k: int = 3
    max_distance: float = 0.5
    cluster_threshold: float | None = None
    mode: MatchingMode = MatchingMode.TEMPLATE
    tagged_bare_ids: frozenset[str] = frozenset()
    use_body: bool = True
    use_tattoo: bool = True


@dataclass(frozen=True)
class IdentifiedPerson:
    """A person of a scene, and who it may be, likeliest first."""

    person: SeenPerson
    matches: list[LocalMatch]
    signals_used: list[str] = field(default_factory=list)
    tattoos_detected: int = 0


@dataclass(frozen=True)
class SceneProgress(Progress):
    """How far a scene is, and its people so far.

    They refer to `collected.faces` by position.
    """

    collected: CollectedFaces
    people: list[IdentifiedPerson]


@dataclass(frozen=True)
class IdentifiedScene:
    """What was seen in a scene and who it is.

    `people` refer to `collected.faces` by position. `errors` are what frames were lost
    to; `faces_detected` and `faces_kept` are without the cover's.
    """

    scene_id: int
    release_version: str
    network_set: str
    options: SceneOptions
    source: FrameSource
    duration_seconds: float
    frames_requested: int
    frames_analyzed: int
    faces_detected: int
    faces_kept: int
    collected: CollectedFaces
    people: list[IdentifiedPerson]
    errors: list[str]
    timing: Timing
    total_seconds: float
    multi_signal_used: bool = False
    fingerprint_saved: bool = False
    fingerprint_error: str = ""


@functools.cache
def scene_gate() -> InferenceQueue:
    """Return the gate that scenes and galleries of this process pass."""
    return InferenceQueue(
        slots=settings.SCENE_SLOTS, waiting=settings.SCENE_QUEUE, what="scenes"
    )


def identify_scene(
    scene_id: str,
    options: SceneOptions,
    *,
    watcher: Watcher | None = None,
    entrance: Turn | None = None,
) -> IdentifiedScene:
    """Return who is in the scene; `entrance` is entered while it is looked at.

    Raises what StashClient.get_scene does, UnreadableVideo where no frame comes of it,
    MediaUnavailable, DatabaseNotLoaded, Busy, or IdentificationStopped by the watcher.
    """
    # Refused at once where there is nothing to identify with.
    registry.require_served()
    client = configured_client()
    scene = client.get_scene(scene_id)
    with registry.in_use(), (entrance or scene_gate().slot)():
        return _Identification(client, scene, options, watcher or Nobody()).run()


class _Identification:
    """One scene on its way from frames to people."""

    def __init__(
        self,
        client: StashClient,
        scene: StashScene,
        options: SceneOptions,
        watcher: Watcher,
    ) -> None:
        self._client = client
        self._scene = scene
        self._options = options
        self._watcher = watcher
        self._timing = Timing()
        self._filter = FaceFilter(options.min_face_confidence, options.min_face_size_px)
        recognizer = registry.recognizer()
        self._networks = recognizer.networks
        self._signals = wanted_signals(
            recognizer.signals, body=options.use_body, tattoo=options.use_tattoo
        )
        self._collector = FaceCollector(
            self._networks,
            turn=inference_queue().turn,
            timing=self._timing,
        )
        self._frames = SceneFrames(
            client,
            scene,
            self._sampling_points(),
            wanted=options.source,
            should_stop=watcher.is_stop_asked,
            timing=self._timing,
        )
        self._shelf = PictureShelf(self._signals)
        self._frames_done = 0
        self._detected_count = 0
        self._people_told_at = time.monotonic()

    def run(self) -> IdentifiedScene:
        started = time.perf_counter()
        for frame in self._frames:
            self._look_at_frame(frame)
        check_stop(self._watcher)
        if not self._frames_done:
            raise UnreadableVideo(self._no_frame_reason())
        faces_kept = self._collector.count
        self._look_at_cover()
        collected = self._collector.collect()
        recognizer = current_recognizer(self._networks, watcher=self._watcher)
        observations = self._observe()
        with self._timing.step("match"):
            matched, people = self._people(collected, recognizer.database, observations)
        error = self._keep(matched, observations)
        return IdentifiedScene(
            scene_id=self._scene.id,
            release_version=recognizer.database.version,
            network_set=self._networks.name,
            options=self._options,
            source=self._frames.source,
            duration_seconds=self._duration,
            frames_requested=len(self._frames.timestamps),
            frames_analyzed=self._frames_done,
            faces_detected=self._detected_count,
            faces_kept=faces_kept,
            collected=collected,
            people=people,
            errors=self._frames.errors,
            timing=self._timing,
            total_seconds=time.perf_counter() - started,
            multi_signal_used=any(len(each.signals_used) > 1 for each in people),
            fingerprint_saved=not error,
            fingerprint_error=error,
        )

    @property
    def _duration(self) -> float:
        return self._scene.files[0].duration_seconds

    def _sampling_points(self) -> list[float]:
        if not self._scene.files:
            raise SceneWithoutFiles(f"Scene {self._scene.id} has no files.")
        if self._duration <= 0:
            raise UnreadableVideo(
                f"Scene {self._scene.id} has no duration: Stash cannot read its file."
            )
        return frame_timestamps(
            self._duration,
            self._options.num_frames or preferences.num_frames(),
            start=self._options.start,
            end=self._options.end,
        )

    # Looking

    def _look_at_frame(self, frame: VideoFrame) -> None:
        check_stop(self._watcher)
        with inference_queue().turn():
            look = look_at(
                self._networks,
                frame.image,
                face_filter=self._filter,
                frame=self._frames_done,
                seconds=frame.seconds,
                scale=frame.scale,
                timing=self._timing,
            )
        self._detected_count += look.detected_count
        self._frames_done += 1
        self._keep_faces(look, frame.image, scale=frame.scale)
        self._watcher.report(self._progress())

    def _look_at_cover(self) -> None:
        """Look at the cover as at a frame; a scene without one is none the worse."""
        with self._timing.step("extract"):
            cover = self._cover()
        if cover is None:
            return
        # Enlarged, it is to show faces as large as the frames do.
        size = round(self._options.min_face_size_px / cover.scale)
        with inference_queue().turn():
            look = look_at(
                self._networks,
                cover.image,
                face_filter=replace(self._filter, min_size_px=size),
                frame=COVER_FRAME,
                seconds=None,
                scale=cover.scale,
                timing=self._timing,
            )
        self._keep_faces(look, cover.image, scale=cover.scale)

    def _keep_faces(self, look: Look, image: RgbImage, *, scale: float) -> None:
        self._shelf.offer(
            image, look.faces, first_position=self._collector.count, scale=scale
        )
        self._collector.add(look.faces)

    def _observe(self) -> Observations:
        with inference_queue().turn(), self._timing.step("observe"):
            return self._shelf.observe()

    def _cover(self) -> Cover | None:
        try:
            return fetch_cover(
                self._client, self._scene, video_width=self._scene.files[0].width
            )
        except (StashError, UnreadableImage) as error:
            logger.info("Scene %s: its cover is left out: %s", self._scene.id, error)
            return None

    def _no_frame_reason(self) -> str:
        lost = "; ".join(self._frames.errors) or "it has no pictures at these times"
        return f"No frame of scene {self._scene.id} could be decoded: {lost}."

    # People

    def _progress(self) -> Progress:
        done, asked = self._frames_done, len(self._frames.timestamps)
        now = time.monotonic()
        if (
            not self._watcher.wants_people()
            or now - self._people_told_at < watching.PEOPLE_SO_FAR_SECONDS
            or done == asked
        ):
            return Progress(done, asked)
        try:
            recognizer = registry.recognizer()
        except DatabaseNotLoaded:
            return Progress(done, asked)
        if recognizer.networks.name != self._networks.name:
            return Progress(done, asked)
        collected = self._collector.collect()
        with self._timing.step("match"):
            _, people = self._people(collected, recognizer.database, NOTHING_SEEN)
        self._people_told_at = time.monotonic()
        return SceneProgress(done, asked, collected, people)

    @property
    def _matching(self) -> MatchingOptions:
        tagged = every_universal_id(self._scene.performers)
        return MatchingOptions(
            mode=self._options.mode,
            top_k=self._options.top_k,
            max_distance=self._options.max_distance,
            cluster_threshold=self._options.cluster_threshold,
            tagged=tagged | self._options.tagged_bare_ids,
            calibration=deciding_calibration(),
        )

    def _people(
        self,
        collected: CollectedFaces,
        database: FaceDatabase,
        observations: Observations,
    ) -> tuple[MatchedFaces, list[IdentifiedPerson]]:
        """Return the people, and the same with what this Stash knows of them."""
        matched = match_scene_faces(
            database,
            collected.faces,
            self._matching,
            kept_count=candidate_count(self._options.top_k, self._signals),
            corrections=corrections_of(
                SeenMedia(
                    kind=Fingerprint.Kind.SCENE,
                    stash_id=self._scene.id,
                    network_set=self._networks.name,
                    faces=collected.faces,
                ),
                database.release,
            ),
        )
        weighed = with_calibrated_confidence(
            weigh(matched, observations, self._signals, top_k=self._options.top_k),
            mode=self._options.mode,
        )
        matches = [matches_of(each.person, database.release) for each in weighed]
        local = look_up(
            self._client,
            (match for found in matches for match in found),
            tagged=self._scene.performers,
            tagged_bare_ids=self._options.tagged_bare_ids,
        )
        people = [
            IdentifiedPerson(
                each.person,
                local.localized(found),
                each.signals_used,
                each.tattoos_detected,
            )
            for each, found in zip(weighed, matches, strict=True)
        ]
        return replace(matched, people=[each.person for each in weighed]), people

    def _keep(self, matched: MatchedFaces, observations: Observations) -> str:
        """Keep what was seen; return why that could not be, or ""."""
        file = self._scene.files[0]
        return fingerprints.keep_or_tell(
            Fingerprint.Kind.SCENE,
            self._scene.id,
            matched,
            options=self._matching,
            network_set=self._networks.name,
            evidence=observations_as_json(observations),
            source=self._frames.source.value,
            duration_seconds=self._duration,
            width=file.width,
            height=file.height,
            frames_requested=len(self._frames.timestamps),
            frames_analyzed=self._frames_done,
        )


def current_recognizer(
    networks: Networks, *, watcher: Watcher | None = None
) -> Recognizer:
    """Return what is served now, if its networks are those.

    A release that is being exchanged is waited for; DatabaseUpdating if that takes too
    long or brought other networks, whose embeddings compare with no others.
    """
    until = time.monotonic() + RELEASE_WAIT_SECONDS
    while True:
        try:
            recognizer = registry.recognizer()
            break
        except DatabaseUpdating:
            is_stop_asked = watcher is not None and watcher.is_stop_asked()
            if is_stop_asked or time.monotonic() > until:
                raise
            time.sleep(_WAIT_STEP_SECONDS)
    if recognizer.networks.name != networks.name:
        raise DatabaseUpdating(
            "The networks were exchanged while faces were looked at; ask again."
        )
    return recognizer
