"""gunicorn's worker with threads: bounded in time, and silent about what it was sent.

gunicorn's own timeouts watch the worker's main thread alone: a thread that reads a
request waits as long as a byte comes now and then. No Django.
"""

import errno
import socket
import time
from contextlib import suppress
from http import HTTPStatus

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

# Who sends nothing for so long is given up.
SILENT_SECONDS = 30
# What a request may take to come in, from its first line to its body's last byte; each
# 100 kB of it give a second more, so that a picture of 45 MB may come over 1 Mbit/s.
RECEIVING_SECONDS = 30
RECEIVED_BYTES_PER_SECOND = 100_000


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

    def begin_request(self, seconds: float) -> None:
        """Bound what is received from now on."""
        self._ends_at = time.monotonic() + seconds

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
        self._ends_at += len(received) / RECEIVED_BYTES_PER_SECOND
        return received


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads that give a client a bounded time to send a request.

    What is no HTTP is refused in a word: gunicorn would repeat its lines in the log and
    in the answer, and they may hold keys.
    """

    receiving_seconds: float = RECEIVING_SECONDS

    def handle(self, conn: TConn) -> object:
        """Answer a request of the connection; gunicorn is told whether it stays."""
        if not isinstance(conn.sock, ReceivingSocket):
            conn.sock = ReceivingSocket(fileno=conn.sock.detach())
        conn.sock.begin_request(self.receiving_seconds)
        try:
            return super().handle(conn)
        finally:
            conn.sock.end_request()

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
