"""GitHub's workflows: what the project's own scripts do, with few rights."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from handbook import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40}")


def parsed(path):
    # YAML takes the word "on" for true.
    return yaml.load(path.read_text(), yaml.BaseLoader)


def steps(path):
    jobs = parsed(path)["jobs"].values()
    return [step for job in jobs for step in job.get("steps", [])]


def before(job):
    """Return the jobs that have to go well before this one of a release begins."""
    needs = parsed(FOLDER / "release.yml")["jobs"][job].get("needs", [])
    first = {needs} if isinstance(needs, str) else set(needs)
    return first.union(*map(before, first))


def name(path):
    return path.stem


def test_there_are_those_that_are_wanted():
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_workflow_says_what_github_understands(path):
    answer = subprocess.run(
        [
            *[sys.executable, "-m", "check_jsonschema"],
            *["--builtin-schema", "vendor.github-workflows", path],
        ],
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_nothing_unsafe_is_found_in_a_workflow(path):
    zizmor = Path(sys.executable).with_name("zizmor")

    answer = subprocess.run(
        [zizmor, "--offline", "--no-progress", path], capture_output=True, text=True
    )

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_actions_are_pinned_and_github_s_own(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]

    assert [each for each in used if not PINNED.fullmatch(each)] == []
    assert {each.partition("/")[0] for each in used} == {"actions"}
    # What was pinned is told beside it.
    assert len(
        re.findall(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path.read_text(), re.M)
    ) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_nothing_of_a_request_gets_into_a_shell(path):
    assert [s["run"] for s in steps(path) if "${{" in s.get("run", "")] == []
    assert "pull_request_target" not in path.read_text()
    assert "workflow_run" not in parsed(path)["on"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_job_has_the_rights_it_needs_and_an_end(path):
    workflow = parsed(path)

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert "write-all" not in job["permissions"]
        # One that calls another workflow ends when that does.
        assert "uses" in job or int(job["timeout-minutes"]) <= 180
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize(
    ("workflow", "scripts"),
    [
        ("ci", {".ci/run"}),
        (
            "release",
            {
                *["scripts/version", "scripts/release_notes", "scripts/docs"],
                *["scripts/publish_image", "scripts/build_plugin_index"],
            },
        ),
    ],
)
def test_a_workflow_calls_the_project_s_own_scripts(workflow, scripts):
    text = "\n".join(s.get("run", "") for s in steps(FOLDER / f"{workflow}.yml"))

    called = set(re.findall(r"(?:scripts/\w+|\.ci/run)", text))

    assert called == scripts
    assert {script for script in called if not (ROOT / script).exists()} == set()


def test_an_image_is_built_for_each_kind_of_machine():
    build = parsed(FOLDER / "release.yml")["jobs"]["image"]

    kinds = {
        (each["variant"], each["architecture"])
        for each in build["strategy"]["matrix"]["include"]
    }

    assert kinds == {("gpu", "amd64"), ("cpu", "amd64"), ("cpu", "arm64")}


def test_nothing_is_published_unless_the_tag_is_the_version_and_ci_holds():
    jobs = parsed(FOLDER / "release.yml")["jobs"]

    asked = [step.get("run") for step in jobs["version"]["steps"]]
    assert 'test "$GITHUB_REF_NAME" = "v$(scripts/version)"' in asked
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in parsed(FOLDER / "ci.yml")["on"]
    for job in set(jobs) - {"version", "ci"}:
        assert before(job) >= {"version", "ci"}
    # What failed before is no reason to go on.
    assert [job for job in jobs.values() if "if" in job] == []


def test_only_a_release_publishes():
    for path in WORKFLOWS:
        rights = [job["permissions"] for job in parsed(path)["jobs"].values()]
        publishes = "environment:" in path.read_text() or any(
            "write" in right.values() for right in rights
        )
        assert publishes == (path.stem == "release")
    assert parsed(FOLDER / "release.yml")["on"] == {"push": {"tags": ["v*"]}}
