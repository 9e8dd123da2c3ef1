"""Say the project's version, or set it in every place that names it.

    python version.py [VERSION]

The version is that of `stashsense/__init__.py`. The plugin has the same without what
follows the numbers, for Stash shows it to people, and images are asked for by the first
of them: `latest` may be another one's. Standard library only, run by the machine's own
Python.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"(\d+\.\d+\.\d+)(?:\.dev\d+|rc\d+)?")
# Where it stands, and whether with what follows the numbers.
WHOLE = {
    "stashsense/__init__.py": r'(__version__ = ")([^"]+)',
    "docs/openapi.json": r'("version": ")([^"]+)',
}
NUMBERS = {
    "plugin/stash-sense.yml": r'((?m:^version: )|(?m:^ +"/))([0-9.]+)',
    "plugin/stash-sense.js": r'(const VERSION = ")([^"]+)',
    "plugin/stash_sense/__init__.py": r'(PLUGIN_VERSION = ")([^"]+)',
}
SERIES = {
    ".env.example": r"((?m:^STASH_SENSE_VERSION=))(\w+)",
    "compose.scale.yml": r"(STASH_SENSE_VERSION:-)(\w+)",
    "docker-compose.gpu.yml": r"(STASH_SENSE_VERSION:-)(\w+)",
    "docker-compose.yml": r"(STASH_SENSE_VERSION:-)(\w+)",
    "docs/installation.md": r"(carrotwaxr/stash-sense:)(\w+)",
    "unraid-template.xml": r"(carrotwaxr/stash-sense:)(\w+)",
}
PLACES = WHOLE | NUMBERS | SERIES


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            sys.stdout.write(f"{the_version(ROOT)}\n")
        case [version] if VERSION.fullmatch(version):
            set_version(ROOT, version)
        case _:
            sys.exit("Usage: version [X.Y.Z, X.Y.ZrcN or X.Y.Z.devN]")
    if wrong := out_of_step(ROOT):
        sys.exit("Not in step:\n" + "\n".join(wrong))


def the_version(root: Path) -> str:
    """Return the version of the checkout."""
    [(_, version)] = _found(root, "stashsense/__init__.py")
    return version


def set_version(root: Path, version: str) -> None:
    """Write the version into every place."""
    for name, pattern in PLACES.items():
        wanted = _wanted(name, version)
        path = root / name
        text = re.sub(pattern, rf"\g<1>{wanted}", path.read_text())
        path.write_text(text)


def out_of_step(root: Path) -> list[str]:
    """Return the places that name another version than the first."""
    version = the_version(root)
    wrong = []
    for name in PLACES:
        wanted = _wanted(name, version)
        found = {each for _, each in _found(root, name)}
        if found != {wanted}:
            wrong.append(f"{name}: {', '.join(sorted(found)) or 'none'}, not {wanted}")
    return wrong


def _found(root: Path, name: str) -> list[tuple[str, str]]:
    return re.findall(PLACES[name], (root / name).read_text())


def _wanted(name: str, version: str) -> str:
    """Return what the place has to say of the version."""
    match = VERSION.fullmatch(version)
    if name in WHOLE or match is None:
        return version
    return match[1] if name in NUMBERS else match[1].partition(".")[0]


if __name__ == "__main__":
    main(sys.argv[1:])
