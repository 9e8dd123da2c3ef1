"""From the bytes of a picture to upright RGB pixels, or the reason why not.

Formats: JPEG, PNG, WebP, AVIF, GIF. Of an animation the first frame counts. Colour
profiles are not applied: the published embeddings were made without them.
"""

import io
import struct
import zlib
from typing import Final

import numpy as np
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from recognition.exceptions import UnreadableImage
from recognition.numeric.arrays import RgbImage

MAX_PICTURE_BYTES = 32_000_000

# One such picture is 192 MB as RGB, twice that while it is turned upright.
MAX_PICTURE_PIXELS = 64_000_000

# Importing a plugin registers it. Left to itself Pillow imports all it has, in the
# first request that brings an unusual picture.
_FORMATS: Final = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
    )
)
_FORMAT_NAMES: Final = "JPEG, PNG, WebP, AVIF or GIF"

# What Pillow's parsers and decoders raise on bytes that break their format's rules.
_DECODER_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)

# Cut-out pictures are made to be looked at on a page.
_BACKGROUND: Final = (255, 255, 255)

_EXIF_ORIENTATION_TAG = 0x0112
_EXIF_ENTRY_BYTES = 12
_UPRIGHTING: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_picture(data: bytes) -> RgbImage:
    """Return the picture's pixels as its viewer would show them, on white.

    The array is read-only. Raises UnreadableImage, before anything is decoded where
    the header already says that the picture is too large.
    """
    if not data:
        raise UnreadableImage("The picture is empty.")
    if len(data) > MAX_PICTURE_BYTES:
        raise UnreadableImage(
            f"The picture has {len(data):,} bytes; "
            f"at most {MAX_PICTURE_BYTES:,} are read."
        )
    with _open(data) as picture:
        _check_size(*picture.size)
        try:
            picture.load()
            upright = _upright(_to_rgb(picture), picture.info.get("exif"))
        except _DECODER_ERRORS as exc:
            raise UnreadableImage(
                f"The {picture.format} picture is damaged or incomplete."
            ) from exc
        return np.asarray(upright)


def _open(data: bytes) -> Image.Image:
    """Return the picture with its header read and its pixels not."""
    try:
        return _open_strictly(data)
    except _DECODER_ERRORS:
        # Pillow gives up a whole AVIF for a mistake in its EXIF data. Under another
        # name of the same length the decoder passes over it.
        without_exif = data.replace(b"Exif", b"skip")
    try:
        return _open_strictly(without_exif)
    except _DECODER_ERRORS as exc:
        raise UnreadableImage(
            f"The bytes are not a readable {_FORMAT_NAMES} picture."
        ) from exc


def _open_strictly(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _too_large() from exc


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnreadableImage("The picture has no pixels.")
    if width * height > MAX_PICTURE_PIXELS:
        raise _too_large()


def _too_large() -> UnreadableImage:
    return UnreadableImage(
        f"The picture has more than {MAX_PICTURE_PIXELS // 1_000_000} megapixels."
    )


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return _high_bytes(picture).convert("RGB")
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    page = Image.new("RGB", picture.size, _BACKGROUND)
    rgba = picture.convert("RGBA")
    page.paste(rgba, mask=rgba)
    return page


def _high_bytes(picture: Image.Image) -> Image.Image:
    """Return a 16-bit grey picture as 8-bit; Pillow's conversion clips at 255."""
    samples = np.asarray(picture)
    greys = (samples >> 8).astype(np.uint8)
    transparent_grey = picture.info.get("transparency")
    if transparent_grey is not None:
        greys[samples == transparent_grey] = 255
    return Image.fromarray(greys)


def _upright(picture: Image.Image, exif: bytes | None) -> Image.Image:
    uprighting = _UPRIGHTING.get(_exif_orientation(exif or b""))
    return picture if uprighting is None else picture.transpose(uprighting)


def _exif_orientation(exif: bytes) -> int:
    """Return the orientation in the first image directory, 1 if there is none.

    Read here because Pillow's reader of the whole directory warns or raises at
    mistakes that have nothing to do with the orientation.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    byte_order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if byte_order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{byte_order}I", tiff, 4)
        (entry_count,) = struct.unpack_from(f"{byte_order}H", tiff, directory)
        for index in range(entry_count):
            entry = directory + 2 + index * _EXIF_ENTRY_BYTES
            tag, value = struct.unpack_from(f"{byte_order}H6xH", tiff, entry)
            if tag == _EXIF_ORIENTATION_TAG:
                return int(value)
    except struct.error:
        return 1
    return 1
