"""The Dockerfile: what it copies, sets and declares, held against the checkout."""

import re
import shutil
import stat
import subprocess
import sys

import pytest

from stashsense import container, data_folder
from stashsense.data_folder import ROOT
from stashsense.tests.dockerfile import Context, read_dockerfile, substituted
from stashsense.tests.test_documentation import variables_read

FILE = read_dockerfile(ROOT / "Dockerfile")
VARIANTS = ["gpu", "cpu"]
IMAGE = FILE.stages[-1]
# Read by other parts than settings.py: the entry, and packages.
NOT_SETTINGS = {
    *["PUID", "PGID", "PATH", "HOME", "MPLCONFIGDIR", "ORT_DISABLE_TELEMETRY"],
    *["PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"],
}


def chain(stage, variant):
    return FILE.chain(stage, {"VARIANT": variant})


def every_chain():
    return [
        each
        for variant in VARIANTS
        for stage in (IMAGE, FILE.stage("packages"))
        for each in chain(stage, variant)
    ]


def sources():
    return [
        source
        for stage in FILE.stages
        for copy in stage.all("COPY")
        if "from" not in copy.flags
        for source in copy.words[:-1]
    ]


@pytest.fixture(scope="module")
def context():
    return Context(ROOT).files()


def test_the_linter_has_nothing_to_say():
    hadolint = shutil.which("hadolint", path=f"{sys.prefix}/bin")
    hadolint = hadolint or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (the lock has it for Linux and macOS)")

    answer = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True
    )

    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("source", sources())
def test_what_is_copied_is_there_and_let_through(source, context):
    found = [
        file for file in context if file == source or file.startswith(source + "/")
    ]

    assert found


def test_nothing_is_let_through_that_is_not_copied(context):
    copied = tuple(f"{source}/" for source in sources())

    assert [f for f in context if f not in sources() and not f.startswith(copied)] == []


@pytest.mark.parametrize(
    "path",
    [
        *[
            "plugin/stash-sense.yml",
            "benchmarks/scene.py",
            "docs/index.md",
            "conftest.py",
        ],
        *[
            "data/api_key",
            "data/stash_sense.db",
            ".env",
            ".git/config",
            ".venv/bin/python",
        ],
        *["stashsense/tests/settings.py", "recognition/tests/runtime/tls/loopback.pem"],
        *["demo/training/train.py", "stashsense/local.key", "stashsense/.env"],
        *["requirements-dev.lock", "pyproject.toml", "recognition/db.sqlite3"],
    ],
)
def test_what_is_secret_or_for_development_stays_out(path):
    assert not Context(ROOT).holds(path)


def test_the_apps_are_complete_but_for_their_tests(context):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.py", "*.html", "*.js", "*.css", "*.svg"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    apps = ("stashsense/", "recognition/", "dbupdates/", "recommendations/", "demo/")
    left_out = re.compile(r"/tests/|^demo/training/")

    tracked = {
        name
        for name in listed.stdout.split("\0")
        if name.startswith(apps)
        and not left_out.search(name)
        and (ROOT / name).exists()
    }

    assert tracked - set(context) == set()


def test_the_migrations_and_the_lock_by_which_a_data_folder_is_stamped_are_in_it(
    context,
):
    assert "requirements.lock" in context
    assert [f for f in context if re.search(r"/migrations/\d+_\w+\.py$", f)]
    assert data_folder.ROOT == ROOT


def test_every_stage_leads_to_a_base_that_names_its_version():
    bases = {
        substituted(chain(stage, variant)[0].base, {"VARIANT": variant})
        for variant in VARIANTS
        for stage in FILE.stages
    }

    assert bases == {
        "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04",
        "debian:trixie-slim",
    }


def test_the_build_argument_is_a_variant_and_the_gpu_is_the_default():
    assert FILE.arguments == {"VARIANT": "gpu"}
    for variant in VARIANTS:
        assert [stage.name for stage in chain(IMAGE, variant)] == [
            f"base-{variant}",
            "",
        ]
        [lock] = FILE.stage(f"packages-{variant}").all("COPY")
        expected = "requirements.lock" if variant == "gpu" else "requirements-cpu.lock"
        assert lock.words == [expected, "/tmp/packages.lock"]


def test_every_argument_is_used_and_pinned():
    base = FILE.stage("base-gpu")
    pairs = [pair for each in base.all("ARG") for pair in each.assignments.items()]
    arguments = dict(pairs)
    script = " ".join(run.text for run in base.all("RUN"))

    assert set(arguments) == {"PYTHON", "PYTHON_SHA256"}
    assert all(f"${name}" in script for name in arguments)
    assert re.fullmatch(r"[0-9a-f]{64}", arguments["PYTHON_SHA256"])
    # Released, and one that the lock is made for.
    assert re.search(r"/cpython-3\.1[1-4]\.\d+%2B\d+-x86_64-", arguments["PYTHON"])
    assert [stage.name for stage in FILE.stages if stage.all("ARG")] == ["base-gpu"]


def test_the_environment_is_made_of_settings_and_what_packages_read():
    names, _ = variables_read()
    environment = FILE.environment(IMAGE, {"VARIANT": "gpu"})

    assert set(environment) - names == NOT_SETTINGS
    assert environment["PATH"] == "/opt/venv/bin:/opt/python/bin:$PATH"
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert environment["PUID"] == str(container.DEFAULT_USER_ID)
    assert environment["PGID"] == str(container.DEFAULT_GROUP_ID)
    assert environment["HOME"] == "/tmp"


@pytest.mark.parametrize("vulnerable", ["requirements.lock", "requirements-cpu.lock"])
def test_every_lock_that_ships_is_audited(tmp_path, vulnerable):
    # In place of the package, which asks others.
    (tmp_path / "pip_audit.py").write_text(
        "import sys\n"
        f"is_it = sys.argv[-1].endswith('/{vulnerable}')\n"
        "print('Found 1 known vulnerability' if is_it else 'None found')\n"
        "sys.exit(is_it)\n"
    )

    answer = subprocess.run(
        [sys.executable, ROOT / "scripts" / "audit.py"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 1
    assert f"{vulnerable}: Found 1 known vulnerability" in answer.stdout
    installed = {
        FILE.stage(f"packages-{name}").only("COPY").words[0] for name in VARIANTS
    }
    assert {line.partition(":")[0] for line in answer.stdout.splitlines()} == installed


def test_packages_are_installed_by_their_digests_as_wheels():
    [install] = FILE.stage("packages").all("RUN")

    for option in ("--require-hashes", "--no-deps", "--only-binary :all:"):
        assert option in install.text
    assert install.text.endswith("pip uninstall --yes pip")


def test_the_python_that_is_fetched_leaves_its_own_pip_behind():
    script = FILE.stage("base-gpu").only("RUN").text

    # In the same step, or a layer would hold it; a virtual environment brings another.
    _, _, after = script.partition("tar --extract")
    assert "/opt/python/bin/pip*" in after
    assert "/opt/python/lib/python3.*/site-packages/pip*" in after
    assert "pip" not in FILE.stage("base-cpu").only("RUN").text


def test_no_tool_of_a_build_is_installed():
    scripts = " ".join(run.text for each in every_chain() for run in each.all("RUN"))

    assert (
        re.findall(r"\b(?:gcc|g\+\+|build-essential|cmake|git|[\w-]+-dev)\b", scripts)
        == []
    )
    assert "ffmpeg" in FILE.stage("base-gpu").only("RUN").text
    assert "ffmpeg" in FILE.stage("base-cpu").only("RUN").text


def test_it_declares_how_it_is_run_asked_and_stopped():
    [health] = IMAGE.all("HEALTHCHECK")

    assert health.flags == {
        "interval": "30s", "timeout": "10s", "start-period": "120s", "retries": "3"
    }  # fmt: skip
    assert "http://127.0.0.1:$PORT/health" in health.text
    assert IMAGE.only("EXPOSE").text == "5000"
    assert FILE.environment(IMAGE, {"VARIANT": "cpu"})["PORT"] == "5000"
    assert IMAGE.only("STOPSIGNAL").text == "SIGTERM"
    assert IMAGE.only("VOLUME").text == "/data"
    assert IMAGE.only("ENTRYPOINT").words == ["python", "-m", "stashsense.container"]


def test_the_folder_of_the_data_belongs_to_the_default_user():
    [prepare] = IMAGE.all("RUN")

    ids = f"--owner={container.DEFAULT_USER_ID} --group={container.DEFAULT_GROUP_ID}"
    assert f"install --directory {ids} /data" in prepare.text


def test_what_is_meant_to_be_run_can_be():
    for name in ("deploy/manage", "scripts/check_image"):
        assert (ROOT / name).stat().st_mode & stat.S_IXUSR


def test_a_check_that_a_machine_cannot_do_is_a_failure_only_where_it_must_be(tmp_path):
    def check(**variables):
        return subprocess.run(
            [sys.executable, "-m", "stashsense.tests.image_check"],
            cwd=ROOT,
            # None of the tools that it takes lie there.
            env={"PATH": str(tmp_path), **variables},
            capture_output=True,
            text=True,
        )

    plain, required = check(), check(STASH_SENSE_REQUIRE_IMAGE="true")

    assert (plain.returncode, required.returncode) == (0, 1)
    assert "Skipped: it takes " in plain.stdout
    assert "Not checked: it takes " in required.stdout
