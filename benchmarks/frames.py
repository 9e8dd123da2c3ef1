"""Frames of a scene over HTTP, against a bare loop over keyframes and `ffmpeg -ss`.

Everything reads the same file from the same server on loopback, a process of its own
that obeys Range. Ours and the two others take turns, each in a process of its own:

- bare: PyAV opens the video, seeks to each point, decodes the keyframe that it lands on
  and makes it RGB; no duplicates are noticed, nothing is checked, nothing overlaps.
- processes: for each point `ffmpeg -ss POINT -i URL -frames:v 1` with a JPEG as output,
  eight at a time, which Pillow decodes again. Without an `ffmpeg` on the machine, a
  PyAV process that does the same stands in for it.

Memory is the peak of the process (VmHWM) above what it holds with everything imported,
the frames being dropped as soon as they come.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.clips import FULL_HD, QUICK_FULL_HD, ULTRA_HD, Clip, clip_path
from benchmarks.data_folder import ROOT
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from recognition.numeric.sampling import frame_timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recognition.numeric.arrays import RgbImage

FRAMES = 60
PARALLEL_PROCESSES = 8
ROUNDS = 5
QUICK_ROUNDS = 3

MAX_OVER_BARE = 1.2

Times = dict[str, list[float]]


def main() -> int:
    """Measure and print; return the exit status."""
    arguments = argument_parser(__doc__ or "").parse_args()
    print_machine()
    clip = QUICK_FULL_HD if arguments.quick else FULL_HD
    points = frame_timestamps(clip.seconds, 10 if arguments.quick else FRAMES)
    print(f"{len(points)} frames of {clip.seconds} s of {clip.name} H.264")
    print_processes()
    with served(clip) as url:
        times = _take_turns(
            {"ours": _ours, "bare": _bare},
            url,
            points,
            rounds=QUICK_ROUNDS if arguments.quick else ROUNDS,
        )
        processes = _seconds_of(lambda: frames_by_processes(url, points))
    figures = [
        Figure("over_bare_loop", _ratio(times), "x", goal=MAX_OVER_BARE),
        Figure("processes_over_ours", processes / _median(times, "ours"), "x"),
        Figure("ours", _median(times, "ours"), "s"),
        Figure("bare_loop", _median(times, "bare"), "s"),
        Figure("by_processes", processes, "s"),
        *_memory_figures(clip, ULTRA_HD, frame_count=len(points)),
    ]
    return print_figures(figures)


def _take_turns(
    ways: dict[str, Callable[[str, list[float]], dict[str, float]]],
    url: str,
    points: list[float],
    *,
    rounds: int,
) -> Times:
    """Return the seconds of each way, after one round that warms the caches."""
    times: Times = {name: [] for name in ways}
    for round_number in range(rounds + 1):
        for name, way in ways.items():
            measured = way(url, points)
            if measured["frames"] != len(points):
                raise RuntimeError(f"{name}: {measured['frames']:.0f} frames")
            if round_number:
                times[name].append(measured["seconds"])
    return times


def _ratio(times: Times) -> float:
    """Return the median of the rounds' ratios: what loads one round loads both."""
    return statistics.median(
        ours / bare for ours, bare in zip(times["ours"], times["bare"], strict=True)
    )


def _median(times: Times, name: str) -> float:
    return statistics.median(times[name])


def _memory_figures(*clips: Clip, frame_count: int) -> "Iterator[Figure]":
    for clip in clips:
        points = frame_timestamps(clip.seconds, frame_count)
        with served(clip) as url:
            peak = _ours(url, points)["peak_bytes"]
        yield Figure(f"peak_memory_{clip.name}", peak / 1e6, "MB")


@contextmanager
def served(clip: Clip) -> "Iterator[str]":
    """Serve the clip from a process of its own; yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.range_server", str(clip_path(clip))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _ours(url: str, points: list[float]) -> dict[str, float]:
    return _in_process("ours", url, points)


def _bare(url: str, points: list[float]) -> dict[str, float]:
    return _in_process("bare", url, points)


def _in_process(way: str, url: str, points: list[float]) -> dict[str, float]:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.frames_process", way, url],
        cwd=ROOT,
        input=json.dumps(points),
        capture_output=True,
        text=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(finished.stdout)
    return measured


def print_processes() -> None:
    """Print which processes take frames."""
    print(f"Processes are {'ffmpeg' if _ffmpeg() else 'PyAV, for want of ffmpeg'}")


def frames_by_processes(url: str, points: list[float]) -> "list[RgbImage]":
    """Have a process take and encode each frame, eight at a time; decode them here."""
    from PIL import Image

    def one(seconds: float) -> "RgbImage":
        command = _process_command(url, seconds)
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        picture = Image.open(BytesIO(finished.stdout)).convert("RGB")
        return np.asarray(picture, dtype=np.uint8)

    with ThreadPoolExecutor(PARALLEL_PROCESSES) as pool:
        return list(pool.map(one, points))


def _process_command(url: str, seconds: float) -> list[str]:
    ffmpeg = _ffmpeg()
    if ffmpeg is None:
        way = [sys.executable, "-m", "benchmarks.frames_process", "one", url]
        return [*way, f"{seconds:.3f}"]
    return [
        *[ffmpeg, "-v", "error", "-ss", f"{seconds:.3f}", "-i", url],
        *["-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "-q:v", "1", "-"],
    ]


def _ffmpeg() -> str | None:
    return shutil.which("ffmpeg")


def _seconds_of(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
