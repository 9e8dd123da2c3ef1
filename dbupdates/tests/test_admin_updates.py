"""Updates from the admin: what the buttons do, who may press them, what is logged."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, ReleaseFeed, UpdatePolicy, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import CHECK_INTERVAL, check_feed, get_to_know_feed
from dbupdates.services import import_release
from dbupdates.tests.conftest import IMPATIENT, follower
from dbupdates.tests.updating import NEW, OLD, active_version, update

LIST = "admin:dbupdates_databaserelease_changelist"
CHECK = "admin:dbupdates_check"
DO = "admin:dbupdates_do"
RUN = "admin:dbupdates_updaterun_change"


@pytest.fixture
def staged(world, archive):
    return import_release(archive)


def release_of(version):
    return DatabaseRelease.objects.get(version=version)


def press(client, version, operation, **data):
    address = reverse(DO, args=[release_of(version).pk, operation])
    return client.post(address, data, follow=True)


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def logged():
    return [
        (entry.user.username, str(entry.object_repr), entry.get_change_message())
        for entry in LogEntry.objects.order_by("pk")
    ]


def work(response=None):
    run = UpdateRun.objects.in_progress().get()
    execute_run(run.pk, patience=IMPATIENT)
    run.refresh_from_db()
    return run


def test_check_now_asks_the_feed_and_offers_the_update(world, published, admin_client):
    page = admin_client.post(reverse(CHECK), follow=True)

    assert messages_of(page) == [f"Release {NEW} can be had."]
    assert f"Update to {NEW}" in page.content.decode()
    assert logged() == [("admin", published.feed_url, "Asked the feed.")]


def test_the_list_says_that_there_was_no_check_and_when_the_next_one_is(
    world, published, admin_client
):
    feed = get_to_know_feed()
    due_at = timezone.localtime(feed.known_since + CHECK_INTERVAL)

    page = admin_client.get(reverse(LIST)).content.decode()

    assert f"Never checked.\n    Next check at {due_at:%Y-%m-%d %H:%M}" in page
    assert 'value="Check now"' in page
    UpdatePolicy.objects.create(pk=1, is_checking=False)
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "Never checked.\n    No checks by itself" in page
    assert published.feed_requests() == []


def test_check_now_tells_of_a_feed_that_fails(world, published, admin_client):
    published.faults.feed_status = 500

    page = admin_client.post(reverse(CHECK), follow=True)

    assert "status 500" in messages_of(page)[0]
    assert page.status_code == 200


def test_an_update_is_asked_for_and_leads_to_its_run(world, published, admin_client):
    check_feed()

    page = press(admin_client, NEW, "update")

    run = UpdateRun.objects.get()
    assert page.redirect_chain[-1][0] == reverse(RUN, args=[run.pk])
    assert (run.asked_by, str(run.user)) == ("admin", "admin")
    assert "Cancel this update" in page.content.decode()
    assert logged() == [
        ("admin", NEW, f"Asked for the update to {NEW} (run {run.job_id}).")
    ]
    assert work().phase == Phase.COMPLETE
    assert active_version() == NEW


def test_rolling_back_is_activating_the_older_release(world, published, admin_client):
    update()

    press(admin_client, OLD, "activate")

    assert work().phase == Phase.COMPLETE
    assert active_version() == OLD


@pytest.mark.parametrize(
    ("action", "version"), [("update_action", NEW), ("activate_action", NEW)]
)
def test_the_menu_does_the_same_for_one_release(
    world, published, archive, admin_client, action, version
):
    check_feed()
    if action == "activate_action":
        import_release(archive)
    chosen = {"action": action, "_selected_action": [release_of(version).pk]}

    page = admin_client.post(reverse(LIST), chosen, follow=True)

    assert page.redirect_chain[-1][0] == reverse(RUN, args=[UpdateRun.objects.get().pk])


def test_only_one_release_can_be_activated(staged, admin_client):
    chosen = {
        "action": "activate_action",
        "_selected_action": [*DatabaseRelease.objects.values_list("pk", flat=True)],
    }

    page = admin_client.post(reverse(LIST), chosen, follow=True)

    assert messages_of(page) == ["Choose one release: only one can be active."]
    assert not UpdateRun.objects.exists()


def test_what_a_service_refuses_is_told_as_a_sentence(staged, admin_client):
    page = press(admin_client, OLD, "activate")

    assert messages_of(page) == [f"Release {OLD} is active already."]
    assert logged() == []


def test_files_are_verified(staged, admin_client):
    page = press(admin_client, NEW, "verify")
    assert messages_of(page) == ["Verified: all 9 files are intact."]

    path = staged_file("faces.json")
    path.chmod(0o644)
    path.write_bytes(b"[]")
    page = press(admin_client, NEW, "verify")

    told = messages_of(page)
    assert "faces.json expected sha256" in told[0]
    assert told[1] == "Verified: 1 file(s) are damaged."
    assert [message for *_, message in logged()] == [
        "Verified: all 9 files are intact.",
        "Verified: 1 file(s) are damaged.",
    ]


def staged_file(name):
    from dbupdates import store

    return store.release_path(NEW) / name


def test_files_are_deleted_after_a_question(staged, admin_client):
    question = press(admin_client, NEW, "delete-files").content.decode()
    assert "Delete files?" in question
    assert release_of(NEW).is_installed

    page = press(admin_client, NEW, "delete-files", confirmed="yes")

    assert messages_of(page) == [f"Deleted the files of release {NEW}."]
    assert release_of(NEW).status == "purged"
    assert not staged_file("faces.json").exists()


def test_the_menu_asks_before_it_deletes(staged, admin_client):
    chosen = {"action": "delete_action", "_selected_action": [staged.pk]}

    question = admin_client.post(reverse(LIST), chosen)
    assert "Yes, delete the files" in question.content.decode()
    assert release_of(NEW).is_installed

    admin_client.post(reverse(LIST), {**chosen, "confirmed": "yes"}, follow=True)
    assert release_of(NEW).status == "purged"


def test_the_active_release_is_never_deleted(staged, admin_client):
    page = press(admin_client, OLD, "delete-files", confirmed="yes")

    assert "is the active one" in messages_of(page)[0]
    assert release_of(OLD).is_active


def test_buttons_are_there_where_they_make_sense(staged, admin_client):
    def buttons(version):
        page = admin_client.get(
            reverse(
                "admin:dbupdates_databaserelease_change", args=[release_of(version).pk]
            )
        )
        return [operation.name for operation in page.context["operations"]]

    assert buttons(OLD) == ["verify"]
    assert buttons(NEW) == ["activate", "verify", "delete-files"]


def test_a_run_is_cancelled_from_its_page(world, published, admin_client):
    check_feed()
    press(admin_client, NEW, "update")
    run = UpdateRun.objects.get()

    page = admin_client.post(
        reverse("admin:dbupdates_cancel", args=[run.pk]), follow=True
    )

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert "Cancelled by admin." in page.content.decode()
    assert logged()[-1][2] == "Cancelled."
    again = admin_client.post(
        reverse("admin:dbupdates_cancel", args=[run.pk]), follow=True
    )
    assert messages_of(again) == ["The update is cancelled, too late to cancel it."]


def test_a_failed_download_is_gone_on_with_from_its_page(
    world, published, admin_client
):
    check_feed()
    published.faults.archive_statuses = [206] + 20 * [500]
    failed = UpdateRun.objects.create(
        kind="download",
        version=NEW,
        asked_by="api",
        phase=Phase.FAILED,
        is_resumable=True,
        error="The line broke.",
    )

    page = admin_client.get(reverse(RUN, args=[failed.pk])).content.decode()
    assert "Go on from what was downloaded" in page
    assert "The line broke." in page
    page = admin_client.post(
        reverse("admin:dbupdates_resume", args=[failed.pk]), follow=True
    )

    resumed = UpdateRun.objects.in_progress().get()
    assert page.redirect_chain[-1][0] == reverse(RUN, args=[resumed.pk])


def test_a_run_shows_its_phases_processes_and_log(
    world, published, admin_client, processes
):
    processes[1], processes[2] = follower(1), follower(2)
    run = update()

    page = admin_client.get(reverse(RUN, args=[run.pk])).content.decode()

    for shown in ("complete", "100 %", "2 of 2 processes", "verifying", "beside"):
        assert shown in page
    fragment = admin_client.get(
        reverse("admin:dbupdates_run_progress", args=[run.pk])
    ).content.decode()
    assert 'data-in-progress="no"' in fragment
    assert "<html" not in fragment


def test_the_list_says_who_serves_what(world, admin_client, processes):
    processes[1], processes[2] = follower(1), follower(2)

    page = admin_client.get(reverse(LIST)).content.decode()

    assert "web:1, web:2" in page


# Who may


ADDRESSES = [
    lambda: reverse(CHECK),
    lambda: reverse(DO, args=[release_of(OLD).pk, "verify"]),
    lambda: reverse("admin:dbupdates_cancel", args=[1]),
    lambda: reverse("admin:dbupdates_resume", args=[1]),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_only_look_changes_nothing(world, client, address):
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)

    assert client.get(reverse(LIST)).status_code == 200
    assert "Check now" not in client.get(reverse(LIST)).content.decode()
    assert client.post(address()).status_code == 403
    assert logged() == []


@pytest.mark.parametrize("address", ADDRESSES[:2])
def test_looking_at_an_address_does_nothing(world, admin_client, address):
    assert admin_client.get(address()).status_code == 405
    assert logged() == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_strangers_are_led_to_the_sign_in_page(world, client, address):
    response = client.post(address())

    assert response.status_code == 302
    assert "/login/" in response["Location"]


# Policy, feed


def test_the_policy_is_one_row_that_can_be_changed(db, admin_client):
    page = admin_client.get(
        reverse("admin:dbupdates_updatepolicy_changelist"), follow=True
    )
    assert 'name="kept_count" value="1"' in page.content.decode()

    admin_client.post(
        page.redirect_chain[-1][0],
        {
            "is_installing": "on",
            "window_start": "01:00",
            "window_end": "02:30",
            "kept_count": "3",
        },
    )

    policy = UpdatePolicy.current()
    assert (policy.is_checking, policy.is_installing) == (False, True)
    assert (str(policy.window_end), policy.kept_count) == ("02:30:00", 3)
    assert logged()[0][0] == "admin"


def test_the_feed_is_there_to_look_at(world, published, admin_client):
    check_feed()
    address = reverse(
        "admin:dbupdates_releasefeed_change", args=[ReleaseFeed.objects.get().pk]
    )

    assert NEW in admin_client.get(address).content.decode()
    assert admin_client.post(address, {"url": "http://x.invalid"}).status_code == 403
