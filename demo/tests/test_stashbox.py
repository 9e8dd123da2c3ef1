"""The stand-in stash-box: as honest as what it stands for."""

from pathlib import Path

import pytest
import requests
from graphql import build_schema

from demo.stashbox.content import fill_performers, fill_scenes
from demo.stashbox.rows import Box
from demo.stashbox.testing import DEMO_KEY, StashBoxServer

SDL = Path(__file__).resolve().parents[1] / "stashbox" / "schema.graphql"
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "schema" / "stash-box"


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def server(box):
    with StashBoxServer(box) as server:
        yield server


def ask(server, query, *, key=DEMO_KEY, **variables):
    headers = {"ApiKey": key} if key else {}
    body = {"query": query, "variables": variables}
    return requests.post(server.endpoint, json=body, headers=headers, timeout=20)


def data(server, query, **variables):
    return ask(server, query, **variables).json()["data"]


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no schema at {FOLDER}")
def test_every_field_is_one_that_stash_boxes_have():
    text = "\n".join(file.read_text() for file in sorted(FOLDER.rglob("*.graphql")))
    theirs = build_schema(text.replace("= False", "= false"))
    ours = build_schema(SDL.read_text())
    missing = []

    for name, kind in ours.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            their_fields = getattr(theirs.type_map.get(name), "fields", {})
            if name.startswith("__") or (
                field_name in their_fields
                and str(their_fields[field_name].type) == str(field.type)
            ):
                continue
            missing.append(f"{name}.{field_name}")

    assert missing == []


def test_a_wrong_key_is_not_let_in_and_none_may_read_nothing(server):
    query = "{ version { version } searchPerformers(term: $x) { count } }"
    query = query.replace("$x", '"anna"')

    assert ask(server, query, key="wrong").status_code == 401
    refused = ask(server, query, key="").json()
    assert [error["message"] for error in refused["errors"]] == ["not authorized"]
    assert data(server, query)["searchPerformers"] == {"count": 0}


def test_an_unknown_field_is_refused(server):
    answer = ask(server, "{ findPerformer(id: 7) { weight } }")

    assert answer.status_code == 422
    assert "Cannot query field 'weight'" in answer.json()["errors"][0]["message"]


def test_what_is_gone_is_found_by_its_id_alone(box, server):
    ids = fill_performers(box, 4)
    box.merge("PERFORMER", [ids[0]], ids[1])
    box.destroy("PERFORMER", ids[2])
    query = "query Q($id: ID!) { findPerformer(id: $id) { deleted merged_into_id } }"

    merged = data(server, query, id=ids[0])["findPerformer"]

    listed = data(server, "{ queryPerformers(input: {}) { count } }")
    assert merged == {"deleted": True, "merged_into_id": ids[1]}
    assert listed["queryPerformers"]["count"] == 2


def test_more_than_forty_scenes_at_once_are_refused(box, server):
    fill_scenes(box, 1)
    query = (
        "query Q($f: [[FingerprintQueryInput!]!]!)"
        "{ findScenesBySceneFingerprints(fingerprints: $f) { id } }"
    )
    one = [{"hash": "f00d", "algorithm": "PHASH"}]

    answers = [ask(server, query, f=[one] * count).json() for count in (40, 41)]

    assert answers[0]["data"]["findScenesBySceneFingerprints"] == [[]] * 40
    assert answers[1]["errors"][0]["message"] == "too many scenes"


def test_rows_of_one_moment_come_in_another_order_each_time(box, server):
    fill_performers(box, 3)
    for performer in box.performers.values():
        performer.updated = performer.created = box.performers[
            next(iter(box.performers))
        ].updated
    query = "{ queryPerformers(input: { sort: UPDATED_AT }) { performers { id } } }"

    orders = [str(data(server, query)["queryPerformers"]) for _ in range(2)]

    assert orders[0] != orders[1]


def test_ten_thousand_performers_are_no_matter(box, server):
    ids = fill_performers(box, 10_000)
    query = """query Q($page: Int!) {
      queryPerformers(input: { sort: UPDATED_AT, page: $page, per_page: 100 }) {
        count performers { id }
      }
    }"""

    page = data(server, query, page=1)["queryPerformers"]

    assert (page["count"], page["performers"][0]["id"]) == (10_000, ids[-1])
    assert len(set(ids)) == 10_000


def test_pictures_are_there_for_whoever_asks(server):
    answer = requests.get(f"{server.url}/images/anything", timeout=20)

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
