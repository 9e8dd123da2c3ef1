"""Following stash-boxes: what is proposed, and what is not asked about again."""

import pytest

from recommendations import decisions, endpoints, field_switches, runs
from recommendations.analyzers import upstream_looking
from recommendations.decisions import Person
from recommendations.models import HighWaterMark, Recommendation, UpstreamSnapshot
from recommendations.tests.analyses import ASKER, ask, ended, work
from recommendations.tests.box_rows import box_performer
from recommendations.tests.libraries import add_performer, link, touch

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = Person()
TYPE = "upstream_performer_changes"


def find(state="completed", seconds=None, **wanted):
    run = ended(ask(TYPE, **wanted), seconds)
    assert run.state == state, run.error
    return list(Recommendation.objects.pending().order_by("pk"))


def linked(library, box, name="Ada", *, local=None, **upstream):
    """Add a performer to both, by the same name, linked to each other."""
    theirs = box_performer(box.box, name, **upstream)
    ours = add_performer(library, name, **(local or {}))
    link(ours, theirs, box)
    return ours, theirs


def change(box, row, **facts):
    for name, value in facts.items():
        setattr(row, name, value)
    box.box.touch(row)


def fields(found):
    return {each["field"]: each["upstream_value"] for each in found.details["changes"]}


def operations(box, since=0):
    return [each.operation for each in box.requests[since:]]


def test_what_the_stash_box_says_otherwise_is_found_with_both_values(library, box):
    ours, theirs = linked(
        library, box, eye_color="BROWN", local={"eye_color": "Blue"}, country="US"
    )

    (found,) = find()

    assert (found.target_type, found.target_id) == ("performer", ours.id)
    assert (found.endpoint, found.confidence) == (box.endpoint, 1.0)
    assert found.details["stash_box_id"] == theirs.id
    assert found.details["endpoint_name"] == "127.0.0.1"
    assert found.details["performer_name"] == "Ada"
    assert found.details["changes"] == [
        {
            "field": "country",
            "field_label": "Country",
            "local_value": "",
            "upstream_value": "US",
            "previous_upstream_value": None,
            "merge_type": "simple",
            "is_conflict": False,
        },
        {
            "field": "eye_color",
            "field_label": "Eye colour",
            "local_value": "Blue",
            "upstream_value": "Brown",
            "previous_upstream_value": None,
            "merge_type": "simple",
            "is_conflict": False,
        },
    ]


def test_equal_ones_are_not_found_and_what_was_taken_over_is_resolved(library, box):
    ours, _ = linked(library, box, country="US")
    linked(library, box, "Bea")
    assert len(find()) == 1

    ours.country = "US"
    touch(ours)

    assert find() == []
    assert Recommendation.objects.get().resolution_action == "auto_resolved"


def test_a_second_run_asks_for_what_changed_alone(library, box):
    for number in range(60):
        linked(library, box, f"Performer {number}")
    changed = next(iter(box.box.performers.values()))
    assert find() == []
    before = box.request_count
    change(box, changed, country="CA")

    (found,) = find()

    assert fields(found) == {"country": "CA"}
    # A page of what changed, and one each of what was merged and what was deleted.
    assert box.request_count - before == 3


def test_a_box_that_changed_too_much_is_asked_for_what_is_linked_alone(
    library, box, monkeypatch
):
    monkeypatch.setattr(upstream_looking, "_LEAST_PAGES", 1)
    _, theirs = linked(library, box)
    assert find() == []
    change(box, theirs, country="CA")
    for number in range(1500):
        box.box.touch(box_performer(box.box, f"Nobody of ours {number}"))
    before = box.request_count

    (found,) = find()

    assert fields(found) == {"country": "CA"}
    assert box.request_count - before < 12


def test_a_conflict_shows_all_three_values(library, box):
    ours, theirs = linked(library, box, country="US", local={"country": "US"})
    assert find() == []
    ours.country = "DE"
    touch(ours)
    change(box, theirs, country="CA")

    (found,) = find()

    (change_,) = found.details["changes"]
    assert (
        change_["local_value"],
        change_["upstream_value"],
        change_["previous_upstream_value"],
        change_["is_conflict"],
    ) == ("DE", "CA", "US", True)


def test_an_own_value_against_an_unchanged_stash_box_is_no_finding(library, box):
    ours, theirs = linked(library, box, country="US", local={"country": "US"})
    assert find() == []
    ours.country = "DE"
    touch(ours)

    assert find() == []
    change(box, theirs, country="CA")
    assert len(find()) == 1


def test_what_was_decided_is_not_asked_again_until_upstream_changes_again(library, box):
    _, theirs = linked(library, box, country="US", eye_color="BROWN")
    (found,) = find()
    decisions.resolve(found, "update_performer")

    assert find() == []
    assert find(is_full=True) == []
    change(box, theirs, country="CA")
    (again,) = find()

    assert again.pk == found.pk
    assert fields(again) == {"country": "CA"}
    assert again.details["changes"][0]["previous_upstream_value"] == "US"


def test_a_soft_dismissal_ends_with_the_next_change_and_a_permanent_one_does_not(
    library, box
):
    soft = linked(library, box, "Ada", country="US")[1]
    for_good = linked(library, box, "Bea", country="US")[1]
    first, second = find()
    decisions.dismiss(first, person=NOBODY)
    decisions.dismiss(second, person=NOBODY, is_permanent=True)

    assert find() == []
    for row in (soft, for_good):
        change(box, row, country="CA")
    found = find()

    assert [each.pk for each in found] == [first.pk]


def test_a_permanently_dismissed_one_is_not_even_asked_for(library, box):
    _, theirs = linked(library, box, country="US")
    (found,) = find()
    decisions.dismiss(found, person=NOBODY, is_permanent=True)
    before = box.request_count

    assert find(is_full=True) == []

    asked = [each.variables for each in box.requests[before:]]
    assert not [each for each in asked if theirs.id in each.values()]


def test_a_dismissal_that_is_taken_back_shows_the_difference_again(library, box):
    linked(library, box, country="US")
    (found,) = find()
    decisions.dismiss(found, person=NOBODY, is_permanent=True)
    find(is_full=True)

    decisions.restore(found)

    (again,) = find()
    assert (again.pk, fields(again)) == (found.pk, {"country": "US"})


def test_who_is_linked_or_edited_later_is_compared_without_a_full_pass(library, box):
    linked(library, box)
    assert find() == []
    late = add_performer(library, "Bea")
    link(late, box_performer(box.box, "Bea", country="US"), box)

    (found,) = find()
    assert found.target_id == late.id

    late.stash_ids.clear()
    touch(late)
    assert find() == []
    assert UpstreamSnapshot.objects.count() == 1


def test_who_was_merged_upstream_is_found_with_where_to(library, box):
    ours, theirs = linked(library, box)
    target = box_performer(box.box, "Ada Z")
    assert find() == []
    box.box.merge("PERFORMER", [theirs.id], target.id)

    (found,) = find()

    assert found.target_id == ours.id
    assert found.details["is_gone_upstream"] is True
    assert found.details["merged_into_id"] == target.id

    ours.stash_ids.clear()
    link(ours, target, box)
    assert [fields(each) for each in find()] == [{"name": "Ada Z"}]


@pytest.mark.parametrize("is_full", [False, True])
def test_who_was_deleted_upstream_is_found(library, box, is_full):
    _, theirs = linked(library, box)
    assert find() == []
    box.box.destroy("PERFORMER", theirs.id)

    (found,) = find(is_full=is_full)

    assert found.details["is_gone_upstream"] is True
    assert found.details["merged_into_id"] is None


def test_fields_that_are_switched_off_are_passed_over_until_switched_on(library, box):
    linked(library, box, country="US", eye_color="BROWN")
    field_switches.switch_fields(box.endpoint, "performer", {"country": False})
    (found,) = find()
    assert fields(found) == {"eye_color": "Brown"}

    field_switches.switch_fields(box.endpoint, "performer", {"country": True})

    (again,) = find()
    assert fields(again) == {"country": "US", "eye_color": "Brown"}


def test_one_linked_to_two_stash_boxes_has_a_recommendation_of_each(library, add_box):
    first, second = add_box("One"), add_box("Two")
    ours, _ = linked(library, first, country="US")
    link(ours, box_performer(second.box, "Ada", country="CA"), second)

    found = find()

    assert {each.endpoint: fields(each)["country"] for each in found} == {
        first.endpoint: "US",
        second.endpoint: "CA",
    }


def test_the_stash_box_that_is_believed_first_alone_speaks_where_there_is_an_order(
    library, add_box
):
    first, second = add_box("One"), add_box("Two")
    ours, _ = linked(library, first, country="US")
    link(ours, box_performer(second.box, "Ada", country="CA"), second)
    endpoints.set_priorities([second.endpoint, first.endpoint])

    (found,) = find()

    assert (found.endpoint, fields(found)) == (second.endpoint, {"country": "CA"})


def test_a_disabled_stash_box_is_not_asked(library, box):
    linked(library, box, country="US")
    endpoints.disable_endpoint(box.endpoint)

    assert find() == []
    assert box.request_count == 0


def test_one_that_the_stash_box_fails_at_is_asked_for_again(library, box):
    failing = linked(library, box, "Ada", country="US")[1]
    linked(library, box, "Bea", country="US")
    box.faults.failing_ids.add(failing.id)

    (found,) = find(state="failed")
    assert found.details["performer_name"] == "Bea"

    box.faults.failing_ids.clear()
    assert len(find()) == 2


@pytest.mark.parametrize(
    "fault", [{"status": 401}, {"status": 500}, {"body": b"<html>no</html>"}], ids=str
)
def test_a_stash_box_that_is_ill_fails_the_run_and_others_are_followed(
    library, add_box, fault
):
    ill, well = add_box("Ill"), add_box("Well")
    linked(library, ill, "Ada", country="US")
    linked(library, well, "Bea", country="US")
    for name, value in fault.items():
        setattr(ill.faults, name, value)

    found = find(state="failed")

    assert [each.endpoint for each in found] == [well.endpoint]
    assert not HighWaterMark.objects.filter(endpoint=ill.endpoint).exists()
    for name in fault:
        setattr(ill.faults, name, None)
    assert len(find()) == 2


def test_a_stash_box_that_wants_to_be_left_alone_is_left_to_the_next_run(
    library, add_box, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    busy, well = add_box("Busy"), add_box("Well")
    linked(library, busy, "Ada", country="US")
    linked(library, well, "Bea", country="US")
    busy.faults.status, busy.faults.retry_after = 429, "600"

    found = find(state="failed")

    assert [each.endpoint for each in found] == [well.endpoint]
    # Asked once: it said for how long it wants no more.
    assert busy.request_count == 1


def test_a_stash_that_goes_down_in_the_middle_leaves_what_was_found(
    library, library_server, box
):
    for number in range(100):
        linked(library, box, f"Performer {number}", country="US")
    run = ask(TYPE)
    for _ in range(2):
        work(run, seconds=0)
    found_before = Recommendation.objects.count()
    library_server.faults.status = 503

    run = ended(run)

    assert (run.state, run.error_code) == ("failed", "stash_unreachable")
    assert 0 < Recommendation.objects.pending().count() == found_before < 100
    library_server.faults.status = None
    again = ended(runs.retry_run(run, asker=ASKER))
    assert again.state == "completed"
    assert Recommendation.objects.pending().count() == 100


def test_a_run_is_cut_into_slices_and_misses_nothing(library, box):
    for number in range(100):
        linked(library, box, f"Performer {number}", country="US")

    found = find(seconds=0)

    assert len({each.target_id for each in found}) == 100


def test_a_run_that_was_stopped_goes_on_with_what_was_left(library, box):
    for number in range(100):
        linked(library, box, f"Performer {number}", country="US")
    run = ask(TYPE)
    for _ in range(2):
        work(run, seconds=0)
    assert 0 < Recommendation.objects.count() < 100
    runs.stop_run(run)

    assert len(find()) == 100


def test_a_stash_that_is_down_fails_the_run_with_its_words(library, box, settings):
    linked(library, box, country="US")
    settings.STASH_URL = "http://127.0.0.1:9"

    find(state="failed")


def test_names_and_lists_of_any_length_are_compared(library, box):
    aliases = [f"Älïas 🦊 {number}" for number in range(10_000)]
    name = "Ünïcödé " * 300
    linked(library, box, name, aliases=aliases, local={"alias_list": aliases[1:]})

    (found,) = find()

    assert found.details["performer_name"] == name
    (change_,) = found.details["changes"]
    assert (change_["field"], len(change_["upstream_value"])) == ("aliases", 10_000)
