"""The version in one place, and what is released under it."""

import re
import runpy
import shutil
import subprocess

import pytest

from handbook import ROOT
from plugin.stash_sense import PLUGIN_VERSION
from stashsense import __version__

PROGRAM = runpy.run_path(str(ROOT / "scripts" / "version.py"))
PLACES = [*PROGRAM["PLACES"]]


@pytest.fixture
def project(tmp_path):
    """A copy of what names the version, and of the scripts that look at it."""
    for name in [*PLACES, "CHANGELOG.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path


def script(project, name, *arguments):
    return subprocess.run(
        [project / "scripts" / name, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_place_names_the_same_version():
    assert PROGRAM["out_of_step"](ROOT) == []
    assert __version__.startswith(PLUGIN_VERSION)


@pytest.mark.parametrize(
    ("version", "of_the_plugin"), [("2.3.4", "2.3.4"), ("2.3.4rc1", "2.3.4")]
)
def test_a_version_is_set_everywhere(version, of_the_plugin, project):
    answer = script(project, "version", version)

    assert answer.returncode == 0, answer.stderr
    assert script(project, "version").stdout == f"{version}\n"
    manifest = (project / "plugin" / "stash-sense.yml").read_text()
    assert f"\nversion: {of_the_plugin}\n" in manifest
    assert f'"/{of_the_plugin}": ui' in manifest
    assert f'"{version}"' in (project / "docs" / "openapi.json").read_text()
    compose = (project / "docker-compose.yml").read_text()
    assert "stash-sense:${STASH_SENSE_VERSION:-2}-cpu\n" in compose


@pytest.mark.parametrize("name", PLACES[1:])
def test_a_place_that_was_forgotten_is_told(name, project):
    path = project / name
    text = path.read_text()
    [first, *_] = re.finditer(PROGRAM["PLACES"][name], text)
    path.write_text(text[: first.start(2)] + "9.9.9" + text[first.end(2) :])

    answer = script(project, "version")

    assert answer.returncode == 1
    assert re.search(rf"^{re.escape(name)}: .*\b9\b", answer.stderr, re.MULTILINE)


def test_what_is_no_version_is_refused(project):
    before = (project / "stashsense" / "__init__.py").read_text()

    answer = script(project, "version", "v2")

    assert answer.returncode == 1
    assert "Usage" in answer.stderr
    assert (project / "stashsense" / "__init__.py").read_text() == before


def test_the_notes_of_a_release_are_its_chapter_alone(project):
    script(project, "version", "2.3.4")
    (project / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n- later\n\n"
        "## [2.3.4] - 2026-12-01\n\n- now\n\n## [2.3.3]\n\n- before\n"
    )

    answer = script(project, "release_notes")

    assert answer.stdout.strip() == "- now"


def test_a_version_without_a_chapter_is_not_released(project):
    answer = script(project, "release_notes")

    assert answer.returncode == 1
    assert "has no chapter" in answer.stderr
