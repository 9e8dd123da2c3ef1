"""The whole way of every analysis over REST: found, acted on, and not found again.

Stand-ins of Stash and of a stash-box answer; all else is as in service.
"""

import pytest
from django.test import Client

from demo.stashbox.rows import Appearance
from recommendations.models import ActionRecord, AnalysisRun
from recommendations.run_types import all_run_types
from recommendations.tests.analyses import ended
from recommendations.tests.box_rows import (
    box_performer,
    box_scene,
    box_studio,
    box_tag,
)
from recommendations.tests.boxes import add_box_scene
from recommendations.tests.fingerprints import person, seen
from recommendations.tests.libraries import (
    add_file,
    add_performer,
    add_scene,
    add_studio,
    add_tag,
    link,
)
from stashsense.api.authentication import api_key

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = 0x0123456789ABCDEF
AT = "https://stashdb.org/graphql"
ADA = "stashdb.org:5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"


class Way:
    """Somebody at the API, and the background that works at what they ask for."""

    def __init__(self, type):
        self.type = type
        self.client = Client(headers={"X-Api-Key": api_key()})

    def look(self, full="false"):
        """Have the analysis run to its end; return what is pending then."""
        path = f"/recommendations/analysis/{self.type}/run?full={full}"
        started = self.client.post(path)
        assert started.status_code == 200, started.json()
        run_id = started.json()["run_id"]
        ended(AnalysisRun.objects.get(pk=run_id))
        run = self.client.get(f"/recommendations/analysis/runs/{run_id}").json()
        assert run["status"] == "completed", run
        query = {"type": self.type, "status": "pending"}
        return self.client.get("/recommendations", query).json()["recommendations"]

    def act(self, path, **body):
        """Act as a dry run says; return what was answered."""
        planned = self._ask(path, body, dry_run=True)
        if path.rpartition("/")[2] in ("merge-performers", "merge-scenes") or (
            "delete" in path
        ):
            body["confirm"] = True
        answer = self._ask(path, body)
        assert answer["plan"] == planned["plan"]
        return answer

    def _ask(self, path, body, **more):
        sent = {**body, **more}
        asked = self.client.post(path, sent, content_type="application/json")
        assert asked.status_code == 200, asked.json()
        return asked.json()

    def is_settled(self, found, action):
        """Assert that it was resolved by the action and stays away for good."""
        path = f"/recommendations/{found['id']}"
        assert self.client.get(path).json()["status"] == "resolved"
        (record,) = ActionRecord.objects.all()
        assert (record.action, record.state) == (action, "done")
        assert record.recommendation_id == found["id"]
        assert record.before["plan"]
        assert self.look() == []
        assert self.look(full="true") == []
        return self.client.get(path).json()["status"] == "resolved"


@pytest.fixture
def way():
    return Way


def action(name):
    return f"/recommendations/actions/{name}"


def ids_at(row, endpoint):
    return [each.stash_id for each in row.stash_ids if each.endpoint == endpoint]


def test_every_analysis_goes_the_whole_way_here():
    types = {each for each, run in all_run_types().items() if run.analyzer}

    ways = {name.removeprefix("test_way_of_") for name in globals()}
    assert types <= ways


def test_way_of_duplicate_performer(library, way):
    way = way("duplicate_performer")
    keeper = add_performer(library, "Ada", ids=[(AT, "a")])
    other = add_performer(library, "Ada Z", ids=[(AT, "a")], urls=["https://z.example"])
    bystander = add_performer(library, "Ada Y", ids=[(AT, "y")])
    scenes = [add_scene(library, performers=[each]) for each in (keeper, other)]

    (found,) = way.look()
    members = [each["id"] for each in found["details"]["performers"]]
    way.act(
        action("merge-performers"),
        recommendation_id=found["id"],
        destination_id=keeper.id,
        source_ids=[each for each in members if each != keeper.id],
    )

    assert set(library.performers) == {keeper.id, bystander.id}
    assert [each.performer_ids for each in scenes] == [[keeper.id], [keeper.id]]
    assert keeper.alias_list == ["Ada Z"]
    assert keeper.urls == ["https://z.example"]
    assert way.is_settled(found, "merge-performers")


def test_way_of_duplicate_scene_files(library, way):
    way = way("duplicate_scene_files")
    poor = add_file(library, size=3_000_000_000, phash=7)
    good = add_file(library, video_codec="hevc", phash=7)
    scene = add_scene(library, files=[poor, good])

    (found,) = way.look()
    keeper = found["details"]["suggested_keeper_id"]
    way.act(
        action("delete-scene-files"),
        recommendation_id=found["id"],
        scene_id=found["target_id"],
        keep_file_id=keeper,
        file_ids_to_delete=[
            each["id"] for each in found["details"]["files"] if each["id"] != keeper
        ],
    )

    assert scene.file_ids == [good.id]
    assert poor.id not in library.files
    assert way.is_settled(found, "delete-scene-files")


@pytest.mark.parametrize("how", ["merge-scenes", "delete-scene"])
def test_way_of_duplicate_scenes(library, way, how):
    way = way("duplicate_scenes")
    first, second = (
        add_scene(
            library, title=name, files=[add_file(library, phash=PICTURE)], studio_id="1"
        )
        for name in ("One", "Two")
    )
    file_ids = [*first.file_ids, *second.file_ids]

    (found,) = way.look()
    ids = found["details"]["scene_a_id"], found["details"]["scene_b_id"]
    if how == "merge-scenes":
        asked = {"destination_id": ids[0], "source_ids": [ids[1]]}
    else:
        asked = {"scene_id": ids[1], "delete_file": True}
    way.act(action(how), recommendation_id=found["id"], **asked)

    assert set(library.scenes) == {first.id}
    is_merge = how == "merge-scenes"
    assert first.file_ids == (file_ids if is_merge else file_ids[:1])
    assert set(library.files) == {*first.file_ids}
    assert way.is_settled(found, how)


def accepted(found):
    """Return the values of all changes, as a client sends them back."""
    return {
        each["field"]: each["upstream_value"] for each in found["details"]["changes"]
    }


def test_way_of_upstream_performer_changes(library, box, way):
    way = way("upstream_performer_changes")
    theirs = box_performer(
        box.box,
        "Ada Lux",
        aliases=["Addie"],
        cup_size="D",
        ethnicity="MIDDLE_EASTERN",
        breast_type="FAKE",
        career_start_year=2011,
        height=170,
    )
    ours = add_performer(
        library,
        "Ada",
        alias_list=["Her"],
        measurements="34C-24-36",
        career_length="2010 - 2020",
    )
    link(ours, theirs, box)

    (found,) = way.look()
    # Of the parts that the stash-box lacks, nothing is taken over.
    fields = {name: value for name, value in accepted(found).items() if value}
    way.act(
        action("update-performer"),
        recommendation_id=found["id"],
        performer_id=found["target_id"],
        fields=fields,
    )

    assert (ours.name, ours.alias_list) == ("Ada Lux", ["Addie"])
    assert ours.measurements == "34D-24-36"
    assert (ours.ethnicity, ours.fake_tits) == ("Middle Eastern", "Augmented")
    assert ours.career_length == "2011-2020"
    assert ours.height_cm == 170
    assert way.is_settled(found, "update-performer")


def test_way_of_upstream_tag_changes(library, box, way):
    way = way("upstream_tag_changes")
    tag = add_tag(library, "Outdoor", description="old")
    add_tag(library, "Garden")
    link(tag, box_tag(box.box, "Outdoors", aliases=["open", "garden"]), box)

    (found,) = way.look()
    answer = way.act(
        action("update-tag"),
        recommendation_id=found["id"],
        tag_id=found["target_id"],
        fields=accepted(found),
    )

    assert (tag.name, tag.description, tag.aliases) == ("Outdoors", None, ["open"])
    assert [each["alias"] for each in answer["refused_aliases"]] == ["garden"]
    assert way.is_settled(found, "update-tag")


def test_way_of_upstream_studio_changes(library, box, way):
    way = way("upstream_studio_changes")
    mother = box_studio(box.box, "Net")
    theirs = box_studio(box.box, "Label", parent_id=mother.id)
    parent, studio = add_studio(library, "Net"), add_studio(library, "label 1")
    link(parent, mother, box)
    link(studio, theirs, box)

    (found,) = way.look()
    way.act(
        action("update-studio"),
        recommendation_id=found["id"],
        studio_id=found["target_id"],
        endpoint=found["details"]["endpoint"],
        fields=accepted(found),
    )

    assert (studio.name, studio.parent_id) == ("Label", parent.id)
    assert way.is_settled(found, "update-studio")


def test_way_of_upstream_scene_changes(library, box, way):
    way = way("upstream_scene_changes")
    theirs = {
        "performer": box_performer(box.box, "Ada"),
        "tag": box_tag(box.box, "Open"),
        "studio": box_studio(box.box, "Label"),
    }
    ours = {
        "performer": add_performer(library, "Ada"),
        "tag": add_tag(library, "Open"),
        "studio": add_studio(library, "Label"),
    }
    for kind, row in ours.items():
        link(row, theirs[kind], box)
    # Another of that name, without an id, is not meant.
    add_performer(library, "Ada", disambiguation="another")
    stays = add_performer(library, "Somebody without ids")
    scene = add_scene(library, title="Old", performers=[stays])
    upstream = box_scene(
        box.box,
        "New",
        release_date="2024-02-03",
        performers=[Appearance(theirs["performer"].id)],
        tag_ids=[theirs["tag"].id],
        studio_id=theirs["studio"].id,
    )
    link(scene, upstream, box)

    (found,) = way.look()
    details = found["details"]
    way.act(
        action("update-scene"),
        recommendation_id=found["id"],
        scene_id=found["target_id"],
        fields=accepted(found),
        add_performer_ids=_local_ids(details["performer_changes"]),
        add_tag_ids=_local_ids(details["tag_changes"]),
        studio_id=details["studio_change"]["upstream"]["local_match"]["id"],
    )

    assert (scene.title, scene.date) == ("New", "2024-02-03")
    assert scene.performer_ids == [stays.id, ours["performer"].id]
    assert scene.tag_ids == [ours["tag"].id]
    assert scene.studio_id == ours["studio"].id
    assert way.is_settled(found, "update-scene")


def test_changes_of_a_scene_wait_while_something_else_of_it_is_updated(
    library, box, way
):
    way = way("upstream_scene_changes")
    scene = add_scene(library, title="Old")
    ada, theirs = add_performer(library, "Ada"), box_performer(box.box, "Ada")
    link(ada, theirs, box)
    cast = [Appearance(theirs.id)]
    link(scene, box_scene(box.box, "New", performers=cast), box)
    (found,) = way.look()

    way.act(action("update-scene"), scene_id=scene.id, fields={"rating100": 50})
    assert [each["id"] for each in way.look()] == [found["id"]]
    way.act(action("update-scene"), scene_id=scene.id, fields={"title": "New"})

    assert way.look() == []


def _local_ids(lists):
    return [each["local_match"]["id"] for each in lists["added"]]


@pytest.mark.usefixtures("_own_folder")
def test_way_of_scene_fingerprint_match(library, box, way):
    way = way("scene_fingerprint_match")
    file = add_file(library, oshash="a1", phash=0xFF00)
    scene = add_scene(library, files=[file], ids=[(AT, "there")])
    right, _ = (
        add_box_scene(box, ("OSHASH", "a1", 3600, 5), ("PHASH", "ff00", 3600, count))
        for count in (5, 1)
    )

    matches = way.look()
    (found,) = [each for each in matches if each["details"]["stash_id"] == right.id]
    assert len(matches) == 2
    way.act(
        action("accept-fingerprint-match"),
        recommendation_id=found["id"],
        scene_id=found["details"]["scene_id"],
        endpoint=found["details"]["endpoint"],
        stash_id=found["details"]["stash_id"],
    )

    assert ids_at(scene, box.endpoint) == [right.id]
    assert ids_at(scene, AT) == ["there"]
    # The other candidate goes with it.
    assert way.is_settled(found, "accept-fingerprint-match")


@pytest.fixture
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize("how", ["link-performer", "create-performer", "update-scene"])
def test_way_of_unidentified_scenes(library, box, way, how):
    way = way("unidentified_scenes")
    theirs = box_performer(box.box, "Ada Lux", gender="FEMALE")
    bea = add_performer(library, "Bea")
    scene = add_scene(library, performers=[bea])
    if how != "create-performer":
        link(add_performer(library, "Ada"), theirs, box)
    domain = library.stash_boxes[0].endpoint.split("/")[2]
    seen(scene.id, person(f"{domain.partition(':')[0]}:{theirs.id}", "Ada Lux"))

    (found,) = way.look()
    (somebody,) = found["details"]["people"]
    paths = {
        "link-performer": (
            "/stash/link-performer",
            {
                "scene_id": found["target_id"],
                "performer_id": somebody["local_performer_id"],
            },
        ),
        "create-performer": (
            "/stash/create-performer",
            {
                "scene_id": found["target_id"],
                "endpoint": somebody["endpoint"],
                "stashdb_id": somebody["stash_box_id"],
            },
        ),
        "update-scene": (
            action("update-scene"),
            {
                "scene_id": found["target_id"],
                "add_performer_ids": [somebody["local_performer_id"]],
            },
        ),
    }
    path, body = paths[how]
    way.act(path, recommendation_id=found["id"], **body)

    (ada,) = [each for each in library.performers.values() if each is not bea]
    assert scene.performer_ids == [bea.id, ada.id]
    assert ids_at(ada, box.endpoint) == [theirs.id]
    assert way.is_settled(found, how)


def test_way_of_missing_stash_box_link(library, way):
    way = way("missing_stash_box_link")
    ada = add_performer(library, "Ada Lux", ids=[("https://b.example/graphql", "b")])
    for _ in range(3):
        scene = add_scene(library, performers=[ada])
        seen(scene.id, person(ADA, "Ada Lux"))

    (found,) = way.look()
    candidate = found["details"]["candidate"]
    way.act(
        action("link-entity"),
        recommendation_id=found["id"],
        entity_type=found["target_type"],
        entity_id=found["target_id"],
        endpoint=candidate["endpoint"],
        stashbox_id=candidate["stash_box_id"],
    )

    assert ids_at(ada, AT) == [ADA.partition(":")[2]]
    assert ids_at(ada, "https://b.example/graphql") == ["b"]
    assert way.is_settled(found, "link-entity")


def test_way_of_an_id_that_was_merged_upstream(library, box, way):
    way = way("upstream_performer_changes")
    theirs, target = (box_performer(box.box, "Ada") for _ in range(2))
    ours = add_performer(library, "Ada", ids=[(AT, "there")])
    link(ours, theirs, box)
    assert way.look() == []
    box.box.merge("PERFORMER", [theirs.id], target.id)

    (found,) = way.look()
    way.act(
        action("relink-entity"),
        recommendation_id=found["id"],
        entity_type="performer",
        entity_id=found["target_id"],
        endpoint=found["details"]["endpoint"],
        old_stashbox_id=found["details"]["stash_box_id"],
        new_stashbox_id=found["details"]["merged_into_id"],
    )

    assert ids_at(ours, box.endpoint) == [target.id]
    assert ids_at(ours, AT) == ["there"]
    assert way.is_settled(found, "relink-entity")
