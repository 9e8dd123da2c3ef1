"""scripts/publish_image with a stand-in of Docker: what it publishes and what not."""

import os
import re
import shutil
import subprocess

import pytest

from handbook import ROOT
from handbook.tests.test_version import PLACES

IMAGE = "registry.example/people/image"
# Writes down what it is asked; the registry has what a file says, or is not there.
DOCKER = """#!/bin/sh
echo "$*" >> "$STAND_IN/asked"
case "$*" in
    "buildx imagetools inspect "*)
        [ ! -e "$STAND_IN/unreachable" ] || { echo "no route to host" >&2; exit 1; }
        grep --quiet --line-regexp --fixed-strings "$4" "$STAND_IN/published" ||
            { echo "ERROR: $4: not found" >&2; exit 1; }
        ;;
    login*) cat > /dev/null ;;
    inspect*) echo healthy ;;
    run*) echo container ;;
esac
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the stand-in, and what the registry has: nothing."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "published").touch()
    return tmp_path


@pytest.fixture
def project(tmp_path):
    """A project of version 2.3.4."""
    root = tmp_path / "project"
    for name in PLACES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "scripts", root / "scripts")
    set_version(root, "2.3.4")
    return root


def set_version(project, version):
    subprocess.run([project / "scripts" / "version", version], check=True, timeout=60)


def publish(project, folder, *arguments):
    """Return how it ended, and what changed anything elsewhere."""
    answer = subprocess.run(
        [project / "scripts" / "publish_image", *arguments],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "STAND_IN": str(folder),
            "REGISTRY": "registry.example",
            "IMAGE": "people/image",
            "REGISTRY_USER": "somebody",
            "REGISTRY_TOKEN": "planted",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    asked = (folder / "asked").read_text()
    assert "planted" not in asked
    changed = re.findall(r"^(?:push|buildx imagetools create --tag) (\S+)", asked, re.M)
    return answer, changed


def test_an_image_is_pushed_under_a_name_of_its_own(project, folder):
    answer, changed = publish(project, folder, "cpu", "arm64")

    assert answer.returncode == 0, answer.stderr
    assert changed == [f"{IMAGE}:2.3.4-cpu-arm64"]


def test_a_final_version_gets_the_names_that_people_ask_for(project, folder):
    answer, changed = publish(project, folder, "names")

    assert answer.returncode == 0, answer.stderr
    names = ("2.3.4", "2.3", "2", "latest")
    assert changed == [f"{IMAGE}:{n}{s}" for s in ("", "-cpu") for n in names]


@pytest.mark.parametrize("version", ["2.3.4rc1", "2.3.4.dev0"])
def test_a_version_that_is_not_final_gets_its_own_name_alone(version, project, folder):
    set_version(project, version)

    _, changed = publish(project, folder, "names")

    assert changed == [f"{IMAGE}:{version}", f"{IMAGE}:{version}-cpu"]


@pytest.mark.parametrize(
    ("published", "arguments"),
    [
        ("2.3.4-gpu-amd64", ["gpu", "amd64"]),
        ("2.3.4", ["names"]),
        ("2.3.4-cpu", ["names"]),
    ],
)
def test_what_is_published_is_not_published_again(
    published, arguments, project, folder
):
    (folder / "published").write_text(f"{IMAGE}:{published}\n")

    answer, changed = publish(project, folder, *arguments)

    assert answer.returncode == 1
    assert f"{IMAGE}:{published} is published already" in answer.stderr
    assert changed == []


@pytest.mark.parametrize("arguments", [["gpu", "amd64"], ["names"]])
def test_nothing_is_published_where_the_registry_does_not_answer(
    arguments, project, folder
):
    (folder / "unreachable").touch()

    answer, changed = publish(project, folder, *arguments)

    assert answer.returncode == 1
    assert "no route to host" in answer.stderr
    assert changed == []
