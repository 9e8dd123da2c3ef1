"""Whether anything that the owner rejected comes back, after whatever is matched later.

    python -m benchmarks.corrections [--quick]

A thousand random decisions on the people of stored scenes of 60 faces, 45 of them of
three performers of the release and 15 of strangers: half are rejections of somebody who
is proposed (or of anybody, for a stranger), the rest names and "nobody to know". They
contradict one another as they come. Then all scenes are matched again: in every mode,
with a release that one in a hundred faces differ in, and with new faces of the same
people at other times, which have nothing but their looks to be known by.

A rejection has come back where somebody with a face of that person is named, or may be,
what was rejected. A name or "nobody" is lost where such a face is another's. Who the
people are in the new look is known from how they were drawn.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import rematch
from benchmarks.cache import cache_dir
from benchmarks.faces import EMBEDDERS, QUICK, Crowd, look_alikes
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine

if TYPE_CHECKING:
    from recognition.models import Correction
    from recognition.runtime.face_database import FaceDatabase

SCENES = 250
QUICK_SCENES = 60
DECISIONS = 1000
SEED = 31
# How much a stranger's face differs from one time to the other, of its length.
_STRANGER_NOISE = 0.5
# Between two sampling points of a look, which are ten apart.
_OTHER_TIMES_SECONDS = 5.0

# The faces of each decision's person, as they lie in every look of the scene.
Faces = dict[int, frozenset[int]]


def publish(crowd: Crowd, version: str, data_dir: Path) -> None:
    """Have the crowd's release be the active one, as far as corrections look at it."""
    from dbupdates.models import DatabaseRelease

    (data_dir / "releases").mkdir()
    (data_dir / "releases" / version).symlink_to(rematch.release_folder(crowd))
    DatabaseRelease.objects.create(
        version=version, status=DatabaseRelease.Status.ACTIVE
    )


def decide(rng: np.random.Generator, database: "FaceDatabase") -> Faces:
    """Make the random decisions; return whom they were about."""
    from recognition import corrections
    from recognition.models import FingerprintPerson

    pks = [*FingerprintPerson.objects.order_by("pk").values_list("pk", flat=True)]
    faces: Faces = {}
    for pk in rng.choice(pks, size=DECISIONS).tolist():
        person = FingerprintPerson.objects.select_related("fingerprint").get(pk=pk)
        anybody = rematch.universal_id(
            int(rng.integers(database.release.performer_count))
        )
        proposed = [each["universal_id"] for each in person.candidates]
        chance = rng.random()
        if chance < 0.5:
            whom = str(rng.choice(proposed or [anybody]))
            made = corrections.reject(person, whom, by="benchmark")
        elif chance < 0.9:
            whom = str(rng.choice([*proposed, anybody]))
            made = corrections.name(person, universal_id=whom, by="benchmark")
        else:
            made = corrections.ignore(person, by="benchmark")
        faces.setdefault(made.pk, frozenset(person.faces))
    return faces


def match_all(database: "FaceDatabase") -> None:
    """Match every scene with the release, as the service does."""
    from recognition.models import Fingerprint
    from recognition.rematching import rematch as rematch_fingerprints

    rows = Fingerprint.objects.select_related("packed").order_by("pk")
    rematch_fingerprints([*rows], database)


def see_anew(
    cast: rematch.Cast, crowd: Crowd, rng: np.random.Generator, database: "FaceDatabase"
) -> None:
    """Keep other faces of the same people, as a new look at each scene would."""
    from dataclasses import replace

    from recognition.correction_binding import SeenMedia, corrections_of
    from recognition.fingerprints import keep, options_from_json
    from recognition.models import Fingerprint
    from recognition.runtime.people import match_scene_faces

    for number, performers in enumerate(cast.performers):
        shown = performers.repeat(rematch.FACES_OF_EACH)
        drawn = []
        for embedder, before in zip(
            EMBEDDERS, (cast.facenet, cast.arcface), strict=True
        ):
            strangers = before[number, len(shown) :]
            noise = rng.standard_normal(strangers.shape, dtype=np.float32)
            known = look_alikes(embedder, crowd, shown, rng)
            drawn.append(
                np.concatenate([known, strangers + np.float32(_STRANGER_NOISE) * noise])
            )
        faces = [
            replace(face, seconds=(face.seconds or 0.0) + _OTHER_TIMES_SECONDS)
            for face in rematch.seen_faces(*drawn)
        ]
        row = Fingerprint.objects.get(stash_id=number + 1)
        media = SeenMedia(
            kind=row.kind,
            stash_id=row.stash_id,
            network_set=row.network_set,
            faces=faces,
        )
        options = options_from_json(row.options)
        matched = match_scene_faces(
            database,
            faces,
            options,
            corrections=corrections_of(media, database.release),
        )
        keep(
            Fingerprint.Kind.SCENE,
            row.stash_id,
            matched,
            options=options,
            network_set=row.network_set,
        )


def count_faults(faces: Faces) -> tuple[int, int]:
    """Return how many rejections have come back, and how many other words are lost."""
    from recognition.models import Correction

    came_back = lost = 0
    for correction in Correction.objects.active():
        people = _people_with(faces[correction.pk], correction)
        if correction.verdict == "reject":
            came_back += any(
                correction.universal_id in proposed for proposed, _ in people
            )
        else:
            wanted = correction.universal_id or "ignored"
            lost += any(told != wanted for _, told in people)
    return came_back, lost


def _people_with(
    faces: frozenset[int], correction: "Correction"
) -> list[tuple[set[str], str]]:
    """Return whom the people with these faces may be, and whom they are told to be."""
    from recognition.models import FingerprintPerson

    rows = FingerprintPerson.objects.filter(
        fingerprint__kind=correction.kind, fingerprint__stash_id=correction.stash_id
    )
    return [
        (
            {each["universal_id"] for each in row.candidates},
            "ignored" if row.decision == "ignored" else row.universal_id,
        )
        for row in rows
        if not faces.isdisjoint(row.faces)
    ]


def measure(crowd: Crowd, scene_count: int, data_dir: Path) -> list[Figure]:
    """Return the figures; Django has been set up on an empty database."""
    from recognition.models import Correction, Fingerprint
    from recognition.numeric.people import MatchingMode

    database = rematch.load_release(crowd)
    publish(crowd, database.version, data_dir)
    cast = rematch.draw_cast(crowd, scene_count)
    rematch.store(cast)
    match_all(database)
    rng = np.random.default_rng(SEED)
    started = time.perf_counter()
    faces = decide(rng, database)
    decision_seconds = (time.perf_counter() - started) / DECISIONS
    came_back = lost = 0
    for mode in MatchingMode:
        for row in Fingerprint.objects.all():
            row.options["mode"] = mode.value
            row.is_match_due = True
            row.save(update_fields=["options", "is_match_due"])
        match_all(database)
        faults = count_faults(faces)
        print(f"{mode}: {faults[0]} came back, {faults[1]} lost", file=sys.stderr)
        came_back, lost = came_back + faults[0], lost + faults[1]
    rematch.date_back(database)
    rematch.forget_release()
    match_all(database)
    faults = count_faults(faces)
    came_back, lost = came_back + faults[0], lost + faults[1]
    see_anew(cast, crowd, rng, database)
    anew = count_faults(faces)
    active_count = Correction.objects.active().count()
    return [
        Figure("decisions", DECISIONS, ""),
        Figure("decisions_that_hold", active_count, ""),
        Figure("time_of_a_decision", 1000 * decision_seconds, "ms"),
        Figure("words_lost", lost, "", goal=0),
        Figure("words_lost_when_seen_anew", anew[1], ""),
        Figure("came_back", came_back + anew[0], "", goal=0),
    ]


def main() -> int:
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    with tempfile.TemporaryDirectory(
        prefix="corrections-", dir=cache_dir()
    ) as data_dir:
        os.environ |= {
            "DATA_DIR": data_dir,
            "LOG_LEVEL": "warning",
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        print_machine()
        figures = measure(QUICK, QUICK_SCENES if is_quick else SCENES, Path(data_dir))
    return print_figures(figures)


if __name__ == "__main__":
    sys.exit(main())
