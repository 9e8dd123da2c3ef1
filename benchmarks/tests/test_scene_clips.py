"""Videos for the benchmark of scenes: the detector sees what it is to see in them."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.detector_graph import write_detector
from benchmarks.scene_clips import SECOND_FACES, SceneClip, write_clip
from recognition.numeric.arrays import RgbImage
from recognition.runtime.detector import FaceDetector
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.sessions import open_session

CLIP = SceneClip("small", seconds=10, shot_seconds=1, width=640, height=360)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_clip(CLIP, path)
    return path


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> FaceDetector:
    path = tmp_path_factory.mktemp("networks") / "detector.onnx"
    write_detector(path)
    return FaceDetector(
        open_session(path, choose_execution_plan("cpu")), path, size_px=640
    )


def iter_pictures(path: Path) -> Iterator[tuple[bool, RgbImage]]:
    """Yield of each frame whether it is a keyframe, and its pixels."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
            yield bool(frame.key_frame), pixels


def test_a_shot_begins_with_its_only_keyframe(clip):
    places = [place for place, (is_key, _) in enumerate(iter_pictures(clip)) if is_key]

    assert places == [*range(0, 250, 25)]


def test_four_keyframes_have_two_faces_and_every_other_frame_one(clip, detector):
    seen = [
        (is_key, len(detector.detect_faces(image, min_confidence=0.5)))
        for place, (is_key, image) in enumerate(iter_pictures(clip))
        if is_key or place % 10 == 4
    ]

    assert {count for is_key, count in seen if not is_key} == {1}
    keyframes = [count for is_key, count in seen if is_key]
    assert sorted(keyframes) == [1] * (10 - SECOND_FACES) + [2] * SECOND_FACES
