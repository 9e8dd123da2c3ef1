"""Hair of a drawn head: what falls behind it and what lies on it."""

import numpy as np

from demo.brush import Picture, dot, ellipse_points, fill, shaded, stroke
from demo.geometry import HeadFrame, Points
from demo.identity import Hair, HairCut, Hairline, HairTexture

_HAIRLESS = (HairCut.BALD,)
_LENGTHS = {HairCut.JAW: 0.75, HairCut.SHOULDER: 1.75, HairCut.PIGTAILS: 0.3}
_LINE_U = np.linspace(0.97, -0.97, 13)


def draw_back_hair(picture: Picture, frame: HeadFrame) -> None:
    hair = frame.identity.hair
    if hair.cut is HairCut.PIGTAILS:
        _draw_pigtails(picture, frame, hair)
    if hair.cut is HairCut.BUN:
        top = -frame.identity.head_half_height - hair.volume * 0.6
        bun = frame.flat(ellipse_points((0.0, top - 0.12), 0.4, 0.34))
        fill(picture, bun, shaded(hair.colour, 0.82))
        stroke(picture, bun, shaded(hair.colour, 0.6), width_px=1, is_closed=True)
    if hair.cut in (HairCut.JAW, HairCut.SHOULDER):
        side = 1.02 + hair.volume * 0.8
        bottom = _LENGTHS[hair.cut]
        top = -frame.identity.head_half_height * 0.55
        points = np.array(
            [
                (-side, top),
                (-side - 0.06, bottom * 0.5),
                (-side + 0.08, bottom),
                (side - 0.08, bottom),
                (side + 0.06, bottom * 0.5),
                (side, top),
            ]
        )
        fill(picture, frame.flat(points), shaded(hair.colour, 0.72))
        _edge(picture, frame, points[1:5], hair, 0.72)


def draw_front_hair(picture: Picture, frame: HeadFrame) -> None:
    hair = frame.identity.hair
    if hair.cut in _HAIRLESS:
        return
    if hair.cut is HairCut.MOHAWK:
        _draw_mohawk(picture, frame, hair)
        return
    is_buzz = hair.cut is HairCut.BUZZ
    volume = 0.02 if is_buzz else hair.volume
    outer = _cap(frame, volume)
    line = _hairline(frame, hair)
    colour = shaded(hair.colour, 0.9) if is_buzz else hair.colour
    fill(picture, np.concatenate([frame.flat(outer), frame.on_face(line)]), colour)
    if not is_buzz:
        _edge(picture, frame, outer, hair, 1.0)
        _draw_strands(picture, frame, outer, line, hair)
    if hair.cut is HairCut.BEANIE:
        _draw_beanie(picture, frame, hair)


def _cap(frame: HeadFrame, volume: float) -> Points:
    """Return the outer edge of the hair, from the left temple over the top."""
    angles = np.linspace(np.pi * 0.97, np.pi * 2.03, 15)
    height = frame.identity.head_half_height
    return np.stack(
        [
            np.cos(angles) * (1.01 + volume * 0.55),
            np.sin(angles) * (height + volume) + 0.02,
        ],
        axis=1,
    )


def _hairline(frame: HeadFrame, hair: Hair) -> Points:
    """Return the edge between hair and forehead, from right to left."""
    u = _LINE_U
    top = -frame.identity.head_half_height
    lowest = -0.42 + hair.line_height
    if hair.hairline is Hairline.BANGS:
        v = np.full_like(u, lowest - 0.06) + 0.02 * np.cos(u * 20)
    elif hair.hairline is Hairline.SWEPT_LEFT:
        v = lowest - 0.24 + 0.34 * u
    elif hair.hairline is Hairline.SWEPT_RIGHT:
        v = lowest - 0.24 - 0.34 * u
    elif hair.hairline is Hairline.CENTRE_PART:
        v = top * 0.86 + 0.75 * np.abs(u) ** 0.9
    elif hair.hairline is Hairline.HIGH:
        v = top * 0.74 + 0.12 * u * u
    else:
        v = top * 0.72 + 0.3 * np.clip(1 - np.abs(u) * 3.2, 0, 1) + 0.1 * u * u
    limit = 0.985 * np.sqrt(np.maximum(0.0, 1 - u * u)) * top
    v = np.maximum(v, limit)
    v[0] = v[-1] = 0.05
    v[1] = v[-2] = max(float(v[1]), -0.3)
    return np.stack([u, v], axis=1)


def _edge(
    picture: Picture, frame: HeadFrame, points: Points, hair: Hair, shade: float
) -> None:
    """Give the outer edge of hair its texture."""
    colour = shaded(hair.colour, shade)
    if hair.texture is HairTexture.SMOOTH:
        return
    dense = np.stack(
        [
            np.interp(np.linspace(0, 1, 17), np.linspace(0, 1, len(points)), axis)
            for axis in points.T
        ],
        axis=1,
    )
    if hair.texture is HairTexture.CURLY:
        radius = 0.16 * frame.unit_px
        for centre in frame.flat(dense):
            dot(picture, centre, colour, radius_px=radius)
        return
    outwards = dense / np.maximum(0.2, np.linalg.norm(dense, axis=1, keepdims=True))
    spikes = dense.copy()
    spikes[1::2] += outwards[1::2] * 0.3
    ring = np.concatenate([spikes, dense[::-1] * 0.9])
    fill(picture, frame.flat(ring), colour)


def _draw_strands(
    picture: Picture, frame: HeadFrame, outer: Points, line: Points, hair: Hair
) -> None:
    above = frame.flat(outer[::-1][1:14])
    below = frame.on_face(line)
    dark = shaded(hair.colour, 0.7)
    width = 0.03 * frame.unit_px
    for index in (2, 4, 6, 8, 10):
        strand = np.stack([above[index], below[index]])
        stroke(picture, strand, dark, width_px=width)
    if hair.streak_colour is not None:
        side = 3 if hair.line_height > 0 else 8
        streak = np.concatenate([above[side : side + 2], below[side : side + 2][::-1]])
        fill(picture, streak, hair.streak_colour)


def _draw_mohawk(picture: Picture, frame: HeadFrame, hair: Hair) -> None:
    height = frame.identity.head_half_height
    rise = height + 0.2 + hair.volume
    root = np.array([(0.26, -height * 0.66), (0.0, -height * 0.58)])
    root = np.concatenate([root, [(-0.26, -height * 0.66)]])
    crest = np.array(
        [(-0.34, -height), (-0.3, -rise), (-0.1, -rise * 0.97), (0.0, -rise * 1.06)]
    )
    crest = np.concatenate(
        [crest, [(0.1, -rise * 0.97), (0.3, -rise), (0.34, -height)]]
    )
    fill(
        picture,
        np.concatenate([frame.flat(crest), frame.on_face(root)]),
        hair.colour,
    )


def _draw_pigtails(picture: Picture, frame: HeadFrame, hair: Hair) -> None:
    for side in (-1.0, 1.0):
        tail = ellipse_points((side * (1.25 + hair.volume * 0.4), 0.1), 0.3, 0.62)
        fill(picture, frame.flat(tail), shaded(hair.colour, 0.8))
        knot = frame.flat(np.array([(side * 1.08, -0.42)]))[0]
        dot(picture, knot, hair.accessory_colour, radius_px=0.14 * frame.unit_px)


def _draw_beanie(picture: Picture, frame: HeadFrame, hair: Hair) -> None:
    outer = _cap(frame, 0.16)[2:13]
    height = frame.identity.head_half_height
    u = _LINE_U[1:-1]
    v = np.full_like(u, -height * 0.5)
    low = np.stack([u, v], axis=1)
    high = np.stack([u, v - 0.22], axis=1)
    fill(
        picture,
        np.concatenate([frame.flat(outer), frame.on_face(low)]),
        hair.accessory_colour,
    )
    band = np.concatenate(
        [frame.on_face(high, lift=0.05), frame.on_face(low, lift=0.05)[::-1]]
    )
    fill(picture, band, shaded(hair.accessory_colour, 0.65))
