"""What must not stand in any committed file."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Written in parts, so as not to find themselves.
REGISTRIES = [
    *["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com"],
    *["deb." + "debian.org", "index" + "-url", "find" + "-links"],
]
HOMES = re.compile("/(?:" + "root|home/[a-z]+|Users/[A-Za-z]+" + ")/")
CODE = (".py", ".js", ".jsx", ".css", ".html", ".sh")
MAX_LINES = 500
# All of JavaScript are held to it by eslint, see plugin/tests/harness.
MAX_FUNCTION_LINES = 60


@pytest.fixture(scope="module")
def tracked():
    """The text of every tracked text file, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (data := path.read_bytes()):
            texts[name] = data.decode()
    return texts


def lines_with(tracked, pattern, *, but=()):
    return [
        f"{name}: {line.strip()[:80]}"
        for name, text in tracked.items()
        if name not in but
        for line in text.splitlines()
        if re.search(pattern, line)
    ]


def test_no_package_registry_is_named(tracked):
    # scripts/lock names the options that keep addresses out of the locks.
    found = lines_with(
        tracked,
        "|".join(map(re.escape, REGISTRIES)),
        but=["scripts/lock", "stashsense/tests/test_packages.py"],
    )

    assert found == []


def test_no_path_of_this_machine_is_named(tracked):
    here = [] if ROOT.parent == Path("/") else [re.escape(f"{ROOT.parent}/")]

    assert lines_with(tracked, "|".join([*here, HOMES.pattern])) == []


def is_code(name, text):
    is_sourced = name == "scripts/find-python"
    return name.endswith(CODE) or text.startswith("#!") or is_sourced


def long_functions(source, *, max_lines):
    """Return the functions that are longer, by name; decorators do not count."""
    return {
        node.name: count
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := (node.end_lineno or 0) - node.lineno + 1) > max_lines
    }


def test_nothing_is_left_open(tracked):
    code = {name: text for name, text in tracked.items() if is_code(name, text)}

    words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error"]
    assert lines_with(code, rf"\b({'|'.join(words)})\b") == []


def test_no_module_is_too_long_to_be_about_one_thing(tracked):
    long = {
        name: count
        for name, text in tracked.items()
        if is_code(name, text) and (count := len(text.splitlines())) > MAX_LINES
    }

    assert long == {}


def test_no_function_is_too_long_to_be_read_at_once(tracked):
    long = {
        (name, function): count
        for name, text in tracked.items()
        if name.endswith(".py")
        for function, count in long_functions(
            text, max_lines=MAX_FUNCTION_LINES
        ).items()
    }

    assert long == {}


def test_a_function_is_as_long_as_its_lines():
    source = "@wraps\ndef short():\n    pass\n\nclass A:\n    async def long(self):\n"
    source += "        pass\n" * 2

    assert long_functions(source, max_lines=2) == {"long": 3}


def test_shell_counts_as_code(tracked):
    code = {name for name, text in tracked.items() if is_code(name, text)}

    assert {"scripts/serve", "scripts/find-python", "deploy/manage", ".ci/run"} <= code
