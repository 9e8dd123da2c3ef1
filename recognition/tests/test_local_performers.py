"""Which matches are performers of this Stash."""

from dbupdates.prepared import Performer
from recognition import local_performers
from recognition.local_performers import (
    NO_LOCAL_PERFORMERS,
    look_up,
    look_up_in_configured,
)
from recognition.numeric.people import PersonCandidate
from recognition.runtime.recognizer import Match
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_types import endpoint_domain
from stashsense.preferences.services import store_settings


def match(universal_id):
    performer = Performer(universal_id, "Somebody", None, None, None)
    return Match(performer, PersonCandidate(0, 0.3, 0.3, 0.3, 0.7, 1))


def test_performers_are_found_by_any_of_their_stash_ids(stash_server):
    performer = stash_server.library.performers["2"]
    client = StashClient(stash_server.url)

    first, second = (
        look_up(client, [match(universal_id)]).localized([match(universal_id)])[0]
        for universal_id in (
            f"{endpoint_domain(each.endpoint)}:{each.stash_id}"
            for each in performer.stash_ids
        )
    )

    assert first.local_performer_id == second.local_performer_id == "2"
    assert not first.is_tagged


def test_a_stash_that_does_not_answer_leaves_the_matches_unknown():
    client = StashClient("http://127.0.0.1:9")
    nobody = match("stashdb.org:0")

    local = look_up(client, [nobody])

    assert local.localized([nobody])[0].local_performer_id is None


def test_nothing_is_asked_where_nobody_was_matched(stash_server):
    look_up(StashClient(stash_server.url), [])

    assert stash_server.requests == []


def test_pictures_are_not_kept_waiting_by_a_stash_that_was_away(
    db, settings, stash_server, monkeypatch
):
    monkeypatch.setattr(local_performers, "_quiet_until", 0.0)
    settings.STASH_URL = "http://127.0.0.1:9"
    assert look_up_in_configured([match("stashdb.org:0")]) == NO_LOCAL_PERFORMERS

    settings.STASH_URL = stash_server.url
    look_up_in_configured([match("stashdb.org:0")])

    assert stash_server.requests == []


def test_how_often_stash_is_asked_is_told(admin_client, settings, stash_server):
    settings.STASH_URL = ""
    none = admin_client.get("/health/rate-limiter").json()
    assert (none["total_requests"], none["requests_per_second"]) == (0, None)

    settings.STASH_URL = stash_server.url
    store_settings({"stash_api_rate": 7}, user=None)
    look_up(configured_client(), [match("stashdb.org:0")])

    told = admin_client.get("/health/rate-limiter").json()
    assert told["requests_per_second"] == 7
    assert told["total_requests"] >= 1
    assert told["queue_depth"] == 0
