"""Known people named, strangers left alone: mode template beside the others.

    python -m benchmarks.open_set [--quick] [--world easy --world hard] [--seed N]
        [--scenes N] [--galleries N] [--set NAME=VALUE ...] [--ablations] [--fit]

Embeddings are made, not computed: `benchmarks.open_set_world` says how, and --set
changes any of its parameters. For scenes the share of known people who are not named
rightly when one stranger in a hundred gets a name (FNIR at FPIR 1 %), each mode at its
own threshold; of mode frequency the better of its two scores. For galleries the
precision where template names as many known people as the predecessor's rule: best
match of each face, kept when on two pictures or nearer than 0.4. The calibration error
is that of the shipped calibration. Cost is the time from faces to people against an
index of production size, both modes taking turns.

--ablations leaves out one ingredient of template at a time. --fit prints a calibration
for `recognition.numeric.calibration`, fitted to other scenes than are measured.
"""

import math
import statistics
import sys
import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.faces import PRODUCTION, QUICK, Crowd
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.open_set_trials import (
    Names,
    Score,
    Trials,
    count_uncertain_names,
    is_right,
    made_database,
    names_at_recall,
)
from benchmarks.open_set_world import (
    WORLDS,
    Medium,
    Vectors,
    World,
    WorldParameters,
)
from benchmarks.rematch import FACES_OF_EACH
from recognition.numeric.calibration import (
    SHIPPED_CALIBRATION,
    calibration_error,
    fit_curve,
)
from recognition.numeric.people import MatchingMode, SeenFace, SeenPerson

if TYPE_CHECKING:
    from recognition.runtime.face_database import FaceDatabase

FPIR = 0.01
FNIR_GOAL = 0.25
PRECISION_GOAL = 2.0
GOOD_PRECISION = 0.98
ECE_GOAL = 0.05
COST_GOAL = 0.5

# Distances beyond it, frequency accepts nobody; so its scores are not cut short.
_WIDEST_DISTANCE = 0.65
# Of the predecessor's rule for galleries.
_RULE_DISTANCE, _CERTAIN_DISTANCE, _RULE_IMAGES = 0.6, 0.4, 2
_FIT_SEED = 1_000
# Names whomever is nearest, so that every threshold can be tried.
_EVERYBODY = replace(SHIPPED_CALIBRATION, uncertain_score=-1_000.0)


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--world", action="append", choices=[*WORLDS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int)
    parser.add_argument("--galleries", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--ablations", action="store_true")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    print_machine()
    is_quick = arguments.quick
    scenes = arguments.scenes or (40 if is_quick else 600)
    galleries = arguments.galleries or (15 if is_quick else 150)
    changes = dict(map(_change, arguments.set))
    if is_quick:
        changes = {"identities": 3_000} | changes
    names = arguments.world or [*WORLDS]
    worlds = {name: WorldParameters.of(WORLDS[name], changes) for name in names}
    if arguments.fit:
        return fit(worlds, scenes)
    figures = []
    for name, parameters in worlds.items():
        world = World(parameters, arguments.seed)
        figures += measure_scenes(
            name, world, scenes, with_ablations=arguments.ablations
        )
        figures += measure_galleries(name, world, galleries)
    figures.append(measure_cost(QUICK if is_quick else PRODUCTION))
    return print_figures(figures)


def measure_scenes(
    name: str, world: World, count: int, *, with_ablations: bool
) -> list[Figure]:
    """Return FNIR of both modes and the calibration error, for scenes of a world."""
    media, database = [*world.iter_scenes(count)], made_database(world)
    frequency = [_people(database, each, MatchingMode.FREQUENCY) for each in media]
    template = [_people(database, each, MatchingMode.TEMPLATE) for each in media]
    by_nearest, by_frames = (
        _trials(media, frequency, score) for score in (_confidence, _frequency_score)
    )
    trials = _trials(media, template, _score)
    baseline = min(by_nearest.fnir_at(FPIR), by_frames.fnir_at(FPIR))
    fnir = trials.fnir_at(FPIR)
    print(
        f"{name}: {trials.known_count} known, {trials.stranger_count} strangers; "
        f"template names them from {trials.threshold_at(FPIR):.2f} on; FNIR of "
        f"frequency by confidence {by_nearest.fnir_at(FPIR):.3f}, "
        f"by score {by_frames.fnir_at(FPIR):.3f}",
        flush=True,
    )
    if with_ablations:
        print_ablations(database, media)
    decided = [_people(database, each, None) for each in media]
    shipped = [one for people in decided for one in people if one.candidates]
    told = [one.candidates[0].confidence for one in shipped]
    right = [
        is_right(medium, one)
        for medium, people in zip(media, decided, strict=True)
        for one in people
        if one.candidates
    ]
    return [
        Figure(f"fnir_frequency_{name}", baseline, ""),
        Figure(f"fnir_template_{name}", fnir, "", FNIR_GOAL * baseline),
        Figure(f"ece_{name}", calibration_error(told, right), "", ECE_GOAL),
        Figure(f"uncertain_named_{name}", count_uncertain_names(shipped), "", 0),
        *_shipped_figures(name, media, decided),
    ]


def _shipped_figures(
    name: str, media: list[Medium], decided: list[list[SeenPerson]]
) -> list[Figure]:
    """Return what the shipped threshold gives."""
    trials = Trials()
    for medium, people in zip(media, decided, strict=True):
        trials.add(medium, [one for one in people if one.named], _score)
    strangers = len(trials.strangers) / max(trials.stranger_count, 1)
    known = len(trials.right) / max(trials.known_count, 1)
    return [
        Figure(f"shipped_fpir_{name}", strangers, ""),
        Figure(f"shipped_fnir_{name}", 1 - known, ""),
    ]


def measure_galleries(name: str, world: World, count: int) -> list[Figure]:
    """Return the precision of the predecessor's rule and of template at its recall."""
    media, database = [*world.iter_galleries(count)], made_database(world)
    rule = Names()
    for medium in media:
        rule.add(medium, _by_rule(database, medium))
    found = [(each, _people(database, each, MatchingMode.TEMPLATE)) for each in media]
    template = names_at_recall(found, _score, recall=rule.recall)
    print(
        f"{name}: galleries: the rule names {rule.recall:.3f} of the known "
        f"at precision {rule.precision:.3f}; template {template.recall:.3f} at "
        f"{template.precision:.3f}",
        flush=True,
    )
    if template.recall < rule.recall:
        shortfall = math.inf
    elif template.precision >= GOOD_PRECISION:
        shortfall = 0.0
    else:
        shortfall = PRECISION_GOAL * rule.precision / template.precision
    return [
        Figure(f"gallery_precision_rule_{name}", rule.precision, ""),
        Figure(f"gallery_precision_template_{name}", template.precision, ""),
        Figure(f"gallery_shortfall_{name}", shortfall, "of 2 x the rule or 0.98", 1),
    ]


def measure_cost(crowd: Crowd) -> Figure:
    """Return the time of template beside that of frequency, for scenes of 60 faces.

    45 are of three performers of the release, 15 of two strangers.
    """
    from benchmarks.rematch import draw_cast, load_release
    from recognition.numeric.boxes import FaceBox
    from recognition.runtime.people import MatchingOptions, people_in_scene

    database = load_release(crowd)
    cast = draw_cast(crowd, 12)
    seconds: dict[MatchingMode, list[float]] = {
        MatchingMode.FREQUENCY: [],
        MatchingMode.TEMPLATE: [],
    }
    rng = np.random.default_rng(5)
    for embeddings in zip(cast.facenet, cast.arcface, strict=True):
        facenet, arcface = (_with_two_strangers(each, rng) for each in embeddings)
        faces = [
            SeenFace(
                frame=place % 15 * 4 + place // 15,
                seconds=float(place),
                box=FaceBox(0, 0, 100, 100),
                confidence=0.9,
                quality=0.8,
                facenet=facenet[place],
                arcface=arcface[place],
            )
            for place in range(len(facenet))
        ]
        for mode, spent in seconds.items():
            started = time.perf_counter()
            people_in_scene(database, faces, MatchingOptions(mode=mode))
            spent.append(time.perf_counter() - started)
    medians = {mode: statistics.median(spent[2:]) for mode, spent in seconds.items()}
    for mode, each in medians.items():
        print(f"{mode.value}: {1000 * each:.1f} ms a scene")
    ratio = medians[MatchingMode.TEMPLATE] / medians[MatchingMode.FREQUENCY]
    return Figure("cost", ratio, "of frequency", COST_GOAL)


def _with_two_strangers(faces: Vectors, rng: np.random.Generator) -> Vectors:
    """Return the faces, those of strangers after two of them."""
    known = len(faces) - FACES_OF_EACH
    two = faces[known + np.arange(FACES_OF_EACH) % 2]
    noise = rng.standard_normal(two.shape, dtype=np.float32)
    return np.concatenate([faces[:known], two + 0.5 * noise])


def print_ablations(database: "FaceDatabase", media: list[Medium]) -> None:
    """Print what is lost without each ingredient of template."""
    from benchmarks.open_set_ablations import ABLATIONS

    for name, without in ABLATIONS.items():
        with without():
            people = [_people(database, each, MatchingMode.TEMPLATE) for each in media]
        trials = _trials(media, people, _score)
        print(f"  without {name}: FNIR {trials.fnir_at(FPIR):.4f}", flush=True)


def fit(worlds: dict[str, WorldParameters], scenes: int) -> int:
    """Print a calibration fitted to scenes of all the worlds; return 0."""
    scores, right, thresholds = [], [], []
    for parameters in worlds.values():
        world = World(parameters, _FIT_SEED)
        media, database = [*world.iter_scenes(scenes)], made_database(world)
        found = [_people(database, each, MatchingMode.TEMPLATE) for each in media]
        thresholds.append(_trials(media, found, _score).threshold_at(FPIR))
        for medium, people in zip(media, found, strict=True):
            for person in people:
                if person.candidates:
                    scores.append(_score(person))
                    right.append(is_right(medium, person))
    curve = fit_curve(scores, right)
    print("scores", *(round(each, 3) for each in curve[0]))
    print("probabilities", *(round(each, 4) for each in curve[1]))
    print("known from", *(round(each, 2) for each in thresholds))
    return 0


def _people(
    database: "FaceDatabase", medium: Medium, mode: MatchingMode | None
) -> list[SeenPerson]:
    """Return the people; None is mode template with the shipped calibration."""
    from recognition.runtime.people import MatchingOptions, people_in_scene

    options = MatchingOptions(
        mode=mode or MatchingMode.TEMPLATE, max_distance=_WIDEST_DISTANCE
    )
    if mode is MatchingMode.TEMPLATE:
        options = replace(options, calibration=_EVERYBODY)
    return people_in_scene(database, medium.faces, options)


def _by_rule(database: "FaceDatabase", medium: Medium) -> set[int]:
    """Return whom the predecessor's rule names in a gallery."""
    from recognition.runtime.candidates import candidates_of

    found = candidates_of(
        database,
        np.stack([face.facenet for face in medium.faces]),
        np.stack([face.arcface for face in medium.faces]),
        max_candidates=1,
        max_distance=_RULE_DISTANCE,
    )
    images: dict[int, set[int]] = {}
    nearest: dict[int, float] = {}
    for face, candidates in zip(medium.faces, found, strict=True):
        for best in candidates:
            images.setdefault(best.performer, set()).add(face.frame)
            nearest[best.performer] = min(
                best.distance, nearest.get(best.performer, math.inf)
            )
    return {
        performer
        for performer, seen in images.items()
        if len(seen) >= _RULE_IMAGES or nearest[performer] < _CERTAIN_DISTANCE
    }


def _trials(media: list[Medium], found: list[list[SeenPerson]], score: Score) -> Trials:
    trials = Trials()
    for medium, people in zip(media, found, strict=True):
        trials.add(medium, people, score)
    return trials


def _score(person: SeenPerson) -> float:
    score = person.candidates[0].score
    assert score is not None
    return score


def _confidence(person: SeenPerson) -> float:
    return person.candidates[0].confidence


def _frequency_score(person: SeenPerson) -> float:
    best = person.candidates[0]
    return best.confidence * (1 + 0.1 * (best.frame_count - 1))


def _change(text: str) -> tuple[str, float]:
    """Return a parameter's name and its new value, of the type it has."""
    name, _, value = text.partition("=")
    types = {each.name: each.type for each in fields(WorldParameters)}
    if name not in types:
        raise SystemExit(f"{name} is none of: {', '.join(types)}")
    return name, int(value) if types[name] in (int, "int") else float(value)


if __name__ == "__main__":
    sys.exit(main())
