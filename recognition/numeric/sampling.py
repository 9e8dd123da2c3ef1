"""At which points of a scene frames are looked at."""

import math

import numpy as np

# Titles and credits lie outside of these shares of a scene's duration.
DEFAULT_START = 0.05
DEFAULT_END = 0.95


def frame_timestamps(
    duration_seconds: float,
    count: int,
    *,
    start: float = DEFAULT_START,
    end: float = DEFAULT_END,
) -> list[float]:
    """Return `count` evenly spaced seconds, both ends of the range included.

    The range is the scene from share `start` to share `end`. One point, or a range
    without length, gives the middle of it. Raises ValueError for what is no duration,
    count or share.
    """
    if not math.isfinite(duration_seconds) or duration_seconds < 0:
        raise ValueError(f"{duration_seconds} is no duration in seconds")
    if count < 1:
        raise ValueError(f"{count} is no number of frames; at least 1 is needed")
    if not 0 <= start <= end <= 1:
        raise ValueError(f"{start} to {end} is no range within 0 to 1")
    first, last = duration_seconds * start, duration_seconds * end
    if count == 1 or first == last:
        return [(first + last) / 2]
    return [float(seconds) for seconds in np.linspace(first, last, count)]
