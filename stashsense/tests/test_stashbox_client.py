"""What is asked of a stash-box and what comes back, over real HTTP and GraphQL."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.stashbox.content import fill_performers, fill_scenes
from demo.stashbox.rows import (
    Appearance,
    BodyModification,
    Box,
    BoxUrl,
    Fingerprint,
    Performer,
    Scene,
    Studio,
    Tag,
    TagCategory,
)
from demo.stashbox.testing import Faults, StashBoxServer
from stashsense.integrations.stashbox_errors import StashBoxError, StashBoxNotFound
from stashsense.integrations.stashbox_types import (
    BodyModification as ReadModification,
)
from stashsense.integrations.stashbox_types import (
    BoxCategory,
    BoxFingerprint,
    BoxReference,
    EditOperation,
    TargetType,
)
from stashsense.tests.stashbox_clients import client_of

THEN = datetime(2025, 1, 1, tzinfo=UTC)
ID = "0b2dbc1a-5a52-4e0e-8d13-97d0a2bd7f01"
OTHER_ID = "0b2dbc1a-5a52-4e0e-8d13-97d0a2bd7f02"
STUDIO_ID = "0b2dbc1a-5a52-4e0e-8d13-97d0a2bd7f03"
TAG_ID = "0b2dbc1a-5a52-4e0e-8d13-97d0a2bd7f04"
NOBODY_ID = "0b2dbc1a-5a52-4e0e-8d13-97d0a2bd7fff"


def row(kind, id=ID, **fields):
    return kind(id, THEN, THEN + timedelta(days=1), **fields)


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def server(box):
    with StashBoxServer(box) as server:
        yield server


@pytest.fixture
def client(server, tmp_path):
    return client_of(server, tmp_path / "limit")


# One


def test_a_performer_comes_with_everything_that_is_compared(box, client):
    box.performers[ID] = row(
        Performer, name="Anna", aliases=["Annie"], gender="FEMALE",
        birth_date="1990-05", ethnicity="MIDDLE_EASTERN", height=170,
        cup_size="C", band_size=34, waist_size=25, hip_size=36,
        breast_type="FAKE", career_start_year=2010,
        tattoos=[BodyModification("arm", "a bird")], piercings=None,
        urls=[BoxUrl("https://example.org/anna", "Homepage")], images=["picture"],
        merged_ids=[OTHER_ID],
    )  # fmt: skip

    found = client.get_performer(ID)

    assert (found.name, found.aliases) == ("Anna", ("Annie",))
    assert (found.gender, found.ethnicity) == ("FEMALE", "MIDDLE_EASTERN")
    assert (found.birth_date, found.death_date) == ("1990-05", "")
    assert (found.height, found.cup_size, found.band_size) == (170, "C", 34)
    assert (found.waist_size, found.hip_size, found.breast_type) == (25, 36, "FAKE")
    assert (found.career_start_year, found.career_end_year) == (2010, None)
    assert found.tattoos == (ReadModification("arm", "a bird"),)
    assert found.piercings == ()
    assert [(url.url, url.site) for url in found.urls] == [
        ("https://example.org/anna", "Homepage")
    ]
    assert found.images[0].url.endswith("/images/picture")
    assert (found.deleted, found.merged_into_id) == (False, None)
    assert found.merged_ids == (OTHER_ID,)
    assert found.updated == THEN + timedelta(days=1)


def test_a_scene_comes_with_who_and_what_is_in_it(box, client):
    box.studios[STUDIO_ID] = row(Studio, STUDIO_ID, name="North", aliases=["N"])
    box.tags[TAG_ID] = row(Tag, TAG_ID, name="Beach")
    box.performers[OTHER_ID] = row(Performer, OTHER_ID, name="Anna", aliases=["Annie"])
    box.scenes[ID] = row(
        Scene, title="A film", code="N-1", details="Sea.", director="Bo",
        release_date="2024-02-03", duration=600, studio_id=STUDIO_ID, tag_ids=[TAG_ID],
        performers=[Appearance(OTHER_ID, "Annie")],
        fingerprints=[Fingerprint("PHASH", "f00d", 599, 7)],
    )  # fmt: skip

    found = client.get_scene(ID)

    assert (found.title, found.code, found.director) == ("A film", "N-1", "Bo")
    assert (found.release_date, found.duration_seconds) == ("2024-02-03", 600)
    assert found.studio == BoxReference(STUDIO_ID, "North", ("N",))
    assert found.tags == (BoxReference(TAG_ID, "Beach"),)
    assert found.performers[0].performer == BoxReference(OTHER_ID, "Anna", ("Annie",))
    assert found.performers[0].credited_as == "Annie"
    assert found.fingerprints == (BoxFingerprint("PHASH", "0" * 12 + "f00d", 599, 7),)


def test_a_studio_has_a_parent_and_a_tag_a_category(box, client):
    box.studios[STUDIO_ID] = row(Studio, STUDIO_ID, name="North")
    box.studios[ID] = row(Studio, ID, name="Far north", parent_id=STUDIO_ID)
    box.tags[TAG_ID] = row(
        Tag, TAG_ID, name="Beach", category=TagCategory("1", "Place")
    )

    assert client.get_studio(ID).parent == BoxReference(STUDIO_ID, "North")
    assert client.get_studio(STUDIO_ID).parent is None
    assert client.get_tag(TAG_ID).category == BoxCategory("1", "Place", "ACTION")


@pytest.mark.parametrize("id", [NOBODY_ID, "", "no id of a box's"])
def test_what_a_box_never_had_is_not_found(client, id):
    with pytest.raises(StashBoxNotFound, match="Box has no performer"):
        client.get_performer(id)


def test_a_merged_performer_tells_into_whom(box, client):
    for id in (ID, OTHER_ID):
        box.performers[id] = row(Performer, id, name="Anna")
    box.merge("PERFORMER", [ID], OTHER_ID)

    found = client.get_performer(ID)

    assert (found.deleted, found.merged_into_id) == (True, OTHER_ID)
    assert client.get_performer(OTHER_ID).merged_ids == (ID,)


# Many


def test_many_are_asked_for_forty_at_a_time(box, server, client):
    ids = fill_performers(box, 95)

    found = client.find_performers([*ids, ids[0], NOBODY_ID, "not an id"])

    assert server.request_count == 3
    assert list(found.values()).count(None) == 2
    assert {id for id, performer in found.items() if performer} == set(ids)
    assert all(
        performer is None or performer.id == id for id, performer in found.items()
    )


def test_one_bad_id_does_not_lose_the_others(box, server, client):
    ids = fill_performers(box, 5)
    server.faults = Faults(failing_ids={ids[1]})

    # The second is refused by the box itself: it is no UUID.
    found = client.find_performers([*ids, "123"])

    # Of those two nothing is known, which is not the same as that they are nobody.
    assert set(found) == {ids[0], *ids[2:]}
    assert None not in found.values()


def test_an_answer_that_does_not_fit_is_of_no_use_for_that_one_alone(box, client):
    ids = fill_performers(box, 3)
    box.performers[ids[1]].birth_date = ["1990"]

    assert set(client.find_performers(ids)) == {ids[0], ids[2]}


def test_scenes_studios_and_tags_are_found_by_id_too(box, client):
    (scene_id,) = fill_scenes(box, 1)
    box.studios[STUDIO_ID] = row(Studio, STUDIO_ID, name="North")
    box.tags[TAG_ID] = row(Tag, TAG_ID, name="Beach")

    assert client.find_scenes([scene_id])[scene_id].title == "Scene 0"
    assert client.find_studios([STUDIO_ID, ID])[ID] is None
    assert client.find_tags([TAG_ID])[TAG_ID].name == "Beach"


# What changed


def test_changes_are_read_down_to_the_moment_itself_and_no_further(box, server, client):
    ids = fill_performers(box, 250)
    since = box.performers[ids[100]].updated

    found = list(client.iter_performers_changed(since))

    assert [performer.id for performer in found] == ids[:99:-1]
    assert server.request_count == 2


def test_without_a_moment_all_are_read(box, client):
    ids = fill_performers(box, 205)

    found = [performer.id for performer in client.iter_performers_changed(None)]

    assert sorted(found) == sorted(ids)


@pytest.mark.parametrize("per_page", [100, 60, 20, 7])
def test_those_of_one_moment_are_each_read_once_in_whatever_order(
    box, client, per_page
):
    ids = fill_performers(box, 90)
    for id in ids[10:70]:
        box.performers[id].updated = THEN
    seen = []

    for _ in range(3):
        found = client.iter_performers_changed(None, per_page=per_page)
        seen.append(sorted(performer.id for performer in found))

    assert seen == [sorted(ids)] * 3


def test_what_moves_to_the_front_meanwhile_makes_nobody_come_twice(box, client):
    ids = fill_performers(box, 60)
    changes = client.iter_performers_changed(None, per_page=20)

    found = [next(changes).id]
    for id in ids[-15:]:
        box.touch(box.performers[id])
    found += [performer.id for performer in changes]

    assert len(found) == len(set(found)) == 60


def test_what_is_deleted_meanwhile_makes_nobody_be_left_out(box, client):
    ids = fill_performers(box, 60)
    changes = client.iter_performers_changed(None, per_page=20)

    found = [next(changes).id]
    for id in ids[-12:-2]:
        box.destroy("PERFORMER", id)
    found += [performer.id for performer in changes]

    assert set(found) >= set(ids) - set(ids[-12:-2])
    assert len(found) == len(set(found))


def test_no_page_is_asked_for_twice_when_a_box_gives_fewer_than_asked(box, client):
    assert list(client.iter_scenes_changed(None)) == []
    assert list(client.iter_studios_changed(THEN)) == []
    assert list(client.iter_tags_changed(THEN)) == []


def test_merges_and_deletions_are_followed(box, client):
    ids = fill_performers(box, 6)
    moments = [THEN + timedelta(days=day) for day in range(4)]
    box.merge("PERFORMER", ids[:2], ids[2], moment=moments[0])
    box.merge("PERFORMER", [ids[3]], ids[2], moment=moments[1])
    box.destroy("PERFORMER", ids[4], moment=moments[2])
    box.edits[-1].status = "IMMEDIATE_ACCEPTED"
    box.destroy("PERFORMER", ids[5], moment=moments[3])
    box.edits[-1].applied = False

    found = list(client.iter_edits_applied(moments[1], TargetType.PERFORMER))

    assert [(edit.operation, edit.target_id) for edit in found] == [
        (EditOperation.MERGE, ids[2]),
        (EditOperation.DESTROY, ids[4]),
    ]
    assert [edit.merged_source_ids for edit in found] == [(ids[3],), ()]
    assert [edit.closed_at for edit in found] == moments[1:3]
    assert len(list(client.iter_edits_applied(None, TargetType.PERFORMER))) == 3
    assert list(client.iter_edits_applied(None, TargetType.SCENE)) == []


# Searching


def test_scenes_are_found_by_fingerprints_in_the_order_asked(box, server, client):
    ids = fill_scenes(box, 50)
    asked = [
        [BoxFingerprint(own.algorithm, own.hash.upper()) for own in scene.fingerprints]
        for scene in box.scenes.values()
    ]
    asked.insert(0, [])
    asked.insert(1, [BoxFingerprint("MD5", "0" * 32)])

    found = client.find_scenes_by_fingerprints(asked)

    assert [[scene.id for scene in each] for each in found] == [
        [], [], *([id] for id in ids)
    ]  # fmt: skip
    sent = [request.variables["fingerprints"] for request in server.requests]
    assert [len(each) for each in sent] == [40, 10]


def test_a_near_phash_is_found_that_no_fingerprint_equals(box, client):
    (id,) = fill_scenes(box, 1)
    box.scenes[id].fingerprints = [Fingerprint("PHASH", "ff00", 300)]
    box.phash_distance = 2
    near = BoxFingerprint("PHASH", "ff03")

    ((found,),) = client.find_scenes_by_fingerprints([[near]])

    assert not any(near.is_same_hash(own) for own in found.fingerprints)
    assert client.find_scenes_by_fingerprints([[BoxFingerprint("PHASH", "ff07")]]) == [
        []
    ]


def test_hashes_are_compared_as_numbers():
    ours = BoxFingerprint.from_stash("phash", "f00d")

    assert ours is not None
    assert ours == BoxFingerprint("PHASH", "000000000000f00d")
    assert ours.is_same_hash(BoxFingerprint("PHASH", "F00D"))
    assert not ours.is_same_hash(BoxFingerprint("OSHASH", "f00d"))
    assert BoxFingerprint.from_stash("md5", "0" * 32) is None
    assert BoxFingerprint.from_stash("phash", "no hash") is None


def test_performers_are_searched_by_their_words(box, client):
    fill_performers(box, 12)

    assert [each.name for each in client.search_performers("alias 7")] == [
        "Performer 7"
    ]
    assert len(client.search_performers("performer", limit=3)) == 3


def test_a_look_alike_that_refuses_an_operation_is_named_with_its_reason(
    server, client
):
    reason = 'Cannot query field "hip_size" on type "Performer".'
    server.faults = Faults(refusals={"SearchPerformers": reason})

    with pytest.raises(StashBoxError) as error:
        client.search_performers("anna")

    assert str(error.value) == f"Box refused SearchPerformers: {reason}"


def test_an_id_of_another_form_is_nobodys(server, client):
    with pytest.raises(StashBoxNotFound):
        client.get_performer("releases")
