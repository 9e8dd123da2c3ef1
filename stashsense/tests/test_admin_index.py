"""The first page of the admin."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_the_first_page_leads_to_what_people_come_for(admin_client):
    page = admin_client.get(reverse("admin:index")).content.decode()

    for name in ("recommendations_analysisrun", "dbupdates_databaserelease"):
        assert reverse(f"admin:{name}_changelist") in page
    assert reverse("admin:api-key") in page
    # Two would lie on top of each other.
    assert page.count('id="content-related"') == 1


def test_who_may_not_see_recommendations_is_not_led_to_them(client):
    client.force_login(User.objects.create_user("helper", is_staff=True))
    page = client.get(reverse("admin:index")).content.decode()

    assert "Releases and updates" in page
    assert reverse("admin:recommendations_recommendation_changelist") not in page
