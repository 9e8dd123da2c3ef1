"""Fetching from addresses that strangers name: how much, how long, what fails."""

import gzip
import socket
import threading
import time

import pytest

from stashsense.integrations.safe_fetch import FetchFailed, Network
from stashsense.tests.picture_server import (
    PATIENCE_SECONDS,
    PICTURE,
    PUBLIC_ADDRESS,
    PictureServer,
    Wires,
    drip_body,
    fetch,
    fetch_from,
    running,
)


@pytest.fixture
def server():
    with running(PictureServer()) as server:
        yield server


def test_a_size_that_is_declared_too_large_is_not_read(server):
    server.pages["/large"] = lambda handler: handler.answer(
        b"", Content_Length="32000001"
    )

    with pytest.raises(FetchFailed, match="larger than 32,000,000 bytes"):
        fetch_from(server, "/large", max_bytes=32_000_000)


def test_a_size_that_is_not_declared_is_counted(server):
    server.pages["/endless"] = lambda handler: (
        handler.answer(b"", Content_Length=None),
        [handler.wfile.write(bytes(10_000)) for _ in range(10_000)],
    )

    with pytest.raises(FetchFailed, match="larger"):
        fetch_from(server, "/endless")


def test_a_size_in_chunks_is_counted(server):
    server.pages["/chunks"] = lambda handler: (
        handler.answer(b"", Content_Length=None, Transfer_Encoding="chunked"),
        [handler.wfile.write(b"1000\r\n%b\r\n" % bytes(4096)) for _ in range(10_000)],
    )

    with pytest.raises(FetchFailed, match="larger"):
        fetch_from(server, "/chunks")


def test_the_size_after_decompression_counts(server):
    bomb = gzip.compress(bytes(5_000_000))
    small = gzip.compress(PICTURE)
    server.pages["/bomb"] = lambda handler: handler.answer(
        bomb, Content_Encoding="gzip"
    )
    server.pages["/small"] = lambda handler: handler.answer(
        small, Content_Encoding="gzip"
    )

    assert len(bomb) < 10_000
    with pytest.raises(FetchFailed, match="larger"):
        fetch_from(server, "/bomb")
    assert fetch_from(server, "/small") == PICTURE


def test_exactly_the_permitted_size_is_returned(server):
    assert fetch_from(server, max_bytes=len(PICTURE)) == PICTURE
    with pytest.raises(FetchFailed, match="larger"):
        fetch_from(server, max_bytes=len(PICTURE) - 1)


def drip_chunks(handler):
    handler.answer(b"", Content_Length=None, Transfer_Encoding="chunked")
    handler.server.drip(handler.wfile.write, b"1\r\nx\r\n")


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    handler.server.drip(handler.wfile.write)


def stay_silent(handler):
    handler.server.stopped.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("page", [drip_body, drip_chunks, drip_headers, stay_silent])
def test_a_server_that_drips_is_cut_off_at_the_deadline(server, page):
    server.pages["/slow"] = page
    began = time.monotonic()

    with pytest.raises(FetchFailed, match=r"within 0\.4 seconds"):
        fetch_from(server, "/slow", timeout_seconds=0.4)

    assert time.monotonic() - began < PATIENCE_SECONDS / 2


def test_redirects_share_one_deadline(server):
    def pause(handler):
        handler.server.stopped.wait(0.2)
        handler.answer(b"", status=302, Location="/pause")

    server.pages["/pause"] = pause

    with pytest.raises(FetchFailed, match=r"within 0\.5 seconds"):
        fetch_from(server, "/pause", timeout_seconds=0.5)


def test_a_name_server_that_does_not_answer_is_cut_off(server):
    def resolve(*_, **__):
        server.stopped.wait(PATIENCE_SECONDS)
        return []

    with pytest.raises(FetchFailed, match=r"within 0\.2 seconds"):
        fetch(
            "http://pictures.example/",
            timeout_seconds=0.2,
            network=Network(resolve=resolve),
        )


def test_a_tls_handshake_that_does_not_answer_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(FetchFailed, match="within"):
            fetch(f"https://{host}/", timeout_seconds=0.3, allowed_hosts=[host])


@pytest.mark.parametrize("status", [204, 304, 403, 404, 500])
def test_any_answer_but_the_content_fails_with_its_status(server, status):
    server.pages["/gone"] = lambda handler: handler.answer(b"", status=status)

    with pytest.raises(FetchFailed, match=f"status {status}"):
        fetch_from(server, "/gone")


def test_content_that_breaks_off_fails(server):
    server.pages["/half"] = lambda handler: handler.answer(
        PICTURE, Content_Length=str(len(PICTURE) + 1)
    )

    with pytest.raises(FetchFailed, match="connection"):
        fetch_from(server, "/half")


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "many"])
def test_a_senseless_declaration_of_size_is_ignored(server, length):
    server.pages["/odd"] = lambda handler: handler.answer(Content_Length=length)

    assert fetch_from(server, "/odd") == PICTURE


def test_what_does_not_speak_http_fails(server):
    server.pages["/odd"] = lambda handler: handler.wfile.write(b"220 mail ready\r\n")
    server.pages["/not-gzip"] = lambda handler: handler.answer(Content_Encoding="gzip")

    for path in ("/odd", "/not-gzip"):
        with pytest.raises(FetchFailed, match="connection"):
            fetch_from(server, path)


def test_a_port_where_nobody_listens_fails():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(FetchFailed, match="connection"):
        fetch(f"http://{host}/", allowed_hosts=[host])


def test_a_name_that_does_not_exist_fails():
    def resolve(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for network in (Network(resolve=resolve), Wires([]).network()):
        with pytest.raises(FetchFailed, match=r"pictures\.example"):
            fetch("http://pictures.example/", network=network)


def test_the_next_address_is_tried_when_one_does_not_accept(server):
    wires = Wires(["2606:4700::1", PUBLIC_ADDRESS], leads_to=server)

    def connect(info, timeout_seconds):
        if info[0] == socket.AF_INET6:
            raise OSError("no route to host")
        return wires.connect(info, timeout_seconds)

    network = Network(resolve=wires.resolve, connect=connect)

    assert fetch("http://pictures.example/picture", network=network) == PICTURE


def test_no_thread_waits_for_a_deadline_that_was_met(server):
    for _ in range(20):
        fetch_from(server, timeout_seconds=3600)

    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
