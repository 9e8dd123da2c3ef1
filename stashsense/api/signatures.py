"""What a signed request says of itself, and what its signature has to be.

Both sides derive a secret from a key that both know and that is never sent. Who is let
in is not decided here.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, cast

if TYPE_CHECKING:
    from rest_framework.request import Request

SCHEME = "StashSense"
# Clocks at home are apart by seconds, unless nothing sets them: then people are told.
VALID_SECONDS = 300
# Of the derivation, so that the key's signatures for other ends are none of ours.
_PURPOSE = b"stash-sense plugin v1"
_CREDENTIALS = re.compile(
    r"key=(stash|plugin), *"
    r"date=([0-9]{1,12}), *"
    r"nonce=([A-Za-z0-9_-]{22,64}), *"
    r"signature=([0-9a-f]{64})"
)

KeyName = Literal["stash", "plugin"]


@dataclass(frozen=True)
class Claim:
    """Which key a request says it was signed with, when, and the signature.

    `date` is the Unix time in seconds, spelled as it was signed.
    """

    key_name: KeyName
    date: str
    nonce: str
    signature: str

    @classmethod
    def parse(cls, credentials: str) -> Self | None:
        """Return what the header says after the scheme; None if it is no such thing."""
        found = _CREDENTIALS.fullmatch(credentials)
        if found is None:
            return None
        key_name, date, nonce, signature = found.groups()
        return cls(cast("KeyName", key_name), date, nonce, signature)

    def seconds_ahead(self, now: float) -> int:
        """Return how far the signer's clock is before ours, negative if behind."""
        return int(self.date) - int(now)

    def is_signed_with(self, key: str, request: "Request") -> bool:
        """Return whether who signed this very request knew the key; reads the body."""
        expected = hmac.new(_secret(key), self._signed_text(request), hashlib.sha256)
        return hmac.compare_digest(expected.hexdigest(), self.signature)

    def _signed_text(self, request: "Request") -> bytes:
        # The query as it was sent: WSGI hands its bytes on as if they were Latin-1.
        query = request.META.get("QUERY_STRING", "").encode("latin-1")
        # A path may hold line ends. What follows it cannot, so it is told apart.
        return b"\n".join(
            [
                (request.method or "").encode(),
                request.path_info.encode(),
                query,
                self.date.encode(),
                self.nonce.encode(),
                hashlib.sha256(request.body).hexdigest().encode(),
            ]
        )


def _secret(key: str) -> bytes:
    # Whatever bytes the environment holds: it may be set in another encoding.
    return hmac.digest(key.encode(errors="surrogateescape"), _PURPOSE, "sha256")
