"""What Prometheus is told: what workers counted, and how things stand."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from django.http import HttpResponse
from django_q.tasks import queue_size
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.request import Request
from rest_framework.views import APIView

from dbupdates.models import UpdateRun
from dbupdates.published import feed_status
from dbupdates.store import active_release
from recognition.models import LibraryRun, ServingProcess
from recommendations.models import AnalysisRun
from stashsense import __version__, engines_used
from stashsense.api.negotiation import WhateverIsAccepted


class MetricsView(APIView):
    """How do things stand, for Prometheus?"""

    # Scrapers list what they accept in words of their own.
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="metrics",
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return what all workers counted, and the state of releases and queues."""
        registry = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            counted = generate_latest(registry)
        else:
            counted = generate_latest(REGISTRY)
        state = CollectorRegistry()
        state.register(StateCollector())
        return HttpResponse(
            counted + generate_latest(state), content_type=CONTENT_TYPE_LATEST
        )


class StateCollector:
    """How things stand now, by the rows that all processes share."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what is served, what waits, how updates stand, and memory."""
        yield from _release()
        yield from _updates()
        yield from _queues()
        yield from _serving()
        yield from _memory()


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"stash_sense_{name}", text, value=value)


def _release() -> Iterator[GaugeMetricFamily]:
    release = active_release()
    version = release.version if release else ""
    info = GaugeMetricFamily(
        "stash_sense_info",
        "What runs and what is served.",
        labels=["version", "release"],
    )
    info.add_metric([__version__, version], 1)
    yield info
    engines = GaugeMetricFamily(
        "stash_sense_engines",
        "What the rows and the cache are kept in.",
        labels=["database", "cache"],
    )
    names = [engines_used.database_name(), engines_used.cache_name()]
    engines.add_metric(names, 1)
    yield engines
    faces = release.face_count if release else 0
    performers = release.performer_count if release else 0
    yield _gauge("faces", "Faces of the active release.", faces)
    yield _gauge("performers", "Performers of the active release.", performers)
    if release and release.created_at:
        age = time.time() - release.created_at.timestamp()
        yield _gauge("release_age_seconds", "Since the release was made.", age)


def _updates() -> Iterator[GaugeMetricFamily]:
    run = UpdateRun.objects.in_progress().first()
    phases = GaugeMetricFamily(
        "stash_sense_update_in_progress", "1 while an update runs.", labels=["phase"]
    )
    phases.add_metric([run.phase if run else "none"], int(run is not None))
    yield phases
    newer = int(feed_status().is_update_available)
    yield _gauge("update_available", "1 where a newer release is published.", newer)
    last = UpdateRun.objects.first()
    failed = int(last is not None and last.phase == "failed")
    yield _gauge("update_failed", "1 where the latest update failed.", failed)


def _queues() -> Iterator[GaugeMetricFamily]:
    depth = GaugeMetricFamily(
        "stash_sense_queue_depth", "What waits to be begun.", labels=["queue"]
    )
    queued = AnalysisRun.objects.filter(state=AnalysisRun.State.QUEUED).count()
    library = LibraryRun.objects.filter(state="queued").count()
    depth.add_metric(["tasks"], waiting_task_count())
    depth.add_metric(["analyses"], queued)
    depth.add_metric(["library"], library)
    yield depth


def waiting_task_count() -> int:
    """Return how many tasks no cluster has taken yet; a row stays until its task ended.

    Below what waits by at most two for each cluster, which takes those while one runs.
    """
    return int(queue_size())


def _serving() -> Iterator[GaugeMetricFamily]:
    live = ServingProcess.objects.live()
    ready = live.exclude(release_version="").count()
    yield _gauge("workers", "Workers heard of lately.", live.count())
    yield _gauge("workers_serving", "Of these, those that serve a release.", ready)


def _memory() -> Iterator[GaugeMetricFamily]:
    memory = GaugeMetricFamily(
        "stash_sense_process_resident_bytes",
        "Resident memory of each process of this service on this machine.",
        labels=["program", "pid"],
    )
    for program, pid, resident_bytes in service_memory():
        memory.add_metric([program, str(pid)], resident_bytes)
    yield memory


def service_memory() -> list[tuple[str, int, int]]:
    """Return program, process id and resident bytes of each process of the service."""
    found = []
    for process, program in service_processes():
        with suppress(psutil.Error):
            found.append((program, process.pid, process.memory_info().rss))
    return found


def service_processes() -> list[tuple[psutil.Process, str]]:
    """Return the processes of the service that this one belongs to, by program.

    By what `stashsense.serve` and supervisord.conf put into the environment, for the
    words of a command line may be anybody's.
    """
    own = psutil.Process()
    serving_pid = os.environ.get("STASH_SENSE_SERVING_PID")
    parents = own.parents()
    first = next((each for each in parents if str(each.pid) == serving_pid), own)
    found = [first, *first.children(recursive=True)]
    return [
        (each, "serve" if str(each.pid) == serving_pid else _program(each))
        for each in found
    ]


def _program(process: psutil.Process) -> str:
    try:
        return process.environ().get("STASH_SENSE_PROGRAM", "other")
    except psutil.Error:
        return "other"
