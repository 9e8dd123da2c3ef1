"""Who is in a scene: the whole request, against the bare networks and the old way.

    python -m benchmarks.scene [--quick]

A stand-in Stash serves a video over loopback HTTP; the service is asked who is in it by
`POST /identify/scene`, with 60 frames, on which the detector sees 64 faces. Bare are
the networks alone, in a process of their own, run as often as that takes: the detector
for each frame, both embedders for each face and its mirror image. Both take turns.

Sequential is the way without a pipeline: every frame by an `ffmpeg -ss` of its own,
eight at a time, all collected before the first is looked at; then detecting, then
embedding, then matching.

Memory is the worker's peak (VmHWM) above what it holds with the release loaded, before
it has seen any scene; afterwards one in 4K is identified by the same worker.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks.bare import BareProcess
from benchmarks.cache import cached_folder
from benchmarks.data_folder import release_folder, scratch_data_folder
from benchmarks.detector_graph import marked_picture
from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.frames import print_processes
from benchmarks.memory import forget_peak, memory_of
from benchmarks.networks import networks_folder, print_networks
from benchmarks.scene_clips import (
    FULL_HD,
    QUICK_FULL_HD,
    SECOND_FACES,
    ULTRA_HD,
    SceneClip,
    scene_clip_path,
)
from benchmarks.scene_sequential import Outcome as Sequential
from benchmarks.scene_sequential import identify_sequentially
from benchmarks.service import Answer, Service, identify_scene_body, running_service
from demo.stash.library import Library
from demo.stash.plans import tiny_plan
from demo.stash.server import StashServer
from demo.stash.testing import TINY_WORLD, tiny_library
from recognition.numeric.sampling import frame_timestamps

SHARE_GOAL = 0.15
MEMORY_GOAL_MB = {"1080p": 200, "4k": 500}

# Has neither a cover nor sprites, so that every face is of the video.
SCENE_ID = "2"

Parts = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often; each frame has a face, four have two."""

    crowd: Crowd
    clip: SceneClip
    frames: int
    rounds: int
    sequential_rounds: int

    @property
    def faces(self) -> int:
        return self.frames + SECOND_FACES


FULL_PLAN = Plan(PRODUCTION, FULL_HD, frames=60, rounds=5, sequential_rounds=2)
QUICK_PLAN = Plan(QUICK, QUICK_FULL_HD, frames=12, rounds=2, sequential_rounds=1)


@dataclass
class Measured:
    """The first answer, those of the rounds, what else took turns, and the peaks."""

    first: Answer
    answers: list[Answer] = field(default_factory=list)
    bare: list[Parts] = field(default_factory=list)
    sequential: list[Sequential] = field(default_factory=list)
    peak_bytes: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return statistics.median(answer.seconds for answer in self.answers)

    @property
    def bare_seconds(self) -> float:
        return statistics.median(sum(parts.values()) for parts in self.bare)

    @property
    def shares_outside(self) -> list[float]:
        """What of each round was not the networks': what loads one half loads both."""
        return [
            1 - sum(bare.values()) / answer.seconds
            for answer, bare in zip(self.answers, self.bare, strict=True)
        ]

    @property
    def sequential_seconds(self) -> float:
        return statistics.median(_step_seconds(each) for each in self.sequential)


def main() -> int:
    """Measure and print; return the exit status."""
    options = argument_parser(__doc__ or "").parse_args()
    plan = QUICK_PLAN if options.quick else FULL_PLAN
    print_machine()
    print_networks()
    print_processes()
    print(f"{plan.frames} frames with {plan.faces} faces, {plan.crowd.faces:,} in all")
    measured = measure(plan)
    print_details(measured)
    return print_figures(figures(measured))


def measure(plan: Plan) -> Measured:
    """Let service, bare networks and the sequential way take turns."""
    with (
        tempfile.NamedTemporaryFile(suffix=".jpg") as picture,
        scratch_data_folder(plan.crowd) as data_dir,
        _served(plan.clip) as stash,
        running_service(data_dir, STASH_URL=stash.url) as service,
    ):
        picture.write(marked_picture())
        picture.flush()
        service.wait_until("database_loaded")
        pid = service.worker_pid()
        loaded_bytes = memory_of(pid).resident_bytes
        forget_peak(pid)
        measured = Measured(_identified(service, plan))
        places = (networks_folder(), release_folder(data_dir), Path(picture.name))
        with BareProcess(*places) as bare:
            bare.run_networks(pictures=1, faces=1)
            for number in range(plan.rounds):
                measured.bare.append(
                    bare.run_networks(pictures=plan.frames, faces=plan.faces)
                )
                measured.answers.append(_identified(service, plan))
                if number < plan.sequential_rounds:
                    measured.sequential.append(_sequential(data_dir, stash, plan))
        measured.peak_bytes["1080p"] = memory_of(pid).peak_bytes - loaded_bytes
        forget_peak(pid)
        stash.replace_video(SCENE_ID, scene_clip_path(ULTRA_HD))
        _identified(service, plan)
        measured.peak_bytes["4k"] = memory_of(pid).peak_bytes - loaded_bytes
        return measured


def figures(measured: Measured) -> list[Figure]:
    """Return what the benchmark is about."""
    first_share = 1 - measured.bare_seconds / measured.first.seconds
    sequential_bytes = max(each["peak_bytes"] for each in measured.sequential)
    return [
        Figure("scene", measured.seconds, "s"),
        Figure("bare_networks", measured.bare_seconds, "s"),
        Figure("sequential", measured.sequential_seconds, "s"),
        Figure("first_scene_outside_networks", first_share, "of the wall"),
        Figure("sequential_peak_memory_1080p", sequential_bytes / 1e6, "MB"),
        Figure(
            "sequential_over_ours", measured.sequential_seconds / measured.seconds, "x"
        ),
        *(
            Figure(f"peak_memory_{name}", peak / 1e6, "MB", MEMORY_GOAL_MB[name])
            for name, peak in measured.peak_bytes.items()
        ),
        Figure(
            "outside_networks",
            statistics.median(measured.shares_outside),
            "of the wall",
            SHARE_GOAL,
        ),
    ]


def print_details(measured: Measured) -> None:
    """Print the parts that the figures are made of."""
    timings = [answer.content["timing"] for answer in measured.answers]
    steps = {
        name.removesuffix("_ms"): milliseconds / 1000
        for name, milliseconds in _medians(timings).items()
    }
    print(f"{len(timings)} rounds, medians in s:")
    print(f"  service: {measured.seconds:.2f} ({_in_seconds(steps)})")
    print(f"  its first scene: {measured.first.seconds:.2f}")
    shares = " ".join(f"{share:.3f}" for share in measured.shares_outside)
    print(f"  outside networks, round by round: {shares}")
    bare = _medians(measured.bare)
    print(f"  bare networks: {measured.bare_seconds:.2f} ({_in_seconds(bare)})")
    sequential = _steps(_medians(measured.sequential))
    print(
        f"  sequential: {measured.sequential_seconds:.2f} ({_in_seconds(sequential)})"
    )


@contextmanager
def _served(clip: SceneClip) -> Iterator[StashServer]:
    """Serve a tiny library in which the clip is the scene's video."""
    path = scene_clip_path(clip)
    # Made now rather than while something is measured.
    scene_clip_path(ULTRA_HD)
    with StashServer(_library()) as stash:
        stash.replace_video(SCENE_ID, path)
        yield stash


def _library() -> Library:
    folder = cached_folder(
        "scene-library",
        recipe={"plan": tiny_plan(TINY_WORLD).recipe()},
        build=lambda folder: _draw(folder / "library"),
    )
    return tiny_library(folder / "library")


def _draw(folder: Path) -> None:
    tiny_library(folder)


def _identified(service: Service, plan: Plan) -> Answer:
    """Return the answer about the scene; it has to be the right one."""
    body = identify_scene_body(SCENE_ID, num_frames=plan.frames)
    answer = service.client().identify_scene(body)
    content = answer.content
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"/identify/scene answered {answer.status}: {content}")
    seen = (content["frames_analyzed"], content["faces_after_filter"])
    if seen != (plan.frames, plan.faces) or not content["fingerprint_saved"]:
        raise RuntimeError(f"frames and faces are {seen}: {content}")
    if sum(len(person["faces"]) for person in content["persons"]) != plan.faces:
        raise RuntimeError(f"Not every face is somebody's: {content['persons']}")
    return answer


def _sequential(data_dir: Path, stash: StashServer, plan: Plan) -> Sequential:
    """Return what the sequential way took, which sees a face on each frame, too."""
    points = frame_timestamps(plan.clip.seconds, plan.frames)
    url = f"{stash.url}/scene/{SCENE_ID}/stream"
    outcome = identify_sequentially(data_dir, url, points)
    if outcome["faces"] < plan.frames:
        raise RuntimeError(f"The sequential way saw {outcome['faces']:.0f} faces.")
    return outcome


def _steps(outcome: Sequential) -> Parts:
    return {
        name: value
        for name, value in outcome.items()
        if name not in ("faces", "peak_bytes")
    }


def _step_seconds(outcome: Sequential) -> float:
    return sum(_steps(outcome).values())


def _medians(runs: list[Parts]) -> Parts:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _in_seconds(parts: Parts) -> str:
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())


if __name__ == "__main__":
    sys.exit(main())
