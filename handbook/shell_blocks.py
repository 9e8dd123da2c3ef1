"""The commands that pages show, and whether a test runs them.

A comment before a block says it: `<!-- runs -->`, or `<!-- not run: REASON -->`.
Readers do not see it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handbook import DOCS, ROOT

SHELLS = {"sh", "bash", "shell", "console"}
_FENCE = re.compile(r"^( *)(```+|~~~+)([\w-]*)(.*)$")
_MARK = re.compile(r"^ *<!-- (runs|not run: \S.*) -->$")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language ("" where none is named), text and mark."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether a test runs it."""
        return self.mark == "runs"

    @property
    def reason(self) -> str:
        """Why no test runs it; "" where one does."""
        return self.mark.partition(": ")[2]


def pages() -> list[Path]:
    """Return every page that shows commands to people."""
    named = ["README", "CONTRIBUTING", "benchmarks/README", "demo/training/README"]
    return [*(ROOT / f"{name}.md" for name in named), *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield a page's blocks in order, those that are only indented as `indented`."""
    lines = page.read_text().splitlines()
    position = 0
    while position < len(lines):
        if fence := _FENCE.match(lines[position]):
            end = position + 1
            while not lines[end].strip().startswith(fence[2]):
                end += 1
            text = [line.removeprefix(fence[1]) for line in lines[position + 1 : end]]
            yield _block(page, lines, position, fence[3], text)
            position = end
        elif _is_indented(lines, position):
            end = position
            while end < len(lines) and lines[end][:4].strip() == "":
                end += 1
            text = [line[4:] for line in lines[position:end]]
            yield _block(page, lines, position, "indented", text)
            position = end - 1
        position += 1


def _is_indented(lines: list[str], position: int) -> bool:
    """Return whether a block begins by being indented alone, and is no list's."""
    if not lines[position].startswith("    ") or lines[position - 1].strip():
        return False
    before = next(line for line in reversed(lines[:position]) if line.strip())
    return not re.match(r" *([-*]|\d+\.) |   ", before)


def _block(
    page: Path, lines: list[str], position: int, language: str, text: list[str]
) -> Block:
    above = [line for line in lines[max(position - 2, 0) : position] if line.strip()]
    mark = _MARK.match(above[-1]) if above else None
    return Block(
        page=page,
        line=position + 1,
        language=language,
        text="\n".join(text).strip("\n") + "\n",
        mark=mark[1] if mark else "",
    )
