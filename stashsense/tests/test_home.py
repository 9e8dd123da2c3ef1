"""What the first page tells of updates."""

import pytest

from dbupdates.models import DatabaseRelease, ReleaseFeed, UpdateRun


@pytest.fixture
def home(admin_client):
    def home():
        return admin_client.get("/").content.decode()

    return home


def test_a_newer_published_release_is_told_of_with_a_link(home, settings):
    release = DatabaseRelease.objects.create(
        version="2026.02.18", status="available", archive_url="http://x.invalid/a.zip"
    )
    ReleaseFeed.objects.create(url=settings.RELEASE_FEED, latest_version="2026.02.18")

    assert f"/admin/dbupdates/databaserelease/{release.pk}/change/" in home()

    DatabaseRelease.objects.update(status="active")
    assert "is published" not in home()


def test_an_update_in_progress_is_told_of_with_a_link(home):
    run = UpdateRun.objects.create(
        kind="download", version="2026.02.18", asked_by="api", percent=42
    )

    page = home()

    assert f"/admin/dbupdates/updaterun/{run.pk}/change/" in page
    assert "42 %" in page
