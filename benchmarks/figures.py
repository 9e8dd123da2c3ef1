"""How a benchmark says what it measured, on what, and whether that is good enough."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import onnxruntime as ort

from stashsense.cores import usable_cores

_PACKAGES = ("onnxruntime-gpu", "voyager", "numpy", "django", "gunicorn")


@dataclass(frozen=True)
class Figure:
    """A measured value; `goal` is the most it may be, or None."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def is_missed(self) -> bool:
        # Written so that a NaN misses its goal.
        return self.goal is not None and not self.value <= self.goal

    def __str__(self) -> str:
        line = f"{self.name} = {_number(self.value)} {self.unit}"
        return line if self.goal is None else f"{line} (goal <= {_number(self.goal)})"


def print_figures(figures: Sequence[Figure]) -> int:
    """Print a line for each figure; return the exit status, 1 when a goal is missed."""
    for figure in figures:
        print(figure)
    missed = [figure.name for figure in figures if figure.is_missed]
    if missed:
        print(f"Missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def print_machine() -> None:
    """Print what the figures were measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    print(f"{usable_cores()} cores of {_processor()}, {_memory_gb():.0f} GB")
    print(f"{platform.system()}, Python {platform.python_version()}, {packages}")
    print(f"Providers in this build: {', '.join(ort.get_available_providers())}")
    print(f"Load before: {os.getloadavg()[0]:.2f}", flush=True)


def argument_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser that knows `--quick`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="20,000 faces and under 50 s"
    )
    return parser


def _number(value: float) -> str:
    """Return four digits that matter, and whole numbers whole."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.exists():
        for line in names.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
