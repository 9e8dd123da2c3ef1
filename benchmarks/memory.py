"""How much memory a process holds, in the kernel's own numbers."""

from dataclasses import dataclass
from pathlib import Path

_KIB = 1024
_FIELDS = {
    "VmRSS": "resident_bytes",
    "RssAnon": "anonymous_bytes",
    "RssFile": "file_bytes",
    "VmHWM": "peak_bytes",
}


@dataclass(frozen=True)
class Memory:
    """What lies in memory for a process: resident is anonymous, files' and shared.

    Pages of files (libraries, mapped data) can be dropped and read again; anonymous
    ones belong to the process alone.
    """

    resident_bytes: int
    anonymous_bytes: int
    file_bytes: int
    peak_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.resident_bytes / 1e6:.0f} MB resident"
            f" ({self.anonymous_bytes / 1e6:.0f} anonymous,"
            f" {self.file_bytes / 1e6:.0f} of files;"
            f" at most {self.peak_bytes / 1e6:.0f})"
        )


def forget_peak(pid: int) -> None:
    """Have the kernel measure the process's peak anew from here; Linux only."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def memory_of(pid: int) -> Memory:
    """Return what the process holds at this moment."""
    values = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in _FIELDS:
            values[_FIELDS[name]] = int(value.split()[0]) * _KIB
    return Memory(**values)
