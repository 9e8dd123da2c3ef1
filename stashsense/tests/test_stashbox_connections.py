"""The stash-boxes that Stash is configured with, asked of a stand-in of each."""

import pytest

from demo.stash.library import StashBox
from demo.stashbox.testing import DEMO_KEY, connect_box
from stashsense.integrations import stashbox_connections
from stashsense.integrations.stash_errors import StashUnreachable
from stashsense.integrations.stashbox_errors import UnknownStashBox
from stashsense.integrations.stashbox_types import BoxFingerprint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured(stash_server, stashbox_server, settings, tmp_path):
    settings.STASH_URL, settings.STASH_API_KEY = stash_server.url, ""
    settings.DATA_DIR = tmp_path
    stashbox_connections.forget()
    yield
    stashbox_connections.forget()


def asked(stash_server):
    return [
        request.operation
        for request in stash_server.graphql_requests()
        if request.operation == "StashBoxConnections"
    ]


def test_stash_tells_its_boxes_with_keys_that_are_not_shown(stashbox_server):
    connection = stashbox_connections.get_connection(stashbox_server.endpoint)

    assert connection.api_key == DEMO_KEY
    assert (connection.name, connection.max_requests_per_minute) == ("Drawn box", 6000)
    assert DEMO_KEY not in f"{stashbox_connections.connections()!r}"


def test_stash_is_asked_again_only_after_a_while_or_when_wanted(stash_server):
    stashbox_connections.connections()
    stash_server.library.stash_boxes.append(
        StashBox("https://new.example/graphql", "N")
    )

    before = stashbox_connections.find_connection("new.example")
    stashbox_connections.refresh()
    after = stashbox_connections.get_connection("new.example")

    assert (before, after.endpoint) == (None, "https://new.example/graphql")
    assert len(asked(stash_server)) == 2


def test_a_stash_that_was_down_is_asked_again_at_once(stash_server, stashbox_server):
    stash_server.go_down()
    with pytest.raises(StashUnreachable):
        stashbox_connections.connections()

    stash_server.come_back()

    assert stashbox_connections.client_for(stashbox_server.endpoint).name == "Drawn box"


def test_a_box_is_found_by_address_domain_and_name(stash_server):
    boxes = stash_server.library.stash_boxes
    boxes.append(StashBox("https://Box.example:8443/graphql", "My Box", "k" * 8))

    for name in ("https://box.example:8443/graphql/", "box.example", "my box"):
        found = stashbox_connections.get_connection(name)
        assert found.endpoint == "https://Box.example:8443/graphql"
    assert stashbox_connections.find_connection("elsewhere.example") is None


def test_a_box_without_a_key_is_listed_and_not_asked(stash_server):
    stash_server.library.stash_boxes.append(StashBox("https://b.example/graphql", "B"))

    assert not stashbox_connections.get_connection("b.example").is_usable
    with pytest.raises(UnknownStashBox, match="no usable key for B"):
        stashbox_connections.client_for("b.example")
    with pytest.raises(UnknownStashBox, match=r"no.*with a stash-box 'c\.example'"):
        stashbox_connections.client_for("c.example")


def test_a_process_has_one_client_of_a_box_at_the_rate_of_stash(
    stash_library, stashbox_server, tmp_path
):
    first = stashbox_connections.client_for(stashbox_server.endpoint)
    assert first.limiter.requests_per_minute == pytest.approx(6000)

    connect_box(stash_library, stashbox_server.endpoint, requests_per_minute=0)
    stashbox_connections.refresh()

    assert stashbox_connections.client_for(stashbox_server.endpoint) is first
    assert first.limiter.requests_per_minute == pytest.approx(240)
    first.search_performers("anybody")
    assert [path.name[:9] for path in (tmp_path / "rate_limits").iterdir()] == [
        "127.0.0.1"
    ]
    figures = stashbox_connections.rate_limiter_figures()
    assert figures[stashbox_server.endpoint].total_requests == 1


def test_a_changed_key_makes_another_client(stash_library, stashbox_server):
    first = stashbox_connections.client_for(stashbox_server.endpoint)
    stashbox_server.api_key = "renewed-key"
    connect_box(stash_library, stashbox_server.endpoint, api_key="renewed-key")

    stashbox_connections.refresh()
    second = stashbox_connections.client_for(stashbox_server.endpoint)

    assert second is not first
    assert second.search_performers("somebody else")


def test_the_box_knows_whom_the_library_has_ids_for(stash_library, stashbox_server):
    client = stashbox_connections.client_for(stashbox_server.endpoint)
    by_id = {
        stash_id.stash_id: performer.name
        for performer in stash_library.performers.values()
        for stash_id in performer.stash_ids
        if stash_id.endpoint == stashbox_server.endpoint
    }
    assert len(by_id) > 1

    found = client.find_performers(list(by_id))

    assert {
        id: performer and performer.name for id, performer in found.items()
    } == by_id


def test_the_box_finds_the_librarys_scenes_by_their_files(
    stash_library, stashbox_server
):
    client = stashbox_connections.client_for(stashbox_server.endpoint)
    scene = next(each for each in stash_library.scenes.values() if each.stash_ids)
    file = stash_library.primary_file(scene)
    ours = [
        fingerprint
        for type, value in file.fingerprints.items()
        if (fingerprint := BoxFingerprint.from_stash(type, value))
    ]

    ((found,),) = client.find_scenes_by_fingerprints([ours])

    assert (found.id, found.title) == (scene.stash_ids[0].stash_id, scene.title)
    assert found.studio is None or found.studio.name
