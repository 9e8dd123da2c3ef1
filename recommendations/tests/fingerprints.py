"""What recognition kept of scenes and images, as rows, without looking at any."""

import numpy as np
from django.utils import timezone

from recognition.models import Fingerprint, FingerprintFaces, FingerprintPerson
from recognition.numeric.boxes import FaceBox
from recognition.numeric.packing import PackedFaces
from recognition.numeric.people import SeenFace

# A person of whom nothing is known but that they are there.
SOMEBODY = ""


def person(universal_id, name="", *, confidence=0.9, decision=None, candidates=()):
    """Describe somebody seen; UNCERTAIN or IGNORED if so told, else by their id."""
    return FingerprintPerson(
        universal_id=universal_id,
        name=name or universal_id,
        confidence=confidence,
        decision=decision or ("known" if universal_id else "unknown"),
        frame_count=2,
        candidates=[*candidates],
    )


def candidate(universal_id, name, *, score=None, distance=None):
    return {
        "universal_id": universal_id,
        "name": name,
        "score": score,
        "distance": distance,
    }


def seen(stash_id, *people, kind="scene"):
    """Keep a look at a scene or image, in place of the one before: two faces of each.

    A text is the universal id of somebody known.
    """
    rows = [person(each) if isinstance(each, str) else each for each in people]
    fingerprint, _ = Fingerprint.objects.update_or_create(
        kind=kind,
        stash_id=int(stash_id),
        defaults={"matched_at": timezone.now(), "seen_at": timezone.now()},
    )
    faces = [_face(number) for number in range(2 * len(rows))]
    FingerprintFaces.objects.update_or_create(
        fingerprint=fingerprint,
        defaults={
            "faces": PackedFaces.pack(faces).as_bytes(),
            "near": b"",
            "health": b"",
        },
    )
    fingerprint.people.all().delete()
    for number, row in enumerate(rows):
        row.pk, row.fingerprint, row.number = None, fingerprint, number
        row.faces = [2 * number, 2 * number + 1]
        row.save()
    return fingerprint


def _face(number):
    """Return a face; the later ones are the better ones."""
    zeros = np.zeros(512, dtype=np.float32)
    box = FaceBox(10, 10, 50, 50)
    return SeenFace(number, number + 0.5, box, 0.9, number / 100, zeros, zeros)
