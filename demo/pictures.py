"""New pictures of a world's people and of strangers, with the right answers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.artist import DrawnHead
from demo.identity import Identity
from demo.scenes import MOST_PEOPLE_IN_A_GROUP, Scene, draw_group, draw_portrait
from demo.seeds import Generator, Namespace, generator
from demo.world import World, invent_stranger

ANSWERS_NAME = "answers.json"
GROUP_SHARE = 0.4


@dataclass(frozen=True)
class Answer:
    """A head in a picture; `universal_id` is None for a stranger."""

    left: int
    top: int
    right: int
    bottom: int
    universal_id: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "box": {
                "x": self.left,
                "y": self.top,
                "width": self.right - self.left,
                "height": self.bottom - self.top,
            },
            "universal_id": self.universal_id,
        }


@dataclass(frozen=True)
class DemoPicture:
    name: str
    jpeg: bytes
    answers: tuple[Answer, ...]


def iter_known_pictures(
    world: World, *, seed: int, count: int
) -> Iterator[DemoPicture]:
    """Draw people of the world, alone and in groups, unlike their references."""
    for index in range(count):
        rng = generator(Namespace.HELD_OUT_PICTURE, seed, index, 0)
        chosen = rng.permutation(world.people_count)[: _sitters(rng)]
        people = [world.people[int(which)] for which in chosen]
        scene = _draw([person.identity for person in people], rng)
        ids = [person.universal_id for person in people]
        yield _picture(f"picture-{index + 1:04}.jpg", scene, ids)


def iter_stranger_pictures(*, seed: int, count: int) -> Iterator[DemoPicture]:
    """Draw people who are in no release."""
    for index in range(count):
        rng = generator(Namespace.HELD_OUT_PICTURE, seed, index, 1)
        strangers = [
            invent_stranger(seed, index * MOST_PEOPLE_IN_A_GROUP + which)
            for which in range(_sitters(rng))
        ]
        scene = _draw(strangers, rng)
        yield _picture(f"stranger-{index + 1:04}.jpg", scene, [None] * len(strangers))


def write_pictures(out_dir: Path, pictures: Iterator[DemoPicture]) -> int:
    """Write the pictures and answers.json; return how many pictures there are."""
    out_dir.mkdir(parents=True, exist_ok=True)
    answers = {}
    for picture in pictures:
        (out_dir / picture.name).write_bytes(picture.jpeg)
        answers[picture.name] = [answer.as_json() for answer in picture.answers]
    text = json.dumps(answers, indent=1)
    (out_dir / ANSWERS_NAME).write_text(text, encoding="utf-8")
    return len(answers)


def _sitters(rng: Generator) -> int:
    if rng.random() >= GROUP_SHARE:
        return 1
    return int(rng.integers(2, MOST_PEOPLE_IN_A_GROUP + 1))


def _draw(identities: Sequence[Identity], rng: Generator) -> Scene:
    if len(identities) == 1:
        return draw_portrait(identities[0], rng)
    return draw_group(identities, rng)


def _picture(name: str, scene: Scene, ids: Sequence[str | None]) -> DemoPicture:
    answers = tuple(
        _answer(head, scene, universal_id)
        for head, universal_id in zip(scene.heads, ids, strict=True)
    )
    return DemoPicture(name, scene.jpeg, answers)


def _answer(head: DrawnHead, scene: Scene, universal_id: str | None) -> Answer:
    left, top, right, bottom = (round(edge) for edge in head.box)
    return Answer(
        left=max(0, left),
        top=max(0, top),
        right=min(scene.width, right),
        bottom=min(scene.height, bottom),
        universal_id=universal_id,
    )
