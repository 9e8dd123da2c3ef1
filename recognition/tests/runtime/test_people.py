"""Faces against a release: made-up embeddings, and drawn people by real networks."""

import dataclasses
import json
from contextlib import nullcontext

import numpy as np
import pytest
import voyager

from dbupdates.prepared import open_prepared, write_prepared
from demo.scenes import draw_group
from demo.world import invent_stranger
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import FACE_BY_FACE, MatchingMode, SeenFace
from recognition.pictures import decode_picture
from recognition.runtime.candidates import candidates_of
from recognition.runtime.collector import FaceCollector, FaceFilter, look_at
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.people import (
    MatchingOptions,
    people_in_gallery,
    people_in_image,
    people_in_scene,
)
from recognition.runtime.recognizer import Timing
from recognition.runtime.vector_index import VectorIndex

EVERY_MODE = pytest.mark.parametrize("mode", MatchingMode)
FACE_BY_FACE_MODES = pytest.mark.parametrize("mode", FACE_BY_FACE)
PERFORMER_COUNT = 40
FACES_EACH = 3


def directions(count, *, seed):
    rows = np.random.default_rng(seed).normal(size=(count, 512)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def universal_id(row):
    return f"{('stashdb.org', 'fansdb.cc')[row % 2]}:{row:04}"


def index_of(vectors):
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=512)
    # Threads would link the vectors in another order each time.
    index.add_items(vectors, num_threads=1)
    return VectorIndex(index)


def database_of(folder, *, facenet, arcface, owners):
    (folder / "faces.json").write_text(json.dumps([universal_id(o) for o in owners]))
    (folder / "performers.json").write_text(
        json.dumps({universal_id(o): {"name": f"P {o}"} for o in sorted(set(owners))})
    )
    write_prepared(folder)
    return FaceDatabase(
        version="2026.01.01",
        facenet=index_of(facenet),
        arcface=index_of(arcface),
        release=open_prepared(folder),
    )


class MadeUp:
    """A release of made-up performers, and new faces that look like them."""

    def __init__(self, folder):
        owners = np.arange(PERFORMER_COUNT).repeat(FACES_EACH)
        self._facenet = directions(PERFORMER_COUNT, seed=1)
        self._arcface = directions(PERFORMER_COUNT, seed=2)
        self._rng = np.random.default_rng(3)
        self.database = database_of(
            folder,
            facenet=self._like(self._facenet[owners]),
            arcface=self._like(self._arcface[owners]),
            owners=owners.tolist(),
        )

    def face(self, performer, *, frame=0):
        """Return a face of the performer, or of a stranger of a negative number."""
        if performer < 0:
            facenet, arcface = directions(2, seed=1000 - performer)
        else:
            facenet, arcface = self._facenet[performer], self._arcface[performer]
        return SeenFace(
            frame=frame,
            seconds=float(frame),
            box=FaceBox(1, 2, 60, 70),
            confidence=0.9,
            quality=0.5,
            facenet=self._like(facenet) * 30,
            arcface=self._like(arcface) * 5,
        )

    def blend(self, shares, *, frame):
        """Return a face of shares of performers, strangers being negative."""
        faces = [(self.face(who), share) for who, share in shares.items()]
        return dataclasses.replace(
            faces[0][0],
            frame=frame,
            facenet=sum(face.facenet * share for face, share in faces),
            arcface=sum(face.arcface * share for face, share in faces),
        )

    def _like(self, directions):
        noise = self._rng.normal(size=directions.shape) * 0.02
        return (directions + noise).astype(np.float32)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    return MadeUp(tmp_path_factory.mktemp("made-up"))


def best_of(people):
    return [person.named.performer if person.named else None for person in people]


def test_a_face_finds_its_performer_once(made_up):
    """Fault I2: each of a performer's faces was a candidate."""
    face = made_up.face(7)

    (candidates,) = candidates_of(
        made_up.database,
        face.facenet[None],
        face.arcface[None],
        max_candidates=None,
        max_distance=2.0,
    )

    performers = [candidate.performer for candidate in candidates]
    assert performers[0] == 7
    assert len(set(performers)) == len(performers) > 10


def test_many_faces_at_once_find_what_each_finds_alone(made_up):
    faces = [made_up.face(row) for row in (3, 9, 3, 30)]

    together = people_in_image(made_up.database, faces, MatchingOptions())
    alone = [
        people_in_image(made_up.database, [face], MatchingOptions()) for face in faces
    ]

    assert best_of(together) == [3, 9, 3, 30]
    assert [p.candidates for p in together] == [p.candidates for (p,) in alone]


def test_an_embedder_that_sees_nothing_brings_nobody_in(tmp_path):
    """Fault I1: its tiny distances won over those of the one that sees."""
    owners = [*range(300)]
    blind = np.ones((300, 512), np.float32) + directions(300, seed=5) * 0.5
    seeing = directions(300, seed=6)
    database = database_of(tmp_path, facenet=blind, arcface=seeing, owners=owners)

    (candidates,) = candidates_of(
        database,
        np.ones((1, 512), np.float32),
        seeing[[250]] + directions(1, seed=7) * 0.3,
        max_candidates=None,
        max_distance=2.0,
    )

    assert candidates[0].performer == 250
    assert candidates[0].distance == candidates[0].arcface_distance
    assert all(candidate.arcface_distance is not None for candidate in candidates)


def test_without_faces_there_are_no_people(made_up):
    for mode in MatchingMode:
        options = MatchingOptions(mode=mode)
        assert people_in_scene(made_up.database, [], options) == []
    assert people_in_image(made_up.database, [], MatchingOptions()) == []
    assert people_in_gallery(made_up.database, [], MatchingOptions()) == []


@EVERY_MODE
def test_people_of_a_scene_are_named_and_strangers_kept(made_up, mode):
    faces = [
        made_up.face(who, frame=frame)
        for frame in range(6)
        for who in (5, 11, -1, *([-2] if frame == 3 else []))
    ]

    people = people_in_scene(made_up.database, faces, MatchingOptions(mode=mode))

    assert sorted(best_of(people)[:2]) == [5, 11]
    assert best_of(people)[2:] == [None, None]
    assert [person.frame_count for person in people] == [6, 6, 6, 1]


@EVERY_MODE
def test_faces_kept_in_half_precision_are_the_same_people(made_up, mode):
    faces = [made_up.face(who, frame=f) for f in range(4) for who in (5, 11, -1)]
    kept = [
        dataclasses.replace(
            face,
            facenet=face.facenet.astype(np.float16),
            arcface=face.arcface.astype(np.float16),
        )
        for face in faces
    ]
    options = MatchingOptions(mode=mode)

    people = people_in_scene(made_up.database, faces, options)
    again = people_in_scene(made_up.database, kept, options)

    assert best_of(again) == best_of(people)
    assert [one.faces for one in again] == [one.faces for one in people]


@EVERY_MODE
@pytest.mark.parametrize("tagged", [5, 6])
def test_tags_are_universal_ids(tmp_path, mode, tagged):
    one, two = directions(1, seed=1), directions(1, seed=2)
    rows = np.concatenate([one, one, directions(60, seed=9)])
    others = np.concatenate([two, two, directions(60, seed=8)])
    # Twins: only the tag can tell 5 from 6.
    owners = [5, 6, *range(100, 160)]
    database = database_of(tmp_path, facenet=rows, arcface=others, owners=owners)
    faces = [
        SeenFace(f, None, FaceBox(0, 0, 50, 50), 0.9, 0.4, one[0] + d, two[0] + d)
        for f, d in enumerate(directions(4, seed=10) * 0.4)
    ]
    options = MatchingOptions(
        mode=mode, tagged=frozenset({universal_id(tagged), "stashdb.org:nobody"})
    )

    (person,) = people_in_scene(database, faces, options)

    performer = database.release.performer(person.candidates[0].performer)
    assert performer.universal_id == universal_id(tagged)


def test_a_gallery_names_who_is_on_two_pictures(made_up):
    faces = [made_up.face(who, frame=f) for f in range(3) for who in (8, -1)]

    people = people_in_gallery(
        made_up.database, faces, MatchingOptions(max_distance=0.6)
    )

    assert best_of(people) == [8, None]
    assert [person.faces for person in people] == [(0, 2, 4), (1, 3, 5)]
    assert [person.frame_count for person in people] == [3, 3]


def test_who_is_second_at_every_face_can_be_first_for_the_person(made_up):
    faces = [made_up.blend({5: 0.7, 10 + f: 0.75}, frame=f) for f in range(6)]
    options = MatchingOptions(top_k=1, max_distance=0.6, cluster_threshold=0.9)

    images = people_in_image(made_up.database, faces, options)
    (person,) = people_in_scene(made_up.database, faces, options)

    assert best_of(images) == [*range(10, 16)]
    assert best_of([person]) == [5]


@FACE_BY_FACE_MODES
def test_strangers_are_not_one_person_for_resembling_one_performer(made_up, mode):
    faces = [
        made_up.blend({who: 1, 5: 0.4}, frame=f) for f in (0, 1) for who in (-1, -2)
    ]

    people = people_in_scene(
        made_up.database, faces, MatchingOptions(mode=mode, max_distance=1.0)
    )

    assert [person.faces for person in people] == [(0, 2), (1, 3)]
    assert best_of(people) == [None, None]


class DrawnScene:
    """Frames with two people of the small world and a stranger, and their faces."""

    def __init__(self, small_world, recognizer):
        known = small_world.world.people[:2]
        stranger = invent_stranger(seed=91, index=0)
        cast = [known[0].identity, known[1].identity, stranger]
        rng = np.random.default_rng(12)
        shots = [cast[:2], cast, cast[1:], cast[:2], cast, cast[1:]]
        frames = [decode_picture(draw_group(shot, rng).jpeg) for shot in shots]
        self.names = {person.universal_id for person in known}
        self.database = recognizer.database
        collector = FaceCollector(
            recognizer.networks, turn=nullcontext, timing=Timing()
        )
        for number, frame in enumerate(frames):
            look = look_at(
                recognizer.networks,
                frame,
                face_filter=FaceFilter(min_confidence=0.5, min_size_px=40),
                frame=number,
                seconds=10.0 * number,
                timing=Timing(),
            )
            collector.add(look.faces)
        self.faces = collector.collect().faces

    def named(self, people):
        return [
            self.database.release.performer(row).universal_id
            for row in best_of(people)
            if row is not None
        ]


@pytest.fixture(scope="module")
def drawn_scene(small_world, small_recognizer):
    return DrawnScene(small_world, small_recognizer)


@EVERY_MODE
def test_drawn_people_are_named_and_the_stranger_is_not(drawn_scene, mode):
    people = people_in_scene(
        drawn_scene.database, drawn_scene.faces, MatchingOptions(mode=mode)
    )

    assert set(drawn_scene.named(people)) == drawn_scene.names
    assert len(drawn_scene.named(people)) == 2
    assert all(person.frame_count >= 3 for person in people[:2])
    assert max(person.frame_count for person in people[2:]) >= 2
    assert sum(len(person.faces) for person in people) == len(drawn_scene.faces) >= 12


def test_drawn_people_of_a_gallery_are_named_and_the_stranger_is_not(drawn_scene):
    people = people_in_gallery(
        drawn_scene.database, drawn_scene.faces, MatchingOptions(max_distance=0.6)
    )

    assert set(drawn_scene.named(people)) == drawn_scene.names
    assert best_of(people)[-1] is None
