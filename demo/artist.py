"""The artist: puts a person's head into a picture and knows box and landmarks."""

from dataclasses import dataclass

import numpy as np

from demo import features
from demo.brush import Picture, dot, ellipse_points, fill, glaze, shaded, stroke
from demo.features import Expression
from demo.geometry import HeadFrame, Placement, Points, Pose
from demo.hair import draw_back_hair, draw_front_hair
from demo.identity import BOLD_COLOURS, Identity, Rgb
from demo.seeds import Generator

# Boxes end at the hairline, not at the crown, as those of photographs do.
BOX_TOP_SHARE = 0.72
OCCLUDED_SHARE = 0.12


@dataclass(frozen=True)
class DrawnHead:
    """Where a head is: box as left, top, right, bottom; five landmarks, pixels."""

    box: tuple[float, float, float, float]
    landmarks: Points


@dataclass(frozen=True)
class Sitting:
    """How a person happens to look in one picture."""

    pose: Pose
    expression: Expression
    clothing: Rgb
    shadow_side: float
    shadow_opacity: float
    occluder_seed: int | None


def sample_sitting(rng: Generator) -> Sitting:
    return Sitting(
        pose=Pose(
            yaw=float(np.clip(rng.normal(0, 0.24), -0.55, 0.55)),
            pitch=float(np.clip(rng.normal(0, 0.12), -0.3, 0.3)),
            roll=float(np.clip(rng.normal(0, 0.14), -0.4, 0.4)),
        ),
        expression=features.sample_expression(rng),
        clothing=BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))],
        shadow_side=float(rng.choice((-1.0, 1.0))),
        shadow_opacity=float(rng.uniform(0.0, 0.35)),
        occluder_seed=(
            int(rng.integers(2**31)) if rng.random() < OCCLUDED_SHARE else None
        ),
    )


def draw_head(
    picture: Picture, identity: Identity, sitting: Sitting, placement: Placement
) -> DrawnHead:
    """Draw head and shoulders into the picture, in place."""
    frame = HeadFrame(identity, sitting.pose, placement)
    _draw_shoulders(picture, frame, sitting)
    draw_back_hair(picture, frame)
    _draw_ears(picture, frame)
    outline = frame.flat(frame.outline)
    fill(picture, outline, identity.skin)
    _draw_shadow(picture, frame, sitting)
    features.draw_skin_details(picture, frame)
    features.draw_beard(picture, frame)
    features.draw_nose(picture, frame)
    features.draw_mouth(picture, frame, sitting.expression)
    features.draw_eyes(picture, frame, sitting.expression)
    features.draw_brows(picture, frame, sitting.expression)
    features.draw_mark(picture, frame)
    stroke(
        picture,
        outline,
        shaded(identity.skin, 0.62),
        width_px=0.025 * frame.unit_px,
        is_closed=True,
    )
    draw_front_hair(picture, frame)
    features.draw_glasses(picture, frame)
    if sitting.occluder_seed is not None:
        _draw_occluder(picture, frame, sitting.occluder_seed)
    return DrawnHead(
        box=_face_box(frame),
        landmarks=features.face_landmarks(frame, sitting.expression),
    )


def _face_box(frame: HeadFrame) -> tuple[float, float, float, float]:
    outline = frame.outline.copy()
    top = -BOX_TOP_SHARE * frame.identity.head_half_height
    outline[:, 1] = np.maximum(outline[:, 1], top)
    points = frame.flat(outline)
    left, upper = points.min(axis=0)
    right, lower = points.max(axis=0)
    return float(left), float(upper), float(right), float(lower)


def _draw_shoulders(picture: Picture, frame: HeadFrame, sitting: Sitting) -> None:
    chin = frame.identity.head_half_height
    neck = np.array([(-0.42, 0.4), (0.42, 0.4), (0.5, chin + 0.5), (-0.5, chin + 0.5)])
    body = np.array(
        [
            (-0.45, chin + 0.2),
            (-1.7, chin + 0.65),
            (-2.0, chin + 2.6),
            (2.0, chin + 2.6),
            (1.7, chin + 0.65),
            (0.45, chin + 0.2),
        ]
    )
    fill(picture, frame.flat(neck), shaded(frame.identity.skin, 0.78))
    fill(picture, frame.flat(body), sitting.clothing)


def _draw_ears(picture: Picture, frame: HeadFrame) -> None:
    identity = frame.identity
    size = identity.ear_size
    for side in (-1.0, 1.0):
        turned_away = 0.25 * side * np.sin(frame.pose.yaw)
        centre = (side * (1.0 + size * 0.25 - abs(turned_away)), 0.05)
        ear = frame.flat(ellipse_points(centre, size * 0.7, size * 1.15))
        fill(picture, ear, shaded(identity.skin, 0.9))
        stroke(
            picture,
            ear,
            shaded(identity.skin, 0.6),
            width_px=0.02 * frame.unit_px,
            is_closed=True,
        )
        if identity.earring_colour is not None:
            lobe = np.array([(centre[0], centre[1] + size * 1.2)])
            spot = frame.flat(lobe)[0]
            dot(
                picture,
                spot,
                identity.earring_colour,
                radius_px=0.1 * frame.unit_px,
            )


def _draw_shadow(picture: Picture, frame: HeadFrame, sitting: Sitting) -> None:
    """Darken the side of the face that is turned from the light."""
    if sitting.shadow_opacity < 0.05:
        return
    side = sitting.shadow_side
    outline = frame.outline
    inside = outline[outline[:, 0] * side > 0.25]
    order = np.argsort(inside[:, 1], kind="stable")
    edge = inside[order]
    bent = np.stack([edge[::-1, 0] * 0.55, edge[::-1, 1] * 0.96], axis=1)
    glaze(
        picture,
        frame.flat(np.concatenate([edge, bent])),
        shaded(frame.identity.skin, 0.55),
        opacity=sitting.shadow_opacity,
    )


def _draw_occluder(picture: Picture, frame: HeadFrame, seed: int) -> None:
    """Cover a part of the lower or outer face: a cup, a hand, a scarf."""
    rng = np.random.default_rng(seed)
    colour = BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))]
    kind = int(rng.integers(3))
    if kind == 0:
        side = float(rng.choice((-1, 1)))
        centre = (side * float(rng.uniform(0.55, 0.9)), float(rng.uniform(0.3, 0.9)))
        fill(picture, frame.flat(ellipse_points(centre, 0.34, 0.42)), colour)
    elif kind == 1:
        chin = frame.identity.head_half_height
        top = chin - float(rng.uniform(0.1, 0.35))
        scarf = np.array([(-1.1, top), (1.1, top + 0.1), (1.2, chin + 0.5)])
        scarf = np.concatenate([scarf, [(-1.2, chin + 0.5)]])
        fill(picture, frame.flat(scarf), colour)
    else:
        side = float(rng.choice((-1, 1)))
        u = side * float(rng.uniform(0.5, 0.95))
        bar = np.array([(u - 0.1, -1.6), (u + 0.1, -1.6), (u + 0.25, 2.0), (u, 2.0)])
        fill(picture, frame.flat(bar), colour)
