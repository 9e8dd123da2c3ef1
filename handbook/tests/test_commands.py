"""Every command that the documentation shows: marked, run, or at least understood."""

import re
import shutil
import signal
import subprocess
import urllib.request

import django.core.management as management
import pytest

from demo.install import DEFAULT_WORLD
from demo.stash.testing import short_library
from handbook.shell_blocks import SHELLS, blocks, pages
from stashsense.data_folder import ROOT
from stashsense.tests.test_serve import command, environment, free_port
from stashsense.tests.waiting import wait_until

EVERY_BLOCK = [block for page in pages() for block in blocks(page)]
# README's are indented, as its readers and tools know it.
SHELL_BLOCKS = [
    block
    for block in EVERY_BLOCK
    if block.language in SHELLS or block.language == "indented"
]
# How a line begins that is for a shell: a program, after variables for it or none.
COMMAND = re.compile(
    r"(?:\$ |export )? *(?:\w+=\S* +)*"
    r"(?:[\w./-]*/)?(?:manage(?:\.py)? [a-z_]+(?![\w.])|python[\d.]* |(?:ba)?sh -"
    r"|(?:docker|git|curl|pip|npm|node|apt|sudo|systemctl|cp|mv|mkdir|chmod|chown) )"
    r"|[ $]*\.?/?(?:scripts|\.ci)/[a-z_]+(?:$| )"
)
PAGES_THAT_RUN = sorted({block.page for block in SHELL_BLOCKS if block.runs})
# The demo world is installed first, on a machine that may be busy.
START_SECONDS = 300
PAGE_SECONDS = 240
# What a newcomer types goes to the service of the test instead, whose port is free.
PREAMBLE = """
set -euo pipefail
curl() {
    command curl --silent --show-error --fail-with-body --max-time 120 \\
        --connect-to "127.0.0.1:5000:127.0.0.1:$SERVICE_PORT" "$@"
}
KEY=$(cat data/api_key)
"""


def names(block):
    return str(block)


def test_every_block_names_its_language():
    unnamed = [
        str(block)
        for block in EVERY_BLOCK
        if not block.language
        or (block.language == "indented" and block.page.parent != ROOT)
    ]

    assert unnamed == []


@pytest.mark.parametrize(
    "block", [block for block in EVERY_BLOCK if block not in SHELL_BLOCKS], ids=names
)
def test_no_command_stands_in_a_block_of_another_language(block):
    commands = [line for line in block.text.splitlines() if COMMAND.match(line)]

    assert commands == [], "commands are for a block of sh, with its mark"


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=names)
def test_a_command_is_marked(block):
    assert block.mark, "put <!-- runs --> or <!-- not run: REASON --> before it"


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=names)
def test_a_command_is_shell(block):
    # Where a value is to be put in stands an ellipsis, or a word in capitals.
    answer = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True
    )

    assert answer.stderr == ""


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=names)
def test_a_reason_names_what_there_is(block):
    files = re.findall(r"\b[a-z]+(?:/[\w.]+)+", block.reason)

    assert [name for name in files if not (ROOT / name).exists()] == []
    tests = "".join(text for name in files for text in texts_of_tests(ROOT / name))
    called = {name for name, _options in manage_calls(block)} if tests else set()
    assert [name for name in sorted(called) if f'"{name}"' not in tests] == []


def texts_of_tests(path):
    """Yield the text of a test, or of each in a folder of them; else none."""
    for each in sorted(path.glob("test_*.py")) if path.is_dir() else [path]:
        if each.name.startswith("test_"):
            yield each.read_text()


def manage_calls(block):
    """Yield each call of manage.py that a block shows: its name, and its options."""
    text = re.sub(r"\\\n", " ", block.text)
    for line in text.splitlines():
        if found := re.search(r"\bmanage(?:\.py)? ([a-z_]+)(?![\w.])(.*)", line):
            options = re.findall(r"(?<!\S)\[?(--[a-z-]+)", found[2])
            yield found[1], options


CALLS = [(block, *call) for block in EVERY_BLOCK for call in manage_calls(block)]


@pytest.mark.parametrize(
    ("name", "options"),
    [call[1:] for call in CALLS],
    ids=[f"{block} {name}" for block, name, _options in CALLS],
)
def test_a_command_of_manage_and_its_options_exist(name, options):
    app = management.get_commands()[name]
    parser = management.load_command_class(app, name).create_parser("manage.py", name)

    assert set(options) - set(parser._option_string_actions) == set()


def test_every_program_of_scripts_that_a_page_names_exists():
    named = {
        found
        for page in pages()
        for found in re.findall(r"\bscripts/[a-z_]+\b", page.read_text())
    }

    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_benchmark_is_in_their_list():
    folder = ROOT / "benchmarks"
    listed = re.findall(r"-m benchmarks\.([a-z_]+)", (folder / "README.md").read_text())

    benchmarks = {
        path.stem
        for path in folder.glob("*.py")
        if "\nfrom benchmarks.figures import" in (text := path.read_text())
        and "__main__" in text
    }

    assert benchmarks - set(listed) == set()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout beside which the demo is served, as the quick start has it."""
    folder = tmp_path_factory.mktemp("documented") / "checkout"
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.name not in {"data", ".git", "README.md"}:
            (folder / path.name).symlink_to(path)
    data, stash_port = folder / "data", free_port()
    # The long one takes minutes to draw and look through, and is no other to a command.
    short_library(data / "demo-stash", world=DEFAULT_WORLD)
    log = (folder / "serve.log").open("w")
    port = free_port()
    options = ["--port", port, "--data-dir", data, "--demo-stash", stash_port]
    with log:
        process = subprocess.Popen(
            command(*options), env=environment(), stdout=log, stderr=log
        )
    try:
        wait_until(
            lambda: (
                process.poll() is not None
                or (is_there(port, "/health") and is_there(stash_port, "/healthz"))
            ),
            within=START_SECONDS,
        )
        told = (folder / "serve.log").read_text()
        assert process.poll() is None, told
        assert "Drawing" not in told
        shutil.copy(next((data / "demo-pictures").glob("*.jpg")), folder / "photo.jpg")
        yield folder, port, stash_port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def is_there(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.mark.service
@pytest.mark.parametrize(
    "page", PAGES_THAT_RUN, ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_commands_of_a_page_run_in_order(page, checkout):
    folder, port, stash_port = checkout
    script = PREAMBLE
    for block in blocks(page):
        if block.runs:
            script += f"echo '== line {block.line}' >&2\n{block.text}"
    script = script.replace("127.0.0.1:9998", f"127.0.0.1:{stash_port}")

    answer = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(DATA_DIR=str(folder / "data"), SERVICE_PORT=str(port)),
        capture_output=True,
        text=True,
        timeout=PAGE_SECONDS,
    )

    assert answer.returncode == 0, answer.stderr + answer.stdout
