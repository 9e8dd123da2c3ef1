"""Which database and cache are used, by address; and how people are told of them."""

import subprocess
import sys

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client

from stashsense import engines, engines_used
from stashsense.api.callers import FAILURES_PERMITTED, SharedFailureCounter
from stashsense.data_folder import ROOT
from stashsense.tests import databases
from stashsense.tests import settings as given
from stashsense.tests.test_serve import Service, environment
from stashsense.tests.waiting import wait_until

SECRET = "p%40ss-that-nobody-may-see"
BACK_SECONDS = 180
NOWHERE = "redis://:secret@127.0.0.1:9/0"


def test_without_an_address_rows_are_in_the_data_folder(tmp_path):
    path = tmp_path / "stash_sense.db"

    used = engines.database(None, sqlite_path=path)

    assert used["ENGINE"] == "django.db.backends.sqlite3"
    assert used["NAME"] == path
    assert "locmem" in engines.cache(None)["BACKEND"]


def test_an_address_names_a_database_of_postgresql(tmp_path):
    url = f"postgres://owner:{SECRET}@db.example:5433/sense?sslmode=require"

    used = engines.database(url, sqlite_path=tmp_path)

    assert used["ENGINE"] == "django.db.backends.postgresql"
    assert (used["HOST"], used["PORT"], used["NAME"]) == ("db.example", 5433, "sense")
    assert (used["USER"], used["PASSWORD"]) == ("owner", "p@ss-that-nobody-may-see")
    assert used["OPTIONS"]["connect_timeout"] == 10
    assert used["OPTIONS"]["sslmode"] == "require"
    assert used["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://owner:{SECRET}@db/sense",
        f"postgres://owner:{SECRET}@db",
        f"postgres://owner:{SECRET}@db:port/sense",
        f"postgres://owner:{SECRET}@db:99999/sense",
        f"postgres://owner:{SECRET}@[db/sense",
        SECRET,
    ],
)
def test_a_faulty_address_is_told_without_what_it_holds(url, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must be") as told:
        engines.database(url, sqlite_path=tmp_path)

    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        f"http://:{SECRET}@cache:6379/0",
        f"redis://:{SECRET}@cache:6379/first",
        f"redis://:{SECRET}@cache:port/0",
        f"redis:///{SECRET}",
        SECRET,
    ],
)
def test_a_faulty_address_of_redis_is_told_without_what_it_holds(url):
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must be") as told:
        engines.cache(url)

    assert SECRET not in str(told.value)


@pytest.mark.django_db
def test_staff_and_metrics_are_told_the_engines_and_no_addresses(
    django_user_model, settings
):
    owner = django_user_model.objects.create_superuser("owner", password="hers")
    client = Client()
    client.force_login(owner)

    page = client.get("/status").content.decode()
    metrics = client.get("/metrics").content.decode()

    names = engines_used.database_name(), engines_used.cache_name()
    assert f"Rows are in {names[0]}; the cache is {names[1]}." in page
    assert f'database="{names[0]}"' in metrics
    assert settings.DATABASES["default"]["PASSWORD"] not in {page, metrics} - {""}


needs_redis = pytest.mark.skipif(
    not given.REDIS_SERVER_URL,
    reason="scripts/test_postgresql starts a Redis",
)


@needs_redis
def test_processes_count_failures_together():
    counters = [SharedFailureCounter(), SharedFailureCounter()]
    waits = [
        counters[number % 2].note("192.0.2.9", 0)
        for number in range(2 * FAILURES_PERMITTED + 2)
    ]

    # Two windows at most, should the minute end meanwhile.
    assert waits.count(0) <= 2 * FAILURES_PERMITTED
    assert any(waits)


def test_without_redis_s_answer_each_process_counts_for_itself(settings):
    settings.CACHES = {"default": engines.cache(NOWHERE)}
    counter = SharedFailureCounter()

    waits = [counter.note("192.0.2.10", 0) for _ in range(FAILURES_PERMITTED + 1)]

    assert waits[:-1] == [0] * FAILURES_PERMITTED
    assert waits[-1] > 0


@pytest.mark.service
@databases.many_hosts
def test_who_goes_over_from_sqlite_begins_with_a_whole_database(tmp_path):
    folder = tmp_path / "data"
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "prepare", "--no-demo"],
        env=environment(DATA_DIR=str(folder), DATABASE_URL=""),
        check=True,
    )
    key = "the-key-of-this-installation"

    service = Service(folder, STASH_SENSE_API_KEY=key)
    try:
        service.wait_until_ready()
        answer = requests.get(
            service.address("/queue"), headers={"X-Api-Key": key}, timeout=60
        )
    finally:
        service.kill()

    assert answer.status_code == 200, answer.text


@pytest.mark.service
@databases.many_hosts
def test_a_database_that_went_away_and_came_back_is_used_again(tmp_path):
    key = "the-key-of-this-installation"
    folder = tmp_path / "data"
    service = Service(folder, STASH_SENSE_API_KEY=key)

    def status():
        headers = {"X-Api-Key": key}
        url = service.address("/queue")
        return requests.get(url, headers=headers, timeout=60).status_code

    def now():
        [(at,)] = databases.rows(folder, "SELECT now()")
        return at

    try:
        service.wait_until_ready()
        assert status() == 200
        databases.disconnect(folder)
        away_at = now()

        wait_until(lambda: status() == 200, within=BACK_SECONDS)
        beat = "SELECT max(heartbeat_at) FROM recognition_servingprocess"
        wait_until(
            lambda: databases.rows(folder, beat)[0][0] > away_at, within=BACK_SECONDS
        )
        # The background looks once a minute what there is to do.
        done = "SELECT max(stopped) FROM django_q_task"
        wait_until(
            lambda: (databases.rows(folder, done)[0][0] or away_at) > away_at,
            within=BACK_SECONDS,
        )
    finally:
        service.kill()


@databases.many_hosts
@pytest.mark.django_db
def test_a_server_forgets_hosts_that_lost_their_power():
    with connection.cursor() as cursor:
        cursor.execute("SHOW tcp_keepalives_idle")

        assert cursor.fetchone() == ("30",)


@databases.many_hosts
def test_who_may_make_no_tables_is_told_so_in_a_line(tmp_path):
    folder = tmp_path / "data"
    with databases.of_a_guest(folder) as url:
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", "prepare", "--no-demo"],
            env=environment(DATA_DIR=str(folder), DATABASE_URL=url),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode != 0
    assert "The database cannot be used" in done.stderr
    assert "permission denied for schema public" in done.stderr
    assert "Traceback" not in done.stderr
