"""The page of settings in the admin."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from stashsense.preferences import values
from stashsense.preferences.models import Preference

pytestmark = pytest.mark.django_db

PAGE = "admin:stashsense_preference_changelist"


def shown(client):
    """Return the page, and what its form would send unchanged."""
    page = client.get(reverse(PAGE))
    form = page.context["form"]
    return page.content.decode(), {field.name: field.value() for field in form}


def save(client, **changes):
    _, filled = shown(client)
    return client.post(reverse(PAGE), {**filled, **changes}, follow=True)


def row(page, key):
    found = re.search(rf'<tr id="row-{key}">.*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_each_setting_is_shown_with_its_default_and_when_it_counts(admin_client):
    page, filled = shown(admin_client)

    for setting in values.all_settings():
        definition = setting.definition
        line = row(page, definition.key)
        assert definition.label in line
        assert f"<td>{definition.applies}</td>" in line
        assert "Reset" not in line
    assert set(filled) == {each.definition.key for each in values.all_settings()}
    assert f'id="hardware-tier">{values.hardware_tier()}<' in page


def test_what_is_changed_is_stored_and_logged_and_nothing_else(
    admin_client, admin_user
):
    page = save(admin_client, num_frames="50", tattoo_signal_enabled="true")

    assert values.value_of("num_frames") == 50
    assert values.value_of("tattoo_signal_enabled") is True
    assert {each.key for each in Preference.objects.all()} == {
        "num_frames",
        "tattoo_signal_enabled",
    }
    assert {(e.user, e.object_repr) for e in LogEntry.objects.all()} == {
        (admin_user, "num_frames"),
        (admin_user, "tattoo_signal_enabled"),
    }
    assert "Stored: num_frames = 50" in page.content.decode()


def test_a_page_that_is_saved_unchanged_stores_nothing(admin_client):
    page = save(admin_client)

    assert "Nothing changed." in page.content.decode()
    assert not Preference.objects.exists()


@pytest.mark.parametrize("value", ["", "9", "many", "nan", "30.5"])
def test_what_is_refused_is_said_beside_the_field_and_nothing_is_stored(
    admin_client, value
):
    page = save(admin_client, num_frames=value, stash_api_rate="3")

    assert "num_frames must be" in row(page.content.decode(), "num_frames")
    assert not Preference.objects.exists()


def test_a_setting_is_set_back_by_its_button(admin_client):
    save(admin_client, face_candidates="50")
    page, _ = shown(admin_client)
    assert 'value="face_candidates"' in row(page, "face_candidates")

    answer = admin_client.post(reverse(PAGE), {"reset": "face_candidates"}, follow=True)

    assert "By default again: face_candidates = 20." in answer.content.decode()

    assert not values.setting("face_candidates").is_override
    messages = [e.get_change_message() for e in LogEntry.objects.order_by("pk")]
    assert messages == ["Set to 50.", "Set back to its default."]


def test_the_enter_key_saves_and_does_not_set_back(admin_client):
    save(admin_client, face_candidates="50")
    page, _ = shown(admin_client)

    # Browsers press the first button that belongs to the field's form.
    content = page.partition("content-main")[2]
    buttons = re.findall(r"<(?:button|input) type=\"submit\"[^>]*>", content)
    own = [button for button in buttons if 'form="reset"' not in button]
    assert len(own) < len(buttons)
    assert 'value="Save"' in own[0]


def test_a_button_for_no_setting_changes_nothing(admin_client):
    page = admin_client.post(reverse(PAGE), {"reset": "nothing"}, follow=True)

    assert "There is no setting" in page.content.decode()
    assert not Preference.objects.exists()


@pytest.fixture
def staff(client, django_user_model):
    """A client of staff with the permissions named."""

    def sign_in(*codenames):
        user = django_user_model.objects.create_user("s", password="s", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def test_who_may_only_look_cannot_change(staff):
    client = staff("view_preference")
    page, filled = shown(client)

    assert 'type="submit" class="default"' not in page
    assert client.post(reverse(PAGE), filled).status_code == 403
    assert client.post(reverse(PAGE), {"reset": "num_frames"}).status_code == 403


def test_staff_without_the_permission_does_not_see_it(staff):
    assert staff().get(reverse(PAGE)).status_code == 403


def test_a_logged_change_leads_to_the_page(admin_client):
    save(admin_client, num_frames="50")
    preference = Preference.objects.get()
    address = reverse("admin:stashsense_preference_change", args=[preference.pk])

    assert admin_client.get(address).headers["Location"] == reverse(PAGE)
