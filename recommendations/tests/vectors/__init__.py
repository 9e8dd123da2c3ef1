"""Recorded inputs and outputs of the rules, shared by every implementation of them."""

import json
from pathlib import Path
from typing import Any


def load_cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of one recording, such as "fusion"."""
    recording = json.loads((Path(__file__).parent / f"{name}.json").read_text())
    cases: list[dict[str, Any]] = recording["cases"]
    return cases
