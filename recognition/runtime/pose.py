"""The body below each face: proportions of poses, by MediaPipe's pose landmarker.

MediaPipe is imported when a model is opened and not before: it brings matplotlib along,
and most installations have no model for it. All it does, it does in one thread of its
own that has no network.
"""

import ctypes
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recognition.exceptions import ModelsNotInstalled, RecognitionError
from recognition.numeric.arrays import RgbImage
from recognition.numeric.body import (
    BodyRatios,
    PoseLandmarks,
    body_ratios,
    faces_of_noses,
)
from recognition.numeric.boxes import FaceBox
from recognition.runtime.network_cut import cut_network_of_this_thread

# Each costs a run of the second network. More people than this are seldom seen from
# head to foot in one picture.
MAX_POSES = 6
# As the reference values were made.
MIN_POSE_CONFIDENCE = 0.5
_NOSE = 0


class PoseUnreadable(RecognitionError):
    """MediaPipe failed on a picture; its poses are unknown, all else is as before."""

    status = 500
    code = "pose_unreadable"


class PoseSession(Protocol):
    """What we use of an open pose landmarker; tests hand in their own."""

    def detect(self, image: RgbImage) -> list[PoseLandmarks]:
        """Return the landmarks of each pose in the picture."""


class PoseEstimator:
    """Proportions of the bodies in a picture; safe to use from many threads."""

    def __init__(self, session: PoseSession) -> None:
        self._session = session

    def estimate(
        self, image: RgbImage, face_boxes: Sequence[FaceBox]
    ) -> list[BodyRatios | None]:
        """Return for each face the proportions of its body, None where unknown.

        Raises PoseUnreadable.
        """
        height, width = image.shape[:2]
        poses = self._session.detect(image)
        noses = [
            (float(pose[_NOSE, 0]) * width, float(pose[_NOSE, 1]) * height)
            for pose in poses
        ]
        found: list[BodyRatios | None] = [None] * len(face_boxes)
        faces = faces_of_noses(noses, face_boxes)
        for pose, face in zip(poses, faces, strict=True):
            if face is not None:
                found[face] = body_ratios(pose, image_width=width, image_height=height)
        return found


class MediapipeSession:
    """An open pose landmarker task, in the one thread that ever touches it.

    It closes itself when it is let go of.
    """

    def __init__(self, path: Path) -> None:
        """Open the task; raises ModelsNotInstalled, saying what is wrong with it.

        Where the network cannot be taken from MediaPipe it is not started.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pose")
        try:
            self._mediapipe, self._landmarker = self._thread.submit(
                _open_landmarker, path
            ).result()
        # What MediaPipe makes of its own errors, and what a missing library gives.
        except (RuntimeError, ValueError, OSError, IndexError, ImportError) as error:
            self._thread.shutdown()
            raise ModelsNotInstalled(
                f"{path.name} cannot be opened as a pose landmarker: {error}"
            ) from error

        _close_when_let_go(self, self._landmarker)

    def detect(self, image: RgbImage) -> list[PoseLandmarks]:
        """Return the landmarks of up to MAX_POSES people; raises PoseUnreadable."""
        return self._thread.submit(self._detect, image).result()

    def _detect(self, image: RgbImage) -> list[PoseLandmarks]:
        try:
            picture = self._mediapipe.Image(
                image_format=self._mediapipe.ImageFormat.SRGB,
                data=np.ascontiguousarray(image),
            )
            result = self._landmarker.detect(picture)
        except (RuntimeError, ValueError, OSError, IndexError) as error:
            raise PoseUnreadable(
                f"MediaPipe failed on a picture of {image.shape[1]} x"
                f" {image.shape[0]}: {error}"
            ) from error
        return [_landmarks_array(pose) for pose in result.pose_landmarks]


def _open_landmarker(path: Path) -> tuple[Any, Any]:
    """Return MediaPipe and the open task; runs in the thread that is to own them."""
    with _matplotlib_in_a_temporary_folder():
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

    # After the import, which only loads Python: a library that looks once, while it is
    # imported, whether there is a network would see none for all of this process.
    try:
        cut_network_of_this_thread()
    except OSError as error:
        raise OSError(f"MediaPipe reports its use to its maker, and {error}") from error
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(path)),
        running_mode=vision.RunningMode.IMAGE,
        num_poses=MAX_POSES,
        min_pose_detection_confidence=MIN_POSE_CONFIDENCE,
        min_pose_presence_confidence=MIN_POSE_CONFIDENCE,
    )
    return mediapipe, vision.PoseLandmarker.create_from_options(options)


def _close_when_let_go(owner: MediapipeSession, landmarker: Any) -> None:
    """Close the task when its owner goes, but not when Python does.

    MediaPipe would try, with threads and modules already gone, and complain on stderr.
    One reference more than there are keeps the few bytes of the closed object.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(landmarker))
    finalizer = weakref.finalize(owner, landmarker.close)
    finalizer.atexit = False  # type: ignore[misc]  # its stub has no room for it


@contextmanager
def _matplotlib_in_a_temporary_folder() -> Iterator[None]:
    """Keep the font list that MediaPipe's import of matplotlib writes out of HOME.

    matplotlib looks at the variable once, and is never used.
    """
    before = os.environ.get("MPLCONFIGDIR")
    with tempfile.TemporaryDirectory(prefix="matplotlib-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["MPLCONFIGDIR"]
            else:
                os.environ["MPLCONFIGDIR"] = before


def _landmarks_array(pose: Sequence[Any]) -> PoseLandmarks:
    return np.array(
        [(point.x, point.y, point.visibility or 0.0) for point in pose],
        dtype=np.float64,
    )
