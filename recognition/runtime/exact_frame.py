"""The one frame of a video that is shown at a moment."""

import av.error

from recognition.exceptions import UnreadableVideo
from recognition.runtime.video_errors import reading_error
from recognition.runtime.video_frame import FrameConverter, VideoFrame
from recognition.runtime.video_reader import (
    NotSeekable,
    VideoReader,
    VideoSource,
    open_video,
)

# Times are kept as 32-bit floats: 0.5 ms off after two hours. Frames are further apart.
_TOLERANCE_SECONDS = 0.004


def frame_shown_at(source: VideoSource, seconds: float) -> VideoFrame:
    """Return the frame of that time, or else the next one.

    Raises MediaUnavailable or UnreadableVideo.
    """
    reader = open_video(source, is_wanted=lambda: True)
    try:
        return _frame_at(reader, seconds)
    except NotSeekable as exc:
        raise UnreadableVideo("The video can only be read from its start.") from exc
    except av.error.FFmpegError as exc:
        raise reading_error(exc) from exc
    finally:
        reader.close()


def _frame_at(reader: VideoReader, seconds: float) -> VideoFrame:
    # A keyframe before the moment counts as given, lest it is had instead.
    after = seconds - _TOLERANCE_SECONDS
    frame = reader.frame_at(
        seconds + _TOLERANCE_SECONDS,
        after=after if after > 0 else None,
        reach_seconds=0.0,
    )
    if frame is None:
        raise UnreadableVideo(f"The video shows nothing at {seconds:.3f} s.")
    image, scale = FrameConverter(max_side_px=None).rgb_image(
        frame, pixel_ratio=reader.pixel_ratio
    )
    return VideoFrame(reader.seconds_of(frame), image, scale)
