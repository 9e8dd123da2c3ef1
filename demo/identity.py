"""What makes a drawn person that person: the traits that never change.

Lengths are in head units: half the width of the head is 1, the centre of the head is
(0, 0), v grows downwards. Nothing here knows how a head is drawn.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from demo.seeds import Generator

Choice = TypeVar("Choice", bound=StrEnum)
Rgb = tuple[int, int, int]

SKIN_TONES: tuple[Rgb, ...] = (
    (255, 226, 208),
    (250, 208, 180),
    (240, 190, 150),
    (226, 170, 122),
    (206, 148, 100),
    (178, 120, 78),
    (146, 94, 60),
    (112, 70, 46),
    (78, 50, 36),
    (236, 176, 160),
)
HAIR_COLOURS: tuple[Rgb, ...] = (
    (24, 22, 26),
    (62, 40, 26),
    (112, 70, 36),
    (166, 112, 56),
    (226, 186, 98),
    (246, 232, 178),
    (190, 74, 28),
    (146, 24, 28),
    (150, 150, 156),
    (238, 238, 242),
    (44, 92, 200),
    (232, 96, 170),
    (44, 156, 96),
    (122, 62, 180),
    (20, 170, 186),
)
IRIS_COLOURS: tuple[Rgb, ...] = (
    (66, 40, 22),
    (130, 80, 30),
    (60, 130, 60),
    (50, 110, 200),
    (120, 136, 150),
    (196, 140, 30),
    (120, 70, 170),
    (30, 160, 170),
)
LIP_COLOURS: tuple[Rgb, ...] = (
    (196, 104, 100),
    (176, 36, 48),
    (226, 96, 130),
    (136, 50, 60),
    (120, 40, 110),
    (214, 130, 104),
)
BOLD_COLOURS: tuple[Rgb, ...] = (
    (28, 28, 32),
    (200, 40, 44),
    (44, 92, 200),
    (240, 190, 40),
    (48, 150, 80),
    (240, 240, 240),
    (140, 60, 160),
    (220, 120, 40),
)


class Hairline(StrEnum):
    BANGS = "bangs"
    SWEPT_LEFT = "swept left"
    SWEPT_RIGHT = "swept right"
    CENTRE_PART = "centre part"
    HIGH = "high"
    WIDOWS_PEAK = "widow's peak"


class HairTexture(StrEnum):
    SMOOTH = "smooth"
    CURLY = "curly"
    SPIKY = "spiky"


class HairCut(StrEnum):
    BALD = "bald"
    BUZZ = "buzz"
    SHORT = "short"
    JAW = "jaw"
    SHOULDER = "shoulder"
    MOHAWK = "mohawk"
    BUN = "bun"
    PIGTAILS = "pigtails"
    BEANIE = "beanie"


class Beard(StrEnum):
    NONE = "none"
    STUBBLE = "stubble"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"
    FULL = "full"
    CHINSTRAP = "chinstrap"


class Glasses(StrEnum):
    NONE = "none"
    ROUND = "round"
    SQUARE = "square"
    HALF_RIM = "half rim"


class FaceMark(StrEnum):
    NONE = "none"
    SCAR = "scar"
    BIRTHMARK = "birthmark"
    FOREHEAD_DOT = "forehead dot"
    CHEEK_STRIPES = "cheek stripes"
    NOSE_PLASTER = "nose plaster"


@dataclass(frozen=True)
class Hair:
    cut: HairCut
    hairline: Hairline
    texture: HairTexture
    colour: Rgb
    streak_colour: Rgb | None
    volume: float
    line_height: float
    accessory_colour: Rgb


@dataclass(frozen=True)
class Eyes:
    half_spacing: float
    half_width: float
    half_height: float
    tilt: float
    iris_colour: Rgb
    iris_size: float
    lid_colour: Rgb | None
    lash_width: float


@dataclass(frozen=True)
class Brows:
    height: float
    thickness: float
    tilt: float
    arch: float
    half_width: float


@dataclass(frozen=True)
class Mole:
    u: float
    v: float
    radius: float


@dataclass(frozen=True)
class Identity:
    """One drawn person: equal traits, equal person."""

    skin: Rgb
    head_half_height: float
    jaw_taper: float
    jaw_squareness: float
    ear_size: float
    hair: Hair
    eyes: Eyes
    brows: Brows
    nose_half_width: float
    nose_tip: float
    nose_shape: float
    mouth_height: float
    mouth_half_width: float
    lip_fullness: float
    lip_colour: Rgb
    blush: float
    has_freckles: bool
    freckle_seed: int
    moles: tuple[Mole, ...]
    mark: FaceMark
    mark_side: int
    mark_colour: Rgb
    beard: Beard
    glasses: Glasses
    glasses_colour: Rgb
    lens_colour: Rgb | None
    earring_colour: Rgb | None


def sample_identity(rng: Generator) -> Identity:
    """Return a new person whose traits are drawn independently and boldly."""
    skin = _shifted(rng, SKIN_TONES[rng.integers(len(SKIN_TONES))], 8)
    glasses = _choose(rng, Glasses, (0.68, 0.13, 0.11, 0.08))
    return Identity(
        skin=skin,
        head_half_height=float(rng.uniform(1.12, 1.5)),
        jaw_taper=float(rng.uniform(0.0, 0.42)),
        jaw_squareness=float(rng.uniform(0.0, 1.0)),
        ear_size=float(rng.uniform(0.12, 0.34)),
        hair=_sample_hair(rng),
        eyes=_sample_eyes(rng),
        brows=_sample_brows(rng),
        nose_half_width=float(rng.uniform(0.1, 0.3)),
        nose_tip=float(rng.uniform(0.2, 0.44)),
        nose_shape=float(rng.uniform(0.0, 1.0)),
        mouth_height=float(rng.uniform(0.62, 0.8)),
        mouth_half_width=float(rng.uniform(0.24, 0.5)),
        lip_fullness=float(rng.uniform(0.04, 0.17)),
        lip_colour=_shifted(rng, LIP_COLOURS[rng.integers(len(LIP_COLOURS))], 12),
        blush=float(max(0.0, rng.uniform(-0.5, 0.6))),
        has_freckles=bool(rng.random() < 0.2),
        freckle_seed=int(rng.integers(2**31)),
        moles=_sample_moles(rng),
        mark=_choose(rng, FaceMark, (0.5, 0.12, 0.12, 0.09, 0.09, 0.08)),
        mark_side=int(rng.choice((-1, 1))),
        mark_colour=BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))],
        beard=_choose(rng, Beard, (0.55, 0.08, 0.1, 0.09, 0.12, 0.06)),
        glasses=glasses,
        glasses_colour=BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))],
        lens_colour=_maybe_colour(rng, 0.2),
        earring_colour=_maybe_colour(rng, 0.3),
    )


def _sample_hair(rng: Generator) -> Hair:
    return Hair(
        cut=_choose(
            rng, HairCut, (0.07, 0.09, 0.2, 0.15, 0.18, 0.08, 0.08, 0.08, 0.07)
        ),
        hairline=_choose(rng, Hairline, (0.2, 0.16, 0.16, 0.18, 0.15, 0.15)),
        texture=_choose(rng, HairTexture, (0.5, 0.3, 0.2)),
        colour=_shifted(rng, HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))], 12),
        streak_colour=_maybe_colour(rng, 0.2),
        volume=float(rng.uniform(0.06, 0.42)),
        line_height=float(rng.uniform(-0.08, 0.12)),
        accessory_colour=BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))],
    )


def _sample_eyes(rng: Generator) -> Eyes:
    half_spacing = float(rng.uniform(0.36, 0.5))
    return Eyes(
        half_spacing=half_spacing,
        half_width=float(rng.uniform(0.17, 0.3)),
        half_height=float(rng.uniform(0.08, 0.2)),
        tilt=float(rng.uniform(-0.35, 0.35)),
        iris_colour=_shifted(rng, IRIS_COLOURS[rng.integers(len(IRIS_COLOURS))], 10),
        iris_size=float(rng.uniform(0.75, 1.1)),
        lid_colour=_maybe_colour(rng, 0.25),
        lash_width=float(rng.uniform(0.02, 0.07)),
    )


def _sample_brows(rng: Generator) -> Brows:
    return Brows(
        height=float(rng.uniform(0.2, 0.4)),
        thickness=float(rng.uniform(0.02, 0.11)),
        tilt=float(rng.uniform(-0.35, 0.35)),
        arch=float(rng.uniform(0.0, 0.14)),
        half_width=float(rng.uniform(0.2, 0.34)),
    )


def _sample_moles(rng: Generator) -> tuple[Mole, ...]:
    count = int(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1)))
    return tuple(
        Mole(
            u=float(rng.uniform(-0.62, 0.62)),
            v=float(rng.uniform(0.12, 0.6)),
            radius=float(rng.uniform(0.035, 0.065)),
        )
        for _ in range(count)
    )


def _choose(
    rng: Generator, choices: type[Choice], chances: tuple[float, ...]
) -> Choice:
    return list(choices)[int(rng.choice(len(chances), p=chances))]


def _maybe_colour(rng: Generator, chance: float) -> Rgb | None:
    colour = BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))]
    return colour if rng.random() < chance else None


def _shifted(rng: Generator, colour: Rgb, most: int) -> Rgb:
    shift = rng.integers(-most, most + 1, size=3)
    red, green, blue = (
        int(min(255, max(0, value + by)))
        for value, by in zip(colour, shift, strict=True)
    )
    return red, green, blue
