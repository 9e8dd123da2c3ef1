"""What is locked and what is installed: one of each, and nothing that calls home."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ["requirements.lock", "requirements-cpu.lock", "requirements-dev.lock"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)

TELEMETRY_PROBE = """
import importlib.abc, os, sys
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "onnxruntime":
            print("at import:", os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
"""


def pins(lock):
    return {match.groups() for match in PIN.finditer((ROOT / lock).read_text())}


@pytest.mark.parametrize("module", ["cv2", "onnxruntime"])
def test_one_distribution_brings_the_module(module):
    bringing = [
        distribution.name
        for distribution in importlib.metadata.distributions()
        if any(file.parts[0] == module for file in distribution.files or [])
    ]

    assert len(bringing) == 1, bringing


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock):
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())

    assert len(entries) == len(pins(lock))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock):
    assert (
        re.findall(r"\S*(?:://|index|find-links)\S*", (ROOT / lock).read_text()) == []
    )


def test_the_tools_come_on_top_of_the_very_same_packages():
    with_tools = pins("requirements-dev.lock")

    # A tool may want everywhere what the service wants on some systems.
    assert [
        pin
        for pin in pins("requirements.lock")
        if pin not in with_tools and (*pin[:2], None) not in with_tools
    ] == []


def test_the_image_without_a_gpu_has_the_same_packages_but_for_onnx_runtime():
    with_gpu, without = pins("requirements.lock"), pins("requirements-cpu.lock")

    differing = {(name, marker) for name, _, marker in with_gpu ^ without}

    assert {name for name, _ in differing} == {"onnxruntime", "onnxruntime-gpu"}
    [(version, marker)] = [
        (version, marker) for name, version, marker in without if name == "onnxruntime"
    ]
    assert marker is None
    assert {v for name, v, _ in with_gpu if name.startswith("onnxruntime")} == {version}
    assert "onnxruntime-gpu" not in {name for name, *_ in without}


def test_the_lock_holds_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tools = project["dependency-groups"]["dev"]
    locked = {name for name, *_ in pins("requirements-dev.lock")}

    asked = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")
        for requirement in [*project["project"]["dependencies"], *tools]
    }

    assert asked - locked == set()


def test_what_is_installed_is_what_is_locked():
    installed = {
        distribution.name.lower().replace("_", "-").replace(".", "-"):
        distribution.version
        for distribution in importlib.metadata.distributions()
    }  # fmt: skip

    locked = {(name, version) for name, version, _ in pins("requirements-dev.lock")}

    for name in {name for name, *_ in locked} & installed.keys():
        assert (name, installed[name]) in locked


@pytest.mark.parametrize(
    "entrance",
    [
        "import gunicorn.app.wsgiapp, stashsense.wsgi, onnxruntime",
        "import runpy; runpy.run_path('gunicorn.conf.py'); import onnxruntime",
        "import django.core.management as m, os, sys;"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'stashsense.settings';"
        "m.execute_from_command_line(['manage.py', 'help', '--commands']);"
        "import onnxruntime",
    ],
    ids=["wsgi", "gunicorn", "manage.py"],
)
def test_telemetry_is_off_before_onnx_runtime_is_first_imported(entrance, tmp_path):
    # Its makers leave machines alone that say they are for continuous integration.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"CI", "ORT_DISABLE_TELEMETRY", "DJANGO_SETTINGS_MODULE"}
    }

    answer = subprocess.run(
        [sys.executable, "-c", TELEMETRY_PROBE + entrance],
        cwd=ROOT,
        env=environment | {"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    seen = [line for line in answer.stdout.splitlines() if "at import" in line]
    assert seen == ["at import: 1"], answer.stderr
