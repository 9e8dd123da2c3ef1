"""What the Dockerfile says, and what of the checkout it gets to see.

As much of the format as ours uses; what is not understood is an error, so that a new
instruction is not passed over.
"""

import fnmatch
import json
import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

# What Docker itself takes into account before and beside instructions.
COMMENT = re.compile(r"^\s*#.*$")
KNOWN = frozenset(
    {"FROM", "ARG", "ENV", "SHELL", "WORKDIR", "COPY", "RUN", "VOLUME", "EXPOSE"}
    | {"STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}
)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, its flags such as --from, and the rest of its text."""

    name: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The parts of a JSON list, or those that blanks part."""
        is_list = self.text.startswith("[")
        return json.loads(self.text) if is_list else shlex.split(self.text)

    @property
    def assignments(self) -> dict[str, str]:
        """NAME=VALUE pairs; a name alone, as ARG allows, has an empty value."""
        pairs = [word.partition("=") for word in shlex.split(self.text)]
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Stage:
    """A FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]

    def only(self, name: str) -> Instruction:
        [found] = self.all(name)
        return found


@dataclass(frozen=True)
class Dockerfile:
    """Arguments from before the first stage, and the stages in their order."""

    arguments: dict[str, str]
    stages: list[Stage]

    def stage(self, name: str) -> Stage:
        [found] = [stage for stage in self.stages if stage.name == name]
        return found

    def chain(self, stage: Stage, arguments: dict[str, str]) -> list[Stage]:
        """Return the stage and those it is based on, the first one first."""
        base = substituted(stage.base, self.arguments | arguments)
        names = [each.name for each in self.stages]
        below = [] if base not in names else self.chain(self.stage(base), arguments)
        return [*below, stage]

    def environment(self, stage: Stage, arguments: dict[str, str]) -> dict[str, str]:
        """Return what ENV says in the stage and below it."""
        found: dict[str, str] = {}
        for each in self.chain(stage, arguments):
            for instruction in each.all("ENV"):
                found |= {
                    name: substituted(value, found, keep_unknown=True)
                    for name, value in instruction.assignments.items()
                }
        return found


def read_dockerfile(path: Path) -> Dockerfile:
    """Return what the file says; raises ValueError where it is not understood."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in _logical_lines(path.read_text()):
        instruction = _parsed(line)
        if instruction.name == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            stages.append(Stage(base, name.strip()))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            arguments |= instruction.assignments
    return Dockerfile(arguments, stages)


def substituted(
    text: str, variables: dict[str, str], *, keep_unknown: bool = False
) -> str:
    """Return the text with $NAME and ${NAME} replaced."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return variables.get(name, match[0]) if keep_unknown else variables[name]

    return VARIABLE.sub(value, text)


def _logical_lines(text: str) -> list[str]:
    kept = [line for line in text.splitlines() if not COMMENT.match(line)]
    joined = re.sub(r"\\\n", "", "\n".join(kept))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def _parsed(line: str) -> Instruction:
    name, _, rest = line.partition(" ")
    if name not in KNOWN:
        raise ValueError(f"An instruction that is not understood: {line}")
    flags, rest = {}, rest.strip()
    while flag := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        flags[flag[1]] = flag[2]
        rest = rest[flag.end() :]
    return Instruction(name, flags, rest)


class Context:
    """The files of a checkout that .dockerignore lets through."""

    def __init__(self, root: Path) -> None:
        self.root = root
        lines = (root / ".dockerignore").read_text().splitlines()
        self._rules = [line for line in lines if line and not line.startswith("#")]

    def holds(self, path: str) -> bool:
        """Return whether the path is let through: the last rule that fits decides."""
        is_held = True
        for rule in self._rules:
            if _fits(path, rule.removeprefix("!")):
                is_held = rule.startswith("!")
        return is_held

    def files(self) -> list[str]:
        """Return every file that is let through, relative to the checkout."""
        found = []
        for folder, names, files in os.walk(self.root):
            # Never let through, and large.
            names[:] = [name for name in names if not name.startswith(".")]
            relative = Path(folder).relative_to(self.root)
            paths = [(relative / name).as_posix() for name in files]
            found += [path for path in paths if self.holds(path)]
        return sorted(found)


def _fits(path: str, rule: str) -> bool:
    """Return whether the rule names the path or a folder above it, as Docker has it."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    if rule.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, rule[3:]) for part in parts)
    return any(
        candidate.count("/") == rule.count("/") and fnmatch.fnmatchcase(candidate, rule)
        for candidate in above
    )
