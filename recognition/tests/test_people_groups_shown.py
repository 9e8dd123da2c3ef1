"""Unknown people shown: their pictures, and the pages of the admin about them."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django_q.models import OrmQ
from PIL import Image

from recognition import people_crops
from recognition.models import Fingerprint, GroupDecision, GroupMember
from recognition.tests.groups_world import (
    ANNA,
    BEN,
    CLEO,
    UNKNOWN,
    fill_library,
    get,
)
from recognition.tests.people_world import (
    group_of,
    grouped,
    groups,
    look_at,
    member,
)
from recognition.tests.stash_world import MIXED_SCENE, post


@pytest.fixture
def library(db):
    """Anna is in three scenes, Ben in two and Cleo in one."""
    fill_library()


# Pictures


@pytest.fixture
def strangers(admin_client, stash):
    """Whoever is unknown in what the demo world's people are seen in."""
    post(admin_client, "/identify/scene", scene_id=MIXED_SCENE, num_frames=6)
    for image_id in stash.library.images:
        post(admin_client, "/identify/image", image_id=image_id)
    grouped()


def seen_best(found, **facts):
    """Have the member's best face be elsewhere."""
    found.best = {**found.best, **facts}
    found.save()


def picture_of(client, group, **query):
    response = client.get(
        f"{UNKNOWN}/{group.pk}/crop", query, headers={"Accept": "image/png"}
    )
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(response.content))
    picture.load()
    return picture


def test_the_demo_worlds_stranger_is_grouped_and_shown(admin_client, stash, strangers):
    found = GroupMember.objects.filter(fingerprint__kind="scene").first()
    assert found is not None

    picture = picture_of(admin_client, found.group, member=found.pk)

    assert max(picture.size) <= people_crops.MAX_CROP_SIDE_PX
    assert min(picture.size) > 20
    # Once cut out it needs no Stash.
    asked = len(stash.requests)
    picture_of(admin_client, found.group, member=found.pk)
    assert len(stash.requests) == asked


def test_a_face_is_cut_out_of_an_image(admin_client, stash, strangers):
    found = GroupMember.objects.filter(fingerprint__kind="image").first()
    assert found is not None

    assert min(picture_of(admin_client, found.group).size) > 20


@pytest.mark.parametrize("source", ["stream", "sprites", "cover"])
def test_a_face_of_a_scene_is_cut_out_of_where_it_was_seen(admin_client, stash, source):
    look_at(1, ANNA)
    grouped()
    found = member(1)
    if source == "cover":
        seen_best(found, frame=-1, seconds=None)
    else:
        Fingerprint.objects.update(source=source)

    assert min(picture_of(admin_client, group_of(1)).size) > 5


def test_what_cannot_be_cut_out_is_told(admin_client, stash):
    look_at(1, ANNA)
    look_at(987654, BEN)
    look_at(1, CLEO, kind="image")
    grouped()
    cleo = GroupMember.objects.get(fingerprint__kind="image")
    seen_best(cleo, box=[99_000, 99_000, 50, 50])

    assert get(admin_client, f"/{group_of(987654).pk}/crop").status_code == 404
    answer = get(admin_client, f"/{cleo.group_id}/crop")
    assert (answer.status_code, answer.json()["code"]) == (404, "crop_unavailable")
    assert get(admin_client, f"/{cleo.group_id}/crop", member="x").status_code == 422
    other = get(admin_client, f"/{cleo.group_id}/crop", member=987654)
    assert other.status_code == 404


def test_without_stash_a_picture_is_answered_with_the_reason(
    admin_client, library, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    settings.STASH_URL = "http://127.0.0.1:9"

    response = get(admin_client, f"/{group_of(3).pk}/crop")

    assert response.status_code == 503
    assert response.json()["code"] == "stash_unreachable"


def test_pictures_that_nobody_looked_at_make_room(
    admin_client, stash, settings, tmp_path, monkeypatch
):
    settings.DATA_DIR = tmp_path
    for stash_id in (1, 2):
        look_at(stash_id, stash_id)
    grouped()
    crops = tmp_path / "crops"
    picture_of(admin_client, group_of(1))
    (first,) = crops.iterdir()
    picture_of(admin_client, group_of(2))
    (second,) = {*crops.iterdir()} - {first}
    room = max(each.stat().st_size for each in (first, second))
    monkeypatch.setattr(people_crops, "MAX_CROPS_BYTES", room)
    second.unlink()

    picture_of(admin_client, group_of(2))

    assert [*crops.iterdir()] == [second]


# In the admin

LIST = "admin:recognition_peoplegroup_changelist"


def page_of(group):
    return reverse("admin:recognition_peoplegroup_change", args=[group.pk])


def press(client, group, verb, **data):
    where = reverse("admin:recognition_unknown_do", args=[group.pk, verb])
    return client.post(where, data, follow=True)


def test_recurrent_people_are_shown_with_their_pictures(admin_client, library):
    shown = admin_client.get(reverse(LIST))

    assert [row.pk for row in shown.context["cl"].result_list] == [
        group_of(3).pk,
        group_of(4).pk,
    ]
    assert f'src="{UNKNOWN}/{group_of(3).pk}/crop"' in shown.content.decode()
    single = admin_client.get(reverse(LIST), {"shown": "single"})
    assert [row.pk for row in single.context["cl"].result_list] == [group_of(2).pk]
    page = admin_client.get(page_of(group_of(3))).content.decode()
    assert f"crop?member={member(3).pk}" in page
    assert "scene 3" in page


def test_a_name_is_given_in_the_admin_and_shown_as_text(admin_client, library):
    group = group_of(3)

    shown = press(admin_client, group, "name", name="<b>Anna</b>")

    assert "<b>Anna" not in shown.content.decode()
    assert "&lt;b&gt;Anna" in shown.content.decode()
    group.refresh_from_db()
    assert (group.state, group.name) == ("named", "<b>Anna</b>")
    named = admin_client.get(reverse(LIST), {"shown": "named"})
    assert [row.pk for row in named.context["cl"].result_list] == [group.pk]

    press(admin_client, group, "undo")

    group.refresh_from_db()
    assert group.state == "open"


def test_people_are_split_and_ignored_in_the_admin(admin_client, library):
    group = group_of(3)

    press(admin_client, group, "split", member_ids=[member(3).pk])
    press(admin_client, group, "ignore")

    assert group_of(3) != group
    group.refresh_from_db()
    assert group.state == "ignored"


def test_groups_are_merged_in_the_admin(admin_client, library):
    anna, ben = group_of(3), group_of(4)

    admin_client.post(
        reverse(LIST),
        {"action": "merge_action", "_selected_action": [ben.pk, anna.pk]},
    )

    assert group_of(4) == anna


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("name", {}),
        ("name", {"local_performer_id": "x"}),
        ("split", {}),
        ("split", {"member_ids": ["x"]}),
        ("undo", {}),
        ("dance", {}),
    ],
)
def test_what_makes_no_sense_is_told_in_the_admin(admin_client, library, verb, data):
    before = groups()

    shown = press(admin_client, group_of(3), verb, **data)

    assert shown.status_code == 200
    assert b"errorlist" in shown.content or b"error" in shown.content
    assert groups() == before
    assert not GroupDecision.objects.exists()


def test_one_group_is_merged_with_nobody_in_the_admin(admin_client, library):
    shown = admin_client.post(
        reverse(LIST),
        {"action": "merge_action", "_selected_action": [group_of(3).pk]},
        follow=True,
    )

    assert b"merged with other groups alone" in shown.content


def test_readers_of_the_admin_see_unknown_people_and_decide_nothing(client, library):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(
        Permission.objects.get(codename="view_peoplegroup"),
    )
    client.force_login(reader)

    page = client.get(page_of(group_of(3)))

    assert page.status_code == 200
    assert b"name-form" not in page.content
    assert press(client, group_of(3), "ignore").status_code == 403
    regroup = reverse("admin:recognition_unknown_regroup")
    assert client.post(regroup).status_code == 403
    assert not OrmQ.objects.exists()


def test_a_grouping_anew_is_asked_for_in_the_admin(admin_client, admin_user, library):
    admin_client.post(reverse("admin:recognition_unknown_regroup"))

    assert OrmQ.objects.get().task["func"] == "recognition.tasks.regroup_people"
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (admin_user, "all unknown people")
    assert entry.get_change_message() == "To be grouped anew."
    # Under "Recent actions".
    assert "all unknown people" in admin_client.get("/admin/").content.decode()
