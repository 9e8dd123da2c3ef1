"""A thread without a network, and the threads it starts; nobody else is touched."""

import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recognition.runtime.network_cut import cut_network_of_this_thread

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux can take the network from a thread"
)


def open_socket(family=socket.AF_INET):
    with socket.socket(family):
        return True


def outcome(work):
    try:
        return work()
    except OSError as error:
        return type(error)


@pytest.fixture
def cut_thread():
    with ThreadPoolExecutor(1, initializer=cut_network_of_this_thread) as pool:
        yield pool


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_a_cut_thread_opens_no_socket(cut_thread, family):
    assert cut_thread.submit(outcome, lambda: open_socket(family)).result() is (
        PermissionError
    )


def test_threads_that_it_starts_have_no_network_either(cut_thread):
    found = []

    def start_another():
        thread = threading.Thread(target=lambda: found.append(outcome(open_socket)))
        thread.start()
        thread.join()

    cut_thread.submit(start_another).result()

    assert found == [PermissionError]


def test_names_are_not_looked_up(cut_thread):
    def look_up():
        return socket.getaddrinfo("play.googleapis.com", 443)

    assert issubclass(cut_thread.submit(outcome, look_up).result(), OSError)


def test_files_can_still_be_opened(cut_thread, tmp_path):
    path = tmp_path / "model.task"

    cut_thread.submit(path.write_bytes, b"content").result()

    assert path.read_bytes() == b"content"


def test_other_threads_keep_their_network(cut_thread):
    cut_thread.submit(outcome, open_socket).result()

    assert open_socket()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(open_socket).result()
