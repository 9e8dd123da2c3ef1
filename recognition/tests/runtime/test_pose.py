"""Poses by the real MediaPipe with networks made by hand, and at the session's seam."""

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recognition.exceptions import ModelsNotInstalled
from recognition.numeric.boxes import FaceBox
from recognition.runtime.pose import MediapipeSession, PoseEstimator
from recognition.tests.pose_task import RED, SHOULDER_HIP, write_pose_task

ROOT = Path(__file__).resolve().parents[3]
# A cell of the first network's grid, in pictures of 448 x 448.
HEAD_PX = 64
LEFT_FACE, RIGHT_FACE = FaceBox(64, 64, 64, 64), FaceBox(256, 64, 64, 64)
# The second network sees a body through a resized crop.
SEEN = 0.02


@pytest.fixture(scope="module")
def task_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pose") / "pose_landmarker_lite.task"
    write_pose_task(path)
    return path


@pytest.fixture(scope="module")
def session(task_path):
    return MediapipeSession(task_path)


def picture_of(*heads, blue_from=None, size=448):
    """Black, with a head at each place; right of `blue_from` bodies are blue."""
    image = np.zeros((size, size, 3), np.uint8)
    if blue_from is not None:
        image[:, blue_from:, 2] = 230
    for x, y in heads:
        image[y : y + HEAD_PX, x : x + HEAD_PX] = RED
    return image


class Poses:
    """A session that answers with the poses it was given."""

    def __init__(self, *poses):
        self.poses = list(poses)

    def detect(self, image):
        return self.poses


def pose_at(nose, *, shoulders):
    """Somebody whose shoulders are so many times as wide as their hips."""
    x, y = nose
    landmarks = np.ones((33, 3))
    places = {
        0: (0, 0), 11: (0.05 * shoulders, 0.1), 12: (-0.05 * shoulders, 0.1),
        15: (0.1, 0.3), 16: (-0.1, 0.3), 23: (0.05, 0.3), 24: (-0.05, 0.3),
        27: (0.05, 0.6), 28: (-0.05, 0.6),
    }  # fmt: skip
    for landmark, (dx, dy) in places.items():
        landmarks[landmark, :2] = x + dx, y + dy
    return landmarks


def bodies(session, image, faces):
    """The proportions of the body below each face."""
    return PoseEstimator(session).estimate(image, faces)


def test_mediapipe_sees_the_body_below_a_face(session):
    (ratios,) = bodies(session, picture_of((64, 64)), [LEFT_FACE])

    assert ratios.shoulder_hip == pytest.approx(SHOULDER_HIP, abs=SEEN)
    assert ratios.confidence == pytest.approx(0.99, abs=0.01)


def test_each_of_two_people_has_their_own_body(session):
    # I7: one body for everybody in the picture.
    image = picture_of((64, 64), (256, 64), blue_from=224)

    left, right = bodies(session, image, [LEFT_FACE, RIGHT_FACE])
    right_again, left_again = bodies(session, image, [RIGHT_FACE, LEFT_FACE])

    assert right.shoulder_hip > left.shoulder_hip + 1
    assert (left_again, right_again) == (left, right)


def test_a_face_without_a_body_below_has_no_ratios(session):
    elsewhere = FaceBox(350, 350, 40, 40)

    found = bodies(session, picture_of((64, 64)), [elsewhere, LEFT_FACE])

    assert found[0] is None
    assert found[1] is not None


def test_a_picture_of_nobody_has_no_bodies(session):
    assert bodies(session, picture_of(), [LEFT_FACE]) == [None]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (2000, 10)])
def test_pictures_of_any_shape_can_be_looked_at(session, shape):
    image = np.zeros((*shape, 3), np.uint8)

    assert bodies(session, image, [FaceBox(0, 0, 1, 1)]) == [None]


def test_a_view_of_a_larger_picture_can_be_looked_at(session):
    larger = np.zeros((448, 900, 3), np.uint8)
    larger[:, 200:648] = picture_of((64, 64))
    view = larger[:, 200:648]

    (ratios,) = bodies(session, view, [LEFT_FACE])

    assert ratios.shoulder_hip == pytest.approx(SHOULDER_HIP, abs=SEEN)


def test_whose_nose_lies_in_no_face_belongs_to_nobody():
    behind = pose_at((0.8, 0.2), shoulders=2)
    poses = Poses(behind, pose_at((0.21, 0.22), shoulders=1.4))

    (ratios,) = bodies(poses, picture_of(), [LEFT_FACE])

    assert ratios.shoulder_hip == pytest.approx(1.4)


def test_ratios_do_not_depend_on_the_shape_of_the_picture():
    # I9: the same person, 448 px apart from the picture's edge.
    shares = pose_at((0.21, 0.22), shoulders=1.4)
    wide = shares * (0.5, 1, 1)

    (square,) = bodies(Poses(shares), np.zeros((448, 448, 3), np.uint8), [LEFT_FACE])
    (landscape,) = bodies(Poses(wide), np.zeros((448, 896, 3), np.uint8), [LEFT_FACE])

    for name in ("shoulder_hip", "leg_torso", "arm_span_height"):
        assert getattr(landscape, name) == pytest.approx(getattr(square, name))


def write_text(path):
    path.write_bytes(b"not a bundle")


def write_half(path):
    write_pose_task(path)
    path.write_bytes(path.read_bytes()[:100_000])


def write_empty(path):
    path.write_bytes(b"")


def write_another_zip(path):
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("readme.txt", "hello")


def write_garbage_inside(path):
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("pose_detector.tflite", b"garbage" * 100)
        bundle.writestr("pose_landmarks_detector.tflite", b"garbage" * 100)


@pytest.mark.parametrize(
    "write",
    [write_text, write_half, write_empty, write_another_zip, write_garbage_inside],
)
def test_a_file_that_is_no_task_is_reported_with_its_name(tmp_path, write):
    path = tmp_path / "pose_landmarker_lite.task"
    write(path)

    with pytest.raises(ModelsNotInstalled, match=r"pose_landmarker_lite\.task"):
        MediapipeSession(path)


def threads():
    return {int(entry.name) for entry in Path("/proc/self/task").iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed by Linux")
def test_every_thread_of_mediapipe_is_without_a_network(task_path):
    # It reports its use to Google: when it is closed, from a thread of its own.
    before = threads()
    session = MediapipeSession(task_path)
    session.detect(picture_of((64, 64)))

    new = threads() - before

    assert len(new) > 1
    for thread in new:
        status = Path(f"/proc/self/task/{thread}/status").read_text()
        assert "\nSeccomp:\t2\n" in status
    with socket.socket() as sock:
        assert sock.fileno() >= 0


RUN = """
import os, sys
from pathlib import Path
import numpy as np
assert "mediapipe" not in sys.modules
from recognition.runtime.pose import MediapipeSession, PoseEstimator
assert "mediapipe" not in sys.modules and "matplotlib" not in sys.modules
session = MediapipeSession(Path(sys.argv[1]))
session.detect(np.zeros((64, 64, 3), np.uint8))
print(os.environ.get("MPLCONFIGDIR"))
if sys.argv[2] == "close":
    del session
"""


@pytest.mark.parametrize("ending", ["close", "leave"])
def test_a_process_with_mediapipe_writes_nothing_and_ends_well(
    tmp_path, task_path, ending
):
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary)}
    for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        environment.pop(name, None)

    result = subprocess.run(
        [sys.executable, "-c", RUN, task_path, ending],
        cwd=ROOT,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout == "None\n"
    assert "Traceback" not in result.stderr
    assert [*home.rglob("*")] == []
    assert [*temporary.rglob("*")] == []
