"""manage.py prepare: what is missing in a data folder is made, the rest left alone."""

import io
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from stashsense import data_folder
from stashsense.preferences import values
from stashsense.tests import settings as given

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def prepare():
    """Run the command without the demo world; return what it said."""
    said = io.StringIO()
    call_command("prepare", "--no-demo", stdout=said)
    return said.getvalue()


def test_the_admin_gets_a_password_that_is_shown_once():
    said = prepare()

    shown = re.search(r"the password (\S+) \(shown only now\)", said)
    assert shown is not None
    user = get_user_model().objects.get(username="admin")
    assert user.check_password(shown[1])
    assert user is not None
    assert user.is_superuser
    assert user.is_staff
    assert prepare() == ""


def test_the_password_may_come_from_the_environment_and_is_not_shown(settings):
    settings.ADMIN_PASSWORD = "correct horse"

    said = prepare()

    user = get_user_model().objects.get(username="admin")
    assert user.check_password("correct horse")
    assert "correct horse" not in said
    assert "STASH_SENSE_ADMIN_PASSWORD" in said


def test_an_administrator_of_another_name_will_do(django_user_model):
    django_user_model.objects.create_superuser("somebody", password="hers")

    assert prepare() == ""

    assert [user.username for user in get_user_model().objects.all()] == ["somebody"]


@pytest.mark.skipif(
    bool(given.POSTGRESQL_URL), reason="only SQLite's file says so; others are asked"
)
def test_the_database_says_that_it_is_prepared():
    prepare()

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        assert cursor.fetchone() == (data_folder.code_stamp(),)


def test_settings_of_the_environment_are_taken_over_at_the_first_start(settings):
    settings.FIRST_STASH_API_RATE = 2.5

    said = prepare()

    assert "taken over from the environment: stash_api_rate." in said
    assert values.value_of("stash_api_rate") == 2.5
    assert "taken over" not in prepare()
