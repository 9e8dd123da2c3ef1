"""Releases in the admin: all to see, nothing to change."""

import pytest
from django.urls import reverse

from dbupdates.models import DatabaseRelease
from dbupdates.tests.factories import DatabaseReleaseFactory, ReleaseFileFactory

LIST = "admin:dbupdates_databaserelease_changelist"
DETAIL = "admin:dbupdates_databaserelease_change"


@pytest.fixture
def release(db):
    release = DatabaseReleaseFactory(
        version="2026.02.18", active=True, size_bytes=1_900_000_000, face_count=366_794
    )
    ReleaseFileFactory(release=release, name="faces.json", size_bytes=15_000_000)
    return release


def test_the_list_shows_what_a_release_is(admin_client, release):
    page = admin_client.get(reverse(LIST)).content.decode()

    for shown in ("2026.02.18", "Active", "1.8\xa0GB", "366794"):
        assert shown in page
    assert "databaserelease/add/" not in page


def test_the_list_takes_the_same_queries_for_any_number(
    admin_client, release, django_assert_max_num_queries
):
    for _ in range(20):
        DatabaseReleaseFactory()

    with django_assert_max_num_queries(14):
        admin_client.get(reverse(LIST))


def test_the_detail_shows_files_and_no_way_to_save(admin_client, release):
    page = admin_client.get(reverse(DETAIL, args=[release.pk])).content.decode()

    assert "faces.json" in page
    assert "0" * 64 in page
    assert "14.3\xa0MB" in page
    assert 'name="_save"' not in page
    assert "deletelink" not in page


@pytest.mark.parametrize("action", ["add", "change", "delete"])
def test_nothing_can_be_written(admin_client, release, action):
    arguments = [] if action == "add" else [release.pk]
    address = reverse(f"admin:dbupdates_databaserelease_{action}", args=arguments)

    response = admin_client.post(address, {"version": "2020.01.01", "post": "yes"})

    assert response.status_code == 403
    assert DatabaseRelease.objects.get().version == "2026.02.18"
