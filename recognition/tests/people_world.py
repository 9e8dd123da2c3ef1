"""Fingerprints of made people, as looking at scenes and images would keep them."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from django.utils import timezone

from demo.embedding import NETWORK_SET_NAME
from recognition import fingerprints
from recognition.models import Fingerprint, GroupMember, PeopleGroup
from recognition.numeric.boxes import FaceBox
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import MatchingMode, SeenFace, SeenPerson
from recognition.people_grouping import group_waiting
from recognition.runtime.people import MatchingOptions
from recognition.tests.conftest import VERSION

NOISE = 0.4


def face(who, *, frame, rng, quality=0.8, box=(200, 100, 80, 100)):
    """Return a face of somebody, who is told by a number; None has no embedding."""
    embeddings = []
    for embedder in range(2):
        if who is None:
            embeddings.append(np.full(512, np.nan, dtype=np.float32))
            continue
        own = np.random.default_rng([who, embedder]).standard_normal(512)
        noise = rng.standard_normal(512)
        embeddings.append((own + NOISE * noise).astype(np.float32))
    return SeenFace(frame, float(frame) + 0.5, FaceBox(*box), 0.9, quality, *embeddings)


def look_at(stash_id, *people, kind="scene", faces_of_each=3):
    """Keep a look at a scene in which these unknown people are, each in some frames."""
    rng = np.random.default_rng([stash_id, len(kind)])
    seen = [
        face(who, frame=frame, rng=rng)
        for who in people
        for frame in range(faces_of_each)
    ]
    fingerprint, _ = Fingerprint.objects.update_or_create(
        kind=kind,
        stash_id=stash_id,
        defaults={
            "state": "complete",
            "source": "stream",
            "network_set": NETWORK_SET_NAME,
            "release_version": VERSION,
            "options": fingerprints.options_as_json(
                MatchingOptions(mode=MatchingMode.TEMPLATE)
            ),
            "face_count": len(seen),
            "seen_at": timezone.now(),
        },
    )
    fingerprints.keep_near(
        fingerprint, PackedNear.from_bytes(b"", b""), faces=PackedFaces.pack(seen)
    )
    match_again(
        fingerprint,
        *[
            range(faces_of_each * number, faces_of_each * (number + 1))
            for number in range(len(people))
        ],
    )
    return fingerprint


def match_again(fingerprint, *people):
    """Write the people anew, each as positions of faces, as matching does."""
    seen = [
        SeenPerson(tuple(positions), len(positions), candidates=())
        for positions in people
    ]
    # Nobody of the release is proposed, so none is needed.
    database = cast("Any", SimpleNamespace(release=None))
    fingerprints.keep_people(fingerprint, seen, database)


def grouped():
    """Group who waits; return who is with whom: sets of (scene, place in it)."""
    assert group_waiting()
    return groups()


def groups():
    """Return who is with whom: sets of (scene, number of the person in it)."""
    return {
        frozenset(
            group.members.filter(person__isnull=False).values_list(
                "fingerprint__stash_id", "person__number"
            )
        )
        for group in PeopleGroup.objects.filter(members__person__isnull=False)
    }


def group_of(stash_id, number=0):
    """Return the group of a person of a scene."""
    return PeopleGroup.objects.get(
        members__fingerprint__stash_id=stash_id, members__person__number=number
    )


def member(stash_id, number=0):
    """Return the member that a person of a scene is."""
    return GroupMember.objects.get(
        fingerprint__stash_id=stash_id, person__number=number
    )
