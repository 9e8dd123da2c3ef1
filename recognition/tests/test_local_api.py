"""Local performers over REST and in the admin, and a process that watches."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from demo.embedding import NETWORK_SET_NAME
from recognition import local_faces
from recognition.models import LibraryRun, LocalFace, LocalPerformer
from recognition.tests.conftest import TWIN_VERSION
from recognition.tests.library_world import ended, work
from recognition.tests.local_world import add_performer, portrait, random_face, switch
from recognition.tests.test_library_runs import library  # noqa: F401
from stashsense.tests.signing import SigningClient
from stashsense.tests.waiting import wait_until

JSON = "application/json"
STATUS = "/identify/local"
PERFORMERS = "/identify/local/performers"
LIST = reverse("admin:recognition_localperformer_changelist")


@pytest.fixture
def on(library):  # noqa: F811
    switch(True)
    del library.library.performers["4"]
    library.anna = add_performer(library, "Anna Local", portrait(1))
    yield library
    switch(False)


@pytest.fixture
def learnt(on):
    tell(int(on.anna.id), "Anna Local", 1)
    return on.anna


def tell(stash_id, name, seed):
    local_faces.learn_person(
        stash_id,
        name,
        [random_face(seed)],
        network_set=NETWORK_SET_NAME,
        source="person",
        source_id=f"scene:{seed}:0",
    )


def test_a_sync_is_begun_followed_and_told_of(admin_client, on):
    before = admin_client.get(STATUS).json()
    assert (before["enabled"], before["last_sync"]) == (True, None)

    begun = admin_client.post(f"{STATUS}/sync")
    again = admin_client.post(f"{STATUS}/sync")
    work(tasks=1)

    assert (begun.status_code, again.status_code) == (200, 409)
    after = admin_client.get(STATUS).json()
    assert (after["performers"], after["performers_learnt"], after["faces"]) == (
        (1, 1, 1)
    )
    assert after["last_sync"]["status"] == "complete"
    assert (after["last_sync"]["total"], after["last_sync"]["learnt"]) == (5, 1)
    listed = admin_client.get(PERFORMERS).json()
    assert listed["total"] == 1
    assert listed["performers"][0]["universal_id"] == f"local:{on.anna.id}"
    assert listed["performers"][0]["face_count"] == 1


def test_a_sync_that_the_plugin_asked_for_says_so(on):
    assert SigningClient().post(f"{STATUS}/sync", {}, JSON).status_code == 200

    assert LibraryRun.objects.get().get_asked_by_display() == "Stash plugin"


def test_a_sync_is_stopped(admin_client, on):
    assert admin_client.post(f"{STATUS}/stop").status_code == 404
    admin_client.post(f"{STATUS}/sync")

    assert admin_client.post(f"{STATUS}/stop").status_code == 200

    run = ended(LibraryRun.objects.get(kind="local"))
    assert run.state == "cancelled"
    assert not LocalPerformer.objects.exists()


def test_nothing_is_begun_or_learnt_while_it_is_off(admin_client, library):  # noqa: F811
    refused = admin_client.post(f"{STATUS}/sync")
    learning = admin_client.post(f"{PERFORMERS}/1/learn")

    for response in (refused, learning):
        assert response.status_code == 409
        assert response.json()["code"] == "local_performers_disabled"
    assert admin_client.get(STATUS).json()["enabled"] is False


def test_somebody_is_forgotten_and_learnt_again(admin_client, learnt):
    one = f"{PERFORMERS}/{learnt.id}"

    assert admin_client.delete(one).status_code == 200

    assert not LocalFace.objects.exists()
    assert admin_client.get(PERFORMERS).json()["performers"][0]["state"] == "left_out"
    assert admin_client.post(f"{one}/learn").json()["face_count"] == 0
    admin_client.post(f"{one}/refresh")
    assert admin_client.post(f"{one}/learn").json()["face_count"] == 1
    for method, path in (("delete", "999"), ("post", "999/refresh")):
        response = getattr(admin_client, method)(f"{PERFORMERS}/{path}")
        assert response.status_code == 404


def test_why_a_picture_did_not_do_is_told(admin_client, on):
    on.anna.picture = b"no picture"

    answer = admin_client.post(f"{PERFORMERS}/{on.anna.id}/learn").json()

    assert answer["face_count"] == 0
    assert "not a readable" in answer["passed_over"][0]
    assert admin_client.post(f"{PERFORMERS}/999/learn").status_code == 404


def test_looking_takes_no_permission_and_changing_does(client, django_user_model, on):
    staff = django_user_model.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    tell(int(on.anna.id), "Anna Local", 1)

    assert client.get(STATUS).status_code == 200
    assert client.get(PERFORMERS).status_code == 200
    assert client.post(f"{STATUS}/sync").status_code == 403
    assert client.delete(f"{PERFORMERS}/{on.anna.id}").status_code == 403

    staff.user_permissions.add(Permission.objects.get(codename="operate_library"))
    assert client.post(f"{STATUS}/sync").status_code == 200
    assert client.delete(f"{PERFORMERS}/{on.anna.id}").status_code == 200


def test_the_admin_lists_them_forgets_and_begins_a_sync(admin_client, learnt):
    page = admin_client.get(LIST).content.decode()
    assert "Anna Local" in page
    assert reverse("admin:recognition_library_begin", args=["local"]) in page

    row = LocalPerformer.objects.get()
    chosen = {"_selected_action": row.pk}
    admin_client.post(LIST, {"action": "forget_action", **chosen})
    row.refresh_from_db()
    assert row.state == LocalPerformer.State.LEFT_OUT
    assert not LocalFace.objects.exists()

    admin_client.post(LIST, {"action": "learn_again_action", **chosen})
    row.refresh_from_db()
    assert row.state == LocalPerformer.State.NO_FACES

    admin_client.post(reverse("admin:recognition_library_begin", args=["local"]))
    assert LibraryRun.objects.filter(kind="local", asked_by="admin").count() == 1
    change = reverse("admin:recognition_localperformer_change", args=[row.pk])
    assert admin_client.get(change).status_code == 200


def test_a_process_that_watches_follows_each_change_and_each_release(
    watching, small_world
):
    """Nobody tells it: as of a change that another process made."""
    switch(True)
    small_world.activate()

    def local_count():
        serving = watching.state().serving
        if serving is None:
            return None
        database = serving.recognizer.database
        return len(database.facenet) - len(database.plain.facenet)

    wait_until(lambda: local_count() == 0)
    for number in range(1, 4):
        tell(number, f"Local {number}", number)
        wait_until(lambda number=number: local_count() == number)

    small_world.activate(TWIN_VERSION)
    wait_until(lambda: watching.state().serving.release.version == TWIN_VERSION)
    assert local_count() == 3

    local_faces.forget_performers([2])
    wait_until(lambda: local_count() == 2)
    switch(False)
    wait_until(lambda: local_count() == 0)
