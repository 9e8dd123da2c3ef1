"""What is kept, matched again with another release, without a look at any picture."""

import json
import shutil
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import pytest

from dbupdates.models import DatabaseRelease
from dbupdates.prepared import write_prepared
from dbupdates.signals import release_activated
from dbupdates.store import active_release
from recognition import fingerprints, library_runs, registry, rematching
from recognition.exceptions import DatabaseUpdating
from recognition.loading import load_recognizer
from recognition.models import (
    Fingerprint,
    FingerprintChange,
    FingerprintFaces,
    LibraryRun,
)
from recognition.numeric.packing import PackedFaces
from recognition.runtime.providers import choose_execution_plan
from recognition.tests.conftest import TWIN_VERSION, VERSION
from recognition.tests.library_world import ASKER, background, ended
from recognition.tests.stash_world import KNOWN_SCENE, cast_of, post
from recognition.tests.test_library_runs import library  # noqa: F401
from stashsense.api.authentication import api_key
from stashsense.tests.waiting import wait_until

NEXT = "2026.03.05"


@pytest.fixture
def next_release(served, small_recognizer, tmp_path, settings):
    """Make and serve a release that differs by whose its faces are."""
    folders = []

    def serve(change_owner, version=NEXT, *, without=()):
        folder = served.data_dir / "releases" / version
        shutil.copytree(served.data_dir / "releases" / VERSION, folder)
        folders.append(folder)
        shutil.rmtree(folder / "prepared")
        owners = json.loads((folder / "faces.json").read_text())
        names = [change_owner(owner) for owner in owners]
        (folder / "faces.json").unlink()
        (folder / "faces.json").write_text(json.dumps(names))
        performers = json.loads((folder / "performers.json").read_text())
        (folder / "performers.json").unlink()
        known = {id: each for id, each in performers.items() if id not in without}
        (folder / "performers.json").write_text(json.dumps(known))
        write_prepared(folder)
        serve_release(served, small_recognizer, version)

    yield serve
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _fresh_identities(monkeypatch):
    """Have each test find out, and write, who is who in a release."""
    monkeypatch.setattr(fingerprints, "_identities", WeakKeyDictionary())


def serve_release(world, recognizer, version):
    """Make the release the active one and the one that this process serves."""
    world.activate(version)
    release = world.release_of(version)
    loaded = load_recognizer(
        release, choose_execution_plan("cpu"), networks=recognizer.networks
    )
    registry.serve(registry.Serving(release, loaded))


def identify(client, scene_id=KNOWN_SCENE):
    response = post(client, "/identify/scene", scene_id=scene_id, num_frames=6)
    assert response.status_code == 200


def names_in(scene_id=KNOWN_SCENE):
    people = Fingerprint.objects.get(stash_id=scene_id).people.exclude(universal_id="")
    return {*people.values_list("universal_id", flat=True)}


def people(scene_id=KNOWN_SCENE):
    return [*Fingerprint.objects.get(stash_id=scene_id).people.all()]


def test_a_performer_who_lost_their_faces_is_seen_no_more(
    admin_client, stash, next_release
):
    identify(admin_client)
    cast = cast_of(stash.library, KNOWN_SCENE)
    assert names_in() == cast
    lost = min(cast)
    asked = len(stash.requests)
    next_release(lambda owner: None if owner == lost else owner)

    done = rematching.rematch_slice(seconds=5)

    assert (done.version, done.matched_count, done.left_count) == (NEXT, 1, 0)
    assert done.changed_count == 1
    assert names_in() == cast - {lost}
    kept = Fingerprint.objects.get()
    assert (kept.release_version, kept.state) == (NEXT, "complete")
    change = FingerprintChange.objects.get()
    assert (change.from_version, change.to_version) == (VERSION, NEXT)
    assert (change.gained, change.lost) == ([], [lost])
    assert len(stash.requests) == asked


def test_a_face_that_is_somebody_elses_now_names_them(
    admin_client, stash, next_release
):
    identify(admin_client)
    cast = cast_of(stash.library, KNOWN_SCENE)
    former = min(cast)
    performers = registry.recognizer().database.release
    other = next(
        performers.performer(row).universal_id
        for row in range(performers.performer_count)
        if performers.performer(row).universal_id not in cast
    )
    next_release(lambda owner: other if owner == former else owner)

    rematching.rematch_slice(seconds=5)

    assert names_in() == cast - {former} | {other}
    change = FingerprintChange.objects.get()
    assert (change.gained, change.lost) == ([other], [former])


def test_the_same_faces_in_another_release_change_nobody(
    admin_client, stash, served, small_recognizer
):
    identify(admin_client)
    before = people()
    serve_release(served, small_recognizer, TWIN_VERSION)

    assert rematching.rematch_slice(seconds=5).changed_count == 0

    for one, other in zip(before, people(), strict=True):
        assert one.faces == other.faces
        assert one.frame_count == other.frame_count
        assert [each["universal_id"] for each in one.candidates] == [
            each["universal_id"] for each in other.candidates
        ]
        # What was kept in half precision is matched a little differently.
        assert other.distance == pytest.approx(one.distance, abs=0.001)
    assert not FingerprintChange.objects.exists()


def test_images_are_matched_again_as_well(admin_client, stash, next_release):
    post(admin_client, "/identify/image", image_id="1")
    kept = Fingerprint.objects.get(kind="image")
    (named,) = kept.people.values_list("universal_id", flat=True)
    next_release(lambda owner: None if owner == named else owner)

    rematching.rematch_slice(seconds=5)

    assert named not in kept.people.values_list("universal_id", flat=True)


def test_galleries_are_matched_again_as_well(admin_client, stash, next_release):
    answer = post(admin_client, "/identify/gallery", gallery_id="1").json()
    kept = Fingerprint.objects.get(kind="gallery")
    named = {each["universal_id"] for each in answer["performers"]}
    assert names_in("1") == named
    lost = min(named)
    next_release(lambda owner: None if owner == lost else owner)

    rematching.rematch_slice(seconds=5)

    kept.refresh_from_db()
    assert kept.release_version == NEXT
    assert names_in("1") == named - {lost}


def test_a_release_that_is_not_active_is_matched_with_by_nobody(
    admin_client, stash, served
):
    """Another process of the service is behind; its results would go back."""
    identify(admin_client)
    served.activate(TWIN_VERSION)

    with pytest.raises(DatabaseUpdating, match=VERSION):
        rematching.rematch_slice(seconds=5)

    response = post(admin_client, "/recommendations/fingerprints/rematch", seconds=1)
    assert response.status_code == 503
    assert response.headers["Retry-After"]


def test_what_is_identified_meanwhile_is_not_written_over(
    admin_client, stash, next_release
):
    identify(admin_client)
    cast = cast_of(stash.library, KNOWN_SCENE)
    next_release(lambda owner: None if owner == min(cast) else owner)
    outdated = Fingerprint.objects.select_related("packed").get()

    seen_people: list[int] = []

    @contextmanager
    def identified_meanwhile():
        yield
        identify(admin_client)
        seen_people.extend(person.pk for person in people())

    seen_at = outdated.seen_at
    done = rematching.rematch(
        [outdated], registry.recognizer().database, turn=identified_meanwhile
    )

    kept = Fingerprint.objects.get()
    assert kept.seen_at != seen_at
    assert done.changed_count == 0
    assert names_in() == cast - {min(cast)}
    # The very rows that the identification wrote.
    assert [person.pk for person in people()] == seen_people
    assert not FingerprintChange.objects.exists()


def test_identities_that_are_missing_mean_that_all_is_looked_up(
    admin_client, stash, next_release, monkeypatch
):
    monkeypatch.setattr(rematching, "MIN_FOLLOWED_FACES", 1)
    identify(admin_client)
    cast = cast_of(stash.library, KNOWN_SCENE)
    fingerprints.identities_path(VERSION).unlink()
    # Kept before anything of it was: an empty list of near faces would find nobody.
    FingerprintFaces.objects.update(near=b"")
    next_release(lambda owner: None if owner == min(cast) else owner)

    rematching.rematch_slice(seconds=5)

    assert names_in() == cast - {min(cast)}


def test_a_release_is_followed_by_its_faces(
    admin_client, stash, next_release, monkeypatch
):
    monkeypatch.setattr(rematching, "MIN_FOLLOWED_FACES", 1)
    identify(admin_client)
    cast = cast_of(stash.library, KNOWN_SCENE)
    next_release(lambda owner: None if owner == min(cast) else owner)
    monkeypatch.setattr(rematching, "near_faces_of", _look_up_is_not_wanted)

    rematching.rematch_slice(seconds=5)

    assert names_in() == cast - {min(cast)}
    # Nobody needs to know any more who was who in the release before.
    assert not fingerprints.identities_path(VERSION).exists()
    assert fingerprints.identities_path(NEXT).exists()


def _look_up_is_not_wanted(*_args, **_kwargs):
    raise AssertionError("everything is looked up")


@pytest.mark.parametrize("damage", ["faces", "options", "row"])
def test_what_cannot_be_read_is_looked_at_again_and_the_rest_goes_on(
    admin_client, stash, next_release, damage
):
    identify(admin_client)
    identify(admin_client, "2")
    first = Fingerprint.objects.get(stash_id=KNOWN_SCENE)
    if damage == "faces":
        FingerprintFaces.objects.filter(pk=first.pk).update(faces=b"no faces")
    elif damage == "options":
        Fingerprint.objects.filter(pk=first.pk).update(options={"mode": "no mode"})
    else:
        FingerprintFaces.objects.filter(pk=first.pk).delete()
    next_release(lambda owner: owner)

    done = rematching.rematch_slice(seconds=5)

    first.refresh_from_db()
    assert (first.state, done.left_count) == ("pending", 0)
    assert first.error == rematching.UNREADABLE
    assert Fingerprint.objects.get(stash_id=2).release_version == NEXT


def test_what_other_networks_have_seen_is_left_to_be_looked_at(
    admin_client, stash, next_release
):
    identify(admin_client)
    Fingerprint.objects.update(network_set="others")
    next_release(lambda owner: None)

    done = rematching.rematch_slice(seconds=5)

    assert (done.matched_count, done.left_count) == (0, 0)
    assert names_in() == cast_of(stash.library, KNOWN_SCENE)


def test_a_slice_ends_when_its_time_does(admin_client, stash, next_release):
    identify(admin_client)
    identify(admin_client, "2")
    next_release(lambda owner: owner)

    first = rematching.rematch_slice(seconds=1e-6)

    assert (first.matched_count, first.left_count) == (1, 1)
    assert rematching.rematch_slice(seconds=5).left_count == 0


def test_a_scene_without_faces_is_of_the_new_release(admin_client, stash, next_release):
    identify(admin_client)
    FingerprintFaces.objects.update(
        faces=PackedFaces.pack([]).as_bytes(), near=b"", health=b""
    )
    next_release(lambda owner: owner)

    rematching.rematch_slice(seconds=5)

    assert Fingerprint.objects.get().release_version == NEXT


# As a run of the background


@pytest.fixture
def client(library, live_server, admin_client):  # noqa: F811
    return admin_client


def test_a_new_release_begins_a_run_that_matches_all_of_it(client, stash, next_release):
    identify(client)
    identify(client, "2")
    cast = cast_of(stash.library, KNOWN_SCENE)
    next_release(lambda owner: None if owner == min(cast) else owner)

    answers = release_activated.send_robust(
        sender=DatabaseRelease, release=active_release()
    )

    assert [answer for _, answer in answers if isinstance(answer, Exception)] == []
    run = LibraryRun.objects.get()
    assert (run.kind, run.asked_by) == ("rematch", "release")
    run = ended(run)
    assert run.state == LibraryRun.State.COMPLETE
    assert (run.total_count, run.done_count, run.changed_count) == (2, 2, 1)
    assert run.release_version == NEXT
    assert {each.release_version for each in Fingerprint.objects.all()} == {NEXT}


def test_where_all_is_of_the_release_no_run_begins(client, stash):
    identify(client)

    assert library_runs.rematch_if_outdated() is None
    assert not LibraryRun.objects.exists()


def test_a_run_waits_while_the_release_before_is_served(
    client, served, small_recognizer
):
    identify(client)
    served.activate(TWIN_VERSION)
    run = library_runs.rematch_if_outdated()
    assert run is not None
    with background():
        wait_until(lambda: LibraryRun.objects.exclude(waiting_for="").exists())
        serve_release(served, small_recognizer, TWIN_VERSION)

    run.refresh_from_db()
    assert (run.state, run.done_count) == (LibraryRun.State.COMPLETE, 1)
    assert Fingerprint.objects.get().release_version == TWIN_VERSION


def test_a_run_that_failed_is_not_begun_again_by_itself(client, served):
    identify(client)
    served.activate(TWIN_VERSION)
    run = library_runs.rematch_if_outdated()
    assert run is not None
    library_runs.end_run(run, LibraryRun.State.FAILED, error="for a test")

    assert library_runs.rematch_if_outdated() is None
    assert library_runs.rematch_library(asker=ASKER).is_in_progress


def test_pictures_are_asked_for_with_a_key(client, live_server, settings):
    settings.RECOGNITION_API_KEY = "x"

    run = ended(library_runs.rematch_library(asker=ASKER))

    assert run.state == LibraryRun.State.FAILED
    assert api_key() not in run.error
