"""The packages of npm: locked, permissive, from no named place; lint that holds."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from plugin.tests.harness.bundle import HARNESS_DIR, NoPackages, require_packages
from stashsense.data_folder import ROOT

ESLINT = HARNESS_DIR / "node_modules" / "eslint" / "bin" / "eslint.js"
CHECKS = (ROOT / "scripts" / "check").read_text()
# Scripts of the service's own pages.
SERVED = sorted(ROOT.glob("*/static/**/*.js"))
PERMISSIVE = {
    "0BSD", "(CC-BY-4.0 AND MIT)", "Apache-2.0", "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT", "Python-2.0",
}  # fmt: skip
# They say it in a form that npm no longer reads: all are under MIT.
OLD_FORM = {"dom-walk", "individual", "safe-json-parse"}
BOUND_SECONDS = 60


@pytest.fixture(scope="module")
def locked():
    lock = json.loads((HARNESS_DIR / "package-lock.json").read_text())
    packages = lock["packages"]
    return {
        path.rpartition("node_modules/")[2]: entry
        for path, entry in packages.items()
        if path
    }


@pytest.fixture
def eslint():
    try:
        require_packages()
    except NoPackages as error:
        pytest.skip(str(error))

    def lint(text, *, name="plugin/ui/made_up.js"):
        answer = subprocess.run(
            [
                *["node", str(ESLINT)],
                *["--config", str(HARNESS_DIR / "eslint.config.js")],
                *["--format", "json", "--stdin", "--stdin-filename", name],
            ],
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
            timeout=BOUND_SECONDS,
        )
        [found] = json.loads(answer.stdout)
        return [message["ruleId"] for message in found["messages"]]

    return lint


def test_every_package_is_locked_by_its_content_and_from_no_named_place(locked):
    assert len(locked) > 100
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    assert [name for name, entry in locked.items() if "integrity" not in entry] == []


def test_every_package_is_free_to_use(locked):
    others = {
        name: entry.get("license")
        for name, entry in locked.items()
        if entry.get("license") not in PERMISSIVE and name not in OLD_FORM
    }

    assert others == {}


def test_libraries_have_the_versions_that_stash_has(locked):
    wanted = {
        "react": "17.0.2", "react-dom": "17.0.2", "react-router-dom": "5.3",
        "react-bootstrap": "1.6", "bootstrap": "4.6", "@apollo/client": "3.8",
        "graphql": "16", "react-intl": "6", "react-select": "5.7", "video.js": "7",
        "@fortawesome/fontawesome-svg-core": "6",
        "@fortawesome/free-solid-svg-icons": "6",
        "@fortawesome/react-fontawesome": "0.2",
    }  # fmt: skip

    other = {
        name: locked[name]["version"]
        for name, version in wanted.items()
        if not f"{locked[name]['version']}.".startswith(f"{version}.")
    }

    assert other == {}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("export const f = (e, t) => { e.innerHTML = t; };", "no-restricted-syntax"),
        (
            "export const f = (e, t) => e.insertAdjacentHTML('end', t);",
            "no-restricted-syntax",
        ),
        (
            "export const p = (t) => ({ dangerouslySetInnerHTML: { __html: t } });",
            "no-restricted-syntax",
        ),
        ("export const f = (t) => document.write(t);", "no-restricted-syntax"),
        ("export const f = (t) => eval(t);", "no-eval"),
        ("export const f = (t) => new Function(t);", "no-new-func"),
        ("export const address = 'javascript:alert(1)';", "no-script-url"),
        ("export const f = () => nothing;", "no-undef"),
    ],
)
def test_what_makes_markup_or_code_of_text_is_refused(eslint, text, rule):
    assert eslint(text) == [rule]


def test_plain_modules_pass(eslint):
    assert eslint("export const double = (number) => 2 * number;\n") == []


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_what_the_service_serves_is_held_to_the_same(eslint, path):
    name = str(path.relative_to(ROOT))
    lines = "  used();\n" * 61

    found = eslint(
        f"import {{ used }} from 'x';\nexport function f() {{\n{lines}}}", name=name
    )

    assert found == ["max-lines-per-function"]
    assert eslint(path.read_text() + "\n" * 500, name=name) == ["max-lines"]


def test_every_script_is_linted():
    [line] = [line for line in CHECKS.splitlines() if '"$eslint" --config' in line]

    # From the root: what is not linted is named in the configuration.
    assert line.endswith("plugin/tests/harness/eslint.config.js .")
    assert len(SERVED) >= 3


def run_script(root, path, **variables):
    return subprocess.run(
        [sys.executable, root / "scripts" / "node_packages.py"],
        env={"PATH": str(path), "HOME": str(root), **variables},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
    )


@pytest.fixture
def project(tmp_path):
    """A project of no packages, and a PATH with nothing on it."""
    harness = tmp_path / "plugin" / "tests" / "harness"
    harness.mkdir(parents=True)
    (harness / "package-lock.json").write_text("{}")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "node_packages.py", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    return tmp_path


def add_program(project, name, *lines):
    program = project / "bin" / name
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)


def test_a_machine_without_node_is_told_and_is_an_error_only_where_it_must_be(project):
    plain = run_script(project, project / "bin")
    required = run_script(project, project / "bin", STASH_SENSE_REQUIRE_BROWSER="true")

    assert (plain.returncode, required.returncode) == (0, 1)
    assert "not installed" in plain.stderr
    assert "are skipped" in plain.stderr
    assert "skipped" not in required.stderr


def test_an_old_node_is_told(project):
    add_program(project, "npm", "exit 3")
    add_program(project, "node", "echo v18.20.4")

    assert (
        "Node is 18.20.4, and 20 or newer"
        in run_script(project, project / "bin").stderr
    )


def test_packages_are_fetched_once_for_each_lock(project):
    harness = project / "plugin" / "tests" / "harness"
    add_program(project, "node", "echo v22.1.0")
    path = f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"
    add_program(project, "npm", 'echo "$@" >> calls', "mkdir -p node_modules")

    for _ in range(2):
        assert run_script(project, path).returncode == 0
    (harness / "package-lock.json").write_text("{ }")
    assert run_script(project, path).returncode == 0

    calls = (harness / "calls").read_text().splitlines()
    assert calls == ["ci --ignore-scripts --loglevel=error"] * 2
