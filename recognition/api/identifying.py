"""What is asked of scenes, images and galleries, done at once or as the work of a job.

Both look in the same way and answer the same; a job always keeps the crops.
"""

from contextlib import nullcontext
from functools import partial
from typing import Any

from recognition.api.gallery_serializers import gallery_answer
from recognition.api.job_serializers import people_so_far
from recognition.api.stash_serializers import image_answer, scene_answer, scene_options
from recognition.calibrations import deciding_calibration
from recognition.galleries import IdentifiedGallery, identify_gallery
from recognition.jobs import Work
from recognition.models import Fingerprint
from recognition.numeric.people import MatchingMode
from recognition.runtime.collector import FaceFilter, Turn
from recognition.runtime.people import MatchingOptions
from recognition.scenes import IdentifiedScene, identify_scene
from recognition.services import inference_queue
from recognition.stash_images import IdentifiedStashImage, identify_stash_image
from recognition.watching import Watcher

# The validated fields of a request.
Asked = dict[str, Any]

# Of galleries, whose small pictures show many bystanders; as the predecessor had it.
MIN_GALLERY_FACE_PX = 40


def scene_now(asked: Asked) -> dict[str, Any]:
    """Return the body of IdentifySceneAnswer; raises what identify_scene does."""
    return scene_answer(_scene(asked), with_crops=asked["include_crops"])


def image_now(asked: Asked) -> dict[str, Any]:
    """Return the body of IdentifyImageAnswer; raises what identify_stash_image does."""
    return image_answer(_image(asked), with_crops=asked["include_crops"])


def gallery_now(asked: Asked) -> dict[str, Any]:
    """Return the body of IdentifyGalleryAnswer; raises what identify_gallery does."""
    return gallery_answer(_gallery(asked), with_crops=asked["include_crops"])


def scene_work(asked: Asked) -> Work:
    """Return what a job does about a scene."""

    def identify(watcher: Watcher) -> dict[str, Any]:
        # Entered by the job already.
        seen = _scene(asked, watcher=watcher, entrance=nullcontext)
        return scene_answer(seen, with_crops=True)

    return Work(
        kind=Fingerprint.Kind.SCENE,
        stash_id=asked["scene_id"],
        identify=identify,
        people_so_far=people_so_far,
    )


def image_work(asked: Asked) -> Work:
    """Return what a job does about an image."""

    def identify(watcher: Watcher) -> dict[str, Any]:
        # Whoever has a job was let in: it is not sent away for pictures before it.
        turn = partial(inference_queue().turn, give_up=watcher.is_stop_asked)
        return image_answer(
            _image(asked, watcher=watcher, entrance=turn), with_crops=True
        )

    return Work(
        kind=Fingerprint.Kind.IMAGE,
        stash_id=asked["image_id"],
        identify=identify,
        people_so_far=people_so_far,
    )


def gallery_work(asked: Asked) -> Work:
    """Return what a job does about a gallery."""

    def identify(watcher: Watcher) -> dict[str, Any]:
        # Entered by the job already.
        seen = _gallery(asked, watcher=watcher, entrance=nullcontext)
        return gallery_answer(seen, with_crops=True)

    return Work(
        kind=Fingerprint.Kind.GALLERY,
        stash_id=asked["gallery_id"],
        identify=identify,
        people_so_far=people_so_far,
    )


def _scene(
    asked: Asked, *, watcher: Watcher | None = None, entrance: Turn | None = None
) -> IdentifiedScene:
    return identify_scene(
        asked["scene_id"], scene_options(asked), watcher=watcher, entrance=entrance
    )


def _image(
    asked: Asked, *, watcher: Watcher | None = None, entrance: Turn | None = None
) -> IdentifiedStashImage:
    return identify_stash_image(
        asked["image_id"],
        options=_matching_options(asked),
        face_filter=FaceFilter(asked["min_face_confidence"], min_size_px=1),
        use_body=asked["use_multi_signal"] and asked["use_body"],
        use_tattoo=asked["use_multi_signal"] and asked["use_tattoo"],
        watcher=watcher,
        entrance=entrance,
    )


def _gallery(
    asked: Asked, *, watcher: Watcher | None = None, entrance: Turn | None = None
) -> IdentifiedGallery:
    return identify_gallery(
        asked["gallery_id"],
        options=_matching_options(asked),
        face_filter=FaceFilter(
            asked["min_face_confidence"], min_size_px=MIN_GALLERY_FACE_PX
        ),
        watcher=watcher,
        entrance=entrance,
    )


def _matching_options(asked: Asked) -> MatchingOptions:
    return MatchingOptions(
        mode=MatchingMode(asked["matching_mode"]),
        top_k=asked["top_k"],
        max_distance=asked["max_distance"],
        calibration=deciding_calibration(),
    )
