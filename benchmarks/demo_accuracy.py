"""Whether the demo world is recognized: on held-out drawings, by the production code.

    python -m benchmarks.demo_accuracy [--quick] [--seed N]

The pictures come from seeds that no network was trained with and no release was built
from. Thresholds are the defaults of /identify.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dbupdates.prepared import write_prepared
from demo.camera import decode_jpeg
from demo.embedding import open_demo_networks
from demo.pictures import (
    Answer,
    DemoPicture,
    iter_known_pictures,
    iter_stranger_pictures,
)
from demo.release import build_release
from demo.world import DEFAULT_PEOPLE_COUNT, DEFAULT_SEED, World
from recognition.numeric.boxes import FaceBox
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.recognizer import RecognizedFace, Recognizer, Timing
from stashsense.cores import usable_cores

PICTURE_SEED = 990_001
KNOWN_PICTURE_COUNT = 300
STRANGER_PICTURE_COUNT = 60
QUICK_SHARE = 5

MAX_DISTANCE = 0.6
MIN_FACE_CONFIDENCE = 0.5
DETECTION_SIZE_PX = 640
# A box that shares less than this with the drawn one is of something else.
MIN_OVERLAP = 0.5

MIN_DETECTION_RECALL = 0.97
MIN_TOP1 = 0.95
MAX_STRANGERS_NAMED = 0.03


@dataclass
class Tally:
    """Counts of heads: drawn, found, named rightly and at all; and false faces."""

    drawn: int = 0
    detected: int = 0
    right: int = 0
    named: int = 0
    false_faces: int = 0

    def add(self, picture: DemoPicture, faces: list[RecognizedFace]) -> None:
        left = list(faces)
        for answer in picture.answers:
            self.drawn += 1
            face = max(left, key=lambda f: overlap(answer, f.face.box), default=None)
            if face is None or overlap(answer, face.face.box) < MIN_OVERLAP:
                continue
            left.remove(face)
            self.detected += 1
            if face.matches:
                self.named += 1
                best = face.matches[0].performer.universal_id
                self.right += best == answer.universal_id
        self.false_faces += len(left)


def overlap(answer: Answer, box: FaceBox) -> float:
    """Return intersection over union."""
    right, bottom = box.x + box.width, box.y + box.height
    width = min(answer.right, right) - max(answer.left, box.x)
    height = min(answer.bottom, bottom) - max(answer.top, box.y)
    shared = max(0, width) * max(0, height)
    drawn = (answer.right - answer.left) * (answer.bottom - answer.top)
    return shared / max(1, drawn + box.width * box.height - shared)


def recognize_all(recognizer: Recognizer, pictures: Iterable[DemoPicture]) -> Tally:
    tally = Tally()
    for picture in pictures:
        faces = recognizer.recognize(
            decode_jpeg(picture.jpeg),
            max_candidates=1,
            max_distance=MAX_DISTANCE,
            min_face_confidence=MIN_FACE_CONFIDENCE,
            timing=Timing(),
        )
        tally.add(picture, faces)
    return tally


def open_recognizer(world: World, out_dir: Path) -> Recognizer:
    built = build_release(world, version="2026.01.01", out_dir=out_dir)
    write_prepared(built.folder)
    return Recognizer(
        networks=open_demo_networks(detection_size_px=DETECTION_SIZE_PX),
        database=FaceDatabase.load(built.folder, version="2026.01.01"),
    )


def report(known: Tally, strangers: Tally) -> bool:
    """Print the figures; return whether every goal is met."""
    recall = (known.detected + strangers.detected) / (known.drawn + strangers.drawn)
    top1 = known.right / max(1, known.detected)
    named = strangers.named / max(1, strangers.detected)
    print(f"known heads = {known.drawn} heads")
    print(f"stranger heads = {strangers.drawn} heads")
    false_faces = known.false_faces + strangers.false_faces
    print(f"false_faces = {false_faces} faces")
    print(f"known_named_wrongly = {known.named - known.right} heads")
    print(f"detection_recall = {recall:.4f} ratio (goal >= {MIN_DETECTION_RECALL})")
    print(f"top1 = {top1:.4f} ratio (goal >= {MIN_TOP1})")
    print(f"strangers_named = {named:.4f} ratio (goal <= {MAX_STRANGERS_NAMED})")
    return (
        recall >= MIN_DETECTION_RECALL
        and top1 >= MIN_TOP1
        and named <= MAX_STRANGERS_NAMED
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the pictures")
    parser.add_argument("--seed", type=int, default=PICTURE_SEED, help="of pictures")
    options = parser.parse_args()
    share = QUICK_SHARE if options.quick else 1
    world = World(DEFAULT_SEED, DEFAULT_PEOPLE_COUNT)
    known = iter_known_pictures(
        world, seed=options.seed, count=KNOWN_PICTURE_COUNT // share
    )
    strangers = iter_stranger_pictures(
        seed=options.seed, count=STRANGER_PICTURE_COUNT // share
    )
    with tempfile.TemporaryDirectory() as name:
        recognizer = open_recognizer(world, Path(name))
        print(
            f"on the CPU, {usable_cores()} cores: {len(recognizer.database.facenet)}"
            f" faces of {world.people_count} people, pictures of seed {options.seed}"
        )
        tallies = [recognize_all(recognizer, part) for part in (known, strangers)]
    return 0 if report(*tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
