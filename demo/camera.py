"""What a camera does to a drawn picture: light, focus, noise, compression."""

from dataclasses import dataclass

import cv2
import numpy as np

from demo.brush import Picture
from demo.seeds import Generator


@dataclass(frozen=True)
class Exposure:
    """Gains are factors, the blur is a sigma in pixels, noise in grey levels."""

    gains: tuple[float, float, float]
    gradient: tuple[float, float]
    gamma: float
    blur_px: float
    noise: float
    jpeg_quality: int


def sample_exposure(rng: Generator, *, sharpness_px: float) -> Exposure:
    """Return a plausible exposure; `sharpness_px` bounds the blur."""
    brightness = float(rng.uniform(0.7, 1.2))
    red, green, blue = (float(v) * brightness for v in rng.uniform(0.9, 1.1, 3))
    across, down = (float(v) for v in rng.uniform(-0.3, 0.3, 2))
    return Exposure(
        gains=(red, green, blue),
        gradient=(across, down),
        gamma=float(rng.uniform(0.8, 1.25)),
        blur_px=float(max(0.0, rng.uniform(-0.6, 1.0)) * sharpness_px),
        noise=float(max(0.0, rng.uniform(-6.0, 9.0))),
        jpeg_quality=int(rng.integers(55, 96)),
    )


def expose(picture: Picture, exposure: Exposure, rng: Generator) -> Picture:
    """Return the picture as this exposure shows it, without compression."""
    height, width = picture.shape[:2]
    levels = np.linspace(0, 1, 256) ** exposure.gamma * 255
    curve = np.stack([np.clip(levels * gain, 0, 255) for gain in exposure.gains], 1)
    seen = cv2.LUT(picture, curve.astype(np.uint8)[None])
    across, down = exposure.gradient
    corners = 1 + np.array(
        [[-across - down, across - down], [down - across, across + down]]
    )
    light = cv2.resize(corners.astype(np.float32), (width, height))
    lit = seen * light[..., None]
    if exposure.noise > 0.5:
        grain = rng.standard_normal((height, width, 1), dtype=np.float32)
        lit += grain * exposure.noise
    seen = np.clip(lit, 0, 255).astype(np.uint8)
    if exposure.blur_px > 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), exposure.blur_px)
    return np.ascontiguousarray(seen, dtype=np.uint8)


def encode_jpeg(picture: Picture, *, quality: int) -> bytes:
    is_encoded, data = cv2.imencode(
        ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert is_encoded, "cv2 refuses to encode a picture of its own"
    return data.tobytes()


def decode_jpeg(data: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "cv2 refuses to decode a picture of its own"
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
