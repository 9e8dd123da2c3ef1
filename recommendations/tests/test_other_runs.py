"""Runs of the queue whose work other parts of the service do."""

import pytest
from django.db import connection

from dbupdates import updates
from dbupdates.exceptions import AlreadyLatest, FeedError
from dbupdates.models import UpdateRun
from dbupdates.progress import Phase
from dbupdates.runs import queue_run
from recommendations import runs
from recommendations.models import AnalysisRun
from recommendations.tests.analyses import ask, work

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "database_update"


@pytest.fixture
def when_asked(monkeypatch):
    """Have this be done when an update is asked for."""

    def set_to(act):
        monkeypatch.setattr(updates, "request_update", act)

    return set_to


def queued(*, asker):
    return queue_run(UpdateRun.Kind.DOWNLOAD, asker=asker, version="2026.01.01")


def test_another_parts_work_is_begun_in_the_background_and_followed(when_asked):
    when_asked(queued)

    run = ask(TYPE)
    assert (run.state, run.followed_id) == ("running", None)
    run = work(run)

    update = UpdateRun.objects.get()
    assert (run.state, run.followed_id) == ("running", update.pk)
    UpdateRun.objects.update(phase=Phase.COMPLETE)
    assert runs.get_run(run.pk).state == "completed"


@pytest.mark.parametrize("way", AnalysisRun.Asker)
def test_another_part_is_told_by_which_way_it_was_asked(when_asked, way):
    when_asked(queued)

    work(runs.request_run(TYPE, asker=runs.Asker(way)))

    asked_by = UpdateRun.objects.get().get_asked_by_display()
    assert asked_by == way.label


def test_nobody_who_writes_waits_while_another_part_asks_what_is_published(when_asked):
    is_holding = []

    def ask_feed(**_):
        is_holding.append(connection.in_atomic_block)
        raise FeedError("The feed cannot be reached.")

    when_asked(ask_feed)

    run = work(ask(TYPE))

    assert is_holding == [False]
    assert (run.state, run.error) == ("failed", "The feed cannot be reached.")


def test_what_another_part_has_done_already_is_complete(when_asked):
    def refuse(**_):
        raise AlreadyLatest("Release 1 is active already.")

    when_asked(refuse)

    run = work(ask(TYPE))

    assert (run.state, run.note) == ("completed", "Release 1 is active already.")


def test_a_run_that_is_stopped_while_another_part_begins_is_stopped_there(when_asked):
    def stopped_meanwhile(*, asker):
        runs.stop_run(AnalysisRun.objects.get())
        return queued(asker=asker)

    when_asked(stopped_meanwhile)

    run = work(ask(TYPE))

    assert run.state == "cancelled"
    assert UpdateRun.objects.get().phase == Phase.CANCELLED


def test_another_parts_work_is_begun_once(when_asked):
    when_asked(queued)
    run = work(ask(TYPE))

    run = work(run)

    assert (run.state, UpdateRun.objects.count()) == ("running", 1)
