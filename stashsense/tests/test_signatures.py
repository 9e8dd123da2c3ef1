"""Requests that are signed with a key that is not sent, over real HTTP."""

import logging
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

import stashsense
from stashsense.api.authentication import api_key
from stashsense.models import UsedNonce
from stashsense.preferences.models import Preference
from stashsense.tests import databases
from stashsense.tests.signing import send, signed

pytestmark = pytest.mark.django_db(transaction=True)

PROJECT_DIR = Path(stashsense.__file__).resolve().parent.parent
STASH_KEY = "eyJhbGciOiJIUzI1NiJ9.of-a-stash.0123456789"
OWN_KEY = "the-service's-own-key"
JSON = {"Content-Type": "application/json"}
SETTING = "/settings/num_frames"
VALUE = b'{"value": 40}'
NONCE = "abcdefghijklmnopqrstuv"
LIMIT_SECONDS = 120


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.STASH_API_KEY, settings.API_KEY = STASH_KEY, OWN_KEY
    api_key.cache_clear()
    yield
    api_key.cache_clear()


@pytest.fixture
def ask(live_server):
    """Sends a request to the service: signed with Stash's key, or with `headers`."""

    def ask(method, target, body=b"", *, headers=None, more=JSON, **how):
        if headers is None:
            headers = signed(how.pop("key", STASH_KEY), method, target, body, **how)
        return send(live_server.url, method, target, body, {**more, **headers})

    return ask


def code_of(answer):
    status, body = answer
    return status, body["code"]


def refused_as(code):
    return 401, code


def multipart(name, content):
    """Return a form with one file, and the header that says so."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="a.jpg"'
    body = b"--edge\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n--edge--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.mark.parametrize(
    "target",
    [
        "/database/info",
        "/openapi.json",
        "/identify/corrections?kind=scene&stash_id=7",
        # The query is signed as it is sent, whatever it means.
        "/identify/corrections?stash_id=%37&kind=scene&&",
        "/settings/num%5Fframes",
    ],
)
@pytest.mark.parametrize(("name", "key"), [("stash", STASH_KEY), ("plugin", OWN_KEY)])
def test_who_knows_a_key_may_read_without_sending_it(ask, target, name, key):
    assert ask("GET", target, name=name, key=key)[0] == 200


def test_a_path_is_signed_as_what_it_stands_for(ask):
    job = "%D0%BA%D0%BB%D1%8E%D1%87%20%0A%25%3F%C3%A4+"

    answer = ask("GET", f"/identify/jobs/{job}?a=%0A%C3%A4")

    assert code_of(answer) == (404, "job_not_found")


def test_a_path_that_is_no_text_is_refused(ask):
    # Python's `unquote` and Django make different texts of it.
    answer = ask("GET", "/identify/jobs/%FF")

    assert code_of(answer) == refused_as("wrong_signature")


def test_a_signed_request_may_write(ask):
    status, answer = ask("PUT", SETTING, VALUE)

    assert (status, answer["value"]) == (200, 40)
    assert Preference.objects.get().value == 40
    assert UsedNonce.objects.count() == 1


def test_a_body_may_be_missing(ask):
    ask("PUT", SETTING, VALUE)

    assert ask("DELETE", SETTING, more={})[0] == 200
    assert Preference.objects.get().value is None


@pytest.mark.parametrize("size", [0, 9, 3_000_000])
def test_a_form_with_a_file_is_read_after_its_signature_was(ask, size):
    body, form = multipart("image", bytes(size))

    status, answer = ask("POST", "/identify", body, more=form)
    _, unsigned = ask(
        "POST", "/identify", body, more=form, headers={"X-Api-Key": OWN_KEY}
    )

    assert status != 401
    assert answer == unsigned


def test_a_body_that_is_too_large_is_told_so_before_it_is_read(ask, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(VALUE)
    assert ask("PUT", SETTING, VALUE)[0] == 200

    answer = ask("PUT", SETTING, VALUE + b" ")

    assert code_of(answer) == (413, "body_too_large")


def test_a_request_that_is_sent_again_is_refused_where_it_may_change_something(ask):
    headers = signed(STASH_KEY, "PUT", SETTING, VALUE)
    assert ask("PUT", SETTING, VALUE, headers=headers)[0] == 200
    Preference.objects.update(value=50)

    answer = ask("PUT", SETTING, VALUE, headers=headers)

    assert code_of(answer) == refused_as("signature_reused")
    assert Preference.objects.get().value == 50


def test_one_that_reads_may_be_sent_again_and_leaves_no_trace(ask):
    headers = signed(STASH_KEY, "GET", SETTING)

    answers = [ask("GET", SETTING, headers=headers)[0] for _ in range(2)]

    assert answers == [200, 200]
    assert not UsedNonce.objects.exists()


def test_a_nonce_is_used_up_for_both_keys(ask):
    assert ask("PUT", SETTING, VALUE, nonce=NONCE)[0] == 200

    answer = ask("PUT", SETTING, VALUE, nonce=NONCE, name="plugin", key=OWN_KEY)

    assert code_of(answer) == refused_as("signature_reused")


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", SETTING, b'{"value": 41}'),
        ("PUT", SETTING, VALUE + b" "),
        ("PUT", SETTING, b""),
        ("PUT", f"{SETTING}?", VALUE + b"\n"),
        ("PUT", f"{SETTING}?a=b", VALUE),
        ("PUT", "/settings/face_candidates", VALUE),
        ("DELETE", SETTING, VALUE),
        ("POST", SETTING, VALUE),
        ("GET", SETTING, b""),
    ],
)
def test_a_signature_is_of_one_request_alone(ask, method, target, body):
    headers = signed(STASH_KEY, "PUT", SETTING, VALUE)

    answer = ask(method, target, body, headers=headers)

    assert code_of(answer) == refused_as("wrong_signature")
    assert not Preference.objects.exists()
    assert ask("PUT", SETTING, VALUE, headers=headers)[0] == 200


@pytest.mark.parametrize("part", ["key", "date", "nonce", "signature"])
def test_every_part_of_the_header_is_signed(ask, part):
    now = int(time.time())
    [header] = signed(STASH_KEY, "GET", SETTING, date=now, nonce=NONCE).values()
    before, after = {
        "key": ("key=stash", "key=plugin"),
        "date": (f"date={now}", f"date={now + 1}"),
        "nonce": ("nonce=a", "nonce=b"),
        "signature": (header[-1:], "0" if header[-1:] == "1" else "1"),
    }[part]
    changed = after.join(header.rsplit(before, 1))

    answer = ask("GET", SETTING, headers={"Authorization": changed})

    assert code_of(answer) == refused_as("wrong_signature")


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    ("ahead", "says"), [(-301, "behind"), (400, "ahead of"), (10**11, "ahead of")]
)
def test_a_signature_counts_for_minutes_and_the_refusal_tells_of_clocks(
    ask, method, ahead, says
):
    date = int(time.time()) + ahead

    status, answer = ask(method, SETTING, date=date)

    assert (status, answer["code"]) == (401, "signature_expired")
    told = int(answer["detail"].split("dated ")[1].split()[0])
    # The service answers a moment after the signature was made.
    assert abs(ahead) - 60 <= told <= abs(ahead) + 60
    assert f"seconds {says} this service's clock" in answer["detail"]


@pytest.mark.parametrize("ahead", [-240, 240])
def test_clocks_may_differ_by_some_minutes(ask, ahead):
    assert ask("PUT", SETTING, VALUE, date=int(time.time()) + ahead)[0] == 200


@pytest.mark.parametrize(
    ("name", "key", "told"),
    [
        ("stash", "another-key", "STASH_API_KEY"),
        ("stash", OWN_KEY, "STASH_API_KEY"),
        ("stash", "", "STASH_API_KEY"),
        ("plugin", STASH_KEY, "plugin's settings"),
    ],
)
def test_another_key_is_refused_with_where_to_look(ask, name, key, told):
    status, answer = ask("GET", SETTING, name=name, key=key)

    assert (status, answer["code"]) == (401, "wrong_signature")
    assert told in answer["detail"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_nobody_gets_in_with_a_key_that_the_service_has_not(ask, settings, nothing):
    settings.STASH_API_KEY = nothing

    status, answer = ask("GET", SETTING, key="")

    assert (status, answer["code"]) == (401, "no_shared_key")
    assert "STASH_API_KEY" in answer["detail"]
    assert ask("GET", SETTING, name="plugin", key=OWN_KEY)[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        "StashSense",
        "StashSense ",
        "stashsense key=stash",
        "StashSense key=stash date=1 nonce=2 signature=3",
        f"StashSense key=admin, date=1, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=-1, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=1e9, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date={'9' * 5000}, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=1, nonce={NONCE[1:]}, signature={'0' * 64}",
        f"StashSense key=stash, date=1, nonce={'a' * 65}, signature={'0' * 64}",
        f"StashSense key=stash, date=1, nonce={NONCE}'--, signature={'0' * 64}",
        f"StashSense key=stash, date=1, nonce={NONCE}, signature={'0' * 63}",
        f"StashSense key=stash, date=1, nonce={NONCE}, signature={'F' * 64}",
        f"StashSense key=stash, date=1, nonce={NONCE}, signature={'é' * 64}",
        f"StashSense key=stash, date=\xb2, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=1, date=2, nonce={NONCE}, signature={'0' * 64}",
        f"StashSense key=stash, date=1, nonce={NONCE}, signature={'0' * 64}, more=1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_such_header_is_refused(ask, header, method):
    headers = {"Authorization": header.encode("latin-1")}

    answer = ask(method, "/identify/corrections", b"{}", headers=headers)

    assert code_of(answer) == refused_as("wrong_signature")


def test_a_length_that_is_no_number_is_refused(client):
    response = client.generic(
        *("PUT", SETTING, VALUE, "application/json"),
        headers=signed(STASH_KEY, "PUT", SETTING, VALUE),
        CONTENT_LENGTH="many",
    )

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("scheme", ["stashsense", "STASHSENSE"])
def test_the_scheme_is_known_in_any_letter_case(ask, scheme):
    [header] = signed(STASH_KEY, "GET", SETTING).values()
    header = header.replace("StashSense", scheme)

    assert ask("GET", SETTING, headers={"Authorization": header})[0] == 200


def test_below_a_proxys_prefix_the_path_is_signed_without_it(client):
    headers = signed(STASH_KEY, "GET", SETTING)

    response = client.get(SETTING, headers=headers, SCRIPT_NAME="/sense")

    assert response.wsgi_request.path == f"/sense{SETTING}"
    assert response.status_code == 200


def test_of_many_that_send_the_same_at_once_one_gets_in(ask):
    headers = signed(STASH_KEY, "PUT", SETTING, VALUE)
    answers, barrier = [], threading.Barrier(8)

    def again():
        barrier.wait(LIMIT_SECONDS)
        answers.append(ask("PUT", SETTING, VALUE, headers=headers)[0])

    threads = [threading.Thread(target=again) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_SECONDS)

    assert sorted(answers) == [200] + 7 * [401]
    assert UsedNonce.objects.count() == 1


REPLAY = """
import json, os
from django.test import Client
response = Client().put(
    os.environ["PATH_INFO"], os.environ["BODY"], content_type="application/json",
    headers={"Authorization": os.environ["HEADER"]},
)
print(json.dumps([response.status_code, response.json().get("code")]))
"""


def test_what_one_process_has_answered_another_refuses(ask, tmp_path):
    [header] = signed(STASH_KEY, "PUT", SETTING, VALUE).values()
    [fresh] = signed(STASH_KEY, "PUT", SETTING, VALUE).values()
    assert ask("PUT", SETTING, VALUE, headers={"Authorization": header})[0] == 200
    # Another worker on the same rows.
    if connection.vendor == "sqlite":
        (tmp_path / "stash_sense.db").symlink_to(connection.settings_dict["NAME"])

    def told_by_another_process(header):
        ended = subprocess.run(
            [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", REPLAY],
            cwd=PROJECT_DIR,
            env=os.environ
            | databases.own_environment()
            | {"DJANGO_SETTINGS_MODULE": "stashsense.settings"}
            | {"DATA_DIR": str(tmp_path), "STASH_API_KEY": STASH_KEY}
            | {"PATH_INFO": SETTING, "BODY": VALUE.decode(), "HEADER": header},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    assert told_by_another_process(header) == '[401, "signature_reused"]'
    assert told_by_another_process(fresh) == "[200, null]"
    assert UsedNonce.objects.count() == 2


def test_nonces_are_forgotten_once_nobody_can_repeat_them(ask):
    now = datetime.now(UTC)
    for name, age in [("old", timedelta(days=1)), ("recent", timedelta(minutes=10))]:
        UsedNonce.objects.create(nonce=name, signed_at=now - age)

    ask("PUT", SETTING, VALUE, nonce=NONCE)

    kept = UsedNonce.objects.order_by("pk").values_list("nonce", flat=True)
    assert [*kept] == ["recent", NONCE]


def test_who_may_not_in_leaves_nothing_in_the_database(ask):
    ask("PUT", SETTING, VALUE, key="another-key")
    ask("PUT", SETTING, VALUE, date=1)

    assert not UsedNonce.objects.exists()


def test_neither_keys_nor_signatures_are_logged_or_answered(ask, settings, caplog):
    caplog.set_level(logging.DEBUG)
    headers = signed(STASH_KEY, "PUT", SETTING, VALUE)
    own = signed(OWN_KEY, "GET", SETTING, name="plugin", date=1)
    wrong = signed("another-key", "GET", SETTING)

    answers = [
        ask("PUT", SETTING, VALUE, headers=headers),
        ask("PUT", SETTING, VALUE, headers=headers),
        ask("PUT", SETTING, b"{", headers=headers),
        ask("GET", SETTING, headers=own),
        ask("GET", SETTING, headers=wrong),
        ask("GET", SETTING, headers={"Authorization": f"StashSense key={OWN_KEY}"}),
    ]
    settings.STASH_API_KEY = None
    answers.append(ask("GET", SETTING, headers=wrong))

    assert [status for status, _ in answers] == [200] + 6 * [401]
    logged = "".join(str(vars(record)) for record in caplog.records)
    told = caplog.text + logged + str(answers)
    assert SETTING in logged
    assert STASH_KEY not in told
    assert OWN_KEY not in told
    for each in (headers, own, wrong):
        assert each["Authorization"].rpartition("=")[2] not in told


def test_switched_off_authentication_still_refuses_what_is_wrong(ask, settings):
    settings.AUTHENTICATION = "off"

    answer = ask("GET", SETTING, key="another-key")

    assert code_of(answer) == refused_as("wrong_signature")


def test_the_documented_example_is_signed_so():
    [header] = signed(
        "a-key-of-stash", "GET", SETTING, date=1_700_000_000, nonce=NONCE
    ).values()

    page = (PROJECT_DIR / "docs" / "api.md").read_text()
    assert f"\n{header.rpartition('=')[2]}\n" in page


def test_the_api_description_tells_of_signatures(ask):
    _, description = ask("GET", "/openapi.json")

    schemes = description["components"]["securitySchemes"]
    assert schemes["signatureAuth"]["scheme"] == "StashSense"
    assert {"signatureAuth": []} in description["paths"][SETTING_PATH]["put"][
        "security"
    ]


SETTING_PATH = "/settings/{key}"
