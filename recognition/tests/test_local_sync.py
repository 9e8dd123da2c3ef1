"""Learning the performers of a stand-in Stash, by a run of the background."""

import numpy as np
import pytest

from demo.scenes import draw_group
from demo.stash.library import StashId, now
from demo.stash.server import Faults
from demo.world import invent_stranger
from recognition import library_runs, local_faces, registry
from recognition.exceptions import LibraryRunInProgress, LocalPerformersDisabled
from recognition.library_runs import sync_local_if_due, sync_local_performers
from recognition.models import (
    Fingerprint,
    FingerprintChange,
    LibraryRun,
    LocalFace,
    LocalPerformer,
)
from recognition.tests.conftest import TWIN_VERSION
from recognition.tests.library_world import ASKER, background, ended
from recognition.tests.local_world import (
    STRANGER_SEED,
    add_image,
    add_performer,
    follow,
    names_in,
    portrait,
    random_face,
    switch,
    sync,
)
from recognition.tests.stash_world import post
from recognition.tests.test_library_runs import library  # noqa: F401
from stashsense.integrations import stash as stash_client
from stashsense.tests.waiting import wait_until

State = LibraryRun.State


@pytest.fixture
def on(library):  # noqa: F811
    """A Stash with one performer to learn, in a picture of their own; it is on."""
    switch(True)
    # The one without stash ids is known to the release by their face; not here.
    del library.library.performers["4"]
    library.anna = add_performer(library, "Anna Local", portrait(1))
    yield library
    switch(False)
    registry.follow_local()


def sources():
    rows = LocalFace.objects.order_by("source", "source_id")
    return [*rows.values_list("source", "source_id")]


def pictures_fetched(stash):
    return [
        request.path.partition("?")[0]
        for request in stash.media_requests()
        if request.path.startswith(("/performer", "/image"))
    ]


def test_a_performer_is_learnt_from_their_own_picture(admin_client, on):
    run = sync()

    assert (run.state, run.succeeded_count, run.failed_count) == (State.COMPLETE, 1, 0)
    assert (run.total_count, run.done_count, run.skipped_count) == (5, 5, 4)
    assert sources() == [("picture", on.anna.id)]
    follow()
    assert names_in(admin_client, portrait(1, take=1)) == [f"local:{on.anna.id}"]
    # Those whom the release knows are none of ours.
    assert LocalPerformer.objects.count() == 1


def test_images_teach_where_somebody_is_tagged_and_shown_alone(on, tmp_path):
    bob = add_performer(on, "Bob Local")
    alone = add_image(on, tmp_path, portrait(2), bob)
    add_image(on, tmp_path, portrait(2, take=1), bob, on.anna)
    two = draw_group(
        [invent_stranger(STRANGER_SEED, n) for n in (2, 3)],
        np.random.default_rng(5),
    )
    add_image(on, tmp_path, two.jpeg, bob)
    add_image(on, tmp_path, b"no picture", bob)
    gone = add_image(on, tmp_path, portrait(2, take=2), bob)
    on.library.path_of(on.library.files[gone.file_ids[0]]).unlink()

    run = sync()

    assert (run.state, run.failed_count) == (State.COMPLETE, 0)
    assert sources() == [("image", alone.id), ("picture", on.anna.id)]


def test_one_who_shows_no_face_is_not_looked_at_again(on, tmp_path):
    on.anna.picture = b"no picture"

    sync()
    fetched = pictures_fetched(on)
    sync()

    performer = LocalPerformer.objects.get()
    assert performer.state == LocalPerformer.State.NO_FACES
    assert pictures_fetched(on) == fetched == [f"/performer/{on.anna.id}/image"]


def test_unchanged_performers_are_passed_over(on, tmp_path):
    sync()
    before = [*LocalFace.objects.values_list("pk", flat=True)]
    fetched = len(pictures_fetched(on))

    run = sync()

    assert (run.succeeded_count, run.skipped_count) == (0, 5)
    assert [*LocalFace.objects.values_list("pk", flat=True)] == before
    assert len(pictures_fetched(on)) == fetched

    # Another picture, or an image more, is a change.
    on.anna.picture, on.anna.updated_at = portrait(1, take=2), now()
    assert sync().succeeded_count == 1
    add_image(on, tmp_path, portrait(1, take=3), on.anna)
    assert sync().succeeded_count == 1
    assert len(sources()) == 2


def test_who_is_known_to_the_release_later_is_forgotten(on):
    sync()
    known = registry.recognizer().database.plain.release.performer(0).universal_id
    domain, _, bare_id = known.partition(":")

    on.anna.stash_ids = [StashId(f"https://{domain}/graphql", bare_id, now())]
    run = sync()

    assert run.changed_count == 1
    assert not LocalPerformer.objects.exists()
    assert not LocalFace.objects.exists()


def test_who_was_deleted_or_merged_is_forgotten(on):
    bob = add_performer(on, "Bob Local", portrait(2))
    carl = add_performer(on, "Carl Local", portrait(3))
    sync()
    assert LocalPerformer.objects.count() == 3

    for performer in (on.anna, carl):
        del on.library.performers[performer.id]
    sync()

    assert [each.stash_id for each in LocalPerformer.objects.all()] == [int(bob.id)]
    assert sources() == [("picture", bob.id)]


def test_what_the_owner_told_outlives_new_pictures(on):
    sync()
    local_faces.learn_person(
        int(on.anna.id), "Anna Local", [random_face(1)],
        network_set="demo", source="person", source_id="scene:1:0",
    )  # fmt: skip
    on.anna.picture, on.anna.updated_at = portrait(1, take=2), now()

    sync()

    assert sources() == [("person", "scene:1:0"), ("picture", on.anna.id)]


def test_one_who_was_left_out_is_learnt_once_that_is_asked_for(on):
    sync()
    local_faces.leave_out(int(on.anna.id))

    assert sync().succeeded_count == 0
    assert sources() == []

    local_faces.learn_again(int(on.anna.id))
    assert sync().succeeded_count == 1
    assert sources() == [("picture", on.anna.id)]


def test_other_networks_learn_anew(on):
    sync()
    LocalFace.objects.update(network_set="former")
    LocalPerformer.objects.update(learnt_from="2026-01-01 0 former")

    run = sync()

    assert run.succeeded_count == 1
    assert {face.network_set for face in LocalFace.objects.all()} != {"former"}


def test_a_page_after_the_other(on, monkeypatch):
    monkeypatch.setattr(stash_client, "PERFORMERS_PER_PAGE", 2)
    for number in range(2, 5):
        add_performer(on, f"Local {number}", portrait(number))

    run = sync()

    assert (run.state, run.succeeded_count, run.done_count) == (State.COMPLETE, 4, 8)
    assert sync().skipped_count == 8


def test_a_stash_that_is_down_is_waited_for(on):
    on.go_down()
    run = sync_local_performers(asker=ASKER)
    with background():
        wait_until(lambda: "Stash" in LibraryRun.objects.get(pk=run.pk).waiting_for)
        on.come_back()

    run.refresh_from_db()
    assert (run.state, run.succeeded_count) == (State.COMPLETE, 1)


def test_a_picture_that_cannot_be_had_now_leaves_what_was_learnt(on):
    sync()
    on.anna.updated_at = now()
    on.faults = Faults(only_paths="/performer", status=500)

    run = sync()

    assert (run.state, run.failed_count) == (State.COMPLETE, 1)
    assert sources() == [("picture", on.anna.id)]
    on.faults = Faults()
    assert sync().succeeded_count == 1


def test_switching_it_off_ends_a_run_and_nothing_is_left(on, settings):
    for number in range(2, 8):
        add_performer(on, f"Local {number}", portrait(number))
    on.faults = Faults(only_paths="/performer", delay_seconds=0.3)
    run = sync_local_performers(asker=ASKER)

    with background():
        wait_until(lambda: LocalFace.objects.exists())
        switch(False)

    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert not LocalPerformer.objects.exists()
    assert not LocalFace.objects.exists()


def test_a_run_can_be_stopped_and_another_goes_on(on):
    for number in range(2, 8):
        add_performer(on, f"Local {number}", portrait(number))
    on.faults = Faults(only_paths="/performer", delay_seconds=0.3)
    run = sync_local_performers(asker=ASKER)
    with background():
        wait_until(lambda: LocalFace.objects.exists())
        library_runs.stop_run(library_runs.get_run_in_progress(LibraryRun.Kind.LOCAL))
    on.faults = Faults()
    learnt = LocalFace.objects.count()

    again = sync()

    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert again.succeeded_count == 7 - learnt
    assert LocalFace.objects.count() == 7


def test_one_run_at_a_time_and_none_while_it_is_off(on):
    sync_local_performers(asker=ASKER)
    with pytest.raises(LibraryRunInProgress):
        sync_local_performers(asker=ASKER)

    switch(False)
    with pytest.raises(LocalPerformersDisabled):
        sync_local_performers(asker=ASKER)


def test_it_is_due_once_a_day_and_with_each_release(on, small_world):
    assert ended(sync_local_if_due()).state == State.COMPLETE
    assert sync_local_if_due() is None

    small_world.activate(TWIN_VERSION)
    assert sync_local_if_due() is not None


def test_kept_results_follow_what_is_learnt_and_erased(admin_client, on, tmp_path):
    image = add_image(on, tmp_path, portrait(1, take=1))
    post(admin_client, "/identify/image", image_id=image.id)
    kept = Fingerprint.objects.get()
    assert not kept.people.exclude(universal_id="").exists()

    sync()
    follow()
    ended(LibraryRun.objects.get(kind="rematch"))

    assert kept.people.get().universal_id == f"local:{on.anna.id}"
    change = FingerprintChange.objects.get()
    assert change.from_version == change.to_version
    assert change.gained == [f"local:{on.anna.id}"]

    switch(False)
    registry.follow_local()
    ended(LibraryRun.objects.in_progress().get())

    assert kept.people.get().universal_id == ""
    assert library_runs.outdated_count() == 0


def test_who_is_tagged_is_told_of_local_performers(admin_client, on, tmp_path):
    sync()
    follow()
    image = add_image(on, tmp_path, portrait(1, take=1), on.anna)

    answer = post(admin_client, "/identify/image", image_id=image.id).json()

    best = answer["faces"][0]["matches"][0]
    assert best["universal_id"] == f"local:{on.anna.id}"
    assert best["local_performer_id"] == on.anna.id
    assert best["already_tagged"] is True
