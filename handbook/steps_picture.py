"""The picture of docs/recognition.md: what is done with one, until networks see it."""

import io
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from demo.embedding import open_demo_networks
from demo.install import DEFAULT_WORLD
from demo.pictures import iter_known_pictures
from recognition.numeric.alignment import align_face
from recognition.numeric.arrays import RgbImage
from recognition.runtime.detector import DetectedFace

NAME = "from-picture-to-crops.png"
SEED = 11
LOOKED_AT = 80
WIDTH_PX = 760
CROP_PX = 150
GAP_PX = 14
COLOUR = (46, 134, 209)


def write(folder: Path) -> None:
    """Draw it into the folder."""
    image, faces = _group_of_two()
    drawn = _with_faces(image, faces)
    height = round(drawn.height * (WIDTH_PX - 2 * CROP_PX - 2 * GAP_PX) / drawn.width)
    height = max(height, 2 * CROP_PX + GAP_PX)
    drawn = drawn.resize((round(height * drawn.width / drawn.height), height))
    width = drawn.width + 2 * (CROP_PX + GAP_PX)
    sheet = Image.new("RGB", (width, height), "white")
    sheet.paste(drawn, (0, 0))
    for row, face in enumerate(faces):
        crop = align_face(image, face.landmarks)
        for column, pixels in enumerate((crop, crop[:, ::-1])):
            place = (
                drawn.width + GAP_PX + column * (CROP_PX + GAP_PX),
                row * (CROP_PX + GAP_PX),
            )
            sheet.paste(
                Image.fromarray(np.ascontiguousarray(pixels)).resize(
                    (CROP_PX, CROP_PX)
                ),
                place,
            )
    # 256 colours are enough for what is drawn, and a third of the bytes.
    sheet.quantize(256).save(folder / NAME, optimize=True)


def _group_of_two() -> tuple[RgbImage, list[DetectedFace]]:
    """Return a picture of the demo world in which two faces are found."""
    detector = open_demo_networks(detection_size_px=640).detector
    for picture in islice(
        iter_known_pictures(DEFAULT_WORLD, seed=SEED, count=LOOKED_AT), LOOKED_AT
    ):
        image = np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("RGB"))
        faces = detector.detect_faces(image, min_confidence=0.5)
        if len(faces) == 2:
            return image, sorted(faces, key=lambda face: face.box.x)
    raise LookupError(f"No picture of two among the first {LOOKED_AT}")


def _with_faces(image: RgbImage, faces: list[DetectedFace]) -> Image.Image:
    picture = Image.fromarray(image.copy())
    draw = ImageDraw.Draw(picture)
    line_px = max(3, picture.width // 250)
    for face in faces:
        box = face.box
        draw.rectangle(
            (box.x, box.y, box.x + box.width, box.y + box.height),
            outline=COLOUR,
            width=line_px,
        )
        for x, y in face.landmarks:
            draw.circle((float(x), float(y)), 2 * line_px, fill=COLOUR)
    return picture
