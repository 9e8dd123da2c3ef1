"""Unknown people over REST: listed, looked at, named, merged, split, ignored."""

import io

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django_q.models import OrmQ
from PIL import Image

from recognition import people_crops
from recognition.models import Fingerprint, GroupDecision, GroupMember
from recognition.tests.people_world import (
    group_of,
    grouped,
    groups,
    look_at,
    match_again,
    member,
)
from recognition.tests.stash_world import MIXED_SCENE, post
from recognition.tests.test_corrections_api import anybody_else, released

ANNA, BEN, CLEO = range(3)
UNKNOWN = "/identify/unknown"


@pytest.fixture
def library(db):
    """Anna is in three scenes, Ben in two and Cleo in one."""
    look_at(1, ANNA, BEN)
    look_at(2, CLEO, ANNA)
    look_at(3, ANNA)
    look_at(4, BEN)
    grouped()


def get(client, path="", **query):
    return client.get(f"{UNKNOWN}{path}", query)


def tell(client, group, verb, **body):
    return post(client, f"{UNKNOWN}/{group.pk}/{verb}", **body)


def listed(client, **query):
    return [group["group_id"] for group in get(client, **query).json()["groups"]]


def test_an_empty_library_has_no_unknown_people(admin_client):
    assert get(admin_client).json() == {
        "total": 0,
        "waiting_people": 0,
        "groups": [],
    }


def test_recurrent_people_are_listed_those_in_most_media_first(admin_client, library):
    answer = get(admin_client).json()

    assert answer["total"] == 2
    assert answer["groups"] == [
        {
            "group_id": group_of(each).pk,
            "state": "open",
            "name": "",
            "universal_id": None,
            "local_performer_id": None,
            "media_count": count,
            "member_count": count,
            "crop_url": f"{UNKNOWN}/{group_of(each).pk}/crop",
        }
        for each, count in ((3, 3), (4, 2))
    ]
    assert len(listed(admin_client, include_single="true")) == 3
    assert listed(admin_client, limit=1, offset=1) == [group_of(4).pk]
    assert get(admin_client, limit=0).status_code == 422
    assert get(admin_client, state="lost").status_code == 422


def test_who_waits_to_be_grouped_is_counted(admin_client):
    look_at(1, ANNA, BEN)

    assert get(admin_client).json()["waiting_people"] == 2


def test_a_group_tells_where_its_people_are(admin_client, library):
    answer = get(admin_client, f"/{group_of(3).pk}").json()

    assert answer["media_count"] == 3
    assert {each["stash_id"] for each in answer["members"]} == {"1", "2", "3"}
    found = answer["members"][0]
    assert found["kind"] == "scene"
    assert found["decision"] == "unknown"
    assert found["face_count"] == 3
    assert found["timestamps"] == [0.5, 1.5, 2.5]
    assert found["best_face"]["box"] == {"x": 200, "y": 100, "width": 80, "height": 100}
    assert found["crop_url"].endswith(f"?member={found['member_id']}")
    page = get(admin_client, f"/{group_of(3).pk}", limit=1, offset=2).json()
    assert [each["member_id"] for each in page["members"]] == [
        answer["members"][2]["member_id"]
    ]


@pytest.mark.parametrize("verb", ["", "/crop"])
def test_a_group_that_is_not_there_is_not_found(admin_client, library, verb):
    response = get(admin_client, f"/987654{verb}")

    assert response.status_code == 404
    assert response.json()["code"] == "people_group_not_found"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("name", {"name": "Anna"}),
        ("merge", {"group_ids": [1]}),
        ("split", {"member_ids": [1]}),
        ("ignore", {}),
        ("undo", {}),
    ],
)
def test_a_group_that_vanished_is_decided_about_by_nobody(
    admin_client, library, verb, body
):
    group = group_of(4)
    Fingerprint.objects.filter(stash_id__in=(1, 4)).delete()
    group.delete()
    group.pk = 987654

    assert tell(admin_client, group, verb, **body).status_code == 404
    assert not GroupDecision.objects.exists()


def test_a_named_group_gives_all_of_its_people_the_name(
    admin_client, stash, library, admin_user
):
    group = group_of(3)
    whom = anybody_else(released())

    response = tell(admin_client, group, "name", universal_id=whom.universal_id)

    assert response.json()["state"] == "named"
    assert response.json()["universal_id"] == whom.universal_id
    people = [each.person for each in group.members.all()]
    assert {(each.name, each.decision) for each in people} == {(whom.name, "known")}
    assert group.pk not in listed(admin_client)
    assert listed(admin_client, state="named") == [group.pk]
    decision = GroupDecision.objects.get()
    assert (decision.kind, decision.made_by) == ("name", admin_user.username)


def test_a_name_is_taken_back(admin_client, stash, library):
    group = group_of(3)
    match_again(Fingerprint.objects.get(stash_id=3), [0, 1, 2])
    grouped()
    tell(admin_client, group, "name", local_performer_id=1)
    assert get(admin_client, f"/{group.pk}").json()["local_performer_id"] == "1"

    answer = tell(admin_client, group, "undo").json()

    assert answer["undone"] == "name"
    assert get(admin_client, f"/{group.pk}").json()["member_count"] == 3
    assert listed(admin_client)[0] == group.pk
    assert tell(admin_client, group, "undo").status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 409),
        ({"name": ""}, 409),
        ({"local_performer_id": "x"}, 422),
        ({"local_performer_id": 0}, 422),
        ({"name": "x" * 300}, 422),
    ],
)
def test_an_empty_or_wrong_name_names_nobody(admin_client, library, body, status):
    assert tell(admin_client, group_of(3), "name", **body).status_code == status
    assert group_of(3).state == "open"


def test_groups_are_merged_and_come_apart_again(admin_client, library):
    anna, ben = group_of(3), group_of(4)
    before = groups()

    answer = tell(admin_client, anna, "merge", group_ids=[ben.pk]).json()

    assert (answer["group_id"], answer["member_count"]) == (anna.pk, 5)
    # Two of them are in one scene.
    assert answer["media_count"] == 4
    assert get(admin_client, f"/{ben.pk}").status_code == 404
    assert tell(admin_client, ben, "undo").json()["undone"] == "merge"
    assert groups() == before
    assert group_of(4) == ben


def test_a_group_is_not_merged_with_itself_or_with_nobody(admin_client, library):
    anna = group_of(3)

    assert tell(admin_client, anna, "merge", group_ids=[anna.pk]).status_code == 409
    assert tell(admin_client, anna, "merge", group_ids=[]).status_code == 422
    both = tell(admin_client, anna, "merge", group_ids=[group_of(4).pk, 987654])
    assert both.status_code == 404
    assert group_of(4) != anna
    assert not GroupDecision.objects.exists()


def test_a_merge_with_an_ignored_group_is_ignored(admin_client, library):
    anna, ben = group_of(3), group_of(4)
    tell(admin_client, ben, "ignore")

    assert tell(admin_client, anna, "merge", group_ids=[ben.pk]).json()["state"] == (
        "ignored"
    )

    tell(admin_client, anna, "undo")
    assert [group_of(3).state, group_of(4).state] == ["open", "ignored"]


def test_some_are_split_off_and_come_back(admin_client, library):
    anna = group_of(3)

    answer = tell(admin_client, anna, "split", member_ids=[member(3).pk]).json()

    assert answer["group_id"] == group_of(3).pk != anna.pk
    assert get(admin_client, f"/{anna.pk}").json()["member_count"] == 2
    assert tell(admin_client, group_of(3), "undo").json()["undone"] == "split"
    assert group_of(3) == anna


def test_all_or_none_or_others_are_not_split_off(admin_client, library):
    anna = group_of(3)
    everybody = [each.pk for each in anna.members.all()]

    for member_ids, status in (
        (everybody, 409),
        ([], 422),
        ([member(4).pk], 404),
        ([everybody[0], 987654], 404),
    ):
        response = tell(admin_client, anna, "split", member_ids=member_ids)
        assert response.status_code == status
    assert anna.members.count() == 3
    assert not GroupDecision.objects.exists()


def test_an_ignored_group_is_listed_no_more(admin_client, library):
    anna = group_of(3)

    assert tell(admin_client, anna, "ignore").json()["state"] == "ignored"

    assert listed(admin_client) == [group_of(4).pk]
    assert listed(admin_client, state="ignored") == [anna.pk]
    assert tell(admin_client, anna, "ignore").status_code == 409
    tell(admin_client, anna, "undo")
    assert listed(admin_client)[0] == anna.pk


def test_a_grouping_anew_is_left_to_the_background(admin_client, library):
    assert post(admin_client, f"{UNKNOWN}/regroup").status_code == 202

    assert OrmQ.objects.get().task["func"] == "recognition.tasks.regroup_people"


@pytest.mark.parametrize("verb", ["name", "merge", "split", "ignore", "undo"])
def test_staff_who_may_not_operate_decide_nothing(client, library, verb):
    client.force_login(User.objects.create_user("reader", is_staff=True))

    assert tell(client, group_of(3), verb, name="Anna").status_code == 403
    assert post(client, f"{UNKNOWN}/regroup").status_code == 403
    assert get(client).status_code == 200


def test_nobody_is_told_anything_without_a_key(client, library):
    for path in ("", f"/{group_of(3).pk}", f"/{group_of(3).pk}/crop"):
        assert get(client, path).status_code == 401


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


def test_a_grouping_anew_is_asked_for_in_the_admin(admin_client, library):
    admin_client.post(reverse("admin:recognition_unknown_regroup"))

    assert OrmQ.objects.get().task["func"] == "recognition.tasks.regroup_people"
