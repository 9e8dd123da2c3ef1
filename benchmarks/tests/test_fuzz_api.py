"""The service answers as its description says, whatever it is asked: a short run."""

import pytest
import requests

from benchmarks.api_fuzzing import Fuzzer, Tally
from stashsense.api.authentication import api_key

EXAMPLES = 1
SECONDS_EACH = 10.0
SEED = 20261121


@pytest.fixture
def asked(transactional_db, live_server, settings, stash_server):
    """Ask every operation of a service with the tiny library; return the tally."""
    settings.STASH_URL = stash_server.url
    settings.RELEASE_FEED = "http://127.0.0.1:9/feed"
    # Addresses that are made up are not looked up.
    settings.ALLOWED_IMAGE_HOSTS = frozenset()
    headers = {"X-Api-Key": api_key()}
    description = requests.get(
        f"{live_server.url}/openapi.json", headers=headers, timeout=60
    ).json()
    # Nobody offers a release here, and that is what it is answered: 503.
    for path in ("/database/update", "/models/install-published"):
        del description["paths"][path]
    fuzzer = Fuzzer(description, live_server.url, headers, known=KNOWN, tally=Tally())
    return fuzzer.run(examples=EXAMPLES, seconds_each=SECONDS_EACH, first_seed=SEED)


KNOWN: dict[str, list[int] | list[str]] = {
    **{name: [1, 2, 3] for name in ("stash_id", "scene_id", "performer_id", "tag_id")},
    "key": ["num_frames", "stash_api_rate"],
    "type": ["duplicate_scenes"],
    "type_id": ["duplicate_scenes"],
    # An address that no look-up is needed for, and nobody listens at.
    "url": ["http://127.0.0.1:9/a.jpg"],
    "image_url": ["http://127.0.0.1:9/a.jpg"],
}


def test_nothing_that_is_asked_by_chance_is_answered_otherwise_than_described(asked):
    unexpected = {
        str(each)
        for each in asked.server_errors
        if "database_not_loaded" not in str(each)
    }

    assert asked.answers.total() > 150
    assert len(asked.accepted) > 40
    assert {str(each) for each in asked.violations} == set()
    assert unexpected == set()
