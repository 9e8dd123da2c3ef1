"""manage.py import_predecessor: what it prints, and how it ends."""

import pytest
from django.core.management import CommandError, call_command

from recommendations.models import Recommendation
from recommendations.tests.predecessor import Predecessor

pytestmark = pytest.mark.django_db


def test_it_tells_what_came_along_and_what_did_not(predecessor, capsys):
    predecessor.add_recommendation("1")
    predecessor.add_recommendation("2\x1b[2J", type="other")
    predecessor.set("settings.num_frames", 1)
    predecessor.add("job_queue", id=1, type="x", status="queued")

    call_command("import_predecessor", str(predecessor.path))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The predecessor's tables have version 9."
    assert lines[2].split() == ["found", "imported", "here", "before", "left", "behind"]
    assert (
        "recommendations               2         1            0            1" in lines
    )
    assert (
        "  settings: settings.num_frames: num_frames must be between 10 and 200, not 1."
        in lines
    )
    assert (
        "  recommendations: other of performer 2�[2J (row 2): there is no such type"
        in lines
    )
    assert any(line.startswith("  job_queue, 1 rows: ") for line in lines)
    assert lines[-1] == "1 rows were imported."


def test_a_dry_run_tells_the_same_and_does_nothing(predecessor, capsys):
    predecessor.add_recommendation("1")

    call_command("import_predecessor", str(predecessor.path), "--dry-run")

    dry = capsys.readouterr().out.splitlines()
    assert not Recommendation.objects.exists()
    assert dry[-1] == "Nothing was changed; 1 rows would be imported."
    call_command("import_predecessor", str(predecessor.path))
    assert capsys.readouterr().out.splitlines()[:-1] == dry[:-1]


def test_what_cannot_be_read_ends_it_with_a_sentence(tmp_path, predecessor):
    for path in (tmp_path, tmp_path / "nothing.db"):
        with pytest.raises(CommandError) as caught:
            call_command("import_predecessor", str(path))
        assert caught.value.returncode == 1
        assert str(path) in str(caught.value)


def test_an_older_version_is_told(tmp_path, capsys):
    predecessor = Predecessor(tmp_path / "old.db", version=8)

    call_command("import_predecessor", str(predecessor.path))

    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("The predecessor's tables have version 8; what it lacks")
