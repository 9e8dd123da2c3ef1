"""Following stash-boxes with tags, studios and scenes."""

import pytest

from demo.stashbox.rows import Appearance, BoxUrl
from recommendations import decisions
from recommendations.models import Recommendation
from recommendations.tests.analyses import ask, ended
from recommendations.tests.box_rows import (
    box_performer,
    box_scene,
    box_studio,
    box_tag,
)
from recommendations.tests.libraries import (
    add_performer,
    add_scene,
    add_studio,
    add_tag,
    link,
    touch,
)

pytestmark = pytest.mark.django_db(transaction=True)


def find(kind, **wanted):
    run = ended(ask(f"upstream_{kind}_changes", **wanted))
    assert run.state == "completed", run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def changes(found):
    return {
        each["field"]: (each["local_value"], each["upstream_value"])
        for each in found.details["changes"]
    }


def test_a_tag_whose_description_and_aliases_differ_is_found(library, box):
    tag = add_tag(library, "Outdoor", description="old", aliases=["outside"])
    theirs = box_tag(
        box.box, "Outdoors", description="new", aliases=["Outside", "open"]
    )
    link(tag, theirs, box)

    (found,) = find("tag")

    assert (found.target_type, found.target_id) == ("tag", tag.id)
    assert found.details["tag_name"] == "Outdoor"
    assert changes(found) == {
        "aliases": (["outside"], ["Outside", "open"]),
        "description": ("old", "new"),
        "name": ("Outdoor", "Outdoors"),
    }


def test_a_tag_that_was_merged_upstream_is_found(library, box):
    tag = add_tag(library, "Outdoor")
    theirs, target = box_tag(box.box, "Outdoor"), box_tag(box.box, "Outdoors")
    link(tag, theirs, box)
    assert find("tag") == []
    box.box.merge("TAG", [theirs.id], target.id)

    (found,) = find("tag")

    assert found.details["merged_into_id"] == target.id


def test_a_studio_under_another_parent_is_found_by_the_parents_id(library, box):
    parents = [box_studio(box.box, name) for name in ("Net", "Other net")]
    local_parent = add_studio(library, "Net, as we call it")
    link(local_parent, parents[0], box)
    studio = add_studio(library, "Label", parent_id=local_parent.id)
    theirs = box_studio(box.box, "Label", parent_id=parents[0].id)
    link(studio, theirs, box)
    assert [each.target_id for each in find("studio")] == [local_parent.id]
    decisions.resolve(Recommendation.objects.get(), "kept")

    theirs.parent_id = parents[1].id
    box.box.touch(theirs)
    (found,) = find("studio")

    (change,) = found.details["changes"]
    assert (change["field"], change["upstream_value"]) == (
        "parent_studio",
        parents[1].id,
    )
    assert (change["local_display"], change["upstream_display"]) == (
        "Net, as we call it",
        "Other net",
    )


@pytest.fixture
def scenes(library, box):
    """A scene with one performer and one tag, linked and equal on both sides."""
    theirs = {
        "performer": box_performer(box.box, "Ada"),
        "tag": box_tag(box.box, "Outdoor"),
        "studio": box_studio(box.box, "Label"),
    }
    ours = {
        "performer": add_performer(library, "Ada"),
        "tag": add_tag(library, "Outdoor"),
        "studio": add_studio(library, "Label"),
    }
    for kind, row in ours.items():
        link(row, theirs[kind], box)
    scene = add_scene(
        library,
        performers=[ours["performer"]],
        title="A day out",
        studio_id=ours["studio"].id,
        tag_ids=[ours["tag"].id],
    )
    box_row = box_scene(
        box.box,
        "A day out",
        studio_id=theirs["studio"].id,
        performers=[Appearance(theirs["performer"].id, "Ada Z")],
        tag_ids=[theirs["tag"].id],
    )
    link(scene, box_row, box)
    return scene, box_row


def test_a_scene_that_is_equal_is_none_even_if_somebody_has_another_name_in_it(scenes):
    assert find("scene") == []


def test_fields_of_a_scene_and_who_is_in_it_are_found(library, box, scenes):
    scene, theirs = scenes
    late = box_performer(box.box, "Bea", aliases=["B"])
    known = add_performer(library, "bea")
    theirs.title = "A day outside"
    theirs.release_date = "2024-05-01"
    theirs.urls = [BoxUrl("https://label.example/1")]
    theirs.performers = [Appearance(late.id)]
    theirs.tag_ids = []
    box.box.touch(theirs)

    (found,) = find("scene")

    assert changes(found) == {
        "date": ("", "2024-05-01"),
        "title": ("A day out", "A day outside"),
        "urls": ([], ["https://label.example/1"]),
    }
    people = found.details["performer_changes"]
    assert [each["id"] for each in people["added"]] == [late.id]
    # By the name alone: offered, and linked by nobody.
    assert people["added"][0]["local_match"] == {"id": known.id, "name": "bea"}
    assert [each["name"] for each in people["removed"]] == ["Ada"]
    assert [each["name"] for each in found.details["tag_changes"]["removed"]] == [
        "Outdoor"
    ]
    assert found.details["studio_change"] is None
    assert found.details["current_performer_ids"] == scene.performer_ids
    assert found.details["current_studio"]["name"] == "Label"


def test_a_performer_added_by_hand_is_not_proposed_to_be_removed_again(
    library, box, scenes
):
    scene, _ = scenes
    assert find("scene") == []
    extra = add_performer(library, "Cleo")
    link(extra, box_performer(box.box, "Cleo"), box)
    scene.performer_ids.append(extra.id)
    touch(scene)

    assert find("scene") == []


def test_what_was_decided_of_a_scene_is_not_asked_again(library, box, scenes):
    _, theirs = scenes
    theirs.performers.append(Appearance(box_performer(box.box, "Bea").id))
    box.box.touch(theirs)
    (found,) = find("scene")
    decisions.resolve(found, "kept as it is")

    assert find("scene", is_full=True) == []
    theirs.tag_ids.append(box_tag(box.box, "Beach").id)
    box.box.touch(theirs)

    (again,) = find("scene")
    assert again.pk == found.pk
    assert again.details["performer_changes"]["added"] == []
    assert [each["name"] for each in again.details["tag_changes"]["added"]] == ["Beach"]


def test_a_scene_that_went_from_the_library_is_forgotten(library, box, scenes):
    scene, theirs = scenes
    theirs.title = "Another"
    box.box.touch(theirs)
    assert len(find("scene")) == 1
    del library.scenes[scene.id]

    assert find("scene", is_full=True) == []
