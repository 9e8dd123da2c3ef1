"""A host with one archive, and what tests of downloads ask of it."""

import hashlib
import json
import random
import socket
import threading
from contextlib import contextmanager

from demo.release_simulator import ReleaseSimulator
from stashsense.downloads.fetcher import Patience, open_remote_file
from stashsense.tests.waiting import wait_until

VERSION = "2026.03.01"
CONTENT = random.Random(1).randbytes(3 * 1024**2)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
TOTAL = len(CONTENT)
# More than any body has: the request is left alone.
NEVER = 10**12
LIMIT_SECONDS = 30
HASTY = Patience(
    connect_seconds=5,
    stall_seconds=5,
    attempts=3,
    first_delay_seconds=0.01,
    longest_delay_seconds=0.02,
    restarts=2,
)


class Cancelled(Exception):
    """What a listener raises to end a download."""


@contextmanager
def serving():
    """Yield a simulator with CONTENT; no thread of a download outlives it."""
    with ReleaseSimulator() as simulator:
        simulator.publish(VERSION, CONTENT)
        yield simulator
    wait_until(lambda: not downloading_threads())


def opener(simulator, folder):
    """Return what opens the simulator's archive in the folder."""

    def open_it(*, url="", max_bytes=TOTAL, patience=HASTY, on_present=ignore):
        return open_remote_file(
            url or simulator.archive_url(VERSION),
            folder / "archive.zip",
            max_bytes=max_bytes,
            patience=patience,
            on_present=on_present,
        )

    return open_it


def ignore(present_bytes):
    """Hear and say nothing."""


def downloading_threads():
    return [thread for thread in threading.enumerate() if thread.name == "download"]


def ranges_asked(simulator):
    return [request.headers.get("range") for request in simulator.archive_requests()]


def journal_of(folder):
    return json.loads((folder / "archive.json").read_text())


@contextmanager
def canned_host(*answers):
    """Yield the address of a host that gives these answers, a connection for each."""

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(LIMIT_SECONDS)
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(65536)
                head, _, body = answer.partition("\n\n")
                lines = head.replace("\n", "\r\n")
                connection.sendall(f"HTTP/1.1 {lines}\r\n\r\n{body}".encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip?token=secret"
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()
