"""What goes wrong on purpose, with a text for people and a code for the UI."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Something was not done; `facts` is what the other side told besides."""

    code = "refused"

    def __init__(
        self,
        text: str,
        code: str = "",
        status: int | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code or type(self).code
        self.status = status
        self.facts = facts or {}

    def answer(self) -> dict[str, Any]:
        """Return what the UI reads."""
        return {
            "error": str(self),
            "code": self.code,
            "status": self.status,
            "facts": self.facts,
        }


class BadArguments(Refusal):
    """The caller's arguments are not those of the mode; nothing was sent."""

    code = "bad_arguments"


class UnknownMode(Refusal):
    """There is no such mode; nothing was sent."""

    code = "unknown_mode"


class StashRefused(Refusal):
    """Stash did not tell its key and the plugin's settings; nothing was sent on."""

    code = "stash_refused"


class SidecarUnreachable(Refusal):
    """No connection to the address comes about; nothing was done."""

    code = "sidecar_unreachable"


class SidecarTimeout(Refusal):
    """No whole answer came, or none in time; what was asked may still be done."""

    code = "sidecar_timeout"


class SidecarUnauthorized(Refusal):
    """The sidecar does not accept the signature; nothing was done."""

    code = "sidecar_unauthorized"


class SidecarTooOld(Refusal):
    """The sidecar answers, but does not know what was asked."""

    code = "sidecar_too_old"


class SidecarNotOurs(Refusal):
    """Something answers at the address that is no Stash Sense."""

    code = "sidecar_not_ours"
