"""Which faces of another look a correction is about."""

from recognition.correction_binding import SeenMedia, bound_faces, portrait_fields
from recognition.models import Correction
from recognition.tests.numeric.test_corrections import face


def look(*faces):
    return SeenMedia(kind="scene", stash_id=1, network_set="made", faces=faces)


def test_a_rejection_is_inherited_by_faces_that_a_name_is_not():
    spoken_of = look(*(face(1, shot=shot) for shot in range(3)), face(2))
    portrait = portrait_fields(spoken_of, [0, 1, 2], [[3]])
    # Like the person, less so, and no more than anybody.
    again = look(
        *(face(1, seconds=60.0, shot=9, noise=noise) for noise in (1.8, 2.3, 4.0))
    )

    bound = {
        verdict: bound_faces(again, Correction(verdict=verdict, **portrait))
        for verdict in ("reject", "name", "ignore")
    }

    assert bound == {"reject": {0, 1}, "name": {0}, "ignore": {0}}
