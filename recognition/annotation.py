"""Drawing what was recognized onto a copy of the picture."""

from PIL import Image, ImageDraw, ImageFont

from recognition.numeric.arrays import RgbImage
from recognition.runtime.recognizer import RecognizedFace

KNOWN_COLOUR = (26, 127, 55)
UNKNOWN_COLOUR = (179, 89, 0)

# Lines and letters that stay readable when the picture is looked at as a whole.
_LINE_SHARE = 1 / 300
_LETTER_SHARE = 1 / 45
_MIN_LETTER_PX = 11


def annotate(image: RgbImage, faces: list[RecognizedFace]) -> Image.Image:
    """Return a copy of the picture with each face's box and best name."""
    picture = Image.fromarray(image.copy())
    draw = ImageDraw.Draw(picture)
    longer_px = max(picture.size)
    line_px = max(2, round(longer_px * _LINE_SHARE))
    font = ImageFont.load_default(max(_MIN_LETTER_PX, longer_px * _LETTER_SHARE))
    for recognized in faces:
        box = recognized.face.box
        corners = (box.x, box.y, box.x + box.width, box.y + box.height)
        colour = KNOWN_COLOUR if recognized.matches else UNKNOWN_COLOUR
        draw.rectangle(corners, outline=colour, width=line_px)
        _label(draw, _caption(recognized), corners, colour, font)
    return picture


def _caption(recognized: RecognizedFace) -> str:
    if not recognized.matches:
        return "Unknown"
    best = recognized.matches[0]
    return f"{best.performer.name} {best.candidate.confidence:.0%}"


def _label(
    draw: ImageDraw.ImageDraw,
    text: str,
    corners: tuple[int, int, int, int],
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write above the box, or inside it where there is no room above."""
    left, top = corners[:2]
    _, _, width, height = draw.textbbox((0, 0), text, font=font)
    y = top - height if top >= height else top
    draw.rectangle((left, y, left + width, y + height), fill=colour)
    draw.text((left, y), text, fill="white", font=font)
