"""Wrong keys and passwords, again and again."""

import io
import logging
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from stashsense.api import callers
from stashsense.api.authentication import api_key
from stashsense.api.callers import FAILURES_PERMITTED, WINDOW_SECONDS, FailureCounter
from stashsense.api.health import SHORT_KEY_WARNING, operating_warnings
from stashsense.observability.logs import FIELDS
from stashsense.tests.signing import signed

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"
PASSWORD = "a long password of the owner"
LONG_KEY, SHORT_KEY = "right-key-that-nobody-guesses", "right-key"


@pytest.fixture(autouse=True)
def _key(settings):
    settings.API_KEY = LONG_KEY
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.fixture
def _short_key(_key, settings):
    settings.API_KEY = SHORT_KEY
    api_key.cache_clear()


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_superuser("owner", password=PASSWORD)


def ask(key, address=HERE):
    return Client().get("/queue", headers={"X-Api-Key": key}, REMOTE_ADDR=address)


def sign_in(password, *, name="owner", address=HERE):
    form = {"username": name, "password": password, "next": "/"}
    return Client().post("/admin/login/", form, REMOTE_ADDR=address)


def test_wrong_keys_are_told_to_wait_and_the_right_one_is_not():
    statuses = [ask(f"wrong {n}").status_code for n in range(FAILURES_PERMITTED + 5)]
    answer = ask("wrong")

    assert statuses == [401] * FAILURES_PERMITTED + [429] * 5
    assert answer.json()["code"] == "too_many_failures"
    assert 1 <= int(answer["Retry-After"]) <= WINDOW_SECONDS
    assert ask(LONG_KEY).status_code == 200
    assert ask("wrong", ELSEWHERE).status_code == 401


def test_wrong_signatures_count_as_well():
    for _ in range(FAILURES_PERMITTED):
        ask("wrong")

    wrong = signed("another key", "GET", "/queue", name="plugin")
    right = signed(LONG_KEY, "GET", "/queue", name="plugin")

    assert Client().get("/queue", headers=wrong, REMOTE_ADDR=HERE).status_code == 429
    assert Client().get("/queue", headers=right, REMOTE_ADDR=HERE).status_code == 200


@pytest.mark.usefixtures("_short_key")
def test_a_key_that_can_be_guessed_is_not_looked_at_after_too_many_wrong_ones(caplog):
    assert ask(SHORT_KEY).status_code == 200
    statuses = [ask(f"wrong {n}").status_code for n in range(FAILURES_PERMITTED)]

    wrong, right = ask("wrong"), ask(SHORT_KEY)
    sign = signed(SHORT_KEY, "GET", "/queue", name="plugin")
    by_signature = Client().get("/queue", headers=sign, REMOTE_ADDR=HERE)

    assert statuses == [401] * FAILURES_PERMITTED
    for answer in (wrong, right, by_signature):
        assert answer.status_code == 429
        assert answer.json()["code"] == "too_many_failures"
        assert 1 <= int(answer["Retry-After"]) <= WINDOW_SECONDS
    assert ask(SHORT_KEY, ELSEWHERE).status_code == 200
    # Once, and not for each.
    assert caplog.text.count(f"again and again from {HERE}") == 1


@pytest.mark.usefixtures("_short_key")
def test_a_right_guess_cannot_be_told_from_a_wrong_one_by_what_is_open():
    def health(key):
        headers = {"X-Api-Key": key}
        return Client().get("/health", headers=headers, REMOTE_ADDR=HERE)

    assert health(SHORT_KEY).json()["warnings"] != []
    for number in range(FAILURES_PERMITTED):
        assert health(f"wrong {number}").json()["warnings"] == []

    assert health(SHORT_KEY).status_code == 200
    assert health(SHORT_KEY).json() == health("wrong").json()
    assert ask(SHORT_KEY).status_code == 429


def test_after_a_minute_it_begins_anew():
    counter = FailureCounter()
    for _ in range(FAILURES_PERMITTED):
        assert not counter.is_over(HERE, 100.0)
        assert counter.note(HERE, 100.0) == 0

    assert counter.is_over(HERE, 130.0)
    assert counter.note(HERE, 130.0) == 30
    assert not counter.is_over(HERE, 100.0 + WINDOW_SECONDS)
    assert counter.note(HERE, 100.0 + WINDOW_SECONDS) == 0


def test_what_is_remembered_is_bounded():
    counter = FailureCounter()

    for number in range(10_000):
        counter.note(f"address {number}", 100.0)

    assert len(counter._failures) == callers._REMEMBERED_ADDRESSES


def test_addresses_of_one_ipv6_network_count_as_one(rf):
    def seen_as(address):
        return callers.client_address(rf.get("/", REMOTE_ADDR=address))

    assert seen_as("2001:db8:1:2::1") == seen_as("2001:db8:1:2:ffff::9")
    assert seen_as("2001:db8:1:3::1") != seen_as("2001:db8:1:2::1")
    assert seen_as("no address") == ""


def test_passwords_cannot_be_tried_without_end(owner, settings):
    limit = settings.AXES_FAILURE_LIMIT
    answers = [sign_in(f"wrong {n}") for n in range(limit)]

    refused = sign_in(PASSWORD)

    assert [each.status_code for each in answers[:-1]] == [200] * (limit - 1)
    assert refused.status_code == 429
    assert b"15 minutes" in refused.content
    assert refused["Retry-After"] == "900"


def test_nobody_is_locked_out_elsewhere_or_under_another_name(owner, settings):
    for number in range(settings.AXES_FAILURE_LIMIT + 3):
        sign_in(f"wrong {number}")

    assert sign_in(PASSWORD, address=ELSEWHERE).status_code == 302
    assert sign_in("wrong", name="other").status_code == 200


def test_the_owner_is_let_in_again_even_while_somebody_keeps_trying(owner, settings):
    for number in range(settings.AXES_FAILURE_LIMIT):
        sign_in(f"wrong {number}")
    began_at = AccessAttempt.objects.get().attempt_time
    for number in range(3):
        assert sign_in(f"still wrong {number}").status_code == 429
    assert AccessAttempt.objects.get().attempt_time == began_at

    past = timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    AccessAttempt.objects.update(attempt_time=past)

    assert sign_in(PASSWORD).status_code == 302


def test_passwords_of_many_names_cannot_be_tried_without_end(owner, settings):
    settings.SIGN_IN_FAILURE_LIMIT = 4
    answers = [sign_in("wrong", name=f"name {n}") for n in range(4)]

    refused = sign_in(PASSWORD)

    assert [each.status_code for each in answers] == [200] * 4
    assert refused.status_code == 429
    assert AccessAttempt.objects.count() == 4
    assert sign_in(PASSWORD, address=ELSEWHERE).status_code == 302


def test_failures_under_many_names_are_forgiven_after_a_while(owner, settings):
    settings.SIGN_IN_FAILURE_LIMIT = 4
    for number in range(6):
        sign_in("wrong", name=f"name {number}")

    past = timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    AccessAttempt.objects.update(attempt_time=past)

    assert sign_in(PASSWORD).status_code == 302


@pytest.mark.parametrize("name_of_nobody", ["owner", "name {}"])
def test_the_command_lets_everybody_in_again(owner, settings, name_of_nobody):
    settings.SIGN_IN_FAILURE_LIMIT = settings.AXES_FAILURE_LIMIT
    for number in range(settings.AXES_FAILURE_LIMIT):
        sign_in("wrong", name=name_of_nobody.format(number))
    assert sign_in(PASSWORD).status_code == 429

    call_command("axes_reset", stdout=io.StringIO())

    assert sign_in(PASSWORD).status_code == 302


def refused_count(code):
    sample = "stash_sense_refused_credentials_total"
    return REGISTRY.get_sample_value(sample, {"code": code}) or 0


def test_a_failed_sign_in_is_logged_and_counted(owner, settings, caplog):
    caplog.set_level(logging.INFO)
    settings.AXES_FAILURE_LIMIT = 3
    before = {code: refused_count(code) for code in ("wrong_password", "locked_out")}
    tricky = "owner\n2026 INFO all is well\x1b[2J" + 200 * "x"

    sign_in("secret typed wrongly", name=tricky[:100])
    for _ in range(4):
        sign_in("secret typed wrongly")

    ours = [r.getMessage() for r in caplog.records if r.name.endswith("api.sign_in")]
    codes = [getattr(r, FIELDS)["code"] for r in caplog.records if hasattr(r, FIELDS)]
    assert codes == 3 * ["wrong_password"] + 2 * ["locked_out"]
    assert "'owner\\n2026 INFO all is well\\x1b[2J" in ours[0]
    assert len(ours[0]) < 150
    assert ours[1] == f"Sign-in as 'owner' from {HERE} was refused: wrong_password"
    assert refused_count("wrong_password") - before["wrong_password"] == 3
    assert refused_count("locked_out") - before["locked_out"] == 2
    assert "typed wrongly" not in caplog.text
    assert [r for r in caplog.records if r.name.startswith("axes")] == []


def test_whoever_is_signed_in_stays_so(owner, settings):
    client = Client()
    client.force_login(owner)

    for number in range(settings.AXES_FAILURE_LIMIT + 1):
        sign_in(f"wrong {number}")

    assert client.get("/", REMOTE_ADDR=HERE).status_code == 200


@pytest.mark.parametrize(("key", "count"), [("x" * 15, 1), ("x" * 16, 0), (None, 0)])
def test_a_key_that_can_be_guessed_is_warned_of(admin_client, settings, key, count):
    settings.API_KEY = key

    warnings = admin_client.get("/health").json()["warnings"]

    assert len([each for each in warnings if "guessed" in each]) == count


@pytest.mark.usefixtures("_short_key")
def test_strangers_are_not_told_that_the_key_can_be_guessed(
    client, admin_client, django_user_model
):
    guest = Client()
    guest.force_login(django_user_model.objects.create_user("guest"))
    sign = signed(SHORT_KEY, "GET", "/health", name="plugin")

    told = [
        client.get("/health"),
        client.get("/health", headers={"X-Api-Key": "wrong"}),
        guest.get("/health"),
        admin_client.get("/health"),
        client.get("/health", headers={"X-Api-Key": SHORT_KEY}),
        client.get("/health", headers=sign),
    ]

    assert {each.status_code for each in told} == {200}
    warned = [each.json()["warnings"] for each in told]
    assert warned == [[]] * 3 + [operating_warnings()] * 3
    assert SHORT_KEY_WARNING in warned[-1]
    assert b"guessed" in admin_client.get("/status").content
