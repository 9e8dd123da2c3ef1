"""The first page of the admin, and what it leads to."""

from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse
from django_q.models import Schedule

from stashsense.data_folder import ROOT

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


def foreign_models():
    """Return what packages keep; users and groups are people's own."""
    return [
        model
        for config in apps.get_app_configs()
        if Path(config.path).parent != ROOT and config.label != "auth"
        for model in config.get_models(include_auto_created=True)
    ]


@pytest.mark.parametrize("model", foreign_models(), ids=lambda model: model.__name__)
def test_nobody_writes_rows_of_packages_in_the_admin(admin_client, rf, model):
    names = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
    request = rf.get("/")
    request.user = User(is_staff=True, is_superuser=True)

    added = admin_client.get(f"{names}/add/").status_code

    assert added in {403, 404}
    if model in admin.site._registry:
        shown = admin.site._registry[model]
        assert not shown.has_add_permission(request)
        assert not shown.has_change_permission(request)
        assert not shown.has_delete_permission(request)
        assert not shown.get_actions(request)


def test_no_function_is_run_that_somebody_wrote_into_a_form(admin_client):
    form = {"func": "os.system", "args": "'true'", "schedule_type": "O", "repeats": -1}
    answer = admin_client.post("/admin/django_q/schedule/add/", form)

    assert answer.status_code == 404
    assert not Schedule.objects.filter(func="os.system").exists()
