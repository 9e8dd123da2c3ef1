"""Stored faces followed from one release to the next, and looked up anew."""

import json

import numpy as np
import pytest
import voyager

from dbupdates.prepared import open_prepared, write_prepared
from recognition.numeric.boxes import FaceBox
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import FACE_BY_FACE, MatchingMode, SeenFace
from recognition.runtime.candidates import candidates_among, near_faces_of
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities, ReleaseChange
from recognition.runtime.near_matching import ReleaseFollower
from recognition.runtime.people import MatchingOptions, scene_people
from recognition.runtime.vector_index import VectorIndex

MAX_DISTANCE = 0.5
PERFORMERS = 150


def directions(count, generator):
    rows = generator.normal(size=(count, 512)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class People:
    """Performers and their faces; `like` draws a new face of each."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)
        self._facenet = directions(PERFORMERS, self.generator)
        self._arcface = directions(PERFORMERS, self.generator)

    def like(self, performers, *, noise=0.8):
        return [
            self._unit(
                each[performers] + noise * directions(len(performers), self.generator)
            )
            for each in (self._facenet, self._arcface)
        ]

    def _unit(self, rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Faces:
    """The faces of a release: vectors and whose they are; None is nobody's."""

    def __init__(self, facenet, arcface, owners):
        self.facenet, self.arcface = facenet, arcface
        self.owners = [*owners]

    def without(self, rows):
        kept = [row for row in range(len(self.owners)) if row not in {*rows}]
        return Faces(
            self.facenet[kept], self.arcface[kept], [self.owners[row] for row in kept]
        )

    def joined(self, other):
        return Faces(
            np.concatenate([self.facenet, other.facenet]),
            np.concatenate([self.arcface, other.arcface]),
            [*self.owners, *other.owners],
        )

    def shuffled(self, generator):
        order = generator.permutation(len(self.owners))
        return Faces(
            self.facenet[order], self.arcface[order], [self.owners[r] for r in order]
        )


def universal_id(owner):
    return f"stashdb.org:{owner:04}"


@pytest.fixture
def release(tmp_path):
    """Make a loaded release of faces."""

    def make(faces):
        folder = tmp_path / f"release-{len([*tmp_path.iterdir()])}"
        folder.mkdir()
        owners = [None if o is None else universal_id(o) for o in faces.owners]
        known = sorted({owner for owner in owners if owner})
        (folder / "faces.json").write_text(json.dumps(owners))
        (folder / "performers.json").write_text(
            json.dumps({owner: {"name": owner} for owner in known})
        )
        write_prepared(folder)
        return FaceDatabase(
            version=folder.name,
            facenet=_index(faces.facenet),
            arcface=_index(faces.arcface),
            release=open_prepared(folder),
        )

    return make


def _index(vectors):
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=512)
    index.add_items(vectors, num_threads=1)
    return VectorIndex(index)


def faces_of(people, owners, *, noise=0.8):
    facenet, arcface = people.like(np.array(owners), noise=noise)
    return Faces(facenet, arcface, owners)


def seen(facenet, arcface):
    return [
        SeenFace(
            frame=position // 3,
            seconds=float(position),
            box=FaceBox(0, 0, 60, 60),
            confidence=0.9,
            quality=0.5,
            facenet=one * 30,
            arcface=other * 20,
        )
        for position, (one, other) in enumerate(zip(facenet, arcface, strict=True))
    ]


class Stored:
    """Faces as they lie in the database, matched with a release."""

    def __init__(self, faces, database, *, max_distance=MAX_DISTANCE):
        self.max_distance = max_distance
        self.faces = PackedFaces.pack(faces)
        self.keep(looked_up(self.faces, database, max_distance), database)

    def keep(self, near, database):
        """Keep what is near in the release."""
        self.database, self.identities = database, FaceIdentities.of(database)
        self.near = PackedNear.pack(near, self.identities.digests)

    def kept_near(self):
        """Return what is near in the release that it was kept for."""
        return self.near.probes(self.identities.rows_of(self.near.near["face"]))

    def followed(self, database):
        """Return what is near in the release, by following; None if that is the same.

        Then the people are left as they were.
        """
        follower = ReleaseFollower(self.identities, FaceIdentities.of(database))
        follower.load_added(database)
        return follower.follow(
            self.faces, self.near, database, max_distance=self.max_distance
        )


def looked_up(faces, database, max_distance=MAX_DISTANCE):
    return near_faces_of(
        database,
        faces.embeddings("facenet"),
        faces.embeddings("arcface"),
        max_distance=max_distance,
    )


def people_of(stored, near, database, mode=MatchingMode.FREQUENCY):
    people = scene_people(
        database.release,
        stored.faces.seen(),
        near,
        MatchingOptions(mode=mode, max_distance=stored.max_distance),
    )
    return [
        (
            person.faces,
            [
                (
                    database.release.performer(each.performer).universal_id,
                    round(each.distance or 0, 5),
                )
                for each in person.candidates
            ],
        )
        for person in people
    ]


def names(people):
    return {found[0][0] for _, found in people if found}


def assert_followed_as_looked_up(stored, database, mode=MatchingMode.FREQUENCY):
    near = stored.followed(database)
    if near is None:
        followed = people_of(stored, stored.kept_near(), stored.database, mode)
    else:
        followed = people_of(stored, near, database, mode)
    anew = looked_up(stored.faces, database, stored.max_distance)

    assert followed == people_of(stored, anew, database, mode)
    return followed


@pytest.mark.parametrize("seed", range(12))
def test_following_gives_the_people_that_looking_everything_up_gives(release, seed):
    people = People(seed)
    generator = people.generator
    # Up to a hundred, so that an embedder ranks every face, and far more.
    count = int(generator.choice([60, 90, 400]))
    old = faces_of(people, generator.integers(PERFORMERS, size=count).tolist())
    probes = seen(*people.like(generator.integers(PERFORMERS, size=24), noise=0.6))
    max_distance = float(generator.choice([0.2, 0.4, 0.5]))
    stored = Stored(probes, release(old), max_distance=max_distance)
    gone = generator.choice(count, size=count // 10, replace=False)
    added = faces_of(people, generator.integers(PERFORMERS, size=count // 10).tolist())
    new = release(old.without(gone).joined(added).shuffled(generator))

    for mode in FACE_BY_FACE:
        assert_followed_as_looked_up(stored, new, mode)


def test_one_release_after_the_other_is_followed(release):
    people = People(100)
    generator = people.generator
    faces = faces_of(people, [*range(90)])
    stored = Stored(seen(*people.like(np.arange(0, 60, 3), noise=0.6)), release(faces))

    for _ in range(4):
        gone = generator.choice(len(faces.owners), size=6, replace=False)
        added = faces_of(people, generator.integers(PERFORMERS, size=6).tolist())
        faces = faces.without(gone).joined(added).shuffled(generator)
        database = release(faces)
        assert_followed_as_looked_up(stored, database)

        near = stored.followed(database)
        if near is None:
            rows = FaceIdentities.of(database).rows_of(stored.near.near["face"])
            near = stored.near.probes(rows)
        stored.keep(near, database)


def test_a_performer_who_is_added_is_found_and_one_removed_is_not(release):
    people = People(5)
    old = faces_of(people, [*range(50)])
    stored = Stored(
        seen(*people.like(np.array([3, 3, 70, 70]), noise=0.4)), release(old)
    )
    new = release(old.without([3]).joined(faces_of(people, [70])))

    found = assert_followed_as_looked_up(stored, new)

    assert names(found) == {universal_id(70)}


def test_a_face_that_becomes_somebody_elses_is_theirs(release):
    people = People(6)
    old = faces_of(people, [*range(50)])
    stored = Stored(seen(*people.like(np.array([3, 3]), noise=0.4)), release(old))
    old.owners[3] = 49

    found = assert_followed_as_looked_up(stored, release(old))

    assert names(found) == {universal_id(49)}


def test_a_face_that_becomes_nobodys_names_nobody(release):
    people = People(7)
    old = faces_of(people, [*range(50)])
    stored = Stored(seen(*people.like(np.array([3, 3]), noise=0.4)), release(old))
    old.owners[3] = None

    found = assert_followed_as_looked_up(stored, release(old))

    assert names(found) == set()


def test_equal_vectors_of_two_performers_are_two_faces(release):
    people = People(8)
    old = faces_of(people, [*range(50)])
    old.facenet[20], old.arcface[20] = old.facenet[3], old.arcface[3]
    stored = Stored(seen(*people.like(np.array([3, 3]), noise=0.4)), release(old))

    found = assert_followed_as_looked_up(stored, release(old.without([3])))

    assert names(found) == {universal_id(20)}


def test_a_list_that_was_cut_is_looked_up(release):
    """Of 130 faces of one performer an embedder ranks a hundred."""
    people = People(9)
    old = faces_of(people, [3] * 130 + [*range(50)], noise=0.3)
    stored = Stored(seen(*people.like(np.array([3]), noise=0.3)), release(old))
    assert stored.near.health["facenet_cut"][0] < MAX_DISTANCE

    new = release(old.without([*range(110)]))

    followed = stored.followed(new)
    (expected,) = looked_up(stored.faces, new)
    np.testing.assert_array_equal(np.sort(followed[0].faces), np.sort(expected.faces))
    assert len(followed[0].faces) >= 20


def test_an_embedder_that_sees_nothing_any_more_is_left_out(release):
    """Twenty faces at one tiny distance come in: FaceNet collapses for the probe."""
    people = People(10)
    old = faces_of(people, [*range(60)])
    (facenet,), (arcface,) = people.like(np.array([3]), noise=0.3)
    stored = Stored(seen([facenet], [arcface]), release(old))
    alike = faces_of(people, [*range(60, 90)])
    alike.facenet[:] = facenet + 0.01 * directions(30, people.generator)

    new = release(old.joined(alike))

    assert_followed_as_looked_up(stored, new)
    ((candidate,),) = candidates_among(
        stored.followed(new), new.release, max_candidates=1, max_distance=MAX_DISTANCE
    )
    assert candidate.distance == candidate.arcface_distance
    back = Stored(seen([facenet], [arcface]), new)
    assert_followed_as_looked_up(back, release(old))


def test_nothing_is_done_where_nothing_near_changed(release):
    people = People(11)
    old = faces_of(people, [*range(100)])
    stored = Stored(seen(*people.like(np.array([3, 4]), noise=0.4)), release(old))
    new = release(old.without([80, 81]).joined(faces_of(people, [120, 121])))
    follower = ReleaseFollower(stored.identities, FaceIdentities.of(new))
    follower.load_added(new)

    assert follower.added_count == 2
    assert (
        follower.follow(stored.faces, stored.near, new, max_distance=MAX_DISTANCE)
        is None
    )


def test_a_release_numbered_anew_has_not_changed(release):
    people = People(12)
    old = faces_of(people, [*range(60)])
    one = FaceIdentities.of(release(old))
    other = FaceIdentities.of(release(old.shuffled(people.generator)))

    change = ReleaseChange.between(one, other)

    assert len(change.gone) == len(change.new_rows) == 0
    np.testing.assert_array_equal(
        one.digests, other.digests[other.rows_of(one.digests)]
    )


def test_identities_are_kept_in_a_file(tmp_path, release):
    people = People(13)
    identities = FaceIdentities.of(release(faces_of(people, [*range(30)])))
    path = tmp_path / "folder" / "faces.npy"

    identities.save(path)

    loaded = FaceIdentities.load(path)
    assert loaded is not None
    np.testing.assert_array_equal(loaded.digests, identities.digests)


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_identities_that_cannot_be_read_are_none(tmp_path, content):
    path = tmp_path / "faces.npy"
    if content is not None:
        path.write_bytes(content)

    assert FaceIdentities.load(path) is None
