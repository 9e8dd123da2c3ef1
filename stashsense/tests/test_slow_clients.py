"""Clients that send a request byte by byte, or not at all, over real sockets."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from stashsense import web_worker
from stashsense.tests.test_serve import (
    START_BOUND_SECONDS,
    Service,
    environment,
    free_port,
)
from stashsense.tests.waiting import wait_until

pytestmark = pytest.mark.service
PROGRAM = """
import stashsense.web_worker as web_worker

web_worker.SILENT_SECONDS = {silent}
web_worker.SLOWEST_BYTES_PER_SECOND = {rate}
web_worker.RECEIVING_SECONDS_AT_MOST = {at_most}
web_worker.WAITING_SHARE = {waiting} / 1000


class QuickWorker(web_worker.PatientWorker):
    head_seconds = {head}
    receiving_seconds = {receiving}


MUCH = 4_000_000 * b"x"
with open("much", "wb") as file:
    file.write(MUCH)


def application(environ, start_response):
    headers = [("Content-Length", str(len(MUCH)))]
    if environ["PATH_INFO"] == "/much":
        start_response("200 OK", headers)
        return [MUCH]
    if environ["PATH_INFO"] == "/file":
        start_response("200 OK", headers)
        return environ["wsgi.file_wrapper"](open("much", "rb"))
    try:
        length = len(environ["wsgi.input"].read())
    except OSError as error:
        length = type(error).__name__
    start_response("200 OK", [("Content-Length", str(len(str(length))))])
    return [str(length).encode()]
"""
RECEIVING_SECONDS, SILENT_SECONDS = 1.6, 1.0
HEAD_SECONDS, AT_MOST_SECONDS = 3.0, 6.0
WAITING_AT_MOST = 20
PAUSE_SECONDS = 0.05
# A busy machine may take its time; a client that is not given up has minutes to send.
SOON_SECONDS = 15
LENGTH = 100_000


class Gunicorn:
    """gunicorn with one thread of our worker, which is impatient."""

    def __init__(self, folder, *, rate=10_000, silent=SILENT_SECONDS):
        program = PROGRAM.format(
            receiving=RECEIVING_SECONDS,
            silent=silent,
            rate=rate,
            head=HEAD_SECONDS,
            at_most=AT_MOST_SECONDS,
            waiting=WAITING_AT_MOST,
        )
        (folder / "quick.py").write_text(program)
        self.port, self.log_path = free_port(), folder / "log"
        options = ["--bind", f"127.0.0.1:{self.port}", "--threads", "1"]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *[sys.executable, "-m", "gunicorn", "quick:application"],
                    *["--worker-class", "quick.QuickWorker", *options],
                    *["--no-control-socket"],
                ],
                env=environment(),
                # Not where our own configuration lies, which it would take.
                cwd=folder,
                stdout=log,
                stderr=log,
            )


@contextlib.contextmanager
def running(folder, **options):
    started = Gunicorn(folder, **options)
    try:
        wait_until(lambda: is_listening(started.port), within=START_BOUND_SECONDS)
        yield started
    finally:
        started.process.terminate()
        started.process.wait()


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory):
    with running(tmp_path_factory.mktemp("gunicorn")) as started:
        yield started


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def head(length, path="/", **headers):
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
    named = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, *named, "", ""]).encode()


class Client:
    """A connection on which bytes are sent one at a time until it is answered."""

    def __init__(self, port, sent=b""):
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.sendall(sent)
        self.answer = b""
        self._is_over = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):
            while piece := self.connection.recv(65_536):
                self.answer += piece
        self._is_over.set()

    def trickle(self, content, *, pause=PAUSE_SECONDS, within=SOON_SECONDS):
        """Send byte by byte; return the seconds until the other side had enough."""
        began_at = time.monotonic()
        for byte in content:
            with contextlib.suppress(OSError):
                self.connection.sendall(bytes([byte]))
            if self._is_over.wait(pause):
                break
            assert time.monotonic() - began_at < within, "nobody minds"
        return time.monotonic() - began_at

    def is_left_within(self, seconds):
        """Return whether the other side closes the connection by then."""
        return self._is_over.wait(seconds)

    def wait(self):
        """Return what was answered, once the other side has closed the connection."""
        assert self.is_left_within(SOON_SECONDS), "nobody minds"
        return self.answer

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self.connection.close()


@pytest.fixture
def connect():
    with contextlib.ExitStack() as stack:

        def connect(port, sent=b""):
            client = Client(port, sent)
            stack.callback(client.close)
            return client

        yield connect


def test_a_body_that_trickles_is_given_up(gunicorn, connect):
    client = connect(gunicorn.port, head(LENGTH))

    seconds = client.trickle(b"x" * LENGTH)

    assert b"RequestTooSlow" in client.answer
    assert seconds > SILENT_SECONDS


def test_a_chunked_body_that_trickles_is_given_up(gunicorn, connect):
    sent = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    client = connect(gunicorn.port, sent)

    client.trickle(b"1\r\nx\r\n" * LENGTH)

    assert b"RequestTooSlow" in client.answer


def test_headers_that_trickle_are_given_up_without_a_traceback(gunicorn, connect):
    client = connect(gunicorn.port, b"GET / HTTP/1.1\r\nX-Long: ")

    client.trickle(b"x" * LENGTH)

    assert client.wait() == b""
    assert "Traceback" not in gunicorn.log_path.read_text()


def test_a_body_that_stays_away_is_given_up_sooner(gunicorn, connect):
    client = connect(gunicorn.port, head(LENGTH) + b"x")

    assert b"RequestTooSlow" in client.wait()


def test_what_keeps_coming_may_take_longer(gunicorn, connect):
    # 40,000 bytes give 4 s more: each pause is below the silent limit.
    client = connect(gunicorn.port, head(40_006, Connection="close") + 40_000 * b"x")

    seconds = client.trickle(6 * b"x", pause=0.4)

    assert client.wait().endswith(b"\r\n\r\n40006")
    assert seconds > RECEIVING_SECONDS


def test_each_request_of_a_connection_has_its_own_time(gunicorn, connect):
    client = connect(gunicorn.port)

    for count in range(1, 5):
        client.connection.sendall(head(1) + b"x")
        wait_until(
            lambda n=count: client.answer.count(b"200 OK") == n, within=SOON_SECONDS
        )
        # Between requests nobody waits in a thread.
        assert not client.is_left_within(SILENT_SECONDS)

    assert b"RequestTooSlow" not in client.answer


def test_what_keeps_coming_quickly_is_given_up_as_well_in_the_end(gunicorn, connect):
    client = connect(gunicorn.port, head(10_000_000) + 1_000_000 * b"x")

    seconds = client.trickle(LENGTH * b"x", pause=0.2)

    assert b"RequestTooSlow" in client.answer
    assert seconds > AT_MOST_SECONDS - 1


def is_answered_at_once(gunicorn, connect):
    began_at = time.monotonic()
    client = connect(gunicorn.port, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    answer = client.wait()
    # Less than one of the others takes that is waited for.
    return b" 200 OK" in answer and time.monotonic() - began_at < SILENT_SECONDS


@pytest.mark.parametrize(
    "sent", [b"", b"GE", b"GET / HTTP/1.1\r\nX-Long: x", b"GET /health HTT"]
)
def test_who_sends_no_headers_keeps_nobody_waiting(gunicorn, connect, sent):
    for _ in range(5):
        connect(gunicorn.port, sent)

    assert is_answered_at_once(gunicorn, connect)


def test_who_does_not_hang_up_keeps_nobody_waiting(gunicorn, connect):
    for _ in range(5):
        client = connect(gunicorn.port)
        client.connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        client.wait()

    assert is_answered_at_once(gunicorn, connect)


def test_of_many_that_wait_the_longest_gives_way(gunicorn, connect):
    first = connect(gunicorn.port, b"GET /")
    others = [connect(gunicorn.port, b"GET /") for _ in range(WAITING_AT_MOST)]

    assert first.is_left_within(HEAD_SECONDS / 2)
    assert not others[-1].is_left_within(0)
    assert is_answered_at_once(gunicorn, connect)


def test_headers_without_end_are_refused(gunicorn, connect):
    many = b"X-Long: " + 4000 * b"x" + b"\r\n"
    client = connect(gunicorn.port, b"GET / HTTP/1.1\r\n" + 20 * many)

    assert b" 431 " in client.wait()


def test_what_is_no_request_line_is_refused_before_the_rest(gunicorn, connect):
    client = connect(gunicorn.port, b"HELO there\r\n")

    assert b" 400 " in client.wait()


def test_requests_sent_together_are_all_answered(gunicorn, connect):
    each = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy\r\n"
    client = connect(gunicorn.port, 3 * each + b"GET / HTT")

    wait_until(lambda: client.answer.count(b"200 OK") == 3, within=SOON_SECONDS)
    client.connection.sendall(b"P/1.1\r\nConnection: close\r\n\r\n")

    assert client.wait().count(b"200 OK") == 4


def asking_for(path, port):
    """Return a connection that has asked and has read nothing; little of it is kept."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    return contextlib.closing(connection)


@pytest.mark.parametrize("path", ["/much", "/file"])
def test_who_does_not_read_an_answer_gives_the_thread_back(gunicorn, connect, path):
    with asking_for(path, gunicorn.port):
        client = connect(gunicorn.port, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")

        assert b" 200 OK" in client.wait()
    assert "Traceback" not in gunicorn.log_path.read_text()


def test_who_reads_an_answer_slowly_is_given_up_and_who_reads_it_is_not(
    tmp_path, connect
):
    bound = 20
    with running(tmp_path, rate=400_000, silent=4) as gunicorn:
        with asking_for("/much", gunicorn.port) as slow:
            other = connect(gunicorn.port, b"GET /file HTTP/1.0\r\n\r\n")
            began_at = time.monotonic()
            # No pause is as long as the silent limit.
            while not other.is_left_within(0.05):
                with contextlib.suppress(ConnectionError):
                    slow.recv(4096)
                assert time.monotonic() - began_at < bound, "nobody minds"

        assert len(other.answer) > 4_000_000


def test_clients_that_trickle_give_the_service_its_threads_back(tmp_path, connect):
    service = Service(
        tmp_path / "data", WEB_THREADS="2", STASH_SENSE_API_KEY="key-of-this-test"
    )
    try:
        service.wait_until_ready()
        kind = {"X_Api_Key": "key-of-this-test", "Content_Type": "application/json"}
        sent = head(LENGTH, "/identify", **kind)
        clients = [connect(service.port, sent) for _ in range(2)]
        within = web_worker.RECEIVING_SECONDS + SOON_SECONDS

        sending = [
            threading.Thread(
                target=client.trickle,
                args=(b"x" * LENGTH,),
                kwargs={"pause": 0.5, "within": within},
            )
            for client in clients
        ]
        for thread in sending:
            thread.start()
        for thread in sending:
            thread.join()

        for client in clients:
            assert b" 408 " in client.answer
            assert b"body_incomplete" in client.answer
        assert service.is_healthy()
    finally:
        service.kill()
    assert "Traceback" not in service.text
