"""The documentation and what it is about."""

import ast
import json
import re
from pathlib import Path

import pytest

from handbook import generated

ROOT = Path(__file__).resolve().parent.parent.parent
READERS = {
    "text", "boolean", "integer", "choice", "words", "directory", "secret", "switch",
    "optional_integer", "optional_number", "address", "networks", "number",
    "path_prefix",
}  # fmt: skip
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
ROW = re.compile(r"^\| `([A-Z][A-Z_]+)` \|", re.MULTILINE)


def variables_read():
    """Return the names that settings.py reads, and those of them that are secrets."""
    names, secrets = set(), set()
    for node in ast.walk(ast.parse((ROOT / "stashsense" / "settings.py").read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
                args=[ast.Constant(value=name), *_],
            ) if reader in READERS:
                names.add(name)
                if reader == "secret":
                    secrets.add(name)
    return names, secrets


def test_every_variable_is_documented_and_no_other():
    names, _ = variables_read()
    assert len(names) > 20

    documented = ROW.findall((ROOT / "docs" / "configuration.md").read_text())

    assert sorted(documented) == sorted(names)


def test_no_reader_of_variables_is_overlooked():
    text = (ROOT / "stashsense" / "settings.py").read_text()

    assert set(re.findall(r"\benv\.(\w+)\(", text)) <= READERS


def test_every_secret_is_documented_as_a_file_too():
    _, secrets = variables_read()
    page = (ROOT / "docs" / "configuration.md").read_text()

    assert {name for name in secrets if f"`{name}_FILE`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inner = [link for link in links if "://" not in link]

    assert [link for link in inner if not leads_somewhere(page.parent / link)] == []


def leads_somewhere(path):
    """Return whether there is such a file, or a page that is made of the code."""
    made = {(ROOT / "docs" / each).resolve() for each in generated.pages()}
    return path.exists() or path.resolve() in made


def test_decisions_are_numbered_on():
    numbers = [page.name[:4] for page in sorted((ROOT / "docs" / "adr").iterdir())]

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_the_api_description_is_there():
    description = json.loads((ROOT / "docs" / "openapi.json").read_text())

    assert "/identify" in description["paths"]
