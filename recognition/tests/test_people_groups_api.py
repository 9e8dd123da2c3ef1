"""Unknown people over REST: listed, looked at, named, merged, split, ignored."""

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from recognition.models import Fingerprint, GroupDecision
from recognition.tests.corrections_world import anybody_else, released
from recognition.tests.groups_world import (
    ANNA,
    BEN,
    UNKNOWN,
    fill_library,
    get,
    listed,
    tell,
)
from recognition.tests.people_world import (
    group_of,
    grouped,
    groups,
    look_at,
    match_again,
    member,
)
from recognition.tests.stash_world import post


@pytest.fixture
def library(db):
    """Anna is in three scenes, Ben in two and Cleo in one."""
    fill_library()


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
