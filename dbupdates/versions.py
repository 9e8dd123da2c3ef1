"""PURE: the versions releases are published under, and their order.

Versions are dates, spelled by people: `v2026.02.18`, `2026.2.9`, `2026.02.18.1`,
`2026.02.18-rc1`. The text of a parsed version is canonical and a safe folder name.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

_PATTERN = re.compile(
    r"v?(?P<year>[0-9]{4})\.(?P<month>[0-9]{1,2})\.(?P<day>[0-9]{1,2})"
    r"(?:\.(?P<serial>[0-9]{1,4}))?"
    r"(?:[-._]?(?P<stage>dev|alpha|a|beta|b|pre|rc|c)[-._]?(?P<number>[0-9]{1,3})?)?",
    re.IGNORECASE,
)


class Stage(IntEnum):
    """How finished a version is, in order; gaps leave room in stored keys."""

    DEV = 0
    ALPHA = 1
    BETA = 2
    RC = 3
    FINAL = 9


_STAGES = {
    "dev": Stage.DEV,
    "a": Stage.ALPHA,
    "alpha": Stage.ALPHA,
    "b": Stage.BETA,
    "beta": Stage.BETA,
    "c": Stage.RC,
    "pre": Stage.RC,
    "rc": Stage.RC,
}


@dataclass(frozen=True, order=True)
class Version:
    """A published version; compares by its numbers, a pre-release before its final."""

    year: int
    month: int
    day: int
    serial: int = 0
    stage: Stage = Stage.FINAL
    stage_number: int = 0

    def __str__(self) -> str:
        text = f"{self.year:04}.{self.month:02}.{self.day:02}"
        if self.serial:
            text += f".{self.serial}"
        if self.is_prerelease:
            text += f"-{self.stage.name.lower()}{self.stage_number}"
        return text

    @property
    def is_prerelease(self) -> bool:
        return self.stage is not Stage.FINAL

    @property
    def sort_key(self) -> int:
        """One number in the order of versions, for ordering in SQL; 16 digits."""
        date = (self.year * 100 + self.month) * 100 + self.day
        return ((date * 10_000 + self.serial) * 10 + self.stage) * 1_000 + (
            self.stage_number
        )


def parse_version(text: str) -> Version:
    """Return the version `text` spells; ValueError for anything else."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:80]!r} is no version such as 2026.02.18")
    stage = found["stage"]
    version = Version(
        year=int(found["year"]),
        month=int(found["month"]),
        day=int(found["day"]),
        serial=int(found["serial"] or 0),
        stage=_STAGES[stage.lower()] if stage else Stage.FINAL,
        stage_number=int(found["number"] or 0),
    )
    if not (1 <= version.month <= 12 and 1 <= version.day <= 31):
        raise ValueError(f"{text!r} is no date")
    return version
