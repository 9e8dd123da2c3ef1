"""The face of somebody whom an evaluation named, cut from Stash's picture on request.

Pictures are not kept; one exact frame of a video, its cover, or an image is fetched.
"""

import functools
import io
from typing import Any

from PIL import Image

from recognition.covers import fetch_cover
from recognition.exceptions import EvaluationNotFound, MediaMissing, SceneWithoutFiles
from recognition.inference_queue import InferenceQueue
from recognition.models import EvaluatedItem
from recognition.numeric.arrays import RgbImage
from recognition.numeric.people import COVER_FRAME
from recognition.pictures import decode_picture
from recognition.runtime.exact_frame import frame_shown_at
from recognition.runtime.video_reader import VideoSource
from recognition.stash_images import fetch_image
from stashsense.integrations.stash import StashClient, configured_client

# A face alone is hard to tell; with its hair and neck it is somebody.
MARGIN_SHARE = 0.4
MAX_SIDE_PX = 240
JPEG_QUALITY = 85
# A page shows a dozen at once, and each opens a video.
CROPS_AT_ONCE = 2
CROPS_WAITING = 40


@functools.cache
def crop_gate() -> InferenceQueue:
    """Return the gate that the crops of this process pass."""
    return InferenceQueue(slots=CROPS_AT_ONCE, waiting=CROPS_WAITING, what="crops")


def crop_jpeg(item_id: int, universal_id: str) -> bytes:
    """Return the best face of the person who was given the name.

    Raises EvaluationNotFound, what StashClient.get_scene and get_image do,
    MediaUnavailable, UnreadableVideo, UnreadableImage, or Busy.
    """
    item = EvaluatedItem.objects.filter(pk=item_id).first()
    face = _find_face(item, universal_id) if item else None
    if item is None or face is None:
        raise EvaluationNotFound("No evaluated item has somebody of this name.")
    client = configured_client()
    with crop_gate().slot():
        if item.kind == EvaluatedItem.Kind.SCENE:
            picture, scale = _scene_picture(client, item.stash_id, face)
        else:
            image = client.get_image(face["image_id"] or item.stash_id)
            picture, scale = decode_picture(fetch_image(client, image)), 1.0
        return _cut(picture, [edge * scale for edge in face["box"]])


def _find_face(item: EvaluatedItem, universal_id: str) -> dict[str, Any] | None:
    """Return where the name was seen; of several modes one that names it."""
    found = [
        person
        for people in item.people.values()
        for person in people
        if person["universal_id"] == universal_id
    ]
    found.sort(key=lambda person: not person["is_named"])
    return found[0]["face"] if found else None


def _scene_picture(
    client: StashClient, scene_id: int, face: dict[str, Any]
) -> tuple[RgbImage, float]:
    """Return the frame or cover, and its size divided by that of the box's picture."""
    scene = client.get_scene(scene_id)
    if not scene.files:
        raise SceneWithoutFiles(f"Scene {scene_id} has no files.")
    if face["frame"] == COVER_FRAME:
        cover = fetch_cover(client, scene, video_width=scene.files[0].width)
        if cover is None:
            raise MediaMissing(f"Scene {scene_id} has no cover any more.")
        return cover.image, cover.scale
    if scene.stream_url is None:
        raise MediaMissing(f"Stash does not play scene {scene_id}.")
    source = VideoSource(scene.stream_url, client.media_headers)
    frame = frame_shown_at(source, face["seconds"])
    return frame.image, frame.scale


def _cut(picture: RgbImage, box: list[float]) -> bytes:
    x, y, width, height = box
    margin = MARGIN_SHARE * max(width, height)
    rows = slice(max(round(y - margin), 0), max(round(y + height + margin), 1))
    columns = slice(max(round(x - margin), 0), max(round(x + width + margin), 1))
    cut = picture[rows, columns]
    if not cut.size:
        raise MediaMissing("The picture is smaller than it was; nothing is there now.")
    crop = Image.fromarray(cut)
    crop.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    jpeg = io.BytesIO()
    crop.save(jpeg, "JPEG", quality=JPEG_QUALITY)
    return jpeg.getvalue()
