"""Local performers: learnt, compared, forgotten, in one process that serves."""

import errno
from dataclasses import replace

import numpy as np
import pytest

from demo.embedding import NETWORK_SET_NAME
from recognition import local_faces, registry
from recognition.exceptions import LocalPerformerNotFound
from recognition.models import LocalFace, LocalIndex, LocalPerformer
from recognition.runtime import local_overlay
from recognition.tests.local_world import (
    add_performer,
    face,
    follow,
    identify,
    names_in,
    portrait,
    random_face,
    seen_face,
    switch,
)
from stashsense.preferences.services import reset_setting


@pytest.fixture
def on(transactional_db, stash):
    """A Stash with a performer whom the release does not know; the setting is on."""
    switch(True)
    stash.anna = add_performer(stash, "Anna Local")
    yield stash
    switch(False)
    registry.follow_local()


def learn(performer, *faces, source="person", source_id="scene:1:0", name=None):
    local_faces.learn_person(
        int(performer.id),
        name or performer.name,
        faces,
        network_set=NETWORK_SET_NAME,
        source=source,
        source_id=source_id,
    )


def files(settings):
    folder = settings.DATA_DIR / "local"
    return [*folder.rglob("*.npy")] if folder.is_dir() else []


def test_a_person_who_was_named_is_found_in_another_picture(admin_client, on):
    assert names_in(admin_client, portrait(1, take=1)) == [None]

    learn(on.anna, seen_face(portrait(1)))
    follow()

    (seen,) = identify(admin_client, portrait(1, take=1))
    best = seen["matches"][0]
    assert best["universal_id"] == f"local:{on.anna.id}"
    assert best["local_performer_id"] == best["stashdb_id"] == on.anna.id
    assert (best["name"], best["endpoint"]) == ("Anna Local", None)
    assert names_in(admin_client, portrait(2)) == [None]


def test_people_of_the_release_are_found_as_before(admin_client, on, served):
    picture = next(p for p in served.known_pictures(12) if len(p.answers) == 1)
    learn(on.anna, seen_face(portrait(1)))
    follow()

    (named,) = names_in(admin_client, picture.jpeg)

    assert named == picture.answers[0].universal_id
    health = admin_client.get("/health").json()
    assert health["performer_count"] == 8


def test_nothing_is_learnt_while_it_is_off(admin_client, stash):
    performer = add_performer(stash, "Anna Local")

    learn(performer, random_face(1))
    local_faces.forget_source("person", "scene:1:0")

    assert not LocalPerformer.objects.exists()
    assert not LocalIndex.objects.exists()


def test_telling_twice_is_as_telling_once_and_the_last_name_counts(on):
    bob = add_performer(on, "Bob Local")
    learn(on.anna, random_face(1))
    learn(on.anna, random_face(1), random_face(2))
    assert LocalFace.objects.count() == 2

    learn(bob, random_face(1))

    assert LocalFace.objects.get().performer.stash_id == int(bob.id)
    anna = LocalPerformer.objects.get(stash_id=on.anna.id)
    assert anna.state == LocalPerformer.State.NO_FACES


def test_a_correction_that_was_undone_is_forgotten(admin_client, on, settings):
    learn(on.anna, seen_face(portrait(1)))
    follow()

    local_faces.forget_source("person", "scene:1:0")
    follow()

    assert names_in(admin_client, portrait(1, take=1)) == [None]
    assert not LocalFace.objects.exists()
    assert files(settings) == []


@pytest.mark.parametrize(
    "embedding",
    [np.zeros(512), np.full(512, np.nan), np.full(512, np.inf)],
    ids=["zeros", "nan", "infinite"],
)
def test_embeddings_that_point_nowhere_are_not_kept(on, embedding):
    learn(on.anna, face(embedding), face(np.ones(512), embedding))

    assert not LocalFace.objects.exists()
    assert current() == ""


def current():
    return local_faces.current_revision(NETWORK_SET_NAME)


def test_of_a_scene_the_best_faces_are_kept(on):
    learn(on.anna, *(random_face(n, quality=n / 20) for n in range(20)))

    kept = LocalFace.objects.values_list("quality", flat=True)
    assert sorted(kept) == [15 / 20, 16 / 20, 17 / 20, 18 / 20, 19 / 20]


def test_faces_of_other_networks_are_kept_and_not_compared(admin_client, on):
    local_faces.learn_person(
        int(on.anna.id),
        "Anna Local",
        [seen_face(portrait(1))],
        network_set="another",
        source="person",
        source_id="scene:1:0",
    )
    follow()

    assert LocalFace.objects.count() == 1
    assert names_in(admin_client, portrait(1, take=1)) == [None]


def test_one_who_is_left_out_is_erased_and_not_learnt_from_pictures(
    admin_client, on, settings
):
    learn(on.anna, seen_face(portrait(1)))
    follow()

    local_faces.leave_out(int(on.anna.id))
    follow()
    kept = local_faces.learn_pictures(
        int(on.anna.id),
        "Anna Local",
        [("picture", on.anna.id, random_face(1))],
        network_set=NETWORK_SET_NAME,
        learnt_from="",
    )

    assert kept == 0
    assert not LocalFace.objects.exists()
    assert files(settings) == []
    assert names_in(admin_client, portrait(1, take=1)) == [None]
    with pytest.raises(LocalPerformerNotFound):
        local_faces.leave_out(999)


def reset():
    reset_setting("local_performers_enabled", user=None)


@pytest.mark.parametrize("turn_off", [lambda: switch(False), reset])
def test_switching_it_off_erases_rows_and_files(admin_client, on, settings, turn_off):
    learn(on.anna, seen_face(portrait(1)))
    follow()
    assert len(files(settings)) == 1

    turn_off()

    assert not LocalPerformer.objects.exists()
    assert not LocalFace.objects.exists()
    assert files(settings) == []
    # What is mapped is not compared any more either.
    registry.follow_local()
    assert names_in(admin_client, portrait(1, take=1)) == [None]


def test_a_request_keeps_what_it_began_with(admin_client, on):
    learn(on.anna, seen_face(portrait(1)))
    follow()
    held = registry.recognizer().database

    switch(False)
    registry.follow_local()

    assert registry.recognizer().database is held.plain
    rows = np.array([held.plain.release.face_count])
    assert np.linalg.norm(held.facenet.vectors(rows)) == pytest.approx(1)
    assert held.release.performer(held.plain.release.performer_count).name == (
        "Anna Local"
    )


def test_on_a_full_disk_who_is_learnt_and_erased_still_counts(
    admin_client, on, monkeypatch, settings
):
    learn(on.anna, seen_face(portrait(1)))
    follow()

    def fail(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local_overlay, "write_atomically", fail)
    bob = add_performer(on, "Bob Local")
    learn(bob, seen_face(portrait(2)), source_id="scene:2:0")
    follow()
    assert names_in(admin_client, portrait(1, take=1)) == [f"local:{on.anna.id}"]
    assert names_in(admin_client, portrait(2, take=1)) == [f"local:{bob.id}"]
    assert files(settings) == []

    local_faces.forget_source("person", "scene:1:0")
    follow()
    assert names_in(admin_client, portrait(1, take=1)) == [None]
    assert names_in(admin_client, portrait(2, take=1)) == [f"local:{bob.id}"]


def test_damaged_files_are_made_again(admin_client, on, settings):
    learn(on.anna, seen_face(portrait(1)))
    follow()
    for path in files(settings):
        path.write_bytes(b"")
    # As a process that has just loaded the release.
    serving = registry.state().serving
    assert serving is not None
    plain = replace(serving.recognizer, database=serving.recognizer.database.plain)
    registry.serve(replace(serving, recognizer=plain))

    follow()

    assert names_in(admin_client, portrait(1, take=1)) == [f"local:{on.anna.id}"]
