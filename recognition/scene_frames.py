"""Where the frames of a scene come from: its video, or the sprites that Stash made."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from django.conf import settings

from recognition import preferences
from recognition.covers import fetch_sprites
from recognition.exceptions import (
    MediaMissing,
    MediaUnavailable,
    UnreadableImage,
    UnreadableVideo,
)
from recognition.runtime.recognizer import Timing
from recognition.runtime.sprites import iter_sprite_frames
from recognition.runtime.video import FrameReport, VideoFrame, VideoSource, iter_frames
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_types import StashScene, VideoFile

logger = logging.getLogger(__name__)

# A larger frame shows no smaller face to a detector that looks at 640 pixels.
MAX_FRAME_SIDE_PX = 3840


class FrameSource(StrEnum):
    """Where the frames of a scene come from; AUTO: sprites if the video cannot be."""

    STREAM = "stream"
    SPRITES = "sprites"
    AUTO = "auto"


class SceneFrames:
    """The frames of one scene, and what became of those asked for.

    `source` is where they came from, once there is one; `errors` is what was lost.
    """

    def __init__(
        self,
        client: StashClient,
        scene: StashScene,
        timestamps: Sequence[float],
        *,
        wanted: FrameSource,
        should_stop: Callable[[], bool],
        timing: Timing,
    ) -> None:
        self.source = wanted
        self.timestamps = timestamps
        self._client = client
        self._scene = scene
        self._wanted = wanted
        self._should_stop = should_stop
        self._timing = timing
        self._report = FrameReport()

    @property
    def errors(self) -> list[str]:
        return self._report.errors

    @property
    def is_cut_short(self) -> bool:
        """Whether the time limit or a stop came before the last frame of the video."""
        return self.source is FrameSource.STREAM and self._report.is_cut_short

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames; raises MediaUnavailable or UnreadableVideo for none.

        AUTO turns to sprites where the video gives no frame at all.
        """
        if self._wanted is FrameSource.SPRITES:
            yield from self._sprite_frames()
            return
        count = 0
        try:
            for frame in self._stream_frames():
                count += 1
                yield frame
        except (MediaUnavailable, UnreadableVideo) as error:
            if self._wanted is FrameSource.STREAM or count:
                raise
            yield from self._sprite_frames_instead(error)

    def _stream_frames(self) -> Iterator[VideoFrame]:
        self.source = FrameSource.STREAM
        if self._scene.stream_url is None:
            raise MediaMissing(f"Stash does not play scene {self._scene.id}.")
        frames = iter_frames(
            VideoSource(self._scene.stream_url, self._client.media_headers),
            self.timestamps,
            max_side_px=MAX_FRAME_SIDE_PX,
            decoder_threads=preferences.frame_extraction_concurrency(),
            deadline_seconds=settings.SCENE_SECONDS,
            should_stop=self._should_stop,
            report=self._report,
        )
        while True:
            with self._timing.step("extract"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _sprite_frames(self) -> Iterator[VideoFrame]:
        self.source = FrameSource.SPRITES
        with self._timing.step("extract"):
            vtt, sheet = fetch_sprites(self._client, self._scene)
        file = self._scene.files[0]
        for frame in iter_sprite_frames(
            vtt,
            sheet,
            duration_seconds=file.duration_seconds,
            count=len(self.timestamps),
        ):
            # Sizes are asked for and told in pixels of the video.
            yield replace(frame, scale=sprite_scale(frame, file))

    def _sprite_frames_instead(
        self, error: MediaUnavailable | UnreadableVideo
    ) -> Iterator[VideoFrame]:
        """Yield sprites where the video cannot be read; without any, tell of that."""
        logger.info("Scene %s: %s Trying its sprites.", self._scene.id, error)
        try:
            yield from self._sprite_frames()
        except (
            MediaUnavailable,
            UnreadableImage,
            UnreadableVideo,
            StashError,
        ) as exc:
            logger.info("Scene %s: %s", self._scene.id, exc)
            raise error from exc
        self._report.add_error(str(error))


def sprite_scale(sprite: VideoFrame, file: VideoFile) -> float:
    """Return the sprite's size divided by the size the video is shown at.

    Stash tells sizes as stored; which way up the video is shown, the sprite shows.
    Where its shape is neither, pixels are not square, and one side of the video was
    stretched to show it.
    """
    height, width = map(int, sprite.image.shape[:2])
    stored = (max(file.width, 1), max(file.height, 1))
    across, down = min(
        ((width / size[0], height / size[1]) for size in (stored, stored[::-1])),
        key=lambda scales: abs(math.log(scales[0] / scales[1])),
    )
    # Stash rounds the height.
    return across if math.isclose(across, down, rel_tol=0.03) else min(across, down)
