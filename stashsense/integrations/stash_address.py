"""Where Stash is: STASH_URL, and what becomes of the addresses that Stash answers with.

Stash makes them up from the request's Host, from headers of proxies and from its
setting external_host, none of which need lead from here to it; STASH_URL does.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus, urlsplit

from stashsense.integrations.stash_errors import StashError, StashNotConfigured

_EXAMPLE = "such as http://stash:9999"
# What Stash serves lies under these; what is before them is some proxy's prefix.
_ROUTE = re.compile(
    r".*(/(?:scene|image|gallery|performer|studio|group|movie|tag)/[^/]+(?:/.*)?)",
    re.DOTALL,
)


@dataclass(frozen=True)
class StashAddress:
    """An http or https address without user, query and slash at its end.

    `authorization` is the header that a user and password in STASH_URL amount to.
    """

    root: str
    host: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def graphql_url(self) -> str:
        return f"{self.root}/graphql"

    def rebased(self, url: str) -> str:
        """Return the address of Stash's `url` as reached from here, without a key.

        Path and query are kept; raises StashError for what is no address of Stash's.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _not_an_address() from None
        if parts.scheme not in ("http", "https", "") or not parts.path.startswith("/"):
            raise _not_an_address()
        path = self._own_path(parts.path)
        if any(unquote(segment) in (".", "..") for segment in path.split("/")):
            raise _not_an_address()
        query = _without_key(parts.query)
        return f"{self.root}{path}{'?' if query else ''}{query}"

    def _own_path(self, path: str) -> str:
        """Return the path below `root`, without the prefix it has elsewhere."""
        if found := _ROUTE.fullmatch(path):
            return found[1]
        prefix = urlsplit(self.root).path
        return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path


def parse_stash_url(url: str) -> StashAddress:
    """Return where STASH_URL leads; raises StashNotConfigured when it is no address."""
    if not url.strip():
        raise StashNotConfigured(
            f"STASH_URL is not set: set it to the address of Stash, {_EXAMPLE}, and "
            "start the service again."
        )
    # Never with the value, which may hold a password.
    try:
        parts = urlsplit(url.strip())
        user, password, port = parts.username, parts.password, parts.port
    except ValueError:
        raise StashNotConfigured(
            f"STASH_URL is no valid address, {_EXAMPLE}."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise StashNotConfigured(
            f"STASH_URL must be an address with http:// or https://, {_EXAMPLE}."
        )
    host = parts.netloc.rpartition("@")[2]
    # People copy the address of the playground's endpoint.
    path = parts.path.rstrip("/").removesuffix("/graphql")
    authorization = None
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}"
        authorization = f"Basic {b64encode(pair.encode()).decode()}"
    return StashAddress(f"{parts.scheme}://{host}{path}", host, authorization)


def _without_key(query: str) -> str:
    kept = [
        part
        for part in query.split("&")
        if unquote_plus(part.partition("=")[0]).lower() != "apikey"
    ]
    return "&".join(kept)


def _not_an_address() -> StashError:
    return StashError("Stash answered with an address that is none of its own.")
