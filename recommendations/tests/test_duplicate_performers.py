"""Finding performers who share an id at a stash-box."""

import pytest

from recommendations import decisions
from recommendations.models import Recommendation
from recommendations.tests.analyses import ask, ended
from recommendations.tests.libraries import (
    BOX,
    OTHER_BOX,
    add_performer,
    add_scene,
)

pytestmark = pytest.mark.django_db(transaction=True)


def find():
    run = ended(ask("duplicate_performer"))
    assert run.state == "completed", run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def test_those_who_share_an_id_are_found_and_the_one_with_most_is_the_keeper(library):
    first = add_performer(library, "Ada", ids=[(BOX, "a")])
    second = add_performer(library, "Ada Z", ids=[(BOX, "a"), (BOX, "b")])
    add_performer(library, "Bea", ids=[(BOX, "c"), (OTHER_BOX, "a")])
    add_scene(library, performers=[second])

    (found,) = find()

    assert (found.target_type, found.target_id) == ("performer", first.id)
    assert (found.endpoint, found.confidence) == (BOX, 1.0)
    assert found.details["suggested_keeper_id"] == second.id
    assert found.details["stash_id"] == "a"
    assert [
        (each["id"], each["name"], each["total_content"], each["is_suggested_keeper"])
        for each in found.details["performers"]
    ] == [(first.id, "Ada", 0, False), (second.id, "Ada Z", 1, True)]


def test_it_keeps_its_id_when_another_becomes_the_keeper(library):
    first = add_performer(library, "Ada", ids=[(BOX, "a")])
    second = add_performer(library, "Ada Z", ids=[(BOX, "a")])
    add_scene(library, performers=[second])
    (before,) = find()
    add_scene(library, performers=[first])
    add_scene(library, performers=[first])

    (after,) = find()

    assert after.pk == before.pk
    assert after.details["suggested_keeper_id"] == first.id


def test_two_groups_of_one_performer_are_two_recommendations(library):
    both = add_performer(library, "Ada", ids=[(BOX, "a"), (BOX, "b"), (OTHER_BOX, "a")])
    add_performer(library, "Bea", ids=[(BOX, "a")])
    add_performer(library, "Cleo", ids=[(BOX, "b")])
    add_performer(library, "Dora", ids=[(OTHER_BOX, "a")])

    found = find()

    assert [(each.endpoint, each.details["stash_id"]) for each in found] == [
        (BOX, "a"),
        (BOX, "b"),
        (OTHER_BOX, "a"),
    ]
    assert found[0].target_id == found[2].target_id == both.id


def test_what_was_merged_is_resolved_and_a_new_one_of_the_group_opens_it_again(library):
    add_performer(library, "Ada", ids=[(BOX, "a")])
    second = add_performer(library, "Ada Z", ids=[(BOX, "a")])
    (found,) = find()
    decisions.resolve(found, "merged")
    del library.performers[second.id]
    assert find() == []

    add_performer(library, "Ada again", ids=[(BOX, "a")])
    add_performer(library, "Ada once more", ids=[(BOX, "a")])

    assert [each.pk for each in find()] == [found.pk]


def test_long_and_foreign_names_are_kept_whole(library):
    name = "Ünïcödé 🦊 " * 500
    add_performer(library, name, ids=[(BOX, "a")])
    add_performer(library, "plain", ids=[(BOX, "a")])

    (found,) = find()

    assert found.details["performers"][0]["name"] == name
