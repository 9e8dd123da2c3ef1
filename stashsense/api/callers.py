"""From where requests come, and who sends wrong credentials again and again."""

import ipaddress
import logging
import threading
import time
from collections import OrderedDict

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException, AuthenticationFailed

from stashsense.engines_used import is_redis
from stashsense.observability import metrics

logger = logging.getLogger(__name__)

# A client that was set up wrongly asks every few seconds, from a dozen open pages.
FAILURES_PERMITTED = 30
WINDOW_SECONDS = 60
# Some 100 bytes each; whoever has more addresses than that is not held up by this.
_REMEMBERED_ADDRESSES = 4096
# A key is looked at as often as anybody sends one, so it must not be guessed: shorter
# ones are looked at as often as failures are permitted.
SHORTEST_KEY = 16
# What one household or one attacker is given of IPv6.
_IPV6_PREFIX = 64
AGAIN_AND_AGAIN = "Wrong credentials come again and again from %s"


class TooManyFailures(APIException):
    """Wrong credentials came from this address again and again."""

    status_code = 429
    default_code = "too_many_failures"

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(
            "Too many wrong keys or signatures came from this address; wait "
            f"{wait_seconds} s."
        )
        self.wait = wait_seconds


class FailureCounter:
    """How often each address failed lately; bounded, and of this process alone."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, address: str, now: float) -> int:
        """Count a failure; return the seconds to wait, 0 while there were few."""
        with self._lock:
            began_at, count = self._failures.pop(address, (now, 0))
            if now - began_at >= WINDOW_SECONDS:
                began_at, count = now, 0
            self._failures[address] = (began_at, count + 1)
            while len(self._failures) > _REMEMBERED_ADDRESSES:
                self._failures.popitem(last=False)
        if count < FAILURES_PERMITTED:
            return 0
        if count == FAILURES_PERMITTED:
            logger.warning(AGAIN_AND_AGAIN, address)
        return max(1, round(began_at + WINDOW_SECONDS - now))

    def is_over(self, address: str, now: float) -> bool:
        """Return whether one failure more would have to wait."""
        with self._lock:
            began_at, count = self._failures.get(address, (now, 0))
        return count >= FAILURES_PERMITTED and now - began_at < WINDOW_SECONDS

    def forget(self) -> None:
        with self._lock:
            self._failures.clear()


class SharedFailureCounter:
    """The same for all processes and hosts, in Redis where there is one.

    While Redis is not there each process counts for itself.
    """

    def __init__(self) -> None:
        self._own = FailureCounter()

    def note(self, address: str, now: float) -> int:
        """Count a failure; return the seconds to wait, 0 while there were few."""
        if not is_redis():
            return self._own.note(address, now)
        key, passed = _window(address)
        try:
            cache.add(key, 0, WINDOW_SECONDS)
            count = cache.incr(key)
        except (RedisError, ValueError) as error:
            # ValueError: the window ended between the two.
            logger.warning("Failures cannot be counted together: %s", error)
            return self._own.note(address, now)
        if count <= FAILURES_PERMITTED:
            return 0
        if count == FAILURES_PERMITTED + 1:
            logger.warning(AGAIN_AND_AGAIN, address)
        return max(1, round(WINDOW_SECONDS - passed))

    def is_over(self, address: str, now: float) -> bool:
        """Return whether one failure more would have to wait."""
        if not is_redis():
            return self._own.is_over(address, now)
        key, _ = _window(address)
        try:
            return int(cache.get(key, 0)) >= FAILURES_PERMITTED
        except RedisError:
            return self._own.is_over(address, now)

    def forget(self) -> None:
        self._own.forget()
        if is_redis():
            cache.clear()


def _window(address: str) -> tuple[str, float]:
    """Return the name of an address's count, and since when it goes on, in seconds.

    Of fixed bounds: nobody has to remember when the first one came.
    """
    number, passed = divmod(time.time(), WINDOW_SECONDS)
    return f"failures:{address}:{number:.0f}", passed


failures = SharedFailureCounter()


def client_address(request: HttpRequest) -> str:
    """Return from where a request comes; IPv6 by the network of its sender.

    The one way to know it: for the log, the audit, and both limits on wrong keys and
    passwords. `stashsense.proxies` has put into REMOTE_ADDR what is to be believed.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 6:
        network = ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False)
        return str(network.network_address)
    return str(parsed)


def refuse_guess(request: HttpRequest, key: str) -> None:
    """Raise TooManyFailures, whatever was sent, where `key` could be guessed otherwise.

    It comes before the comparison, so that a right guess is answered as a wrong one.
    """
    address, now = client_address(request), time.monotonic()
    if len(key) < SHORTEST_KEY and failures.is_over(address, now):
        metrics.REFUSED_CREDENTIALS.labels(TooManyFailures.default_code).inc()
        # 0 where the minute has ended just now.
        raise TooManyFailures(failures.note(address, now) or 1)


def refusal(request: HttpRequest, message: str, code: str) -> APIException:
    """Return how wrong credentials are refused, and count them.

    Right ones never come here, so whoever has one that cannot be guessed is never held
    up.
    """
    metrics.REFUSED_CREDENTIALS.labels(code).inc()
    wait_seconds = failures.note(client_address(request), time.monotonic())
    if wait_seconds:
        return TooManyFailures(wait_seconds)
    return AuthenticationFailed(message, code=code)
