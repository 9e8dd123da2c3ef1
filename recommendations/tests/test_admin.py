"""Recommendations, dismissals, runs and schedules in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from recommendations import decisions, findings
from recommendations.admin.details import laid_out
from recommendations.analyzers.base import Finding, Target
from recommendations.decisions import Person
from recommendations.models import (
    ActionRecord,
    AnalysisRun,
    AnalysisSchedule,
    Dismissal,
    EndpointPreference,
    Recommendation,
)
from recommendations.tests.analyses import ListAnalyzer, ask, ended, finding

pytestmark = pytest.mark.django_db(transaction=True)

FOUND = reverse("admin:recommendations_recommendation_changelist")
RUNS = reverse("admin:recommendations_analysisrun_changelist")
SCHEDULES = reverse("admin:recommendations_analysisschedule_changelist")
DISMISSALS = reverse("admin:recommendations_dismissal_changelist")

CHANGE = {
    "field": "country",
    "field_label": "Country",
    "local_value": "DE <b>",
    "upstream_value": "AT",
    "previous_upstream_value": "CH",
    "is_conflict": True,
}


@pytest.fixture(autouse=True)
def _analyses(stash, registered):
    registered(ListAnalyzer(["1", "2"]))


@pytest.fixture
def rows():
    details = {
        "changes": [CHANGE],
        "performers": [{"id": 1, "name": "Anna"}, {"id": 2, "is_known": True}],
        "signals": {"phash_distance": 3},
        "performer_changes": {"added": [{"name": "Berta"}], "removed": []},
        "note": None,
    }
    changed = Finding(target=Target("scene", "1"), details=details, cause="first")
    findings.record(ListAnalyzer(), [changed, finding("2")], pass_id=1)
    return [*Recommendation.objects.order_by("pk")]


def page_of(client, row):
    return client.get(
        reverse(f"admin:recommendations_{row._meta.model_name}_change", args=[row.pk])
    ).content.decode()


def press(client, name, *args, **data):
    return client.post(reverse(f"admin:recommendations_{name}", args=args), data)


def test_a_list_is_searched_by_target_and_filtered(admin_client, rows):
    found = admin_client.get(FOUND, {"q": "2", "type": "list"}).content.decode()
    none = admin_client.get(FOUND, {"status__exact": "resolved"}).content.decode()

    assert f"/recommendation/{rows[1].pk}/change/" in found
    assert f"/recommendation/{rows[0].pk}/change/" not in found
    assert "0 recommendations" in none


def test_a_page_shows_every_value_of_a_difference_and_escapes_it(admin_client, rows):
    page = page_of(admin_client, rows[0])

    for text in ("Country", "DE &lt;b&gt;", "AT", "CH", "changed on both sides"):
        assert text in page
    assert "<b>" not in page.partition('id="changes"')[2].partition("</table>")[0]
    for text in ("Anna", "Is known", "Signals: phash distance", "Berta"):
        assert text in page


@pytest.mark.parametrize(
    ("target_id", "links"),
    [
        ("7", ["http://stash.example:9999/scenes/7"]),
        (
            "3:20",
            [
                "http://stash.example:9999/scenes/3",
                "http://stash.example:9999/scenes/20",
            ],
        ),
        ("5|https://box.example/graphql|abc", ["http://stash.example:9999/scenes/5"]),
    ],
)
def test_a_page_leads_to_what_it_is_about_in_stash(
    admin_client, settings, target_id, links
):
    settings.STASH_URL = "http://somebody:secret@stash.example:9999/"
    row = Recommendation.objects.create(
        type="duplicate_scenes", target_type="scene", target_id=target_id
    )

    page = page_of(admin_client, row)

    assert [link for link in links if f'href="{link}"' in page] == links
    assert "secret" not in page


def test_strange_details_are_shown_short():
    shown = laid_out(
        {"aliases": ["x" * 50] * 10_000, "changes": "none", "things": [{"a": 1}] * 300}
    )

    assert shown.changes == []
    assert max(len(value) for _, value in shown.facts) < 700
    assert (len(shown.tables[0].rows), shown.tables[0].left_out_count) == (100, 200)


def test_an_object_in_a_list_or_a_value_is_shown():
    shown = laid_out({"tags": [{"id": "u1", "local_match": {"id": "7"}}], "none": {}})

    assert shown.tables[0].rows == [["u1", "id 7"]]
    assert shown.facts == [("None", "-")]


def test_types_are_called_by_their_names(admin_client, rows):
    run = ask("list", is_full=True)
    found = admin_client.get(FOUND).content.decode()
    listed = admin_client.get(RUNS).content.decode()

    assert '<td class="field-kind">List</td>' in found
    assert '<td class="field-kind">List, everything</td>' in listed
    assert "<h2>List: " in page_of(admin_client, rows[0])
    assert "<h2>List, everything: " in page_of(admin_client, run)


def test_a_run_that_does_not_know_its_total_tells_what_is_done(admin_client):
    run = ask("list")
    AnalysisRun.objects.filter(pk=run.pk).update(done_count=7)
    page = page_of(admin_client, run)

    assert "7 done" in page
    assert "7 of 0" not in page + admin_client.get(RUNS).content.decode()


def test_one_is_dismissed_for_good_and_taken_back(admin_client, admin_user, rows):
    row = rows[0]
    press(admin_client, "dismiss", row.pk, reason="Not mine")
    assert "until it changes by admin" in page_of(admin_client, row)

    press(admin_client, "dismiss", row.pk, for_good="yes")
    kept = Dismissal.objects.get()
    assert (kept.is_permanent, kept.reason, kept.user) == (True, "Not mine", admin_user)

    press(admin_client, "restore", row.pk)
    row.refresh_from_db()
    assert (row.status, Dismissal.objects.count()) == ("pending", 0)


def test_what_was_resolved_is_not_dismissed(admin_client, rows):
    decisions.resolve(rows[0], "merged")

    response = press(admin_client, "dismiss", rows[0].pk)

    told = admin_client.get(response.url).content.decode()
    assert "was resolved before by merged" in told
    assert "dismiss-form" not in told


def test_chosen_ones_are_dismissed_and_taken_back(admin_client, rows):
    chosen = {"_selected_action": [row.pk for row in rows]}

    admin_client.post(FOUND, {"action": "dismiss_for_good_action", **chosen})
    assert Dismissal.objects.filter(is_permanent=True).count() == 2

    admin_client.post(FOUND, {"action": "restore_action", **chosen})
    assert Recommendation.objects.pending().count() == 2
    assert not Dismissal.objects.exists()


def test_a_dismissal_that_is_deleted_lets_it_be_proposed_again(admin_client, rows):
    for row in rows:
        decisions.dismiss(row, person=Person(), is_permanent=True)
    first, second = Dismissal.objects.order_by("pk")

    press(admin_client, "dismissal_delete", first.pk, post="yes")
    body = {"action": "delete_selected", "_selected_action": second.pk, "post": "yes"}
    admin_client.post(DISMISSALS, body)

    assert not Dismissal.objects.exists()
    assert Recommendation.objects.pending().count() == 2


def test_a_run_is_begun_stopped_and_gone_on_with(admin_client, admin_user):
    begun = press(admin_client, "begin", "list", full="yes")
    run = AnalysisRun.objects.get()
    going_on = admin_client.get(begun.url)
    assert (run.is_full, run.asked_by, run.user) == (True, "admin", admin_user)
    assert going_on["Refresh"] == "3"
    assert "Stop this run" in going_on.content.decode()

    press(admin_client, "stop", run.pk)
    stopped = admin_client.get(begun.url)
    assert "Refresh" not in stopped
    assert "Go on where it ended" in stopped.content.decode()

    press(admin_client, "retry", run.pk)
    again = ended(AnalysisRun.objects.latest())
    assert (again.state, again.is_full) == ("completed", True)
    assert "2 newly recommended" in page_of(admin_client, again)


def test_a_run_that_cannot_begin_says_why(admin_client, settings):
    ask()

    for name in ("list", "nonsense"):
        told = admin_client.get(press(admin_client, "begin", name).url)
        sentence = "has not ended" if name == "list" else "There is no"
        assert sentence in told.content.decode()

    assert AnalysisRun.objects.count() == 1


def test_a_schedule_is_stored_with_its_checks(admin_client):
    body = {"type": "list", "enabled": "yes", "priority": "7"}
    refused = [
        admin_client.post(SCHEDULES, {**body, "interval_hours": hours}, follow=True)
        for hours in ("23", "nan", "")
    ]
    assert all(b'class="error"' in each.content for each in refused)
    assert not AnalysisSchedule.objects.exists()

    admin_client.post(SCHEDULES, {**body, "interval_hours": "48"})

    row = AnalysisSchedule.objects.get()
    assert (row.is_enabled, row.interval_hours, row.priority) == (True, 48, 7)
    kept = LogEntry.objects.get()
    assert (kept.user.username, kept.object_id) == ("admin", str(row.pk))
    assert kept.change_message == "Starts every 2 days, priority 7"
    page = admin_client.get(SCHEDULES).content.decode()
    assert '<option value="48" selected>Every 2 days</option>' in page


def test_records_of_actions_and_orders_of_boxes_are_only_looked_at(admin_client, rows):
    record = ActionRecord.objects.create(
        action="merge", asked_by="user", recommendation=rows[0], before={"name": "Anna"}
    )
    preference = EndpointPreference.objects.create(endpoint="https://a.example")

    pages = [page_of(admin_client, each) for each in (record, preference)]

    assert all('name="_save"' not in page for page in pages)
    assert "Anna" in pages[0]
    assert "merge, begun" in page_of(admin_client, rows[0])


@pytest.mark.parametrize(
    ("name", "args", "data"),
    [
        ("dismiss", [1], {}),
        ("restore", [1], {}),
        ("begin", ["list"], {}),
        ("stop", [1], {}),
        ("retry", [1], {}),
        ("analysisschedule_changelist", [], {"type": "list"}),
        ("dismissal_delete", [1], {"post": "yes"}),
    ],
)
def test_who_may_only_look_changes_nothing(client, rows, name, args, data):
    decisions.dismiss(rows[0], person=Person())
    Dismissal.objects.update(id=1)
    reader = User.objects.create_user("reader", is_staff=True)
    views = Permission.objects.filter(
        content_type__app_label="recommendations", codename__startswith="view_"
    )
    reader.user_permissions.add(*views)
    client.force_login(reader)

    assert press(client, name, *args, **data).status_code == 403
    assert client.get(FOUND).status_code == 200
    assert "dismiss-form" not in page_of(client, rows[1])
    assert 'id="begin"' not in client.get(RUNS).content.decode()
