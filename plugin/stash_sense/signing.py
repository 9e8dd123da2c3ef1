"""Signing requests with a secret that Stash and the sidecar both can derive.

Neither the key nor the secret is ever sent. The sidecar has the other half of this in
its own authentication; the two are held together by tests.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

_SCHEME = "StashSense"
_PURPOSE = b"stash-sense plugin v1"
_NONCE_BYTES = 24


class Secret:
    """What requests are signed with; `source` is "stash" or "plugin"."""

    def __init__(self, source: str, api_key: str) -> None:
        self.source = source
        self._secret = _hmac(api_key.encode("utf-8"), _PURPOSE)

    def __repr__(self) -> str:
        return f"Secret({self.source!r})"

    def authorization(
        self,
        method: str,
        path: str,
        query: str,
        body: bytes,
        date: int | None = None,
        nonce: str = "",
    ) -> str:
        """Return the value of the Authorization header.

        `path` is the decoded path of the route, without what a proxy puts before it.
        """
        signed_at = str(int(time.time()) if date is None else date)
        nonce = nonce or secrets.token_urlsafe(_NONCE_BYTES)
        digest = hashlib.sha256(body).hexdigest()
        text = "\n".join([method, path, query, signed_at, nonce, digest])
        signature = _hmac(self._secret, text.encode("utf-8")).hex()
        signed = f"key={self.source}, date={signed_at}, nonce={nonce}"
        return f"{_SCHEME} {signed}, signature={signature}"


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
