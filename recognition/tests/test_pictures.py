"""Decoding of pictures: every format we read, and everything we refuse."""

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from recognition.exceptions import UnreadableImage
from recognition.pictures import MAX_PICTURE_BYTES, decode_picture

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF"]
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 60), (40, 60, 210), (255, 255, 255)

# Lossy formats shift flat colours by a few grey levels.
LOSSY = 16

EXIF_ORIENTATION = 0x0112
EXIF_MAKER = 0x010F


def flag(width=96, height=64):
    """A picture whose four quarters tell its orientation."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = RED
    picture[: height // 2, width // 2 :] = GREEN
    picture[height // 2 :, : width // 2] = BLUE
    picture[height // 2 :, width // 2 :] = WHITE
    return picture


def encoded(picture, picture_format, **kwargs):
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, picture_format, **kwargs)
    return buffer.getvalue()


def png_16_bit(samples):
    """A PNG of uint16 RGB(A) samples; Pillow writes none, OpenCV takes BGR(A)."""
    order = [2, 1, 0, 3][: samples.shape[2]]
    return cv2.imencode(".png", np.ascontiguousarray(samples[..., order]))[1].tobytes()


def exif_of(orientation):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return exif


def patched(data, marker, offset, values):
    """The bytes with others written at an offset after the first marker."""
    at = data.index(marker) + len(marker) + offset
    return data[:at] + values + data[at + len(values) :]


def png_of_size(width, height):
    data = encoded(flag(), "PNG")
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def jpeg_of_size(width, height):
    size = struct.pack(">HH", height, width)
    return patched(encoded(flag(), "JPEG"), b"\xff\xc0", 3, size)


def webp_of_size(width, height):
    size = struct.pack("<HH", width, height)
    return patched(encoded(flag(), "WEBP"), b"\x9d\x01\x2a", 0, size)


def avif_of_size(width, height):
    size = struct.pack(">II", width, height)
    return patched(encoded(flag(), "AVIF"), b"ispe", 4, size)


def gif_of_size(width, height):
    return patched(
        encoded(flag(), "GIF"), b"GIF8", 2, struct.pack("<HH", width, height)
    )


@pytest.mark.parametrize("picture_format", FORMATS)
def test_every_format_is_read(picture_format):
    picture = decode_picture(encoded(flag(), picture_format))

    assert picture.dtype == np.uint8
    assert picture.shape == (64, 96, 3)
    for row, column, colour in [(8, 8, RED), (8, 88, GREEN), (56, 8, BLUE)]:
        assert_allclose(picture[row, column].astype(int), colour, atol=LOSSY)


def test_a_lossless_picture_keeps_every_pixel():
    noise = np.random.default_rng(1).integers(0, 256, (33, 47, 3), np.uint8)

    assert_array_equal(decode_picture(encoded(noise, "PNG")), noise)
    assert_array_equal(decode_picture(encoded(noise, "WEBP", lossless=True)), noise)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_taken_with_a_turned_camera_is_upright(picture_format, orientation):
    upright = flag()
    as_stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    data = encoded(
        np.ascontiguousarray(as_stored), picture_format, exif=exif_of(orientation)
    )

    picture = decode_picture(data)

    assert picture.shape == upright.shape
    for row, column in [(8, 8), (8, 88), (56, 8), (56, 88)]:
        assert_allclose(
            picture[row, column].astype(int), upright[row, column], atol=LOSSY
        )


def big_endian_exif(orientation):
    entry = struct.pack(">HHIHH", EXIF_ORIENTATION, 3, 1, orientation, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def test_exif_in_either_byte_order_is_understood():
    data = encoded(flag(), "JPEG", exif=big_endian_exif(3))

    assert_allclose(decode_picture(data)[56, 88].astype(int), RED, atol=LOSSY)


@pytest.mark.filterwarnings("ignore:.*EXIF.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*Metadata.*:UserWarning")
@pytest.mark.filterwarnings("ignore:Truncated.*:UserWarning")
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40,
        b"Exif\0\0no directory at all",
        big_endian_exif(77),
        big_endian_exif(6)[:-9],
    ],
)
def test_broken_exif_data_is_not_fatal(picture_format, exif):
    # AVIF's writer reads the EXIF data itself, so it is broken afterwards.
    sound = Image.Exif()
    sound[EXIF_MAKER] = "a maker with a name as long as what replaces it, and longer"
    tiff = sound.tobytes().removeprefix(b"Exif\0\0")
    data = encoded(flag(), picture_format, exif=sound)
    broken = exif.removeprefix(b"Exif\0\0")[: len(tiff)].ljust(len(tiff), b"\0")
    assert tiff in data
    data = data.replace(tiff, broken)
    if picture_format == "PNG":
        chunk = data.index(b"eXIf")
        length = int.from_bytes(data[chunk - 4 : chunk], "big") + 4
        checksum = zlib.crc32(data[chunk : chunk + length])
        data = patched(data, b"eXIf", length - 4, struct.pack(">I", checksum))

    assert decode_picture(data).shape == (64, 96, 3)


@pytest.mark.parametrize("picture_format", ["PNG", "WEBP", "AVIF"])
def test_what_is_transparent_is_white(picture_format):
    rgba = np.dstack([flag(), np.full((64, 96), 255, np.uint8)])
    rgba[:32, :, 3] = 0

    picture = decode_picture(encoded(rgba, picture_format))

    assert_allclose(picture[8, 8].astype(int), WHITE, atol=LOSSY)
    assert_allclose(picture[56, 8].astype(int), BLUE, atol=LOSSY)


def test_half_transparent_pixels_are_mixed_with_white():
    rgba = np.full((4, 4, 4), (0, 0, 0, 128), np.uint8)

    assert_allclose(decode_picture(encoded(rgba, "PNG")).astype(int), 127, atol=1)


@pytest.mark.parametrize("picture_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(picture_format):
    indices = np.zeros((8, 8), np.uint8)
    indices[4:] = 1
    palette = Image.fromarray(indices)
    palette.putpalette([*RED, *BLUE])

    picture = decode_picture(encoded(palette, picture_format, transparency=0))

    assert tuple(picture[0, 0]) == WHITE
    assert tuple(picture[7, 7]) == BLUE


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "GIF", "AVIF"])
def test_grey_becomes_three_equal_channels(picture_format):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))

    picture = decode_picture(encoded(grey, picture_format))

    assert picture.shape == (64, 64, 3)
    assert_allclose(picture.astype(int), np.dstack([grey] * 3), atol=LOSSY)


def test_grey_with_alpha_and_one_bit_pictures_are_read():
    grey_alpha = Image.new("LA", (6, 4), (100, 255))
    one_bit = Image.new("1", (6, 4), 1)

    assert_array_equal(decode_picture(encoded(grey_alpha, "PNG")), 100)
    assert_array_equal(decode_picture(encoded(one_bit, "PNG")), 255)


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    samples = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)

    picture = decode_picture(encoded(samples, "PNG"))

    assert_array_equal(picture[..., 0], samples >> 8)
    assert_array_equal(picture[..., 0], picture[..., 2])


def test_sixteen_bit_grey_with_a_transparent_grey_is_white_there():
    samples = np.full((4, 4), 0x8000, np.uint16)
    samples[0] = 0x0102
    data = encoded(samples, "PNG")
    chunk = b"tRNS\x01\x02"
    tail = data.index(b"IDAT") - 4
    transparency = b"\0\0\0\x02" + chunk + struct.pack(">I", zlib.crc32(chunk))

    picture = decode_picture(data[:tail] + transparency + data[tail:])

    assert_array_equal(picture[0], 255)
    assert_array_equal(picture[1:], 0x80)


def test_sixteen_bit_colour_is_scaled_and_its_alpha_composited():
    colour = flag().astype(np.uint16) * 257
    opaque = np.full((64, 96, 1), 65535, np.uint16)
    half = np.concatenate([colour, opaque], axis=2)
    half[:32, :, 3] = 0

    assert_array_equal(decode_picture(png_16_bit(colour)), flag())
    picture = decode_picture(png_16_bit(half))
    assert tuple(picture[8, 8]) == WHITE
    assert tuple(picture[56, 8]) == BLUE


def test_a_cmyk_jpeg_has_the_colours_of_its_print():
    picture = decode_picture(encoded(Image.fromarray(flag()).convert("CMYK"), "JPEG"))

    assert_allclose(picture[8, 8].astype(int), RED, atol=LOSSY)
    assert_allclose(picture[56, 88].astype(int), WHITE, atol=LOSSY)


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "AVIF", "PNG"])
def test_of_an_animation_the_first_frame_counts(picture_format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE, GREEN)]
    data = encoded(frames[0], picture_format, save_all=True, append_images=frames[1:])

    picture = decode_picture(data)

    assert picture.shape == (32, 32, 3)
    assert_allclose(picture[16, 16].astype(int), RED, atol=LOSSY)


def test_a_jpeg_with_a_second_picture_behind_the_first_is_read():
    second = Image.new("RGB", (96, 64), GREEN)
    data = encoded(flag(), "MPO", save_all=True, append_images=[second])

    assert_allclose(decode_picture(data)[8, 8].astype(int), RED, atol=LOSSY)


@pytest.mark.parametrize(
    "picture_of_size",
    [png_of_size, jpeg_of_size, webp_of_size, avif_of_size, gif_of_size],
)
@pytest.mark.parametrize("side", [8001, 10_000, 16_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_by_the_header(picture_of_size, side):
    # The pixels are those of a small picture: decoding would fail otherwise than by
    # its size.
    with pytest.raises(UnreadableImage, match="more than 64 megapixels"):
        decode_picture(picture_of_size(side, 8000 if side == 8001 else side))


def test_sixty_four_megapixels_are_not_too_many():
    # Let through by the header, and found to lack nearly all of its pixels.
    with pytest.raises(UnreadableImage, match="damaged or incomplete"):
        decode_picture(png_of_size(8000, 8000))


def test_a_gif_frame_larger_than_its_screen_counts_in_full():
    frame = struct.pack("<HHHH", 0, 0, 60_000, 60_000)
    data = encoded(flag(), "GIF")
    at = data.rindex(struct.pack("<HHHH", 0, 0, 96, 64))

    with pytest.raises(UnreadableImage, match="megapixels"):
        decode_picture(data[:at] + frame + data[at + 8 :])


def test_too_many_bytes_are_refused():
    with pytest.raises(UnreadableImage, match="at most 32,000,000"):
        decode_picture(bytes(MAX_PICTURE_BYTES + 1))


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_picture_is_refused(picture_format, share):
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(noise, picture_format)

    with pytest.raises(UnreadableImage, match=r"incomplete|not a readable"):
        decode_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("picture_format", ["TIFF", "BMP", "PPM", "ICO", "JPEG2000"])
def test_other_formats_are_refused(picture_format):
    with pytest.raises(UnreadableImage, match="JPEG, PNG, WebP, AVIF or GIF"):
        decode_picture(encoded(flag(), picture_format))


@pytest.mark.parametrize(
    "data",
    [
        b"just some text",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"GIF89a",
        b"\0\0\0\x1cftypavif",
        bytes(1000),
    ],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnreadableImage, match="JPEG, PNG, WebP, AVIF or GIF"):
        decode_picture(data)


def test_nothing_is_no_picture():
    with pytest.raises(UnreadableImage, match="empty"):
        decode_picture(b"")


@pytest.mark.parametrize(
    "data", [png_of_size(0, 5), jpeg_of_size(5, 0), gif_of_size(0, 0)]
)
def test_a_picture_without_pixels_is_refused_or_has_those_of_its_frame(data):
    try:
        picture = decode_picture(data)
    except UnreadableImage:
        return
    assert picture.size > 0


def test_a_compressed_comment_that_explodes_is_refused():
    bomb = b"zTXtbomb\0\0" + zlib.compress(bytes(20_000_000), 1)
    data = encoded(flag(), "PNG")
    chunk = (
        struct.pack(">I", len(bomb) - 4) + bomb + struct.pack(">I", zlib.crc32(bomb))
    )

    with pytest.raises(UnreadableImage):
        decode_picture(data[:33] + chunk + data[33:])


def test_pictures_damaged_at_random_are_read_or_refused():
    rng = np.random.default_rng(5)
    originals = [encoded(flag(), name) for name in FORMATS]
    outcomes = set()

    for round_number in range(300):
        data = bytearray(originals[round_number % len(originals)])
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(0, 256)
        try:
            outcomes.add(decode_picture(bytes(data)).ndim)
        except UnreadableImage as refusal:
            outcomes.add(str(refusal).endswith("."))

    assert outcomes == {3, True}


def test_pictures_are_decoded_by_many_threads_at_once():
    pictures = [encoded(flag(96 + 2 * n, 64), FORMATS[n % 5]) for n in range(40)]

    with ThreadPoolExecutor(8) as threads:
        shapes = [picture.shape for picture in threads.map(decode_picture, pictures)]

    assert shapes == [(64, 96 + 2 * n, 3) for n in range(40)]
