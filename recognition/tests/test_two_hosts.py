"""Two web hosts and one of the background, each with its own disk; one PostgreSQL."""

import base64
import json

import pytest

from demo.release_simulator import ReleaseSimulator
from recognition.tests import hosts_world
from recognition.tests.hosts_world import PATIENCE_SECONDS, archive_of, running_hosts
from stashsense.tests.waiting import wait_until

FIRST, SECOND = "2026.03.01", "2026.04.01"
WEB_HOSTS = ("first", "second")

pytestmark = [pytest.mark.service, hosts_world.needs_postgresql]


@pytest.fixture
def feed():
    with ReleaseSimulator() as simulator:
        yield simulator


@pytest.fixture
def hosts(feed, tmp_path):
    with running_hosts(tmp_path, STASH_SENSE_RELEASE_FEED=feed.feed_url) as running:
        yield running


@pytest.fixture
def publish(feed, small_world, tmp_path):
    def publish(version):
        path = archive_of(small_world.release.path, version, tmp_path)
        feed.publish(version, path.read_bytes())
        return path

    return publish


def run_ended(hosts, job_id):
    """Wait until the run has ended; return its phase and error."""

    def ended():
        query = (
            f"SELECT phase, error FROM dbupdates_updaterun WHERE job_id = '{job_id}'"
        )
        [(phase, error)] = hosts.rows(query)
        return phase in {"complete", "failed", "cancelled"} and (phase, error)

    return wait_until(ended, within=PATIENCE_SECONDS)


def asked(hosts, path, body=None):
    status, answer = hosts.ask("first", "POST", path, body or {})
    assert status == 200, answer
    return answer["job_id"]


def identified(hosts, name, small_world):
    picture = next(p for p in small_world.known_pictures(12) if len(p.answers) == 1)
    body = {"image_base64": base64.b64encode(picture.jpeg).decode()}
    status, found = hosts.ask(name, "POST", "/identify", body)
    return status == 200 and picture.answers[0].universal_id in json.dumps(found)


def test_every_host_fetches_serves_and_acknowledges_what_was_activated(
    hosts, publish, small_world
):
    for name in WEB_HOSTS:
        hosts.start(name, "web")
    hosts.start("background", "cluster")
    publish(FIRST)

    job_id = asked(hosts, "/database/update")

    assert run_ended(hosts, job_id) == ("complete", ""), hosts.log("background")
    assert hosts.served() == [FIRST, FIRST]
    [(ready, count)] = hosts.rows(
        "SELECT ready_count, process_count FROM dbupdates_updaterun"
    )
    assert (ready, count) == (2, 2)
    for name in (*WEB_HOSTS, "background"):
        assert hosts.installed(name) == [FIRST]
    for name in WEB_HOSTS:
        assert identified(hosts, name, small_world)


def test_a_host_that_cannot_fetch_says_why_and_the_others_go_on_as_before(
    hosts, publish, small_world, tmp_path
):
    for name in WEB_HOSTS:
        hosts.start(name, "web")
    hosts.start("background", "cluster")
    publish(FIRST)
    assert run_ended(hosts, asked(hosts, "/database/update"))[0] == "complete"
    # In no feed, and on one of the hosts that serve.
    archive = archive_of(small_world.release.path, SECOND, tmp_path)
    hosts.manage("first", "import_release", archive)

    phase, error = run_ended(
        hosts, asked(hosts, f"/database/releases/{SECOND}/activate")
    )

    assert phase == "failed"
    assert "cannot serve it" in error
    assert "not on this host, and the feed has no archive of it" in error
    assert f"Release {FIRST} is active again." in error
    wait_until(lambda: hosts.served() == [FIRST, FIRST], within=PATIENCE_SECONDS)
    assert hosts.installed("second") == [FIRST]
    for name in WEB_HOSTS:
        assert identified(hosts, name, small_world)

    hosts.manage("second", "import_release", archive)
    job_id = asked(hosts, f"/database/releases/{SECOND}/activate")

    assert run_ended(hosts, job_id) == ("complete", "")
    assert hosts.installed("second") == [FIRST, SECOND]
    assert hosts.served() == [SECOND, SECOND]


def test_a_host_that_joins_and_cannot_fetch_says_so_and_goes_on_once_it_can(
    hosts, publish, feed, small_world
):
    hosts.start("first", "web")
    hosts.start("background", "cluster")
    publish(FIRST)
    assert run_ended(hosts, asked(hosts, "/database/update"))[0] == "complete"
    feed.faults.archive_statuses = [404] * 100

    hosts.start("second", "web")

    def told():
        query = "SELECT problem FROM recognition_servingprocess WHERE failed_version ="
        return hosts.rows(f"{query} '{FIRST}'")

    [(problem,)] = wait_until(told, within=PATIENCE_SECONDS)
    assert "404" in problem
    assert hosts.ask("second", "GET", "/health")[1]["problem"] == "download_failed"
    assert identified(hosts, "first", small_world)

    feed.faults.archive_statuses = []

    wait_until(lambda: hosts.served() == [FIRST, FIRST], within=PATIENCE_SECONDS)
    assert identified(hosts, "second", small_world)
