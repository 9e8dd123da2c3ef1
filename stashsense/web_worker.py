"""gunicorn's worker with threads: bounded in time, and silent about what it was sent.

gunicorn's own timeouts watch the worker's main thread alone: a thread that reads a
request waits as long as a byte comes now and then. Here the main thread waits, for all
connections at once, and a thread begins when the headers are there. No Django.
"""

import errno
import re
import selectors
import socket
import time
from collections import deque
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from concurrent.futures import Future

# What a request's first line and headers may take to come in, and their bytes. No
# client of ours has more than two kilobytes of them.
HEAD_SECONDS = 10
LARGEST_HEAD_BYTES = 65_536
# Who sends nothing more of a body for so long is given up.
SILENT_SECONDS = 30
# What a body may take to come in; each 100 kB of it give a second more, so that a
# picture of 45 MB may come over 1 Mbit/s, and nothing takes longer than that.
RECEIVING_SECONDS = 30
RECEIVED_BYTES_PER_SECOND = 100_000
RECEIVING_SECONDS_AT_MOST = 480
# Who was answered is left this long, and these bytes, to read the answer and hang up:
# closed at once, the connection would lose what is under way.
LINGERING_SECONDS = 2
LINGERING_BYTES = 1_000_000
# What is left of a body that nobody wanted is waited for so long, by a thread.
UNWANTED_BODY_SECONDS = 0.2
# Of the connections that a worker holds. Beyond, whoever waits longest gives way: a
# client that means it sends its headers at once.
WAITING_SHARE, KEPT_SHARE, LINGERING_SHARE = 0.5, 0.25, 0.125

_END_OF_HEAD = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"[^\r\n]* HTTP/1\.[0-9]")

# Of what is no HTTP; 400 for all the rest.
STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
# Headers of an answer, which gunicorn counts among those of requests.
OUR_FAULTS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class RequestTooSlow(ConnectionResetError):
    """The request did not come in in time; its connection is not read any more.

    Of this errno gunicorn makes no traceback in the log, and a view that reads the body
    answers 408.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The request came in too slowly")


class ReceivingSocket(socket.socket):
    """A connection that knows how long the request it carries may take to come in."""

    _ends_at: float | None = None
    _ends_at_latest = 0.0

    def begin_request(self, seconds: float, *, received_bytes: int) -> None:
        """Bound what is received from now on, where so much has come already."""
        now = time.monotonic()
        self._ends_at = now + seconds + received_bytes / RECEIVED_BYTES_PER_SECOND
        self._ends_at_latest = now + RECEIVING_SECONDS_AT_MOST

    def end_request(self) -> None:
        """Leave what is received from now on to the timeouts of whoever reads it."""
        self._ends_at = None

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return what has come, after waiting for it; raises RequestTooSlow.

        A timeout that was set on the socket holds as well, and raises TimeoutError.
        """
        if self._ends_at is None:
            return super().recv(size, flags)
        patience = min(SILENT_SECONDS, max(0, self._ends_at - time.monotonic()))
        own_timeout = self.gettimeout()
        is_own = own_timeout is not None and own_timeout < patience
        # At 0 what has come already is taken: it may be us who were slow.
        self.settimeout(own_timeout if is_own else patience)
        try:
            received = super().recv(size, flags)
        except (TimeoutError, BlockingIOError):
            if is_own:
                raise
            raise RequestTooSlow from None
        finally:
            self.settimeout(own_timeout)
        longer = self._ends_at + len(received) / RECEIVED_BYTES_PER_SECOND
        self._ends_at = min(longer, self._ends_at_latest)
        return received


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has come of the next request's headers."""

    sock: ReceivingSocket

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.head = bytearray()
        self.lingering_bytes = LINGERING_BYTES

    def add(self, received: bytes) -> None:
        self.head += received
        # Some clients end a body with an empty line that does not count.
        while self.head.startswith(b"\r\n"):
            del self.head[:2]


def _fault_of(head: bytearray) -> Exception | None:
    """Return why it is not worth waiting for the rest, or None."""
    if _END_OF_HEAD in head:
        return None
    line, end, _ = head.partition(b"\r\n")
    if end and not _REQUEST_LINE.fullmatch(line):
        return errors.InvalidRequestLine("")  # type: ignore[no-any-return]
    if len(head) > LARGEST_HEAD_BYTES:
        return errors.LimitRequestHeaders("")  # type: ignore[no-any-return]
    return None


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads for requests whose headers are there, with a bounded time for the rest.

    Between requests, and until the headers of one are complete, a connection costs no
    thread. What is no HTTP is refused in a word: gunicorn would repeat its lines in the
    log and in the answer, and they may hold keys.
    """

    head_seconds: float = HEAD_SECONDS
    receiving_seconds: float = RECEIVING_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lingering: deque[Connection] = deque()
        self.max_waiting = int(WAITING_SHARE * self.worker_connections)
        self.max_lingering = int(LINGERING_SHARE * self.worker_connections)
        self.max_keepalived: int = int(KEPT_SHARE * self.worker_connections)

    def accept(self, listener: Any) -> None:
        """Take a connection, and wait for its headers without a thread."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._give_up_first(self.pending_conns or self.keepalived_conns)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        sock = ReceivingSocket(fileno=accepted.detach())
        connection = Connection(self.cfg, sock, address, listener.getsockname())
        self._await_head(connection)

    def on_client_socket_readable(self, conn: Connection, client: object) -> None:
        """Wait for the headers of the next request of a connection that was kept."""
        self.poller.unregister(conn.sock)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def finish_request(self, conn: Connection, fs: "Future[object]") -> None:
        """Keep the connection for another request, or take leave of it."""
        is_kept = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        if not is_kept:
            self._linger(conn)
        elif early := conn.parser.unreader.take_buffered():
            conn.add(early)
            self._await_head(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Close whoever did not send headers in time, or does not hang up."""
        if not self.alive:
            self._hasten(self.pending_conns)
        super().murder_pending()
        now = time.monotonic()
        while self.lingering and self.lingering[0].timeout <= now:
            self._give_up_first(self.lingering)

    @staticmethod
    def _hasten(connections: "deque[Connection]") -> None:
        latest = time.monotonic() + LINGERING_SECONDS
        for connection in connections:
            connection.timeout = min(connection.timeout, latest)

    def _await_head(self, connection: Connection) -> None:
        if self._is_ready(connection):
            self.enqueue_req(connection)
            return
        connection.sock.setblocking(False)
        connection.timeout = time.monotonic() + self.head_seconds
        self._watch(connection, self.pending_conns, self._receive_head)
        if len(self.pending_conns) > self.max_waiting:
            self._give_up_first(self.pending_conns)

    @staticmethod
    def _is_ready(connection: Connection) -> bool:
        head = connection.head
        return _END_OF_HEAD in head or _fault_of(head) is not None

    def _receive_head(self, connection: Connection, _: object) -> None:
        try:
            received = connection.sock.recv(LARGEST_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        connection.add(received)
        if received and not self._is_ready(connection):
            return
        self._unwatch(connection, self.pending_conns)
        if received:
            self.enqueue_req(connection)
        else:
            self._close(connection)

    def _linger(self, connection: Connection) -> None:
        """Close the connection when the client has, without a thread waiting for it."""
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        connection.timeout = time.monotonic() + LINGERING_SECONDS
        self._watch(connection, self.lingering, self._drain)
        if len(self.lingering) > self.max_lingering:
            self._give_up_first(self.lingering)

    def _drain(self, connection: Connection, _: object) -> None:
        try:
            received = connection.sock.recv(LARGEST_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        connection.lingering_bytes -= len(received)
        if not received or connection.lingering_bytes <= 0:
            self._unwatch(connection, self.lingering)
            self._close(connection)

    def _watch(
        self, connection: Connection, among: "deque[Connection]", callback: Any
    ) -> None:
        among.append(connection)
        readable = selectors.EVENT_READ
        self.poller.register(connection.sock, readable, partial(callback, connection))

    def _unwatch(self, connection: Connection, among: "deque[Connection]") -> None:
        among.remove(connection)
        self.poller.unregister(connection.sock)

    def _give_up_first(self, connections: "deque[Connection]") -> None:
        """Close whoever waits longest among the connections, if anybody waits."""
        if connections:
            connection = connections[0]
            self._unwatch(connection, connections)
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()

    def handle(self, conn: Connection) -> object:
        """Answer a request of the connection; gunicorn is told whether it stays."""
        conn.sock.setblocking(True)
        if (fault := _fault_of(conn.head)) is not None:
            self.handle_error(None, conn.sock, conn.client, fault)
            return False
        conn.sock.begin_request(self.receiving_seconds, received_bytes=len(conn.head))
        try:
            conn.init()
            conn.parser.unreader.unread(bytes(conn.head))
            conn.head.clear()
            # Or gunicorn would wait for what has come already.
            conn.data_ready = True
            return super().handle(conn)
        finally:
            conn.sock.end_request()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Return whether the connection stays, for which no body may be left in it."""
        ends_at = time.monotonic() + UNWANTED_BODY_SECONDS
        return keepalive and bool(conn.parser.finish_body(deadline=ends_at))

    def handle_error(
        self,
        req: object,
        client: socket.socket,
        addr: tuple[str, int] | None,
        exc: BaseException,
    ) -> None:
        """Answer what came before there was a request, or went past Django."""
        if isinstance(exc, errors.ParseException) and not isinstance(exc, OUR_FAULTS):
            status = STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST)
            kind = type(exc).__name__
            self.log.warning("Refused what %s sent: %s", addr and addr[0], kind)
        else:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self.log.error("A request went wrong", exc_info=exc)
        # Who has gone need not be told.
        with suppress(OSError):
            util.write_error(client, status.value, status.phrase, "")
