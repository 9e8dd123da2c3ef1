"""What Prometheus is told, by one process and by several."""

import os
import re
import subprocess
import sys
import threading
import urllib.request
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from dbupdates.models import DatabaseRelease, UpdateRun
from recognition.inference_queue import InferenceQueue
from recommendations.models import AnalysisRun
from stashsense.api.authentication import api_key
from stashsense.api.metrics import StateCollector
from stashsense.data_folder import ROOT
from stashsense.tests.test_serve import Service
from stashsense.tests.waiting import wait_until

pytestmark = pytest.mark.django_db
LIMIT_SECONDS = 120
# What a service that serves no release tells all the same.
EVERYWHERE = {
    *["requests_total", "request_seconds_bucket", "stage_seconds_bucket"],
    *["requests_in_progress", "queue_depth", "info", "engines", "faces", "performers"],
    *["update_in_progress", "update_available", "update_failed"],
    *["workers", "workers_serving", "process_resident_bytes"],
}

TWO_WORKERS = """
import os, sys
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from stashsense.observability import metrics

metrics.REQUESTS.labels("/x", "GET", 200, "key").inc()
metrics.IN_PROGRESS.inc()
child = os.fork()
if not child:
    # As gunicorn: a worker counts in files of its own.
    metrics.REQUESTS.labels("/x", "GET", 200, "key").inc()
    metrics.IN_PROGRESS.inc()
    os._exit(0)
os.waitpid(child, 0)
mark_process_dead(child)
registry = CollectorRegistry()
MultiProcessCollector(registry)
sys.stdout.buffer.write(generate_latest(registry))
"""


@pytest.fixture
def scrape(settings):
    """Ask as Prometheus does; return values by name and labels."""
    settings.API_KEY = "right-key"
    api_key.cache_clear()

    def scrape():
        response = Client().get(
            "/metrics",
            headers={
                "Authorization": "Bearer right-key",
                "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
            },
        )
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain")
        return values_of(response.content.decode())

    yield scrape
    api_key.cache_clear()


def values_of(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(values, name, **labels):
    return values[(f"stash_sense_{name}", *sorted(labels.items()))]


def test_requests_are_counted_by_route_and_not_by_path(scrape):
    labels = {
        "route": "/recommendations/<str:rec_id>",
        "method": "GET",
        "status": "401",
        "caller": "nobody",
    }
    Client().get("/recommendations/1")
    before = value(scrape(), "requests_total", **labels)

    for number in range(3):
        Client().get(f"/recommendations/{number}")

    after = scrape()
    assert value(after, "requests_total", **labels) == before + 3
    assert not any("/recommendations/1" in str(key) for key in after)


def test_a_method_that_somebody_made_up_is_not_counted_by_its_name(scrape):
    Client().generic("MADE-UP", "/health")

    assert not any("MADE-UP" in str(key) for key in scrape())


@pytest.fixture
def release():
    """An active release that was made an hour ago."""
    return DatabaseRelease.objects.create(
        version="2026.03.01",
        status="active",
        face_count=70,
        performer_count=8,
        created_at=timezone.now() - timedelta(hours=1),
    )


def test_the_release_is_told(scrape, release):

    values = scrape()

    assert value(values, "faces") == 70
    assert value(values, "performers") == 8
    assert any(("release", "2026.03.01") in key for key in values)
    assert 3600 <= value(values, "release_age_seconds") < 3600 + LIMIT_SECONDS


def test_a_release_that_does_not_say_when_it_was_made_has_no_age(scrape, release):
    release.created_at = None
    release.save()

    assert ("stash_sense_release_age_seconds",) not in scrape()


def test_what_is_identified_or_waits_for_a_place_is_told(scrape):
    queue = InferenceQueue(slots=1, waiting=1, what="planted pictures")

    def told():
        return value(scrape(), "identifying", what="planted pictures")

    def visit():
        with queue.slot():
            pass

    waiting = threading.Thread(target=visit)
    with queue.slot():
        alone = told()
        waiting.start()
        wait_until(lambda: told() == 2, within=LIMIT_SECONDS)
    waiting.join(LIMIT_SECONDS)

    assert alone == 1
    assert told() == 0


def test_every_metric_is_described_and_no_other(release):
    page = (ROOT / "docs" / "observability.md").read_text()
    _, _, after = page.partition("## Metrics")
    described = re.findall(r"`(stash_sense_\w+)`", after.partition("\n## ")[0])

    families = [*REGISTRY.collect(), *StateCollector().collect()]
    told = {
        f"{each.name}_total" if each.type == "counter" else each.name
        for each in families
        if each.name.startswith("stash_sense_")
    }

    assert sorted(described) == sorted(told)


def test_updates_and_queues_are_told(scrape):
    AnalysisRun.objects.create(type="duplicate_scenes", asked_by="api", priority=1)
    UpdateRun.objects.create(phase="failed", asked_by="api")

    values = scrape()

    assert value(values, "queue_depth", queue="analyses") == 1
    assert value(values, "update_failed") == 1
    assert value(values, "update_in_progress", phase="none") == 0


def test_a_task_that_runs_waits_no_more(scrape, admin_client):
    for _ in range(3):
        async_task("math.floor", 1.5)
    [(taken, _)] = get_broker().dequeue()

    waiting = value(scrape(), "queue_depth", queue="tasks")
    page = admin_client.get("/status").content.decode()

    # Its row is there until it has ended.
    assert OrmQ.objects.filter(pk=taken).exists()
    assert waiting == 2
    assert "Tasks that wait: 2." in page


def test_memory_is_told_for_this_process(scrape):
    values = scrape()

    [memory] = [
        each
        for key, each in values.items()
        if key[0] == "stash_sense_process_resident_bytes"
        and ("pid", str(os.getpid())) in key
    ]
    assert memory > 10_000_000


def test_several_workers_are_added_up_and_dead_ones_have_nothing_in_progress(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TWO_WORKERS],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )

    values = values_of(done.stdout)

    labels = {"route": "/x", "method": "GET", "status": "200", "caller": "key"}
    assert value(values, "requests_total", **labels) == 2
    assert value(values, "requests_in_progress") == 1


@pytest.mark.service
def test_a_running_service_tells_of_all_its_processes_whichever_is_asked(tmp_path):
    service = Service(
        tmp_path / "data", WEB_WORKERS="2", STASH_SENSE_API_KEY="right-key"
    )
    try:
        service.wait_until_ready()
        wait_until(
            lambda: value(ask(service), "workers") == 2,
            within=LIMIT_SECONDS,
        )
        for _ in range(20):
            ask(service, "/queue")
        answers = [ask(service) for _ in range(8)]
    finally:
        service.kill()

    labels = {"route": "/queue", "method": "GET", "status": "200", "caller": "key"}
    for values in answers:
        assert value(values, "requests_total", **labels) == 20
        assert value(values, "request_seconds_count", route="/queue") == 20
        programs = [dict(key[1:]).get("program") for key in values]
        assert programs.count("web") == 3
        assert set(programs) >= {"serve", "supervisor", "web", "cluster"}
        told = {key[0].removeprefix("stash_sense_") for key in values}
        assert EVERYWHERE - told == set()


def ask(service, path="/metrics"):
    """Ask over a connection of its own; return values by name and labels."""
    request = urllib.request.Request(
        service.address(path), headers={"X-Api-Key": "right-key"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    return values_of(text) if path == "/metrics" else {}
