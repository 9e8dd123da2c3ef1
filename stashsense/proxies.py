"""What a proxy in front of us says, and whether it is believed.

Nothing else reads X-Forwarded headers: gunicorn is told to believe nobody. No Django.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

CLIENT_HEADER = "HTTP_X_FORWARDED_FOR"
# Of these only the first two are read, by us and by Django.
DROPPED_PREFIXES = ("HTTP_X_FORWARDED_", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class BehindProxies:
    """A WSGI application that knows who asks, how, and below which path.

    From a trusted proxy the client's address is taken over, as REMOTE_ADDR; what
    anybody else says of proxies is dropped. A path that the proxy has not cut off is
    cut off here, so that the service answers below it and directly.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        trusted: Sequence[IPv4Network | IPv6Network],
        path: str,
    ) -> None:
        self._application, self._trusted, self._path = application, trusted, path

    def __call__(
        self, environ: dict[str, Any], start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Pass the request on as the proxies, and the path, have it."""
        if (sender := _address(environ.get("REMOTE_ADDR", ""))) is not None:
            environ["REMOTE_ADDR"] = str(sender)
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
        else:
            for name in [n for n in environ if n.startswith(DROPPED_PREFIXES)]:
                del environ[name]
        asked: str = environ.get("PATH_INFO", "")
        if self._path and f"{asked}/".startswith(f"{self._path}/"):
            environ["PATH_INFO"] = asked.removeprefix(self._path) or "/"
        return self._application(environ, start_response)

    def _client(self, environ: dict[str, Any]) -> str:
        """Return the last address that is no trusted proxy's.

        Whoever asks may begin the list with what they like; each proxy adds to its end.
        """
        client: str = environ["REMOTE_ADDR"]
        for word in reversed(environ.get(CLIENT_HEADER, "").split(",")):
            address = _address(word.strip())
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(client):
                break
        return client

    def _is_trusted(self, word: str) -> bool:
        address = _address(word)
        return address is not None and any(address in each for each in self._trusted)


def _address(word: str) -> IPv4Address | IPv6Address | None:
    """Return the address, IPv4's where a socket for both wrote it as IPv6's."""
    try:
        address = ip_address(word)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
