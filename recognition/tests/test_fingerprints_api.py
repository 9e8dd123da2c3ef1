"""What is kept of the library over REST, in the admin and in the shell."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

from recognition import attempts, library_runs
from recognition.management import library_terminal
from recognition.models import (
    Fingerprint,
    FingerprintChange,
    IdentificationJob,
    LibraryRun,
)
from recognition.tests.library_world import ASKER, ask, ended
from recognition.tests.stash_world import KNOWN_SCENE, cast_of, post
from recognition.tests.test_library_runs import library  # noqa: F401

NEW_VERSION = "2031.01.01"
FINGERPRINTS = "/recommendations/fingerprints"
IDLE = {
    "status": "idle",
    "total_scenes": 0,
    "processed_scenes": 0,
    "successful": 0,
    "failed": 0,
    "skipped": 0,
    "progress_pct": 0,
    "current_scene_id": None,
    "current_scene_title": None,
    "error_message": None,
    "message": None,
}


def get(client, path, **query):
    return client.get(f"{FINGERPRINTS}/{path}", query)


def tell(client, path, body=None, **query):
    return client.post(
        f"{FINGERPRINTS}/{path}",
        # Django's client would send {} for nothing.
        "" if body is None else body,
        content_type="application/json",
        query_params=query,
    )


def scene(stash_id, **facts):
    return Fingerprint.objects.create(
        **{"kind": "scene", "stash_id": stash_id, "state": "complete"} | facts
    )


def park(stash_id, reason="It cannot be read."):
    for _ in range(Fingerprint.MAX_ATTEMPTS):
        attempts.begin_attempt(Fingerprint.Kind.SCENE, stash_id)
        attempts.note_failure(Fingerprint.Kind.SCENE, stash_id, reason)


def test_an_empty_library_has_nothing_kept(admin_client):
    assert get(admin_client, "status").json() == {
        "total_fingerprints": 0,
        "complete_fingerprints": 0,
        "pending_fingerprints": 0,
        "error_fingerprints": 0,
        "parked_fingerprints": 0,
        "current_db_version": None,
        "current_version_count": 0,
        "needs_refresh_count": 0,
        "enqueued_scenes": 0,
        "generation_running": False,
        "generation_progress": None,
    }
    assert get(admin_client, "progress").json() == IDLE
    assert tell(admin_client, "stop").status_code == 404


def test_what_is_kept_is_counted(admin_client, served):
    active = {"release_version": "2026.03.01", "network_set": "demo-1"}
    scene(1, **active)
    scene(2, **active | {"release_version": "2025.01.01"})
    scene(3, **active | {"network_set": "others"})
    scene(4, **active | {"state": "pending"})
    park(5)

    answer = get(admin_client, "status").json()

    assert answer["total_fingerprints"] == 5
    assert answer["complete_fingerprints"] == 3
    assert answer["pending_fingerprints"] == answer["error_fingerprints"] == 1
    assert answer["parked_fingerprints"] == 1
    assert answer["current_version_count"] == 1
    assert answer["needs_refresh_count"] == 3


def test_a_run_is_begun_followed_and_stopped(admin_client, stash, admin_user):
    response = tell(admin_client, "generate", {"num_frames": 2, "max_distance": 0.3})

    run = LibraryRun.objects.get()
    assert response.json()["job_id"] == run.pk
    assert (run.asked_by, run.user) == ("api", admin_user)
    assert run.options == {
        "refresh_outdated": True,
        "num_frames": 2,
        "min_face_size": 40,
        "max_distance": 0.3,
    }
    assert tell(admin_client, "generate").status_code == 409
    status = get(admin_client, "status").json()
    assert status["generation_running"] is True
    assert status["generation_progress"]["status"] == "queued"

    assert tell(admin_client, "stop").status_code == 200

    assert get(admin_client, "progress").json()["status"] == "cancelled"
    assert tell(admin_client, "stop").status_code == 404


@pytest.mark.parametrize("body", [None, {}])
def test_every_field_of_a_run_may_be_left_out(admin_client, stash, body):
    assert tell(admin_client, "generate", body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"num_frames": 0},
        {"num_frames": "many"},
        {"min_face_size": 10_000},
        {"max_distance": "nan"},
        {"refresh_outdated": "perhaps"},
        [],
    ],
)
def test_a_wrong_field_begins_nothing(admin_client, stash, body):
    response = tell(admin_client, "generate", body)

    assert response.status_code == (200 if body == [] else 422)
    assert LibraryRun.objects.exists() == (body == [])


def test_without_a_stash_nothing_is_begun(admin_client, settings):
    settings.STASH_URL = ""

    response = tell(admin_client, "generate")

    assert (response.status_code, response.json()["code"]) == (
        400,
        "stash_not_configured",
    )
    assert not LibraryRun.objects.exists()


def test_scenes_are_marked_to_be_looked_at_again(admin_client):
    for stash_id in (1, 2):
        scene(stash_id)
    park(3)

    response = tell(admin_client, "refresh", [1, 3, 99])

    assert response.json() == {"marked_for_refresh": 2, "scene_ids": [1, 3, 99]}
    assert Fingerprint.objects.get(stash_id=1).state == "pending"
    assert Fingerprint.objects.get(stash_id=2).state == "complete"
    assert not Fingerprint.objects.get(stash_id=3).is_parked


def test_more_ids_than_a_query_takes_are_marked(admin_client):
    scene(33_000)

    response = tell(admin_client, "refresh", [*range(1, 40_000)])

    assert response.json()["marked_for_refresh"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        (["x"], 422),
        ([1.5], 422),
        ([None], 422),
        ([0], 422),
        ([10**30], 422),
        ({}, 422),
        ({"scene_ids": [1]}, 422),
        ("1", 422),
    ],
)
def test_what_are_no_ids_marks_nothing(admin_client, body, status):
    scene(1)

    assert tell(admin_client, "refresh", body).status_code == status
    assert Fingerprint.objects.get().state == "complete"


def test_all_are_marked_only_when_that_is_meant(admin_client):
    scene(1)

    assert tell(admin_client, "refresh-all").status_code == 400
    assert Fingerprint.objects.get().state == "complete"

    assert tell(admin_client, "refresh-all", confirm="true").status_code == 200
    assert Fingerprint.objects.get().state == "pending"


def test_parked_scenes_are_listed_with_their_reasons(admin_client):
    scene(1)
    park(2, "The first reason.")
    park(3, "The last reason.")

    answer = get(admin_client, "parked").json()

    assert answer["total"] == 2
    assert [(each["stash_id"], each["reason"]) for each in answer["parked"]] == [
        ("3", "The last reason."),
        ("2", "The first reason."),
    ]
    page = get(admin_client, "parked", limit=1, offset=1).json()
    assert [each["stash_id"] for each in page["parked"]] == ["2"]
    assert get(admin_client, "parked", limit=0).status_code == 422
    assert get(admin_client, "parked", offset=-1).status_code == 422


def test_changes_are_listed_by_release(admin_client):
    kept = scene(7)
    for version in ("2026.02.01", "2026.03.01"):
        FingerprintChange.objects.create(
            fingerprint=kept,
            from_version="2026.01.01",
            to_version=version,
            gained=["stashdb.org:a"],
        )

    answer = get(admin_client, "changes").json()
    one = get(admin_client, "changes", version="2026.02.01").json()

    assert [each["to_version"] for each in answer["changes"]] == [
        "2026.03.01",
        "2026.02.01",
    ]
    assert (one["total"], one["changes"][0]["stash_id"]) == (1, "7")


def test_the_people_of_a_scene_are_told_with_where_they_were_seen(admin_client, stash):
    post(admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6)

    answer = get(admin_client, f"scene/{KNOWN_SCENE}").json()

    named = {
        person["best_match"]["universal_id"]
        for person in answer["persons"]
        if person["best_match"]
    }
    assert named == cast_of(stash.library, KNOWN_SCENE)
    for person in answer["persons"]:
        assert len({face["frame"] for face in person["faces"]}) == person["frame_count"]
        for face in person["faces"]:
            assert (face["timestamp"] is None) == (face["frame"] == -1)
    assert answer["database_version"] == "2026.03.01"


def test_the_people_of_an_image_are_told(admin_client, stash):
    post(admin_client, "/identify/image", image_id="1")

    answer = get(admin_client, "image/1").json()

    assert [len(person["faces"]) for person in answer["persons"]] == [1]


def test_the_people_of_a_gallery_are_told_with_the_images_they_are_on(
    admin_client, stash
):
    told = post(admin_client, "/identify/gallery", gallery_id="1").json()
    assert (told["fingerprint_saved"], told["fingerprint_error"]) == (True, None)

    answer = get(admin_client, "gallery/1").json()

    assert len(answer["image_ids"]) == told["total_images"]
    named = {
        person["best_match"]["universal_id"]: sorted(
            {answer["image_ids"][face["frame"]] for face in person["faces"]}, key=int
        )
        for person in answer["persons"]
        if person["best_match"]
    }
    assert named == {
        one["universal_id"]: one["image_ids"] for one in told["performers"]
    }


def test_a_gallery_that_lost_images_is_kept_as_it_is_now(admin_client, stash):
    post(admin_client, "/identify/gallery", gallery_id="1")
    before = get(admin_client, "gallery/1").json()
    gone = before["image_ids"][0]
    stash.library.images[gone].gallery_ids = []

    post(admin_client, "/identify/gallery", gallery_id="1")

    assert get(admin_client, "gallery/1").json()["image_ids"] == before["image_ids"][1:]


def test_a_gallery_with_images_that_cannot_be_had_does_not_replace_a_whole_one(
    admin_client, stash
):
    post(admin_client, "/identify/gallery", gallery_id="1")
    before = get(admin_client, "gallery/1").json()
    image = stash.library.images[before["image_ids"][0]]
    stash.library.files[image.file_ids[0]].name = "gone.jpg"

    answer = post(admin_client, "/identify/gallery", gallery_id="1").json()

    assert answer["fingerprint_saved"] is False
    assert get(admin_client, "gallery/1").json() == before


def test_what_is_not_kept_is_not_found(admin_client):
    park(5)

    for path in ("scene/1", "image/1", "gallery/1", "scene/5", f"scene/{10**30}"):
        response = get(admin_client, path)
        assert (response.status_code, response.json()["code"]) == (
            404,
            "fingerprint_not_found",
        )
    assert get(admin_client, "scene/x").status_code == 404


@pytest.mark.parametrize(
    "path", ["generate", "stop", "refresh", "refresh-all", "rematch-library", "rematch"]
)
def test_staff_who_may_not_operate_change_nothing(client, db, path):
    client.force_login(User.objects.create_user("reader", is_staff=True))

    assert tell(client, path).status_code == 403
    assert get(client, "status").status_code == 200


def test_nobody_is_told_anything_without_a_key(client, db):
    assert get(client, "status").status_code == 401
    assert tell(client, "generate").status_code == 401


# In the admin


def test_a_run_is_begun_and_stopped_in_the_admin(admin_client, stash, admin_user):
    listed = admin_client.get(reverse("admin:recognition_libraryrun_changelist"))
    assert b"Identify every scene" in listed.content
    assert not LibraryRun.objects.exists()

    admin_client.post(reverse("admin:recognition_library_begin", args=["identify"]))
    run = LibraryRun.objects.get()
    assert (run.asked_by, run.user) == ("admin", admin_user)
    page = reverse("admin:recognition_libraryrun_change", args=[run.pk])
    shown = admin_client.get(page)
    assert b"Stop this run" in shown.content
    assert shown.headers["Refresh"]

    admin_client.post(reverse("admin:recognition_library_stop", args=[run.pk]))

    run.refresh_from_db()
    assert run.state == "cancelled"
    shown = admin_client.get(page)
    assert b"Stop this run" not in shown.content
    assert "Refresh" not in shown.headers
    log = LogEntry.objects.filter(user=admin_user)
    assert {each.get_change_message() for each in log} == {"Asked for.", "Stopped."}


def test_a_second_run_is_refused_in_the_admin_with_the_reason(admin_client, stash):
    begin = reverse("admin:recognition_library_begin", args=["rematch"])
    admin_client.post(begin)

    shown = admin_client.post(begin, follow=True)

    assert b"being gone through already" in shown.content
    assert LibraryRun.objects.count() == 1


def test_parked_scenes_are_tried_again_from_the_admin(admin_client, admin_user):
    park(5, "The reason is told.")
    page = reverse("admin:recognition_fingerprint_changelist")
    scene(6)
    shown = admin_client.get(page, {"parked": "yes"})
    assert b"The reason is told." in shown.content
    assert shown.context["cl"].result_count == 1

    admin_client.post(
        page,
        {
            "action": "look_again_action",
            "_selected_action": [Fingerprint.objects.get(stash_id=5).pk],
        },
    )

    assert not Fingerprint.objects.parked().exists()
    assert LogEntry.objects.get(user=admin_user).object_repr == "scene 5"


def test_people_and_changes_are_shown(admin_client, stash):
    post(admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=4)
    kept = Fingerprint.objects.get()
    person = kept.people.exclude(universal_id="")[0]
    kept.changes.create(from_version="2026.03.01", to_version=NEW_VERSION)

    listed = admin_client.get(reverse("admin:recognition_fingerprint_changelist"))
    shown = admin_client.get(
        reverse("admin:recognition_fingerprint_change", args=[kept.pk])
    )

    assert person.name in listed.content.decode()
    assert person.universal_id in shown.content.decode()
    assert NEW_VERSION in shown.content.decode()


def test_jobs_are_shown(admin_client):
    job = IdentificationJob.objects.create(stash_id="7", host="here", pid=1)

    listed = admin_client.get(reverse("admin:recognition_identificationjob_changelist"))
    shown = admin_client.get(
        reverse("admin:recognition_identificationjob_change", args=[job.pk])
    )

    assert job.job_id in shown.content.decode()
    assert listed.context["cl"].result_count == 1


def test_readers_of_the_admin_may_look_and_not_operate(client, db):
    from django.contrib.auth.models import Permission

    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_libraryrun",))
    )
    client.force_login(reader)

    listed = client.get(reverse("admin:recognition_libraryrun_changelist"))
    begun = client.post(reverse("admin:recognition_library_begin", args=["rematch"]))

    assert listed.status_code == 200
    assert b"Identify every scene" not in listed.content
    assert begun.status_code == 403
    assert not LibraryRun.objects.exists()


# In the shell


def test_the_command_works_at_a_run_that_no_background_takes(
    library,  # noqa: F811
    monkeypatch,
    capsys,
):
    monkeypatch.setattr(library_terminal, "PATIENCE_SECONDS", 0)

    call_command("identify_library", "--wait")

    assert "2 of 2: 2 succeeded, 0 failed" in capsys.readouterr().out
    assert Fingerprint.objects.scenes().complete().count() == 2


def test_the_command_stops_a_run(stash, capsys):
    run = ask()

    call_command("identify_library", "--stop")

    run.refresh_from_db()
    assert run.state == "cancelled"
    with pytest.raises(CommandError, match="not being gone through"):
        call_command("identify_library", "--stop")


def test_the_command_matches_all_again(library, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(library_terminal, "PATIENCE_SECONDS", 0)

    call_command("rematch_library", "--wait")

    assert LibraryRun.objects.get().state == "complete"
    library_runs.rematch_library(asker=ASKER)
    with pytest.raises(CommandError, match="already"):
        call_command("rematch_library")


def test_the_command_fails_with_the_reason(library, settings, monkeypatch):  # noqa: F811
    monkeypatch.setattr(library_terminal, "PATIENCE_SECONDS", 0)
    settings.RECOGNITION_API_KEY = "x"

    with pytest.raises(CommandError, match="key is wrong"):
        call_command("identify_library", "--wait")

    assert ended(LibraryRun.objects.get()).state == "failed"
