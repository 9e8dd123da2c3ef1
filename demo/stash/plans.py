"""What is in a drawn library: who plays in what, who is tagged, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from demo.world import World

# Raised whenever the same plan would be drawn differently.
RECIPE = 2
DEFAULT_CAST_COUNT = 14
# The performer of the default library of whom there are two rows; the other is last.
_TWICE = 9


@dataclass(frozen=True)
class ScenePlan:
    """`cast` and `tagged` are places in the library's list of performers.

    Strangers are numbered through the library: the same number is the same face. A
    `take` other than the scene's own number repeats that scene's shots.
    """

    title: str
    seconds: float
    cast: tuple[int, ...]
    strangers: tuple[int, ...] = ()
    tagged: tuple[int, ...] = ()
    drawn_size: tuple[int, int] = (960, 540)
    size: tuple[int, int] | None = None
    fps: int = 10
    codec: str = "libx264"
    is_fast_start: bool = True
    has_cover: bool = True
    has_sprite: bool = True
    has_stash_id: bool = False
    # Of a second file that shows the same.
    second_size: tuple[int, int] | None = None
    take: int | None = None
    tags: tuple[int, ...] = ()
    studio: int | None = None

    @property
    def encoded_size(self) -> tuple[int, int]:
        return self.size or self.drawn_size


@dataclass(frozen=True)
class PicturePlan:
    cast: tuple[int, ...]
    strangers: tuple[int, ...] = ()
    tagged: tuple[int, ...] = ()


@dataclass(frozen=True)
class GalleryPlan:
    title: str
    pictures: tuple[PicturePlan, ...]
    scene: int | None = None


@dataclass(frozen=True)
class PerformerPlan:
    """`person` is the place in the world. Whoever lacks ids is known by name alone.

    Two with the same person and ids are one that somebody entered twice, under `name`.
    """

    person: int
    name: str | None = None
    has_stash_id: bool = True
    has_second_stash_id: bool = False
    has_picture: bool = True


@dataclass(frozen=True)
class LibraryPlan:
    name: str
    world: World
    performers: tuple[PerformerPlan, ...]
    scenes: tuple[ScenePlan, ...]
    galleries: tuple[GalleryPlan, ...]
    images: tuple[PicturePlan, ...]
    shot_seconds: tuple[float, float] = (2.5, 5.0)
    title_seconds: float = 3.0
    picture_size: tuple[int, int] = (720, 540)
    # Whether performers are described, and tags and studios have ids of a stash-box.
    is_detailed: bool = False
    tags: tuple[str, ...] = ("interview", "outdoors", "two people")
    studios: tuple[str, ...] = ("Lantern Pictures", "Harbour Lane")
    domains: tuple[str, ...] = field(
        default=("stashdb.org", "theporndb.net", "fansdb.cc")
    )

    @property
    def file_count(self) -> int:
        """Of the first files of scenes, and of pictures; second files come after."""
        in_galleries = sum(len(each.pictures) for each in self.galleries)
        return len(self.scenes) + in_galleries + len(self.images)

    def second_file_id(self, scene: int) -> str | None:
        """Return the id of the second file of the scene at that place, if any."""
        if self.scenes[scene].second_size is None:
            return None
        before = sum(each.second_size is not None for each in self.scenes[:scene])
        return str(self.file_count + before + 1)

    def recipe(self) -> dict[str, object]:
        """Return what tells a folder drawn by this plan from any other."""
        return {
            "number": RECIPE,
            "plan": self.name,
            "seed": self.world.seed,
            "people": [performer.person for performer in self.performers],
        }


def default_plan(world: World) -> LibraryPlan:
    """Return the library to try things with: eight scenes of 40 to 70 seconds."""
    if world.people_count < DEFAULT_CAST_COUNT:
        raise ValueError(f"a library needs a world of {DEFAULT_CAST_COUNT} people")
    # Not only the first people: with others between them, mistakes are told apart.
    step = 2 if world.people_count >= 2 * DEFAULT_CAST_COUNT else 1
    performers = _performers(range(0, step * DEFAULT_CAST_COUNT, step))
    return LibraryPlan(
        name="default",
        world=world,
        performers=(*performers, _entered_twice(world, performers[_TWICE])),
        is_detailed=True,
        studios=("Lantern Pictures", "Harbour Lane", "Attic Tapes"),
        scenes=(
            ScenePlan(
                "The Quiet House", 60, (0, 1), tagged=(0, 1), has_stash_id=True,
                tags=(0,), studio=0,
            ),
            ScenePlan("Three in a Row", 70, (2, 3, 4), studio=0),
            ScenePlan(
                "A Guest at Noon", 50, (5, 6), strangers=(1,), tagged=(5, 6),
                tags=(1,), second_size=(480, 270), studio=2,
            ),
            ScenePlan("Nobody You Know", 40, (), strangers=(2, 3), has_cover=False),
            ScenePlan(
                "Half the Credits", 60, (1, 7), tagged=(1,), has_sprite=False,
                tags=(0, 2), studio=1, is_fast_start=False,
            ),
            ScenePlan(
                "Upright", 45, (8, _TWICE), strangers=(2,), tagged=(8, _TWICE),
                drawn_size=(540, 960),
            ),
            ScenePlan(
                "Three in a Row (small)", 70, (2, 3, 4), tagged=(2, 3, 4),
                size=(480, 270), take=1,
            ),
            ScenePlan(
                "Full House", 60, (10, 11, 12, 13), tagged=(10, 11, 12, 13),
                codec="libx265", studio=1,
            ),
        ),
        galleries=(
            GalleryPlan("Stills of a Quiet House", _pairs((0, 1), 8), scene=0),
            GalleryPlan(
                "Summer Walk",
                (*_pairs((5, 6), 6), PicturePlan((), strangers=(1,)), PicturePlan(())),
            ),
            GalleryPlan("Full House, the Pictures", _pairs((10, 11, 12, 13), 10)),
        ),
        images=(
            PicturePlan((0,), tagged=(0,)),
            PicturePlan((3, 4)),
            PicturePlan((7,), strangers=(4,)),
            PicturePlan((), strangers=(5,)),
            PicturePlan(()),
            PicturePlan((11, 13)),
            PicturePlan((3,), tagged=(3,)),
            PicturePlan((_TWICE,), tagged=(DEFAULT_CAST_COUNT,)),
        ),
    )  # fmt: skip


def tiny_plan(world: World) -> LibraryPlan:
    """Return a library for tests: two scenes of 8 seconds, drawn in a few seconds."""
    small = (480, 270)
    return LibraryPlan(
        name="tiny",
        world=world,
        performers=_performers(range(5)),
        scenes=(
            ScenePlan(
                "Two at Tea", 8, (0, 1), tagged=(0,), drawn_size=small,
                has_stash_id=True, tags=(0,), studio=0,
            ),
            ScenePlan(
                "Passing By", 8, (2,), strangers=(1,), drawn_size=small,
                has_cover=False, has_sprite=False,
            ),
        ),
        galleries=(
            GalleryPlan(
                "Tea Time",
                (*_pairs((0, 1), 3), PicturePlan((2,), strangers=(1,))),
                scene=0,
            ),
        ),
        images=(
            PicturePlan((0,), tagged=(0,)),
            PicturePlan((1, 3)),
            PicturePlan((), strangers=(2,)),
        ),
        shot_seconds=(1.5, 2.0),
        title_seconds=1.0,
        picture_size=(480, 360),
    )  # fmt: skip


def _performers(people: Sequence[int]) -> tuple[PerformerPlan, ...]:
    """Give most an id at their own box, the second one more, the fourth none."""
    return tuple(
        PerformerPlan(
            person,
            has_stash_id=place != 3,
            has_second_stash_id=place == 1,
            has_picture=place != 4,
        )
        for place, person in enumerate(people)
    )


def _entered_twice(world: World, performer: PerformerPlan) -> PerformerPlan:
    """Return the same performer again, with the family name cut short."""
    given, _, family = world.people[performer.person].name.partition(" ")
    return replace(performer, name=f"{given} {family[:1]}.", has_picture=True)


def _pairs(cast: Sequence[int], count: int) -> tuple[PicturePlan, ...]:
    """Show each alone in turn, and every third time two of them."""
    return tuple(
        PicturePlan(
            (cast[i % len(cast)], cast[(i + 1) % len(cast)])
            if i % 3 == 2
            else (cast[i % len(cast)],)
        )
        for i in range(count)
    )
