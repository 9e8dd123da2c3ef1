"""What the plugin asks of Stash: its API key, and the plugin's own settings.

One question, asked with the session that Stash handed over on stdin.
"""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from . import PLUGIN_ID
from .http_exchange import (
    Address,
    BrokenOff,
    TooLarge,
    TooSlow,
    Unreachable,
    exchange,
)
from .refusals import BadArguments, StashRefused
from .signing import Secret

DEFAULT_SIDECAR_URL = "http://localhost:5000"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_URL_CHARACTERS = 500
_MAX_ANSWER_BYTES = 1024 * 1024
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
_QUESTION = """query StashSensePlugin($plugins: [ID!]) {
  configuration { general { apiKey } plugins(include: $plugins) }
}"""


class Settings:
    """What the plugin works with; both secrets are None where no key is known."""

    def __init__(
        self,
        sidecar_url: str,
        stash_secret: Secret | None,
        plugin_secret: Secret | None,
        identifies_new_scenes: bool,
    ) -> None:
        self.sidecar_url = sidecar_url
        self.stash_secret = stash_secret
        self.plugin_secret = plugin_secret
        self.identifies_new_scenes = identifies_new_scenes


def fetch_settings(connection: Any, seconds: float) -> Settings:
    """Return the plugin's settings; raises StashRefused."""
    if not isinstance(connection, dict):
        raise StashRefused("Stash did not say how to reach it.")
    answer = _ask(connection, seconds)
    try:
        configuration = answer["data"]["configuration"]
        api_key = configuration["general"]["apiKey"]
        stored = configuration["plugins"].get(PLUGIN_ID)
    except (KeyError, TypeError, AttributeError) as reason:
        raise StashRefused(
            "Stash did not tell the plugin's settings: is it older than 0.25?"
        ) from reason
    # There are none until somebody writes one.
    stored = {} if stored is None else stored
    if not isinstance(stored, dict):
        raise StashRefused(
            "What Stash keeps as the plugin's settings is none of its settings: save"
            " them anew in Stash, under Settings, Plugins."
        )
    plugin_key = _text(stored.get("apiKey"))
    return Settings(
        _text(stored.get("sidecarUrl")) or DEFAULT_SIDECAR_URL,
        Secret("stash", api_key) if _text(api_key) else None,
        Secret("plugin", plugin_key) if plugin_key else None,
        stored.get("identifyNewScenes") is True,
    )


def _ask(connection: dict[str, Any], seconds: float) -> Any:
    address = _address_of(connection)
    body = json.dumps(
        {
            "operationName": "StashSensePlugin",
            "query": _QUESTION,
            "variables": {"plugins": [PLUGIN_ID]},
        }
    ).encode("utf-8")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers.update(_session_of(connection))
    try:
        answer = exchange(
            address,
            "POST",
            "/graphql",
            headers,
            body,
            seconds,
            _MAX_ANSWER_BYTES,
            _own_machine_tls(),
        )
    except (Unreachable, BrokenOff, TooSlow, TooLarge) as reason:
        text = "Stash does not answer its own plugin at %s: %s."
        raise StashRefused(text % (address, reason)) from reason
    if answer.status == 401:
        text = "Stash no longer knows the session: sign in to Stash again."
        raise StashRefused(text, status=401)
    try:
        return json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError) as reason:
        text = "Stash answered %d at %s, and not in JSON."
        raise StashRefused(
            text % (answer.status, address), status=answer.status
        ) from reason


def _address_of(connection: dict[str, Any]) -> Address:
    scheme, host = connection.get("Scheme"), connection.get("Host")
    port = connection.get("Port")
    if scheme not in ("http", "https") or not isinstance(host, str):
        raise StashRefused("Stash did not say how to reach it.")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise StashRefused("Stash did not say at which port it is.")
    host = host.strip().strip("[]")
    # The address Stash is bound to; "anywhere" is where nobody can be called.
    return Address(scheme, _ANYWHERE.get(host, host), port)


def _session_of(connection: dict[str, Any]) -> dict[str, str]:
    """Return the header of the session; there is none where Stash asks for no one."""
    cookie = connection.get("SessionCookie")
    if not isinstance(cookie, dict):
        return {}
    name, value = cookie.get("Name"), cookie.get("Value")
    if not (isinstance(name, str) and isinstance(value, str) and name and value):
        return {}
    if any(ord(letter) <= 32 or ord(letter) > 126 for letter in name + value):
        raise StashRefused("The session that Stash handed over cannot be sent.")
    return {"Cookie": f"{name}={value}"}


def _own_machine_tls() -> ssl.SSLContext:
    """Return how Stash's own certificate is looked at: not at all.

    It is usually signed by itself, and made for a name other than the address it is
    bound to. Stash runs on this machine, so that what is sent to that address does
    not leave it.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def sidecar_address(url: str) -> Address:
    """Return where the sidecar is; raises BadArguments for what is no such URL."""
    setting = "The plugin's setting “Sidecar URL” "
    is_plain = all(33 <= ord(letter) <= 126 for letter in url)
    if not is_plain or "\\" in url or len(url) > _MAX_URL_CHARACTERS:
        raise BadArguments(setting + "is no URL: it has characters no URL has.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as reason:
        raise BadArguments(setting + "is no URL.") from reason
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise BadArguments(
            setting
            + f"must be like {DEFAULT_SIDECAR_URL}: http or https, a name and a port."
        )
    if parts.username is not None or parts.password is not None:
        raise BadArguments(setting + "must not hold a user's name or password.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadArguments(setting + "must end before any “?” and “#”.")
    port = port or _DEFAULT_PORTS[parts.scheme]
    return Address(parts.scheme, host, port, parts.path.rstrip("/"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
