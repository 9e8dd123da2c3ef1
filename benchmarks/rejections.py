"""Whether a rejection holds when its scene is looked at anew, and what it costs others.

    python -m benchmarks.rejections [--quick] [--world easy --world hard] [--seed N]
        [--scenes N] [--likeness X ...]

Made scenes of `benchmarks.open_set_world` with twice the frames: one look has every
other of them, the next look the rest, so that nothing but looks tells who is who. The
first look is matched, and of every person in turn something is said, which the second
look is matched with:

- their own name is rejected; it has come back where somebody with mostly their faces
  has it again, known or (`proposed`) as a candidate;
- the name of somebody else there is rejected, who has it rightly without that; it is
  lost where nobody with mostly their faces has it then. Nobody says so but of people
  who were mistaken for one another: this is the worst that inheriting can do.

--likeness measures other bounds than the one for rejections.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, argument_parser, print_figures, print_machine
from benchmarks.open_set_trials import made_database
from benchmarks.open_set_world import NOBODY, WORLDS, Medium, World, WorldParameters
from recognition.numeric.corrections import (
    MIN_REJECTED_LIKENESS,
    NO_CORRECTIONS,
    Corrections,
    FacePlace,
    OwnersWord,
    Portrait,
    Verdict,
    portrait_of,
    recognise,
    settle,
)
from recognition.numeric.people import (
    MatchingMode,
    OwnersName,
    SeenFace,
    SeenPerson,
)

if TYPE_CHECKING:
    from recognition.runtime.face_database import FaceDatabase

IDENTITIES = 3_000
SCENES, QUICK_SCENES = 150, 15
SCENE_SEED = 1
# What comes back is mostly of people whom the first look took for several: a face is
# more like another part of them then. In the hard world they are many.
MOST_BACK = 0.02
MOST_LOST = 0.02

Match = Callable[[Sequence[SeenFace], Corrections], list[SeenPerson]]


@dataclass(frozen=True)
class Look:
    """Some faces of a scene, and whose each is."""

    faces: list[SeenFace]
    owners: list[int]

    @property
    def places(self) -> list[FacePlace]:
        return [FacePlace(each.frame, each.seconds, each.box) for each in self.faces]

    def owner_of(self, person: SeenPerson) -> int:
        """Return whose faces most of the person's are."""
        owners = Counter(self.owners[face] for face in person.faces)
        return owners.most_common(1)[0][0]


def looks_of(scene: Medium) -> tuple[Look, Look]:
    """Return the even frames and the odd ones."""
    halves: tuple[Look, Look] = (Look([], []), Look([], []))
    for face, owner in zip(scene.faces, scene.owners, strict=True):
        halves[face.frame % 2].faces.append(face)
        halves[face.frame % 2].owners.append(owner)
    return halves


def portraits(match: Match, look: Look) -> Iterator[tuple[SeenPerson, Portrait]]:
    """Yield the people of a look with what a correction would keep of them."""
    people = match(look.faces, NO_CORRECTIONS)
    for person in people:
        others = [each.faces for each in people if each is not person]
        yield (
            person,
            portrait_of(person.faces, others, faces=look.faces, places=look.places),
        )


def rejected(
    match: Match, look: Look, portrait: Portrait, performer: int, min_likeness: float
) -> list[SeenPerson]:
    """Return the people of the look where the portrait's person is not the performer.

    Identities are performers, by the same number.
    """
    strengths = recognise(portrait, look.faces, look.places, min_likeness=min_likeness)
    word = OwnersWord(1, Verdict.REJECT, OwnersName("", ""), (performer,), strengths)
    return match(look.faces, settle([word], face_count=len(look.faces)))


def count(
    match: Match, scene: Medium, likenesses: Sequence[float], counts: Counter[str]
) -> None:
    """Count what comes of every rejection of the scene, for each bound."""
    first, second = looks_of(scene)
    if not first.faces or not second.faces:
        return
    people = match(second.faces, NO_CORRECTIONS)
    right = {owner for owner in scene.people if _has(second, people, owner, owner)}
    for person, portrait in portraits(match, first):
        owner = first.owner_of(person)
        if owner == NOBODY:
            continue
        own = person.named
        other = next((each for each in scene.people if each in right - {owner}), None)
        counts["own"] += own is not None
        counts["other"] += other is not None
        for bound in likenesses:
            if own is not None:
                row = own.performer
                found = rejected(match, second, portrait, row, bound)
                counts[f"back {bound}"] += _has(second, found, owner, row)
                counts[f"proposed {bound}"] += any(
                    row in {each.performer for each in one.candidates}
                    for one in found
                    if second.owner_of(one) == owner
                )
            if other is not None:
                found = rejected(match, second, portrait, other, bound)
                counts[f"lost {bound}"] += not _has(second, found, other, other)


def _has(look: Look, people: list[SeenPerson], owner: int, performer: int) -> bool:
    """Return whether somebody with the owner's faces is named so."""
    return any(
        one.named is not None
        and one.named.performer == performer
        and look.owner_of(one) == owner
        for one in people
    )


def matching(database: "FaceDatabase") -> Match:
    """Return what makes people of faces in mode template."""
    from recognition.runtime.people import MatchingOptions, match_scene_faces

    options = MatchingOptions(mode=MatchingMode.TEMPLATE)

    def match(faces: Sequence[SeenFace], said: Corrections) -> list[SeenPerson]:
        return match_scene_faces(database, faces, options, corrections=said).people

    return match


def measure(
    name: str, world: World, scenes: int, likenesses: Sequence[float]
) -> list[Figure]:
    """Return the shares that came back and were lost in a world."""
    match, counts = matching(made_database(world)), Counter[str]()
    for scene in world.iter_scenes(scenes):
        count(match, scene, likenesses, counts)
    own, other = max(counts["own"], 1), max(counts["other"], 1)
    figures = [
        Figure(f"rejected_own_{name}", counts["own"], ""),
        Figure(f"rejected_other_{name}", counts["other"], ""),
    ]
    for bound in likenesses:
        back, proposed, lost = (
            counts[f"{what} {bound}"] for what in ("back", "proposed", "lost")
        )
        print(f"{name}, over {bound}: {back} back, {proposed} proposed, {lost} lost")
        is_shipped = bound == MIN_REJECTED_LIKENESS
        goals = (MOST_BACK, MOST_LOST) if is_shipped else (None, None)
        figures += [
            Figure(f"came_back_{name}_{bound}", back / own, "", goals[0]),
            Figure(f"lost_{name}_{bound}", lost / other, "", goals[1]),
        ]
    return figures


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--world", action="append", choices=[*WORLDS])
    parser.add_argument("--seed", type=int, default=SCENE_SEED)
    parser.add_argument("--scenes", type=int)
    parser.add_argument("--likeness", action="append", type=float)
    arguments = parser.parse_args()
    print_machine()
    scenes = arguments.scenes or (QUICK_SCENES if arguments.quick else SCENES)
    figures = []
    for name in arguments.world or [*WORLDS]:
        frames = 2 * WORLDS[name].frames
        parameters = WorldParameters.of(
            WORLDS[name], {"identities": IDENTITIES, "frames": frames}
        )
        world = World(parameters, arguments.seed)
        likenesses = arguments.likeness or [MIN_REJECTED_LIKENESS]
        figures += measure(name, world, scenes, likenesses)
    return print_figures(figures)


if __name__ == "__main__":
    sys.exit(main())
