"""The owner's corrections in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from recognition.models import Correction, Fingerprint
from recognition.tests.test_corrections_api import scene  # noqa: F401

LIST = "admin:recognition_correction_changelist"


@pytest.fixture
def fingerprint(scene):  # noqa: F811
    return Fingerprint.objects.get()


def page_of(fingerprint):
    return reverse("admin:recognition_fingerprint_change", args=[fingerprint.pk])


def tell(client, fingerprint, number=0, **said):
    person = fingerprint.people.get(number=number)
    path = reverse("admin:recognition_correct", args=[fingerprint.pk, person.pk])
    return client.post(path, said, follow=True)


def test_a_person_is_corrected_on_the_page_of_the_scene(
    admin_client, admin_user, fingerprint
):
    person = fingerprint.people.get(number=0)
    shown = admin_client.get(page_of(fingerprint)).content.decode()
    assert f"Not {person.name}" in shown
    assert "Nobody has corrected anything here." in shown

    answer = tell(
        admin_client, fingerprint, verdict="reject", universal_id=person.universal_id
    )

    (correction,) = Correction.objects.all()
    assert (correction.verdict, correction.made_by) == ("reject", "admin")
    assert correction.name in answer.content.decode()
    assert not fingerprint.people.filter(universal_id=person.universal_id).exists()
    assert LogEntry.objects.filter(user=admin_user).exists()


def test_a_person_is_named_and_ignored_and_that_undone_by_one_click(
    admin_client, fingerprint
):
    name = fingerprint.people.get(number=1).universal_id
    tell(admin_client, fingerprint, verdict="name", universal_id=name)
    assert fingerprint.people.filter(universal_id=name).count() == 1
    tell(admin_client, fingerprint, verdict="ignore")
    latest = Correction.objects.first()
    assert latest is not None

    path = reverse("admin:recognition_undo", args=[fingerprint.pk, latest.pk])
    shown = admin_client.post(path, follow=True).content.decode()
    again = admin_client.post(path, follow=True).content.decode()

    latest.refresh_from_db()
    assert latest.undone_by == "admin"
    assert "Undone: " in shown
    assert "was undone before" in again
    assert not fingerprint.people.filter(decision="ignored").exists()


def test_corrections_are_listed_and_undone_as_rows(admin_client, fingerprint):
    tell(admin_client, fingerprint, verdict="ignore")
    (correction,) = Correction.objects.all()
    assert b"nobody I want to know" in admin_client.get(reverse(LIST)).content

    admin_client.post(
        reverse(LIST), {"action": "undo_action", "_selected_action": [correction.pk]}
    )

    correction.refresh_from_db()
    assert not correction.is_active
    page = reverse("admin:recognition_correction_change", args=[correction.pk])
    assert admin_client.get(page).status_code == 200


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"verdict": "name"}, "Say who it is"),
        ({"verdict": "name", "local_performer_id": "x"}, "Say who it is"),
        ({"verdict": "name", "universal_id": "stashdb.org:0"}, "has a performer"),
        ({"verdict": "reject", "universal_id": ""}, "No release has a performer"),
        ({"verdict": "perhaps"}, "no verdict"),
    ],
)
def test_what_means_nobody_is_refused_with_the_reason(
    admin_client, fingerprint, said, told
):
    shown = tell(admin_client, fingerprint, **said)

    assert told in shown.content.decode()
    assert not Correction.objects.exists()


def test_a_page_of_former_people_corrects_nobody(admin_client, fingerprint):
    person = fingerprint.people.get(number=0)
    path = reverse("admin:recognition_correct", args=[fingerprint.pk, person.pk])
    person.delete()

    shown = admin_client.post(path, {"verdict": "ignore"}, follow=True)

    assert b"have been made anew" in shown.content
    assert not Correction.objects.exists()


def test_readers_see_corrections_and_make_none(client, fingerprint):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_fingerprint", "view_correction"))
    )
    client.force_login(reader)

    shown = client.get(page_of(fingerprint)).content.decode()

    assert "Nobody has corrected anything here." in shown
    assert "Correct the people" not in shown
    assert tell(client, fingerprint, verdict="ignore").status_code == 403
    assert client.get(reverse(LIST)).status_code == 200
    assert not Correction.objects.exists()


def test_nothing_is_said_by_following_a_link(admin_client, fingerprint):
    person = fingerprint.people.get(number=0)
    path = reverse("admin:recognition_correct", args=[fingerprint.pk, person.pk])

    assert admin_client.get(path, {"verdict": "ignore"}).status_code == 405
    assert not Correction.objects.exists()
