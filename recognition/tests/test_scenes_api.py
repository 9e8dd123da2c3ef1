"""POST /identify/scene, against a stand-in Stash with drawn scenes."""

import pytest

from dbupdates.models import DatabaseRelease
from recognition.models import Fingerprint, FingerprintPerson

MODES = pytest.mark.parametrize("mode", ["frequency", "cluster", "hybrid"])


@pytest.fixture
def stash(stash_server, settings, served):
    settings.STASH_URL = stash_server.url
    settings.STASH_API_KEY = ""
    return stash_server


def identify(client, scene_id="1", **body):
    return client.post(
        "/identify/scene",
        {"scene_id": scene_id, **body},
        content_type="application/json",
    )


def named(answer):
    return {
        person["best_match"]["universal_id"]
        for person in answer["persons"]
        if person["best_match"]
    }


@MODES
def test_the_people_of_a_scene_are_named_with_evidence(admin_client, stash, mode):
    response = identify(admin_client, num_frames=12, matching_mode=mode)

    assert response.status_code == 200, response.json()
    answer = response.json()
    print(answer)
    assert named(answer)
