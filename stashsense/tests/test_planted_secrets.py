"""Secrets are planted in a running service, which is asked for everything it tells."""

import base64
import contextlib
import http.client
import json
import re
import secrets
import signal
import socket
import subprocess
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

from demo.stash.testing import StashServer
from stashsense.data_folder import ROOT
from stashsense.tests import databases
from stashsense.tests import settings as given
from stashsense.tests.signing import signed
from stashsense.tests.test_serve import command, environment, free_port
from stashsense.tests.waiting import wait_until

pytestmark = pytest.mark.service

START_SECONDS = 120
PASSWORD = "planted-password-of-the-owner"
PATHS = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]


def planted(word):
    return f"planted-{word}-{secrets.token_hex(12)}"


class Planted:
    """A service with planted secrets, and everything that it has told."""

    def __init__(self, folder, stash_server, box_key, log_format):
        userinfo = planted("userinfo")
        self.secrets = {
            "own key": planted("own"),
            "Stash's key": stash_server.api_key,
            "Stash's password": userinfo,
            "a box's key": box_key,
            "secret key": planted("django"),
            "password": PASSWORD,
            "key elsewhere": planted("recognition"),
        }
        self.port = free_port()
        self.told = []
        self.box_endpoints = [box.endpoint for box in stash_server.library.stash_boxes]
        host = stash_server.url.removeprefix("http://")
        self.log_path = folder / "service.log"
        variables = {
            "STASH_SENSE_API_KEY": self.secrets["own key"],
            "STASH_API_KEY": self.secrets["Stash's key"],
            "STASH_URL": f"http://owner:{userinfo}@{host}",
            "STASH_SENSE_SECRET_KEY": self.secrets["secret key"],
            "STASH_SENSE_ADMIN_PASSWORD": PASSWORD,
            "RECOGNITION_API_KEY": self.secrets["key elsewhere"],
            "STASH_SENSE_LOG_FORMAT": log_format,
            "STASH_SENSE_SLOW_REQUEST_SECONDS": "0",
            "STASH_SENSE_RELEASE_FEED": "http://127.0.0.1:9/feed",
            "LOG_LEVEL": "debug",
            # Nobody listens there, unless the tests have a Redis.
            "REDIS_URL": f"redis://:{planted('redis')}@127.0.0.1:9/0",
            **databases.environment(folder / "data"),
        }
        # Those of the tests' own servers are made up for each run.
        for name in {"REDIS_URL", "DATABASE_URL"} & {*variables}:
            self.secrets[f"password in {name}"] = urlsplit(variables[name]).password
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command(
                    *["--no-demo", "--host", "127.0.0.1", "--port", self.port],
                    *["--data-dir", folder / "data"],
                ),
                env=environment(**variables),
                stdout=log,
                stderr=log,
            )

    def ask(self, method, target, *, headers=None, body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body or None, headers or {})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        told = f"{response.getheaders()} {content.decode(errors='replace')}"
        self.told.append((f"{method} {target}", told))
        return response, content

    def send(self, text):
        """Send what may be no HTTP at all, and keep what is answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as raw:
            raw.sendall(text.encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        self.told.append((text.partition(" ")[0], answer.decode(errors="replace")))
        return answer

    def is_ready(self):
        try:
            return self.ask("GET", "/health")[0].status == 200
        except OSError:
            return self.process.poll() is not None

    def processes(self):
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def stop(self):
        family = self.processes() if self.process.poll() is None else []
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        for left in family:
            if left.is_running():
                left.kill()

    def leaks(self):
        """Return where a planted secret was told, however it was spelled."""
        told = [*self.told, ("the log", self.log_path.read_text(errors="replace"))]
        return {
            (where, name)
            for where, text in told
            for name, secret in self.secrets.items()
            for spelled in spellings(secret)
            if spelled in text
        }


def spellings(secret):
    return {
        secret,
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(f"owner:{secret}".encode()).decode(),
        secret[:24],
    }


@pytest.fixture(params=["text", "json"])
def service(request, tmp_path, stash_library):
    box_key = planted("box")
    boxes = stash_library.stash_boxes
    stash_library.stash_boxes = [replace(box, api_key=box_key) for box in boxes]
    with StashServer(stash_library, api_key=planted("stash")) as stash:
        running = Planted(tmp_path, stash, box_key, request.param)
        try:
            wait_until(running.is_ready, within=START_SECONDS)
            yield running
        finally:
            running.stop()


def ask_every_route(service):
    """Ask as a stranger, with wrong keys that are secret, and as whoever may."""
    right = {"X-Api-Key": service.secrets["own key"]}
    wrong = planted("wrong")
    service.secrets["a wrong key"] = wrong
    for path, methods in PATHS.items():
        target = re.sub(r"\{[^}]*\}", "7", path)
        for method in {each.upper() for each in methods} & {"GET"}:
            service.ask(method, target, headers=right)
    for headers in (
        {"X-Api-Key": wrong},
        {"Authorization": f"Bearer {wrong}"},
        {"Cookie": f"stash_sense_session={wrong}"},
    ):
        service.ask("GET", "/queue", headers=headers)
    query = urlencode({"url": f"http://user:{wrong}@127.0.0.1:9/a?apikey={wrong}"})
    service.ask("POST", f"/identify/url?{query}", headers=right)
    signature = signed(service.secrets["Stash's key"], "GET", "/queue")
    service.secrets["signature"] = signature["Authorization"].rpartition("=")[2]
    service.ask("GET", "/queue", headers=signature)
    service.ask("GET", "/queue?altered", headers=signature)


def ask_what_fails(service):
    """Send every key in addresses and headers of requests that cannot be answered."""
    for name in ("own key", "Stash's key", "a box's key"):
        secret = service.secrets[name]
        for target in (
            f"/queue?apikey={secret}",
            f"/identify/nothing?api_key={secret}",
            f"/recommendations/x?token={secret}&limit=-1",
        ):
            response, _ = service.ask("GET", target)
            assert response.status in (401, 404), target
        for text in (
            f"GET /queue?apikey={secret} HTTP/9.9\r\n\r\n",
            f"GET /queue?apikey={secret} and more HTTP/1.1\r\n\r\n",
            f"G@T /queue?apikey={secret} HTTP/1.1\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nX-Api-Key : {secret}\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nX-Api-Key: {secret}\x00\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nX-Api-Key: a\r\n {secret}\r\n\r\n",
            f"GET /queue HTTP/1.1\r\n{secret}\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nHost: {secret}@a/b\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nHost: a\r\nContent-Length: {secret}\r\n\r\n",
            f"GET /queue?apikey={secret * 200} HTTP/1.1\r\n\r\n",
            f"GET /queue HTTP/1.1\r\nX-Api-Key: {secret * 300}\r\n\r\n",
        ):
            assert b" 4" in service.send(text)[:14] or b" 5" in service.send(text)[:14]


def note_processes(service):
    """Keep what a list of processes shows of each to anybody."""
    for process in service.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            shown = f"{process.name()} {' '.join(process.cmdline())}"
            service.told.append((f"process {process.pid}", shown))


def walk_the_admin(service):
    """Sign in as the owner and open every page that another leads to."""
    response, _ = service.ask("GET", "/admin/login/")
    cookie = response.getheader("Set-Cookie").partition(";")[0]
    form = urlencode(
        {
            "csrfmiddlewaretoken": token_of(service, cookie),
            "username": "admin",
            "password": PASSWORD,
        }
    )
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    response, _ = service.ask(
        "POST", "/admin/login/", headers=headers, body=form.encode()
    )
    assert response.status == 302, service.told[-1]
    session = next(
        value.partition(";")[0]
        for name, value in response.getheaders()
        if name == "Set-Cookie" and "session" in value
    )
    seen, left = set(), ["/admin/", "/", "/status"]
    while left:
        path = left.pop()
        if path in seen or "logout" in path or path == "/admin/api-key/":
            continue
        seen.add(path)
        _, page = service.ask("GET", path, headers={"Cookie": session})
        left += re.findall(r'href="(/admin/[^"?#]*)"', page.decode(errors="replace"))
    return seen


def token_of(service, cookie):
    _, page = service.ask("GET", "/admin/login/", headers={"Cookie": cookie})
    [token, *_] = re.findall(rb'csrfmiddlewaretoken" value="(\w+)"', page)
    return token.decode()


def test_no_secret_is_told_in_logs_answers_pages_or_process_lists(service):
    ask_every_route(service)
    ask_what_fails(service)
    note_processes(service)
    pages = walk_the_admin(service)
    note_processes(service)

    assert len(pages) > 25
    # With Stash's key its configuration was read, which holds the boxes' keys.
    assert service.box_endpoints
    for endpoint in service.box_endpoints:
        assert any(endpoint in text for _, text in service.told)
    if not given.REDIS_SERVER_URL:
        # It was asked for, and what failed was told.
        log = service.log_path.read_text(errors="replace")
        assert "Failures cannot be counted together" in log
    assert service.leaks() == set()


@pytest.mark.parametrize(
    ("database", "redis", "told"),
    [
        ("postgres://owner:{}@127.0.0.1:9/none", "redis://:{}@127.0.0.1:9/0",
         "The database cannot be used: connection failed"),
        ("postgres://owner@127.0.0.1:9/none?password={}", "redis://:{}@127.0.0.1:9/0",
         "The database cannot be used: connection failed"),
        ("postgres://owner:{}@127.0.0.1:9/none?sslmod=prefer", "",
         'The database cannot be used: invalid connection option "sslmod"'),
        ("mysql://owner:{}@127.0.0.1:9/none", "", "DATABASE_URL must be an address"),
        ("postgres://owner:{}@127.0.0.1:x/none", "", "DATABASE_URL must be an address"),
        ("", "http://:{}@127.0.0.1:9/0", "REDIS_URL must be an address"),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_refused_without_its_password(
    tmp_path, database, redis, told
):
    secret = planted("server")

    said = refused_start(
        tmp_path, DATABASE_URL=database.format(secret), REDIS_URL=redis.format(secret)
    )

    assert told in said
    assert [spelled for spelled in spellings(secret) if spelled in said] == []


@pytest.mark.skipif(not given.POSTGRESQL_URL, reason="needs a server that looks at it")
def test_a_wrong_password_of_the_database_is_not_repeated(tmp_path):
    secret = planted("wrong")
    server = urlsplit(given.POSTGRESQL_URL)
    address = f"{server.username}:{secret}@{server.hostname}:{server.port}"

    said = refused_start(tmp_path, DATABASE_URL=f"postgres://{address}/postgres")

    assert "password authentication failed" in said
    right = str(server.password)
    both = spellings(secret) | spellings(right)
    assert [spelled for spelled in both if spelled in said] == []


def refused_start(folder, **variables):
    """Start the service, which must refuse in words; return all that it said."""
    done = subprocess.run(
        command(
            *["--no-demo", "--host", "127.0.0.1", "--port", free_port()],
            *["--data-dir", folder],
        ),
        env=environment(LOG_LEVEL="debug", **variables),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return said
