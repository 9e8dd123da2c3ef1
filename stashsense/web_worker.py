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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from concurrent.futures import Future

    from _typeshed import ReadableBuffer

# What a request's first line and headers may take to come in, and their bytes. No
# client of ours has more than two kilobytes of them.
HEAD_SECONDS = 10
LARGEST_HEAD_BYTES = 65_536
# The end of the first line is looked for in these; gunicorn refuses shorter ones, too.
LARGEST_LINE_BYTES = 8192
# Who sends nothing of a body, or takes nothing of an answer, for so long is given up.
SILENT_SECONDS = 30
# What a body may take to come in; each 100 kB of it give a second more, so that a
# picture of 45 MB may come over 1 Mbit/s, and nothing takes longer than that.
RECEIVING_SECONDS = 30
SLOWEST_BYTES_PER_SECOND = 100_000
RECEIVING_SECONDS_AT_MOST = 480
# An answer is sent by pieces, and who takes them more slowly than that falls behind, by
# the seconds above at most. The kernel keeps little, so that it is seen what is taken.
SENT_BYTES = 16_384
KEPT_TO_SEND_BYTES = 131_072
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


class AnswerNotTaken(ConnectionResetError):
    """The client did not take its answer in time; nothing more is sent to it."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The answer was taken too slowly")


class BoundedSocket(socket.socket):
    """A connection that knows how long a request and its answer may be under way."""

    _ends_at: float | None = None
    _ends_at_latest = 0.0
    _patience_left: float = SILENT_SECONDS

    def begin_request(self, seconds: float, *, received_bytes: int) -> None:
        """Bound what is received from now on, where so much has come already."""
        now = time.monotonic()
        self._ends_at = now + seconds + received_bytes / SLOWEST_BYTES_PER_SECOND
        self._ends_at_latest = now + RECEIVING_SECONDS_AT_MOST
        self._patience_left = SILENT_SECONDS

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
        longer = self._ends_at + len(received) / SLOWEST_BYTES_PER_SECOND
        self._ends_at = min(longer, self._ends_at_latest)
        return received

    def send(self, data: "ReadableBuffer", flags: int = 0, /) -> int:
        """Return how many bytes of an answer were sent; raises AnswerNotTaken."""
        with self._sending():
            return super().send(data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        """Send this much of an answer; raises AnswerNotTaken."""
        content = memoryview(data).cast("B")
        for start in range(0, len(content), SENT_BYTES):
            with self._sending():
                super().sendall(content[start : start + SENT_BYTES], flags)

    @contextmanager
    def _sending(self) -> Iterator[None]:
        """Bound what a piece may take. The time we take to answer does not count."""
        own_timeout = self.gettimeout()
        began_at = time.monotonic()
        self.settimeout(max(0, self._patience_left))
        try:
            yield
        except (TimeoutError, BlockingIOError):
            raise AnswerNotTaken from None
        finally:
            self.settimeout(own_timeout)
        waited = time.monotonic() - began_at
        left = self._patience_left - waited + SENT_BYTES / SLOWEST_BYTES_PER_SECOND
        self._patience_left = min(left, SILENT_SECONDS)


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has come of the next request's headers."""

    sock: BoundedSocket

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._head = bytearray()
        # No end of the headers begins before it.
        self._searched_bytes = 0
        self.lingering_bytes = LINGERING_BYTES

    def add(self, received: bytes) -> None:
        """Put what has come to the rest."""
        self._head += received
        # Some clients end a body with an empty line that does not count.
        while self._head.startswith(b"\r\n"):
            del self._head[:2]

    def is_ready(self) -> bool:
        """Return whether the headers are there, or something is wrong with them."""
        return self._has_whole_head() or self.fault() is not None

    def fault(self) -> Exception | None:
        """Return why it is not worth waiting for the rest, or None."""
        if self._has_whole_head():
            return None
        end = self._head.find(b"\r\n", 0, LARGEST_LINE_BYTES)
        if end >= 0 and not _REQUEST_LINE.fullmatch(self._head, 0, end):
            return errors.InvalidRequestLine("")  # type: ignore[no-any-return]
        if len(self._head) > LARGEST_HEAD_BYTES:
            return errors.LimitRequestHeaders("")  # type: ignore[no-any-return]
        return None

    def take_head(self) -> bytes:
        """Return what has come, which is the connection's no more."""
        taken = bytes(self._head)
        self._head.clear()
        self._searched_bytes = 0
        return taken

    def _has_whole_head(self) -> bool:
        found = self._head.find(_END_OF_HEAD, self._searched_bytes)
        if found < 0:
            self._searched_bytes = max(0, len(self._head) - len(_END_OF_HEAD) + 1)
        return found >= 0


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
        # The kernel's way of sending files waits for a client without any bound.
        self.cfg.set("sendfile", False)
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
        sock = BoundedSocket(fileno=accepted.detach())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KEPT_TO_SEND_BYTES)
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
        if connection.is_ready():
            self.enqueue_req(connection)
            return
        connection.sock.setblocking(False)
        connection.timeout = time.monotonic() + self.head_seconds
        self._watch(connection, self.pending_conns, self._receive_head)
        if len(self.pending_conns) > self.max_waiting:
            self._give_up_first(self.pending_conns)

    def _receive_head(self, connection: Connection, _: object) -> None:
        try:
            received = connection.sock.recv(LARGEST_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        connection.add(received)
        if received and not connection.is_ready():
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
        if (fault := conn.fault()) is not None:
            self.handle_error(None, conn.sock, conn.client, fault)
            return False
        head = conn.take_head()
        conn.sock.begin_request(self.receiving_seconds, received_bytes=len(head))
        try:
            conn.init()
            conn.parser.unreader.unread(head)
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
