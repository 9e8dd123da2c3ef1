"""Unknown people come to groups and stay in them, whatever is matched or asked for."""

import numpy as np
import pytest
from django.utils import timezone
from django_q.models import Schedule

from recognition import people_grouping, people_groups, people_members, tasks
from recognition.models import (
    Fingerprint,
    FingerprintFaces,
    FingerprintPerson,
    GroupMember,
    PeopleGroup,
)
from recognition.people_groups import Naming
from recognition.tests.people_world import (
    group_of,
    grouped,
    groups,
    look_at,
    match_again,
    member,
)

pytestmark = pytest.mark.django_db

ANNA, BEN, CLEO, DORA = range(4)
BY = "owner"


def test_nobody_unknown_makes_no_group():
    assert grouped() == set()
    assert people_grouping.regroup()


def test_the_same_person_of_several_scenes_is_one_group():
    look_at(1, ANNA, BEN)
    look_at(2, BEN, CLEO)
    look_at(3, ANNA)

    assert grouped() == {
        frozenset({(1, 0), (3, 0)}),
        frozenset({(1, 1), (2, 0)}),
        frozenset({(2, 1)}),
    }


def test_who_comes_later_comes_to_their_group_and_moves_nobody():
    for stash_id in (1, 2, 3):
        look_at(stash_id, ANNA, BEN)
    grouped()
    before = {stash_id: group_of(stash_id).pk for stash_id in (1, 2, 3)}

    look_at(4, CLEO, ANNA)
    grouped()

    assert group_of(4, 1).pk == before[1]
    assert {stash_id: group_of(stash_id).pk for stash_id in (1, 2, 3)} == before
    assert group_of(4).members.count() == 1


def test_twins_of_one_image_are_two():
    for stash_id in (1, 2, 3):
        look_at(stash_id, ANNA, ANNA, kind="image", faces_of_each=1)

    found = grouped()

    assert all(len({scene for scene, _ in each}) == len(each) for each in found)
    assert sorted(map(len, found)) == [3, 3]


def test_who_has_no_embedding_stays_alone():
    look_at(1, None, ANNA)
    look_at(2, None)

    assert grouped() == {frozenset({(1, 0)}), frozenset({(1, 1)}), frozenset({(2, 0)})}


def test_members_and_groups_survive_a_match_that_writes_people_anew():
    first = look_at(1, ANNA, BEN)
    look_at(2, ANNA, BEN)
    before = grouped()
    members = {*GroupMember.objects.values_list("pk", "group_id")}

    # Other faces, another order: three were put to another person.
    match_again(first, [3, 4, 5], [0, 1], [2])
    grouped()

    kept = {*GroupMember.objects.values_list("pk", "group_id")}
    assert members < kept
    assert len(kept) == len(members) + 1
    assert group_of(1, 1) == group_of(2, 0)
    assert group_of(1, 0) == group_of(2, 1)
    assert len(before) == 2


def test_after_another_look_who_resembles_them_is_the_member():
    look_at(1, ANNA, BEN)
    look_at(2, ANNA)
    grouped()
    anna = member(1, 0).pk

    look_at(1, BEN, ANNA, CLEO, faces_of_each=5)
    grouped()

    assert member(1, 1).pk == anna
    assert len(member(1, 1).faces) == 5
    assert group_of(1, 1) == group_of(2)


def test_who_gets_a_name_leaves_the_group():
    look_at(1, ANNA)
    look_at(2, ANNA)
    grouped()

    FingerprintPerson.objects.filter(fingerprint__stash_id=1).update(decision="known")
    grouped()

    assert groups() == {frozenset({(2, 0)})}
    FingerprintPerson.objects.filter(fingerprint__stash_id=2).update(decision="ignored")
    grouped()
    assert not PeopleGroup.objects.exists()


def test_uncertain_people_are_grouped_as_well():
    look_at(1, ANNA)
    look_at(2, ANNA)
    FingerprintPerson.objects.filter(fingerprint__stash_id=1).update(
        decision="uncertain"
    )

    assert grouped() == {frozenset({(1, 0), (2, 0)})}


def test_with_a_fingerprint_its_people_are_gone():
    look_at(1, ANNA)
    look_at(2, BEN)
    grouped()

    Fingerprint.objects.get(stash_id=1).delete()

    assert [*people_groups.list_groups(includes_single=True)] == [group_of(2)]
    grouped()
    assert PeopleGroup.objects.count() == 1


@pytest.mark.parametrize("damage", ["faces", "row", "positions"])
def test_faces_that_cannot_be_read_keep_nobody_else_waiting(damage):
    broken = look_at(1, ANNA)
    look_at(2, ANNA)
    look_at(3, ANNA)
    packed = FingerprintFaces.objects.filter(pk=broken.pk)
    if damage == "faces":
        packed.update(faces=b"no faces")
    elif damage == "row":
        packed.delete()
    else:
        broken.people.update(faces=[77])

    assert grouped() == {frozenset({(1, 0)}), frozenset({(2, 0), (3, 0)})}
    assert people_groups.waiting_count() == 0


def test_a_grouping_anew_keeps_the_ids_of_groups():
    for stash_id in range(1, 6):
        look_at(stash_id, ANNA, BEN)
    grouped()
    before = {*GroupMember.objects.values_list("pk", "group_id")}

    assert people_grouping.regroup()

    assert {*GroupMember.objects.values_list("pk", "group_id")} == before


def test_when_people_have_doubled_all_are_grouped_together_again():
    for stash_id in (1, 2):
        look_at(stash_id, ANNA)
    grouped()
    astray = member(2)
    astray.group = PeopleGroup.objects.create()
    astray.save()

    look_at(3, BEN)
    assert frozenset({(2, 0)}) in grouped()
    look_at(4, BEN)
    look_at(5, CLEO)

    assert frozenset({(1, 0), (2, 0)}) in grouped()


# What the owner decided


def test_what_was_merged_stays_merged():
    look_at(1, ANNA)
    look_at(2, BEN)
    grouped()
    people_groups.merge_groups(group_of(1).pk, [group_of(2).pk], by=BY)

    people_grouping.regroup()

    assert groups() == {frozenset({(1, 0), (2, 0)})}


def test_who_comes_later_comes_to_what_a_group_was_merged_into():
    look_at(1, ANNA)
    look_at(2, BEN)
    look_at(3, BEN)
    grouped()
    ben = group_of(2)
    merged = people_groups.merge_groups(group_of(1).pk, [ben.pk], by=BY)

    look_at(4, BEN)
    grouped()
    assert group_of(4) == merged
    people_groups.undo(ben.pk, by=BY)
    look_at(5, BEN)
    grouped()

    assert group_of(5) == group_of(2) == ben


def test_a_split_that_is_undone_leaves_nothing_that_is_ignored():
    for stash_id in (1, 2, 3, 4):
        look_at(stash_id, ANNA)
    grouped()
    anna = group_of(1)
    other = people_groups.split_group(anna.pk, [member(1).pk], by=BY)
    people_groups.ignore_group(other.pk, by=BY)

    people_groups.undo(anna.pk, by=BY)
    people_grouping.regroup()

    assert group_of(1) == anna
    assert not people_groups.list_groups(state="ignored").exists()


def test_people_of_one_scene_are_one_where_the_owner_said_so():
    look_at(1, ANNA, BEN)
    grouped()
    people_groups.merge_groups(group_of(1).pk, [group_of(1, 1).pk], by=BY)

    people_grouping.regroup()

    assert groups() == {frozenset({(1, 0), (1, 1)})}


def test_what_was_split_stays_split_though_it_looks_the_same():
    for stash_id in range(1, 5):
        look_at(stash_id, ANNA)
    grouped()
    people_groups.split_group(group_of(1).pk, [member(1).pk, member(2).pk], by=BY)
    wanted = {frozenset({(1, 0), (2, 0)}), frozenset({(3, 0), (4, 0)})}
    assert groups() == wanted

    people_grouping.regroup()

    assert groups() == wanted


def test_who_is_ignored_stays_ignored_and_draws_who_looks_like_them():
    look_at(1, ANNA)
    look_at(2, ANNA)
    look_at(3, BEN)
    grouped()
    ignored = people_groups.ignore_group(group_of(1).pk, by=BY)

    look_at(4, ANNA)
    grouped()
    people_grouping.regroup()

    ignored.refresh_from_db()
    assert ignored.state == PeopleGroup.State.IGNORED
    assert group_of(1) == group_of(2) == group_of(4) == ignored
    assert group_of(3) != ignored


def test_decisions_survive_names_that_come_and_go():
    first = look_at(1, ANNA)
    look_at(2, BEN)
    look_at(3, CLEO)
    grouped()
    group = people_groups.merge_groups(group_of(1).pk, [group_of(2).pk], by=BY)
    first.people.update(decision="known")
    grouped()
    people_grouping.regroup()

    match_again(first, [0, 1, 2])
    grouped()

    assert group_of(1) == group_of(2) == group


def test_a_named_group_of_whom_nobody_is_left_draws_who_looks_like_them():
    look_at(1, ANNA)
    look_at(2, ANNA)
    look_at(3, BEN)
    grouped()
    named = people_groups.name_group(group_of(1).pk, Naming(name="Anna"), by=BY)
    grouped()
    assert groups() >= {frozenset({(3, 0)})}

    look_at(4, ANNA)
    grouped()
    assert group_of(4) == named
    people_grouping.regroup()

    assert group_of(4) == named
    assert group_of(3) != named


def test_two_ignored_groups_are_never_made_one():
    for stash_id in range(1, 5):
        look_at(stash_id, ANNA)
    grouped()
    group = group_of(1)
    other = people_groups.split_group(group.pk, [member(1).pk, member(2).pk], by=BY)
    for each in (group, other):
        people_groups.ignore_group(each.pk, by=BY)
    people_groups.undo(other.pk, by=BY)
    people_groups.ignore_group(other.pk, by=BY)

    people_grouping.regroup()

    assert groups() == {frozenset({(1, 0), (2, 0)}), frozenset({(3, 0), (4, 0)})}


def test_a_decision_made_while_people_are_grouped_anew_is_not_written_over():
    look_at(1, ANNA)
    look_at(2, BEN)
    grouped()
    plan = people_grouping.plan_groups()
    people_groups.merge_groups(group_of(1).pk, [group_of(2).pk], by=BY)

    assert not people_grouping.write_groups(plan)

    assert groups() == {frozenset({(1, 0), (2, 0)})}


def test_many_decisions_are_held_to():
    rng = np.random.default_rng(3)
    for stash_id in range(1, 31):
        look_at(stash_id, stash_id % 5, faces_of_each=1)
    grouped()
    for _ in range(40):
        open_groups = [*PeopleGroup.objects.filter(members__isnull=False).distinct()]
        group = open_groups[rng.integers(len(open_groups))]
        members = [*group.members.all()]
        if len(members) > 1 and rng.random() < 0.5:
            some = members[: rng.integers(1, len(members))]
            people_groups.split_group(group.pk, [each.pk for each in some], by=BY)
        elif len(open_groups) > 1:
            other = next(each for each in open_groups if each != group)
            people_groups.merge_groups(group.pk, [other.pk], by=BY)
    before = groups()

    for fingerprint in Fingerprint.objects.all():
        match_again(fingerprint, [0])
    grouped()
    people_grouping.regroup()

    # Groups nobody said to be apart may join; none comes apart.
    assert all(any(each <= other for other in groups()) for each in before)


# In the background


def test_a_change_has_people_grouped_soon_and_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        look_at(1, ANNA)
        look_at(2, ANNA)

    schedule = Schedule.objects.get(func=tasks.GROUP_TASK)
    assert schedule.schedule_type == Schedule.ONCE
    assert schedule.next_run <= timezone.now()
    assert not GroupMember.objects.exists()

    tasks.group_people()

    assert groups() == {frozenset({(1, 0), (2, 0)})}


def test_what_takes_longer_than_a_slice_goes_on_in_the_next(monkeypatch):
    monkeypatch.setattr(people_grouping, "CHUNK_FINGERPRINTS", 1)
    for stash_id in (1, 2, 3):
        look_at(stash_id, ANNA)

    assert not people_grouping.group_waiting(seconds=0)
    assert GroupMember.objects.count() == 1
    assert not people_grouping.regroup(seconds=0)
    assert people_grouping.group_waiting()
    # Begun, with one who is in no group yet, and the task was lost.
    GroupMember.objects.filter(pk=member(1).pk).update(group=None)
    assert people_grouping.group_waiting()

    assert groups() == {frozenset({(1, 0), (2, 0), (3, 0)})}


def test_templates_are_kept_in_half_precision():
    look_at(1, ANNA)
    grouped()

    (template,) = people_members.templates_of([member(1).template])

    assert np.linalg.norm(template) == pytest.approx(1, abs=1e-3)
    assert len(member(1).template) == 2048
