"""Following stash-boxes: what might slip through between runs, or while one goes on."""

from datetime import datetime, timedelta

import pytest

from recommendations import decisions, endpoints
from recommendations.analyzers import upstream
from recommendations.analyzers.upstream import UpstreamAnalyzer
from recommendations.decisions import Person
from recommendations.models import Recommendation, UpstreamSnapshot
from recommendations.tests.analyses import ask, ended
from recommendations.tests.box_rows import box_performer
from recommendations.tests.libraries import add_performer, link
from recommendations.tests.test_upstream import TYPE, change, fields, find, linked
from stashsense.integrations.stash_errors import StashUnreachable

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = Person()
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def linked_twice(library, add_box):
    """A performer of two stash-boxes, who has not been edited for long."""
    first, second = add_box("First"), add_box("Second")
    endpoints.set_priorities([first.endpoint, second.endpoint])
    linked(library, first, "Bea")
    linked(library, second, "Cleo")
    ours = add_performer(library, "Ada")
    for server in (first, second):
        link(ours, box_performer(server.box, "Ada"), server)
    ours.updated_at = LONG_AGO
    return first, second


def ada_of(server):
    (row,) = (each for each in server.box.performers.values() if each.name == "Ada")
    return row


def test_a_new_order_of_belief_has_those_followed_who_were_passed_over(linked_twice):
    first, second = linked_twice
    assert find() == []
    endpoints.set_priorities([second.endpoint, first.endpoint])
    change(second, ada_of(second), country="US")

    assert [each.endpoint for each in find()] == [second.endpoint]


def test_what_a_disabled_stash_box_told_is_the_next_ones_to_tell(linked_twice):
    first, second = linked_twice
    assert find() == []
    endpoints.disable_endpoint(first.endpoint)
    change(second, ada_of(second), country="US")

    assert [each.endpoint for each in find()] == [second.endpoint]


def test_a_change_that_is_seen_late_is_not_missed(library, box):
    theirs = linked(library, box)[1]
    newest = linked(library, box, "Bea")[1]
    assert find() == []

    # Written down before the newest one was, and readable after it.
    theirs.country = "US"
    theirs.updated = newest.updated - timedelta(seconds=2)

    assert [fields(each) for each in find()] == [{"country": "US"}]


def test_an_edit_of_stash_made_while_it_is_read_is_not_missed(library, box):
    ours = linked(library, box, country="US", local={"country": "US"})[0]
    linked(library, box, "Bea")
    assert find() == []

    # Read before it was made, where somebody edited later was read after that.
    ours.updated_at = (_newest(library) - timedelta(seconds=5)).isoformat()
    ours.stash_ids.clear()
    assert find() == []

    assert UpstreamSnapshot.objects.count() == 1


def _newest(library):
    return max(
        datetime.fromisoformat(each.updated_at) for each in library.performers.values()
    )


def test_what_waits_about_somebody_who_was_deleted_is_resolved(library, box):
    ours, _ = linked(library, box, country="US")
    linked(library, box, "Bea")
    assert len(find()) == 1

    del library.performers[ours.id]

    assert find() == []
    assert Recommendation.objects.get().resolution_action == "auto_resolved"


def test_what_was_brought_along_about_nobody_is_resolved(library, box):
    linked(library, box)
    Recommendation.objects.create(
        type=TYPE, target_type="performer", target_id="999", endpoint=box.endpoint
    )

    assert find() == []


def test_a_decision_is_not_about_what_was_seen_and_not_proposed_yet(
    library, box, monkeypatch
):
    _, theirs = linked(library, box, country="US", eye_color="BROWN")
    (row,) = find()
    change(box, theirs, country="CA")
    with monkeypatch.context() as patched:
        patched.setattr(UpstreamAnalyzer, "_compare", _away)
        ended(ask(TYPE))

    decisions.dismiss(row, person=NOBODY)

    assert [fields(each) for each in find()] == [{"country": "CA"}]


def _away(*_):
    raise StashUnreachable("Stash cannot be reached.")
    yield


def test_a_decision_made_while_a_run_compares_is_kept(library, box, monkeypatch):
    linked(library, box, country="US")
    (row,) = find()
    UpstreamSnapshot.objects.update(is_due=True)
    write = upstream._write

    def decide_first(kept, round_):
        decisions.dismiss(row, person=NOBODY)
        write(kept, round_)

    with monkeypatch.context() as patched:
        patched.setattr(upstream, "_write", decide_first)
        find()

    snapshot = UpstreamSnapshot.objects.get()
    assert snapshot.base is not None
    assert (snapshot.base["country"], snapshot.is_due) == ("US", True)
    assert find() == []
