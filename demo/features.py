"""What lies on a drawn face: eyes, brows, nose, mouth, beard, glasses, marks."""

from dataclasses import dataclass

import numpy as np

from demo.brush import (
    Picture,
    dot,
    ellipse_points,
    fill,
    fill_within,
    glaze,
    mixed,
    shaded,
    stroke,
)
from demo.geometry import HeadFrame, Points
from demo.identity import Beard, FaceMark, Glasses, Identity
from demo.seeds import Generator

EYE_LINE = -0.08
_NOSE_LIFT = 0.2


@dataclass(frozen=True)
class Expression:
    """How a face is held in one picture. 0 is at rest."""

    smile: float = 0.0
    mouth_open: float = 0.0
    eye_openness: float = 1.0
    gaze: float = 0.0
    brow_raise: float = 0.0


def sample_expression(rng: Generator) -> Expression:
    return Expression(
        smile=float(rng.uniform(-0.4, 1.0)),
        mouth_open=float(max(0.0, rng.uniform(-0.7, 0.8))),
        eye_openness=float(rng.uniform(0.65, 1.1)),
        gaze=float(rng.uniform(-1, 1)),
        brow_raise=float(rng.uniform(-0.5, 1.0)),
    )


def face_landmarks(frame: HeadFrame, expression: Expression) -> Points:
    """Return both eyes, the nose tip and both corners of the mouth, in that order."""
    identity = frame.identity
    spacing = identity.eyes.half_spacing
    eyes = frame.on_face(np.array([(-spacing, EYE_LINE), (spacing, EYE_LINE)]))
    nose = frame.on_face(np.array([(0.0, identity.nose_tip)]), lift=_NOSE_LIFT)
    half_width, corner = _mouth_corner(identity, expression)
    mouth = frame.on_face(np.array([(-half_width, corner), (half_width, corner)]))
    return np.concatenate([eyes, nose, mouth])


def draw_skin_details(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    if identity.blush > 0.05:
        for side in (-1.0, 1.0):
            cheek = frame.on_face(ellipse_points((side * 0.56, 0.3), 0.2, 0.14))
            glaze(picture, cheek, (226, 84, 84), opacity=identity.blush)
    if identity.has_freckles:
        rng = np.random.default_rng(identity.freckle_seed)
        spots = np.stack([rng.uniform(-0.62, 0.62, 22), rng.uniform(0, 0.45, 22)], 1)
        colour = mixed(identity.skin, (120, 56, 20), 0.55)
        for spot in frame.on_face(spots):
            dot(picture, spot, colour, radius_px=0.026 * frame.unit_px)
    for mole in identity.moles:
        spot = frame.on_face(np.array([(mole.u, mole.v)]))[0]
        colour = mixed(identity.skin, (34, 16, 10), 0.8)
        dot(picture, spot, colour, radius_px=mole.radius * frame.unit_px)


def draw_eyes(picture: Picture, frame: HeadFrame, expression: Expression) -> None:
    eyes = frame.identity.eyes
    for side in (-1.0, 1.0):
        shape = ellipse_points((0, 0), eyes.half_width, 1.0, count=14)
        opening = eyes.half_height * expression.eye_openness
        shape[:, 1] *= opening
        shape[:, 1] += -side * eyes.tilt * shape[:, 0]
        shape += (side * eyes.half_spacing, EYE_LINE)
        if eyes.lid_colour is not None:
            lid = (shape - (0, 0.07)) * (1.0, 1.0)
            glaze(picture, frame.on_face(lid), eyes.lid_colour, opacity=0.75)
        border = frame.on_face(shape)
        fill(picture, border, (246, 246, 240))
        size = eyes.half_height * eyes.iris_size
        centre = (
            side * eyes.half_spacing + expression.gaze * eyes.half_width * 0.3,
            EYE_LINE,
        )
        iris = frame.on_face(ellipse_points(centre, size, size))
        fill_within(picture, iris, eyes.iris_colour, border=border)
        pupil = frame.on_face(ellipse_points(centre, size * 0.42, size * 0.42, count=8))
        fill_within(picture, pupil, (16, 14, 16), border=border)
        lashes = border[7:14]
        width = eyes.lash_width * frame.unit_px
        stroke(picture, lashes, (34, 24, 22), width_px=width)


def draw_brows(picture: Picture, frame: HeadFrame, expression: Expression) -> None:
    identity = frame.identity
    brows = identity.brows
    colour = shaded(identity.hair.colour, 0.62)
    height = EYE_LINE - brows.height - 0.05 * expression.brow_raise
    along = np.linspace(-1, 1, 7)
    thickness = brows.thickness * (0.5 + 0.5 * np.sqrt(1 - along**2 * 0.9))
    for side in (-1.0, 1.0):
        u = side * identity.eyes.half_spacing + along * brows.half_width
        middle = height - brows.arch * (1 - along**2) - side * brows.tilt * along * 0.3
        upper = np.stack([u, middle - thickness], axis=1)
        lower = np.stack([u, middle + thickness], axis=1)
        fill(picture, frame.on_face(np.concatenate([upper, lower[::-1]])), colour)


def draw_nose(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    half_width, tip = identity.nose_half_width, identity.nose_tip
    dark = shaded(identity.skin, 0.72)
    bridge = frame.on_face(np.array([(-0.07, 0.02), (0.07, 0.02)]), lift=0.05)
    base = np.array(
        [
            (half_width, tip + 0.06),
            (half_width * 0.6, tip + 0.12),
            (0.0, tip + 0.1 + 0.08 * identity.nose_shape),
            (-half_width * 0.6, tip + 0.12),
            (-half_width, tip + 0.06),
        ]
    )
    underside = frame.on_face(base, lift=_NOSE_LIFT * 0.6)
    peak = frame.on_face(np.array([(0.0, tip)]), lift=_NOSE_LIFT)
    glaze(
        picture,
        np.concatenate([bridge, underside[:2], peak, underside[3:]]),
        shaded(identity.skin, 1.12 if identity.nose_shape > 0.5 else 0.84),
        opacity=0.6,
    )
    stroke(picture, underside, dark, width_px=0.045 * frame.unit_px)
    if identity.nose_shape > 0.35:
        side = np.concatenate([bridge[:1], underside[-1:]])
        stroke(picture, side, dark, width_px=0.03 * frame.unit_px)


def draw_mouth(picture: Picture, frame: HeadFrame, expression: Expression) -> None:
    identity = frame.identity
    half_width, corner = _mouth_corner(identity, expression)
    middle = identity.mouth_height + 0.03 * expression.smile
    opening = 0.17 * expression.mouth_open
    along = np.linspace(-1, 1, 9)
    rounded = 1 - along**2
    base = middle + (corner - middle) * along**2
    fullness = identity.lip_fullness * np.sqrt(rounded)
    u = along * half_width
    bow = 0.03 * np.cos(along * np.pi * 2) * rounded
    upper = np.stack([u, base - fullness + bow], axis=1)
    lower = np.stack([u, base + fullness * 1.15 + opening * rounded], axis=1)
    lips = frame.on_face(np.concatenate([upper, lower[::-1]]))
    fill(picture, lips, identity.lip_colour)
    inner_top = np.stack([u, base], axis=1)
    dark = shaded(identity.lip_colour, 0.4)
    if opening > 0.03:
        inner_bottom = np.stack([u, base + opening * rounded], axis=1)
        inside = frame.on_face(np.concatenate([inner_top, inner_bottom[::-1]]))
        fill(picture, inside, dark)
        teeth_bottom = np.stack([u, base + opening * rounded * 0.45], axis=1)
        teeth = np.concatenate([inner_top, teeth_bottom[::-1]])
        fill(picture, frame.on_face(teeth), (244, 242, 234))
    else:
        line = frame.on_face(inner_top)
        stroke(picture, line, dark, width_px=0.035 * frame.unit_px)


def draw_beard(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    beard = identity.beard
    if beard is Beard.NONE:
        return
    colour = shaded(identity.hair.colour, 0.78)
    mouth = identity.mouth_height
    half_width = identity.mouth_half_width
    if beard is Beard.STUBBLE:
        glaze(picture, _lower_face(frame, 0.45), (40, 36, 40), opacity=0.38)
        return
    if beard is Beard.FULL:
        fill(picture, _lower_face(frame, 0.4), colour)
    if beard is Beard.CHINSTRAP:
        outer = frame.outline[_below(frame, 0.05)]
        inner = outer[::-1] * (0.84, 0.84)
        fill(picture, frame.flat(np.concatenate([outer, inner])), colour)
    if beard is Beard.GOATEE:
        chin = ellipse_points((0.0, mouth + 0.26), 0.3, 0.3)
        fill(picture, frame.on_face(chin), colour)
    if beard in (Beard.MOUSTACHE, Beard.FULL):
        lip = mouth - identity.lip_fullness - 0.03
        shape = np.array(
            [
                (-half_width - 0.12, lip + 0.12),
                (-half_width * 0.5, lip - 0.12),
                (0.0, lip - 0.06),
                (half_width * 0.5, lip - 0.12),
                (half_width + 0.12, lip + 0.12),
                (0.0, lip + 0.05),
            ]
        )
        fill(picture, frame.on_face(shape), colour)


def draw_glasses(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    if identity.glasses is Glasses.NONE:
        return
    spacing = identity.eyes.half_spacing
    half_width = min(spacing - 0.05, identity.eyes.half_width + 0.1)
    width = 0.055 * frame.unit_px
    for side in (-1.0, 1.0):
        centre = (side * spacing, EYE_LINE + 0.03)
        if identity.glasses is Glasses.ROUND:
            rim = ellipse_points(centre, half_width, half_width)
        else:
            corners = ellipse_points((0, 0), half_width * 1.36, 0.36, count=4)
            turned = corners @ np.array([[0.7071, 0.7071], [-0.7071, 0.7071]])
            turned[:, 1] = np.sign(turned[:, 1]) * 0.23
            turned[:, 0] = np.sign(turned[:, 0]) * half_width
            rim = turned + centre
        lens = frame.on_face(rim, lift=0.12)
        if identity.lens_colour is not None:
            glaze(picture, lens, identity.lens_colour, opacity=0.35)
        if identity.glasses is Glasses.HALF_RIM:
            upper = lens[np.argsort(rim[:, 1], kind="stable")[:2]]
            stroke(picture, upper, identity.glasses_colour, width_px=width * 1.8)
        else:
            stroke(
                picture, lens, identity.glasses_colour, width_px=width, is_closed=True
            )
    inner = spacing - half_width
    bridge = np.array([(-inner, EYE_LINE), (inner, EYE_LINE)])
    stroke(
        picture,
        frame.on_face(bridge, lift=0.14),
        identity.glasses_colour,
        width_px=width,
    )


def draw_mark(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    mark, side = identity.mark, float(identity.mark_side)
    unit = frame.unit_px
    if mark is FaceMark.SCAR:
        points = np.array([(side * 0.62, 0.06), (side * 0.4, 0.55)])
        line = frame.on_face(points)
        stroke(
            picture, line, mixed(identity.skin, (190, 60, 70), 0.7), width_px=unit / 14
        )
    elif mark is FaceMark.BIRTHMARK:
        patch = frame.on_face(ellipse_points((side * 0.55, 0.22), 0.24, 0.3))
        glaze(picture, patch, (128, 44, 60), opacity=0.65)
    elif mark is FaceMark.FOREHEAD_DOT:
        spot = frame.on_face(np.array([(0.0, EYE_LINE - 0.27)]))[0]
        dot(picture, spot, identity.mark_colour, radius_px=0.085 * unit)
    elif mark is FaceMark.CHEEK_STRIPES:
        for step in (0.0, 0.14):
            points = np.array([(side * 0.42, 0.24 + step), (side * 0.78, 0.18 + step)])
            line = frame.on_face(points)
            stroke(picture, line, identity.mark_colour, width_px=0.08 * unit)
    elif mark is FaceMark.NOSE_PLASTER:
        tip = identity.nose_tip
        corners = np.array(
            [
                (-0.22, tip - 0.2),
                (0.22, tip - 0.24),
                (0.22, tip - 0.1),
                (-0.22, tip - 0.06),
            ]
        )
        plaster = frame.on_face(corners, lift=0.12)
        fill(picture, plaster, identity.mark_colour)


def _mouth_corner(identity: Identity, expression: Expression) -> tuple[float, float]:
    half_width = identity.mouth_half_width * (1 + 0.12 * expression.smile)
    return half_width, identity.mouth_height - 0.09 * expression.smile


def _below(frame: HeadFrame, v: float) -> np.ndarray:
    order = np.arange(len(frame.outline))
    return order[frame.outline[:, 1] >= v]


def _lower_face(frame: HeadFrame, top: float) -> Points:
    """Return the part of the face below a line that dips under the nose."""
    outer = frame.flat(frame.outline[_below(frame, top - 0.3)])
    upper = np.array([(-0.62, top), (-0.3, top + 0.08), (0.3, top + 0.08), (0.62, top)])
    return np.concatenate([outer, frame.on_face(upper)])
