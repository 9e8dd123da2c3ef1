"""One way to take frames, run once in a process of its own; see frames.py."""

import json
import sys
import time
from io import BytesIO
from pathlib import Path

import av

from recognition.runtime.video import VideoSource, iter_frames


def take_ours(url: str, points: list[float]) -> int:
    """Take the frames as the service does; return their number."""
    return sum(1 for _ in iter_frames(VideoSource(url), points))


def take_bare(url: str, points: list[float]) -> int:
    """Take the keyframe that each seek lands on."""
    with av.open(url, options={"multiple_requests": "1"}) as container:
        stream = container.streams.video[0]
        unit = stream.time_base
        assert unit is not None
        codec = stream.codec_context
        codec.skip_frame = "NONKEY"
        for seconds in points:
            container.seek(int(seconds / unit), stream=stream)
            packet = next(container.demux(stream))
            (frame,) = [*codec.decode(packet), *codec.decode(None)]
            frame.to_ndarray(format="rgb24")
    return len(points)


def write_one(url: str, seconds: float) -> None:
    """Write the frame shown at the time as a JPEG, as `ffmpeg -ss` does."""
    out = BytesIO()
    with av.open(url) as container:
        stream = container.streams.video[0]
        unit = stream.time_base
        assert unit is not None
        container.seek(int(seconds / unit), stream=stream)
        shown = next(
            frame for frame in container.decode(stream) if frame.time >= seconds
        )
    with av.open(out, "w", format="image2pipe") as target:
        picture = target.add_stream("mjpeg", options={"qmin": "1", "qmax": "1"})
        picture.width, picture.height = shown.width, shown.height
        picture.pix_fmt = "yuvj420p"
        target.mux(picture.encode(shown.reformat(format="yuvj420p")))
        target.mux(picture.encode())
    sys.stdout.buffer.write(out.getvalue())


def _memory_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"The kernel does not tell {name}.")


def main(way: str, url: str) -> None:
    """Read the points, take the frames, print what it took."""
    points = json.load(sys.stdin)
    before = _memory_bytes("VmRSS")
    started = time.perf_counter()
    frames = {"ours": take_ours, "bare": take_bare}[way](url, points)
    seconds = time.perf_counter() - started
    peak = _memory_bytes("VmHWM") - before
    print(json.dumps({"frames": frames, "seconds": seconds, "peak_bytes": peak}))


if __name__ == "__main__":
    if sys.argv[1] == "one":
        write_one(sys.argv[2], float(sys.argv[3]))
    else:
        main(*sys.argv[1:3])
