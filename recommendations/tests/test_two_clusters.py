"""Work spread over two clusters on one PostgreSQL: nothing twice, and nothing lost."""

import pytest

from recognition.tests.hosts_world import (
    PATIENCE_SECONDS,
    needs_postgresql,
    running_hosts,
)
from stashsense.tests.waiting import wait_until

pytestmark = [pytest.mark.service, needs_postgresql]

CLUSTERS = ("first", "second")
ANALYSES = ("duplicate_performer", "duplicate_scene_files", "duplicate_scenes")
TASKS = 60
SCHEDULES = 12
# Functions of nobody's, so that each call leaves one row, by its own name.
ENQUEUE = f"""
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task
for number in range({TASKS}):
    async_task("time.sleep", 0.05)
    async_task("os.getpid", task_name=f"piece {{number}}")
for number in range({SCHEDULES}):
    Schedule.objects.create(
        func="math.fabs", args="-1", name=f"due {{number}}",
        schedule_type=Schedule.MINUTES, minutes=60, next_run=timezone.now(),
    )
"""
WORKERS = """
from django_q.models import Task
print(len({task.result for task in Task.objects.filter(func="os.getpid")}))
"""
BEGIN = f"""
from recommendations import runs
from recommendations.models import AnalysisRun
asker = runs.Asker(AnalysisRun.Asker.COMMAND)
for name in {ANALYSES!r}:
    runs.request_run(name, asker=asker)
"""


@pytest.fixture
def hosts(stash_server, tmp_path):
    with running_hosts(
        tmp_path,
        STASH_URL=stash_server.url,
        STASH_SENSE_RELEASE_FEED="http://127.0.0.1:9/feed",
    ) as running:
        yield running


def shell(hosts, program):
    return hosts.manage("first", "shell", "--verbosity=0", "-c", program)


def ended_tasks(hosts):
    query = "SELECT name, success FROM django_q_task ORDER BY name"
    return hosts.rows(query)


def states(hosts):
    found = hosts.rows("SELECT state FROM recommendations_analysisrun")
    return [state for (state,) in found]


def test_every_piece_is_done_once_and_every_schedule_fires_once(hosts):
    for name in CLUSTERS:
        hosts.start(name, "cluster")

    shell(hosts, ENQUEUE)
    shell(hosts, BEGIN)

    pieces = sorted(f"piece {number}" for number in range(TASKS))
    wait_until(
        lambda: {*pieces} <= {name for name, _ in ended_tasks(hosts)},
        within=PATIENCE_SECONDS,
    )
    wait_until(lambda: {*states(hosts)} == {"completed"}, within=PATIENCE_SECONDS)
    scheduled = "SELECT count(*) FROM django_q_task WHERE func = 'math.fabs'"
    wait_until(
        lambda: hosts.rows(scheduled)[0][0] >= SCHEDULES, within=PATIENCE_SECONDS
    )
    # What is given away twice would be delivered by now, and done soon after.
    wait_until(
        lambda: hosts.rows("SELECT count(*) FROM django_q_ormq") == [(0,)],
        within=PATIENCE_SECONDS,
    )

    tasks = ended_tasks(hosts)
    assert [name for name, _ in tasks if name.startswith("piece ")] == pieces
    assert shell(hosts, WORKERS).strip() == "2"
    assert hosts.rows(scheduled) == [(SCHEDULES,)]
    assert all(success for _, success in tasks)
    found = "SELECT sum(found_count), sum(death_count) FROM recommendations_analysisrun"
    [(found_count, death_count)] = hosts.rows(found)
    kept = "SELECT count(*) FROM recommendations_recommendation"
    assert hosts.rows(kept) == [(found_count,)]
    assert death_count == 0
    slices = [name for name, _ in tasks if " slice " in name]
    assert len(slices) == len({*slices})


def test_what_a_cluster_leaves_that_dies_the_other_one_finishes(hosts, stash_server):
    hosts.start("first", "cluster")
    # Each question takes so long that the analysis is caught in the midst of it.
    stash_server.faults.delay_seconds = 3
    shell(hosts, BEGIN)
    held = "SELECT pid FROM recommendations_analysisrun WHERE pid IS NOT NULL"
    wait_until(lambda: hosts.rows(held), within=PATIENCE_SECONDS)

    hosts.kill("first")
    stash_server.faults.delay_seconds = 0
    hosts.start("second", "cluster")

    wait_until(lambda: {*states(hosts)} == {"completed"}, within=PATIENCE_SECONDS)
    [(deaths,)] = hosts.rows("SELECT sum(death_count) FROM recommendations_analysisrun")
    assert deaths == 1
    found = "SELECT sum(found_count) FROM recommendations_analysisrun"
    kept = "SELECT count(*) FROM recommendations_recommendation"
    assert hosts.rows(kept) == hosts.rows(found)
