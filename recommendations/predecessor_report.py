"""What became of each row of the predecessor's database, and how that is told. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass, field

# Of one kind; a terminal keeps few more, and the counts are of all.
MAX_LINES = 1000


@dataclass
class Lines:
    """Sentences of which the first ones are kept, and all are counted."""

    kept: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, line: str) -> None:
        self.count += 1
        if self.count <= MAX_LINES:
            self.kept.append(line)

    def __iter__(self) -> Iterator[str]:
        yield from self.kept
        if self.count > MAX_LINES:
            yield f"and {self.count - MAX_LINES:,} more"


@dataclass
class Part:
    """One kind of rows: found there, imported, here before, or left behind."""

    name: str
    imported_count: int = 0
    here_count: int = 0
    left: Lines = field(default_factory=Lines)

    @property
    def found_count(self) -> int:
        return self.imported_count + self.here_count + self.left.count

    def leave(self, what: str, reason: object) -> None:
        self.left.add(f"{what}: {reason}")


@dataclass(frozen=True)
class Untouched:
    """A table that does not come along."""

    table: str
    row_count: int
    reason: str


@dataclass
class Report:
    """What became of everything; `remarks` are of rows that came along otherwise."""

    version: int
    parts: list[Part] = field(default_factory=list)
    remarks: Lines = field(default_factory=Lines)
    untouched: list[Untouched] = field(default_factory=list)

    def begin(self, name: str) -> Part:
        """Return a part to be filled."""
        part = Part(name)
        self.parts.append(part)
        return part

    @property
    def imported_count(self) -> int:
        return sum(part.imported_count for part in self.parts)


def lines_of(report: Report, known_version: int) -> Iterator[str]:
    """Yield the report, a line each."""
    older = (
        f"; what it lacks of version {known_version} has no rows"
        if report.version < known_version
        else ""
    )
    yield f"The predecessor's tables have version {report.version}{older}."
    yield ""
    yield f"{'':<22}{'found':>9}{'imported':>10}{'here before':>13}{'left behind':>13}"
    for part in report.parts:
        yield (
            f"{part.name:<22}{part.found_count:>9,}{part.imported_count:>10,}"
            f"{part.here_count:>13,}{part.left.count:>13,}"
        )
    yield from _listed("Came along otherwise than it was:", list(report.remarks))
    left = [
        f"{part.name}: {line}"
        for part in report.parts
        if part.left.count
        for line in part.left
    ]
    yield from _listed("Left behind:", left)
    tables = [
        f"{each.table}, {each.row_count:,} rows: {each.reason}"
        for each in report.untouched
    ]
    yield from _listed("Not brought along:", tables)


def _listed(heading: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield heading
        yield from (f"  {line}" for line in lines)
