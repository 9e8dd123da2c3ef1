"""The pictures that Stash keeps of a scene: its cover and its sprites."""

from dataclasses import dataclass

import cv2

from recognition.exceptions import NoSprites
from recognition.numeric.arrays import RgbImage
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture
from stashsense.integrations.stash import StashClient
from stashsense.integrations.stash_errors import StashNotFound
from stashsense.integrations.stash_types import StashScene

# A cover narrower than this share of the video is enlarged to the video's width, so
# that its faces are as large as those of the frames, whose size is limited below.
NARROW_SHARE = 0.8
MAX_COVER_WIDTH_PX = 3840
# Of an enlarged cover; a strip as high as it is narrow would take gigabytes.
MAX_COVER_PIXELS = 16_000_000

PICTURE_SECONDS = 30.0
# 500 cues of 100 bytes.
MAX_VTT_BYTES = 1_000_000


@dataclass(frozen=True)
class Cover:
    """A scene's cover; `scale` is its size in pixels of the original."""

    image: RgbImage
    scale: float


def fetch_cover(
    client: StashClient, scene: StashScene, *, video_width: int
) -> Cover | None:
    """Return the scene's cover, enlarged where it is narrow; None if it has none.

    Raises StashError or UnreadableImage.
    """
    if scene.screenshot_url is None:
        return None
    media = client.fetch_media(
        scene.screenshot_url,
        max_bytes=MAX_PICTURE_BYTES,
        timeout_seconds=PICTURE_SECONDS,
    )
    if media.is_placeholder:
        return None
    image = decode_picture(media.data)
    height, width = image.shape[:2]
    wanted = min(video_width, MAX_COVER_WIDTH_PX)
    scale = wanted / width
    is_narrow = width < NARROW_SHARE * wanted
    if not is_narrow or wanted * height * scale > MAX_COVER_PIXELS:
        return Cover(image, 1.0)
    enlarged = cv2.resize(
        image, (wanted, round(height * scale)), interpolation=cv2.INTER_LANCZOS4
    )
    return Cover(enlarged, scale)


def fetch_sprites(client: StashClient, scene: StashScene) -> tuple[str, RgbImage]:
    """Return the text that says where the sprites of a scene lie, and their sheet.

    Raises NoSprites where Stash has made none, StashError or UnreadableImage.
    """
    if scene.vtt_url is None or scene.sprite_url is None:
        raise _no_sprites(scene)
    try:
        vtt = client.fetch_media(
            scene.vtt_url, max_bytes=MAX_VTT_BYTES, timeout_seconds=PICTURE_SECONDS
        )
        sheet = client.fetch_media(
            scene.sprite_url,
            max_bytes=MAX_PICTURE_BYTES,
            timeout_seconds=PICTURE_SECONDS,
        )
    except StashNotFound as exc:
        # Stash names an address whether or not there is anything.
        raise _no_sprites(scene) from exc
    return vtt.data.decode("utf-8", errors="replace"), decode_picture(sheet.data)


def _no_sprites(scene: StashScene) -> NoSprites:
    return NoSprites(
        f"Stash has made no sprites of scene {scene.id}: have it generate them, or use"
        " the video."
    )
