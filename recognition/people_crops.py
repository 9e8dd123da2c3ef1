"""Small pictures of people who were seen, cut out of what Stash has when looked at.

Faces' pictures are not kept with fingerprints. What was cut out lies in DATA_DIR/crops
until newer ones need the room; the folder may be deleted at any time.
"""

import functools
import hashlib
import io
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image

from recognition import preferences
from recognition.covers import fetch_cover, fetch_sprites
from recognition.exceptions import CropUnavailable, PersonNotFound
from recognition.inference_queue import InferenceQueue
from recognition.library_status import get_fingerprint
from recognition.models import Fingerprint, GroupMember
from recognition.numeric.arrays import RgbImage
from recognition.numeric.boxes import FaceBox, clip_box
from recognition.people_members import best_face
from recognition.pictures import decode_picture
from recognition.runtime.sprites import iter_sprite_frames
from recognition.runtime.video import VideoFrame, VideoSource, iter_frames
from recognition.scene_frames import MAX_FRAME_SIDE_PX, FrameSource, sprite_scale
from recognition.stash_images import fetch_image
from stashsense.files import write_atomically
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_types import StashScene, VideoFile

logger = logging.getLogger(__name__)

# At 10 KB each these are 6,000 faces.
MAX_CROPS_BYTES = 64_000_000
MAX_CROP_SIDE_PX = 256
JPEG_QUALITY = 85
# Of the box, on each side: a head is larger than its face.
_MARGIN = 0.4
# A browser asks for six at a time; each may hold a frame of 4K.
_SLOTS, _WAITING = 2, 6
# Nobody looks at a page for longer.
_FRAME_SECONDS = 30.0
# Times are kept in single precision: a thousandth of a second, four hours into a film.
# Less than half a frame at 100 a second, it brings back the keyframe it was.
_TIME_SLACK_SECONDS = 0.004


@functools.cache
def _gate() -> InferenceQueue:
    return InferenceQueue(slots=_SLOTS, waiting=_WAITING, what="small pictures")


@dataclass(frozen=True)
class _Place:
    """Where a face was seen: `best` is as GroupMember keeps it, None: unreadable."""

    fingerprint: Fingerprint
    seen_at: datetime | None
    best: dict[str, Any] | None

    @property
    def path(self) -> Path:
        """Where its crop is kept, by all that it depends on."""
        fingerprint = self.fingerprint
        # Not every database gives a row's JSON back in the order it was written in.
        best = sorted((self.best or {}).items())
        facts = (fingerprint.kind, fingerprint.stash_id, self.seen_at, best)
        name = hashlib.sha256(repr(facts).encode()).hexdigest()
        folder: Path = settings.DATA_DIR / "crops"
        return folder / f"{name}.jpg"


def crop_of_member(member: GroupMember) -> bytes:
    """Return the member's best face and what is around it, as a JPEG.

    Raises CropUnavailable where it is not to be had any more, StashError,
    MediaUnavailable, UnreadableVideo, UnreadableImage, or Busy.
    """
    return _crop(_Place(member.fingerprint, member.seen_at, member.best))


def crop_of_person(kind: str, stash_id: int, number: int) -> bytes:
    """Return the best face of a person of what is kept, as `crop_of_member` does.

    Raises FingerprintNotFound or PersonNotFound as well.
    """
    kept = get_fingerprint(kind, stash_id)
    person = next((each for each in kept.people if each.number == number), None)
    if person is None:
        raise PersonNotFound(f"Nobody of number {number} is kept of {kind} {stash_id}.")
    faces = [kept.faces[place] for place in person.faces]
    best = best_face(faces) if faces else None
    return _crop(_Place(kept.fingerprint, kept.fingerprint.seen_at, best))


def _crop(place: _Place) -> bytes:
    if place.best is None:
        raise CropUnavailable(f"The faces in {place.fingerprint} cannot be read.")
    path = place.path
    if (kept := _read(path)) is not None:
        return kept
    with _gate().slot():
        jpeg = _jpeg(_cut_out(place.fingerprint, place.best))
    _keep(path, jpeg)
    return jpeg


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
        # What is looked at is kept for longest.
        os.utime(path)
    except FileNotFoundError:
        return None
    return content


def _keep(path: Path, jpeg: bytes) -> None:
    """Keep the crop, and delete those that nobody looked at for longest."""
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, jpeg)
        kept_bytes = 0
        for each, status in _latest_first(path.parent.glob("*.jpg")):
            kept_bytes += status.st_size
            if kept_bytes > MAX_CROPS_BYTES:
                each.unlink(missing_ok=True)
    except OSError as error:
        # It is worth showing though the disk is full.
        logger.warning("A crop could not be kept: %s", error)


def _latest_first(paths: Iterable[Path]) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in paths:
        try:
            found.append((path, path.stat()))
        except FileNotFoundError:
            # Another request was faster to delete it.
            continue
    return sorted(found, key=lambda each: -each[1].st_mtime)


def _jpeg(crop: RgbImage) -> bytes:
    picture = Image.fromarray(crop)
    picture.thumbnail((MAX_CROP_SIDE_PX, MAX_CROP_SIDE_PX))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _cut_out(fingerprint: Fingerprint, best: dict[str, Any]) -> RgbImage:
    image, scale = _picture(configured_client(), fingerprint, best)
    x, y, width, height = (edge * scale for edge in best["box"])
    side = (1 + 2 * _MARGIN) * max(width, height)
    wanted = FaceBox(
        round(x + (width - side) / 2),
        round(y + (height - side) / 2),
        round(side),
        round(side),
    )
    box = clip_box(wanted, image_width=image.shape[1], image_height=image.shape[0])
    if not (box.width and box.height):
        raise CropUnavailable(
            f"The picture of {fingerprint} is not the one that was looked at."
        )
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def _picture(
    client: StashClient, fingerprint: Fingerprint, best: dict[str, Any]
) -> tuple[RgbImage, float]:
    """Return the picture the best face is in, and its size in pixels of the box."""
    if fingerprint.kind != Fingerprint.Kind.SCENE:
        image = client.get_image(_image_id(fingerprint, best["frame"]))
        return decode_picture(fetch_image(client, image)), 1.0
    scene = client.get_scene(fingerprint.stash_id)
    if best["seconds"] is None:
        cover = fetch_cover(client, scene, video_width=_file_of(scene).width)
        if cover is None:
            raise CropUnavailable(f"Scene {scene.id} has no cover any more.")
        return cover.image, cover.scale
    if fingerprint.source == FrameSource.SPRITES:
        frames = _sprites(client, scene)
    else:
        frames = _frames(client, scene, best["seconds"])
    nearest = min(frames, key=lambda frame: abs(frame.seconds - best["seconds"]))
    return nearest.image, nearest.scale


def _image_id(fingerprint: Fingerprint, frame: int) -> int:
    """Return the image that a face is on: one of the gallery's, or itself."""
    image_ids: list[int] = getattr(fingerprint, "image_ids", None) or []
    if fingerprint.kind == Fingerprint.Kind.IMAGE:
        return fingerprint.stash_id
    if not 0 <= frame < len(image_ids):
        raise CropUnavailable(f"Which image of {fingerprint} it was is not known.")
    return image_ids[frame]


def _frames(
    client: StashClient, scene: StashScene, seconds: float
) -> Iterator[VideoFrame]:
    """Yield the keyframe before the time, and the very frame shown then."""
    if scene.stream_url is None:
        raise CropUnavailable(f"Stash does not play scene {scene.id}.")
    point = seconds + _TIME_SLACK_SECONDS
    return iter_frames(
        VideoSource(scene.stream_url, client.media_headers),
        # The first point brings the keyframe; the second one what is at the point.
        [point, point],
        max_side_px=MAX_FRAME_SIDE_PX,
        decoder_threads=preferences.frame_extraction_concurrency(),
        deadline_seconds=_FRAME_SECONDS,
    )


def _sprites(client: StashClient, scene: StashScene) -> Iterator[VideoFrame]:
    """Yield every sprite, at the size that boxes in the video were scaled by."""
    vtt, sheet = fetch_sprites(client, scene)
    file = _file_of(scene)
    frames = iter_sprite_frames(
        vtt, sheet, duration_seconds=file.duration_seconds, count=len(vtt)
    )
    return (replace(frame, scale=sprite_scale(frame, file)) for frame in frames)


def _file_of(scene: StashScene) -> VideoFile:
    if not scene.files:
        raise CropUnavailable(f"Scene {scene.id} has no files any more.")
    return scene.files[0]
