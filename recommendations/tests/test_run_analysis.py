"""manage.py run_analysis: begun, followed, stopped, and errors as sentences."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from recommendations.management import run_terminal
from recommendations.models import AnalysisRun, Recommendation
from recommendations.tests.analyses import ListAnalyzer
from stashsense.integrations.stash_errors import StashUnreachable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _analyses(stash, registered, monkeypatch):
    registered(ListAnalyzer(["1", "2"]))
    monkeypatch.setattr(run_terminal, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(run_terminal, "FOLLOW_SECONDS", 0.01)


def told(*arguments):
    output = StringIO()
    call_command("run_analysis", *arguments, stdout=output)
    return output.getvalue()


def test_a_run_is_asked_for_and_left_to_the_service():
    text = told("list", "--full")

    run = AnalysisRun.objects.get()
    assert text == f"Asked for (list run {run.pk}).\n"
    assert (run.state, run.asked_by, run.is_full) == ("running", "command", True)


def test_a_run_that_no_process_takes_is_worked_at_here():
    text = told("list", "--wait")

    assert "working at it here" in text
    assert text.endswith("2 of 2: 2 found, 2 newly recommended.\n")
    assert AnalysisRun.objects.get().state == "completed"
    assert Recommendation.objects.count() == 2


def test_a_run_that_fails_ends_the_command_with_the_reason(registered):
    def fail(_):
        raise StashUnreachable("Stash cannot be reached.")

    registered(ListAnalyzer([fail]))

    with pytest.raises(CommandError, match="Stash cannot be reached"):
        told("list", "--wait")


def test_a_run_is_stopped_once():
    told("list")

    assert "What it found stays." in told("list", "--stop")

    assert AnalysisRun.objects.get().state == "cancelled"
    with pytest.raises(CommandError, match="No run of list is in progress"):
        told("list", "--stop")


def test_what_can_be_run_is_listed():
    lines = told("--list").splitlines()

    assert lines[0].split(maxsplit=1) == ["list", "Finds what a list says."]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say which analysis"),
        (["nonsense"], "There is no 'nonsense'; there are list"),
        (["nonsense", "--stop"], "There is no 'nonsense'"),
    ],
)
def test_what_cannot_be_run_is_told_in_a_sentence(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        told(*arguments)

    assert not AnalysisRun.objects.exists()


def test_a_second_run_and_a_missing_stash_are_told_in_a_sentence(settings):
    told("list")

    with pytest.raises(CommandError, match="has not ended"):
        told("list")
    settings.STASH_URL = ""
    with pytest.raises(CommandError, match="STASH_URL"):
        told("list")
