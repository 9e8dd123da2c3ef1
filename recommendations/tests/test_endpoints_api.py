"""Stash-boxes over REST: their order, what is asked of them, and whom they know."""

import base64

import pytest

from demo.stash.library import StashBox
from demo.stashbox.testing import DEMO_KEY
from recommendations import decisions, endpoints, field_switches, findings
from recommendations.decisions import Person
from recommendations.models import (
    Dismissal,
    EndpointPreference,
    FieldSwitch,
    HighWaterMark,
    Recommendation,
)
from recommendations.tests.analyses import ListAnalyzer, finding
from stashsense.integrations import stashbox_connections

pytestmark = pytest.mark.django_db

SECOND = "https://second.example/graphql"
CONFIG = "/recommendations/upstream/field-config"


@pytest.fixture(autouse=True)
def _stash(stash, stashbox_server, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    stash.library.stash_boxes[:] = [
        *(box for box in stash.library.stash_boxes if box.name == "Drawn box"),
        StashBox(SECOND, "Second", "another key", 0),
    ]
    stashbox_connections.forget()
    yield
    stashbox_connections.forget()


def tell(client, path, body=None):
    return client.post(path, body, content_type="application/json")


def order(client):
    answer = client.get("/settings/endpoint-priorities").json()
    return {
        name: [each["endpoint"] for each in answer[name]]
        for name in ("endpoints", "disabled")
    }


def test_connections_are_told_without_their_keys(admin_client, stashbox_server):
    response = admin_client.get("/system/stashbox-connections")

    assert [*response.json()["connections"][1].items()] == [
        ("endpoint", SECOND),
        ("name", "Second"),
        ("domain", "second.example"),
        ("max_requests_per_minute", 0),
    ]
    assert DEMO_KEY not in response.content.decode()
    assert "another key" not in response.content.decode()


def test_a_box_that_was_added_in_stash_is_there_after_a_refresh(admin_client, stash):
    admin_client.get("/system/stashbox-connections")
    stash.library.stash_boxes.append(StashBox("https://third.example/graphql", "3"))

    refreshed = tell(admin_client, "/system/refresh-stashbox-config").json()

    assert refreshed["endpoints_loaded"] == 3
    assert refreshed["connections"][2]["domain"] == "third.example"


@pytest.mark.parametrize(
    "path", ["/settings/endpoint-priorities", "/system/stashbox-connections"]
)
def test_a_stash_that_is_down_is_said_to_be_and_asked_again(admin_client, stash, path):
    stash.go_down()
    down = admin_client.get(path)
    stash.come_back()

    assert (down.status_code, down.json()["code"]) == (503, "stash_unreachable")
    assert admin_client.get(path).status_code == 200


def test_the_order_is_stored_and_the_rest_follows(admin_client, stashbox_server):
    first = stashbox_server.endpoint
    assert order(admin_client) == {"endpoints": [first, SECOND], "disabled": []}

    wanted = {"endpoints": [SECOND, SECOND]}
    assert tell(admin_client, "/settings/endpoint-priorities", wanted).json() == {
        "success": True
    }

    assert order(admin_client)["endpoints"] == [SECOND, first]
    assert [each.endpoint for each in endpoints.ordered_endpoints()] == [SECOND, first]
    assert endpoints.has_priorities()


def test_a_disabled_box_is_not_asked_and_comes_last_when_enabled(
    admin_client, stashbox_server
):
    first = stashbox_server.endpoint
    wanted = {"endpoints": [first, SECOND]}
    tell(admin_client, "/settings/endpoint-priorities", wanted)

    disabled = tell(admin_client, "/settings/endpoint-disable", {"endpoint": first})
    assert disabled.json() == {"success": True, "cleared_count": 0}
    assert order(admin_client) == {"endpoints": [SECOND], "disabled": [first]}
    assert [each.endpoint for each in endpoints.ordered_endpoints()] == [SECOND]

    for _ in range(2):
        tell(admin_client, "/settings/endpoint-enable", {"endpoint": first})
    assert order(admin_client) == {"endpoints": [SECOND, first], "disabled": []}


def test_a_box_without_a_key_is_shown_and_not_asked(admin_client, stash):
    stash.library.stash_boxes.append(StashBox("https://third.example/graphql", "3"))

    assert len(order(admin_client)["endpoints"]) == 3
    assert len(endpoints.ordered_endpoints()) == 2


def test_what_waits_about_a_disabled_box_is_closed_and_may_come_back(
    admin_client, registered
):
    analyzer = ListAnalyzer()
    registered(analyzer)
    found = [finding("1", endpoint=SECOND), finding("2", endpoint=SECOND), finding("3")]
    findings.record(analyzer, found, pass_id=1)
    decided = Recommendation.objects.get(target_id="2")
    decisions.dismiss(decided, person=Person())
    HighWaterMark.objects.create(type="list", endpoint=SECOND)
    HighWaterMark.objects.create(type="list", endpoint="")

    body = {"endpoint": SECOND, "clear_recommendations": True}
    answer = tell(admin_client, "/settings/endpoint-disable", body).json()

    assert answer == {"success": True, "cleared_count": 1}
    closed = Recommendation.objects.get(target_id="1")
    assert (closed.status, closed.resolution_action) == ("resolved", "auto_resolved")
    assert Dismissal.objects.get().target_id == "2"
    assert HighWaterMark.objects.get().endpoint == ""
    findings.record(analyzer, found, pass_id=2)
    assert {row.target_id for row in Recommendation.objects.pending()} == {"1", "3"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("priorities", {"endpoints": ["https://elsewhere.example/graphql"]}),
        ("disable", {"endpoint": "https://elsewhere.example/graphql"}),
        ("enable", {"endpoint": "second.example"}),
    ],
)
def test_a_box_that_stash_does_not_have_is_refused(admin_client, path, body):
    response = tell(admin_client, f"/settings/endpoint-{path}", body)

    assert (response.status_code, response.json()["code"]) == (400, "unknown_stashbox")
    assert not EndpointPreference.objects.exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("priorities", {}),
        ("priorities", {"endpoints": SECOND}),
        ("priorities", {"endpoints": [None]}),
        ("priorities", {"endpoints": ["x" * 256]}),
        ("disable", {"endpoint": SECOND, "clear_recommendations": "perhaps"}),
        ("enable", {"endpoint": ""}),
        ("enable", [SECOND]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_strange_body_is_refused(admin_client, path, body):
    response = tell(admin_client, f"/settings/endpoint-{path}", body)

    assert response.status_code == 422
    assert not EndpointPreference.objects.exists()


def encoded(endpoint, alphabet=base64.b64encode):
    return alphabet(endpoint.encode()).decode()


@pytest.mark.parametrize(
    "name",
    [
        encoded(SECOND),
        encoded(SECOND).rstrip("="),
        encoded(SECOND, base64.urlsafe_b64encode),
    ],
)
def test_fields_are_switched_off_and_on(admin_client, name):
    path = f"{CONFIG}/{name}?entity_type=tag"
    before = admin_client.get(path).json()
    assert before["endpoint"] == SECOND
    assert {*before["fields"]} == {"name", "description", "aliases"}
    assert all(field["enabled"] for field in before["fields"].values())

    assert tell(admin_client, path, {"aliases": False, "name": True}).json() == {
        "success": True
    }

    after = admin_client.get(path).json()["fields"]
    assert after["aliases"] == {"enabled": False, "label": "Aliases"}
    assert after["name"]["enabled"]
    assert field_switches.switched_off(SECOND, "tag") == {"aliases"}
    performers = admin_client.get(f"{CONFIG}/{name}").json()["fields"]
    assert len(performers) == 21
    assert performers["aliases"]["enabled"]


def test_an_address_whose_base64_has_a_slash_is_understood(admin_client, stash):
    endpoint = "https://box.example/?>?>"
    name = encoded(endpoint)
    assert "/" in name
    stash.library.stash_boxes.append(StashBox(endpoint, "Slash", "key", 0))
    stashbox_connections.refresh()

    response = tell(admin_client, f"{CONFIG}/{name}?entity_type=scene", {"date": False})

    assert response.status_code == 200
    assert field_switches.switched_off(endpoint, "scene") == {"date"}


@pytest.mark.parametrize("name", ["!!!", "a", "gICA", "AAAA", "%20"])
def test_what_is_no_base64_of_an_address_is_refused(admin_client, name):
    assert admin_client.get(f"{CONFIG}/{name}").status_code == 422
    assert tell(admin_client, f"{CONFIG}/{name}", {}).status_code == 422


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("performer", {"shoe_size": True}),
        ("performer", {"title": True}),
        ("scene", {"title": "no"}),
        ("scene", {"title": None}),
        ("scene", [True]),
        ("gallery", {"title": True}),
    ],
)
def test_unknown_fields_and_what_is_no_switch_are_refused(admin_client, entity, body):
    path = f"{CONFIG}/{encoded(SECOND)}?entity_type={entity}"

    assert tell(admin_client, path, body).status_code == 422
    assert not FieldSwitch.objects.exists()


def test_fields_of_a_box_that_stash_does_not_have_are_not_stored(admin_client):
    path = f"{CONFIG}/{encoded('https://elsewhere.example/graphql')}"

    response = tell(admin_client, path, {"name": False})

    assert (response.status_code, response.json()["code"]) == (400, "unknown_stashbox")
    assert not FieldSwitch.objects.exists()
