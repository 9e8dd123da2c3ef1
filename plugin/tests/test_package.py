"""The package: built the same everywhere, and installed as Stash does it."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

import pytest
import yaml

from plugin.stash_sense import PLUGIN_ID, PLUGIN_VERSION
from plugin.stash_sense.hooks import HOOKS
from plugin.stash_sense.tasks import TASKS
from plugin.tests.backend import PLUGIN_DIR, run
from stashsense.data_folder import ROOT

MANIFEST = yaml.safe_load((PLUGIN_DIR / "stash-sense.yml").read_text())
# All that Stash's parser takes; a key besides has the plugin not loaded.
KEYS = {
    "name", "description", "url", "version", "interface", "exec", "errLog", "ui",
    "settings", "tasks", "hooks",
}  # fmt: skip
WHEN = "2026-05-04T03:02:01+02:00"


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    dates = {"GIT_AUTHOR_DATE": WHEN, "GIT_COMMITTER_DATE": WHEN}
    subprocess.run(
        ["git", "-C", folder, *who, *arguments],
        check=True,
        capture_output=True,
        env=os.environ | dates,
    )


@pytest.fixture
def checkout(tmp_path):
    """A repository with the plugin and the script, and one commit."""
    return make_checkout(tmp_path / "checkout")


def make_checkout(folder):
    leave_out = shutil.ignore_patterns("__pycache__", "tests")
    shutil.copytree(PLUGIN_DIR, folder / "plugin", ignore=leave_out)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=leave_out)
    (folder / "plugin" / "tests").mkdir()
    (folder / "plugin" / "tests" / "test_it.py").write_text("")
    git(folder.parent, "init", "-q", folder)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "All")
    return folder


def build(checkout, folder, **how):
    return subprocess.run(
        [checkout / "scripts" / "build_plugin_index", folder],
        capture_output=True,
        text=True,
        **how,
    )


def built(checkout, folder, **how):
    """Return the bytes of the index and of the zip."""
    ended = build(checkout, folder, **how)
    assert ended.returncode == 0, ended.stderr
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["index.yml", "stash-sense.zip"]
    return [(folder / name).read_bytes() for name in names]


def test_versions_are_kept_in_step():
    assert MANIFEST["version"] == PLUGIN_VERSION
    assert MANIFEST["ui"]["assets"] == {f"/{PLUGIN_VERSION}": "ui"}
    assert f'"{PLUGIN_VERSION}"' in (PLUGIN_DIR / "stash-sense.js").read_text()


def test_the_manifest_says_nothing_that_stash_does_not_know():
    assert set(MANIFEST) <= KEYS
    assert set(MANIFEST["ui"]) <= {"requires", "javascript", "css", "assets", "csp"}
    assert {each["type"] for each in MANIFEST["settings"].values()} <= {
        "STRING", "NUMBER", "BOOLEAN",
    }  # fmt: skip
    for each in MANIFEST["settings"].values():
        assert set(each) == {"displayName", "description", "type"}
    for each in [*MANIFEST["tasks"], *MANIFEST["hooks"]]:
        assert set(each) <= {"name", "description", "defaultArgs", "triggeredBy"}
        assert all(isinstance(value, str) for value in each["defaultArgs"].values())


def test_every_task_and_hook_of_the_manifest_is_one_of_the_backend():
    modes = [each["defaultArgs"]["mode"] for each in MANIFEST["tasks"]]
    assert sorted(modes) == sorted(TASKS)
    assert [each["defaultArgs"]["mode"] for each in MANIFEST["hooks"]] == [*HOOKS]
    assert MANIFEST["hooks"][0]["triggeredBy"] == ["Scene.Create.Post"]


def test_the_same_commit_makes_the_same_bytes_anywhere(checkout, tmp_path):
    first = built(checkout, tmp_path / "first")
    again = built(checkout, tmp_path / "again", cwd="/", umask=0o077)
    git(tmp_path, "clone", "-q", checkout, tmp_path / "clone")
    elsewhere = {"TZ": "Pacific/Auckland", "LC_ALL": "C"}
    third = built(tmp_path / "clone", tmp_path / "third", env=os.environ | elsewhere)

    assert first == again == third


def test_the_index_says_what_the_package_is(checkout, tmp_path):
    index, packed = built(checkout, tmp_path / "out")

    (entry,) = yaml.load(index, yaml.BaseLoader)
    log = ["git", "-C", checkout, "log", "-1", "--format=%H"]
    commit = subprocess.run(log, capture_output=True, text=True).stdout
    assert entry == {
        "id": PLUGIN_ID,
        "name": "Stash Sense",
        "metadata": {"description": MANIFEST["description"]},
        "version": f"{PLUGIN_VERSION}-{commit[:8]}",
        "date": "2026-05-04 01:02:01",
        "path": "stash-sense.zip",
        "sha256": hashlib.sha256(packed).hexdigest(),
    }


def test_modules_lie_at_an_address_of_their_commit(checkout, tmp_path):
    index, packed = built(checkout, tmp_path / "out")

    (entry,) = yaml.load(index, yaml.BaseLoader)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        manifest = yaml.load(archive.read("stash-sense.yml"), yaml.BaseLoader)
        script = archive.read("stash-sense.js").decode()
    assert manifest["ui"]["assets"] == {f"/{entry['version']}": "ui"}
    assert f'const VERSION = "{entry["version"]}";' in script


def test_only_what_stash_needs_is_packed(checkout, tmp_path):
    _, packed = built(checkout, tmp_path / "out")

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        modes = {each.external_attr >> 16 for each in archive.infolist()}
    assert names == sorted(names)
    assert modes == {0o100644}
    roots = {name.partition("/")[0] for name in names}
    assert roots == {
        "stash-sense.yml", "stash-sense.js", "styles", "ui", "stash_sense",
        "stash_sense_backend.py",
    }  # fmt: skip
    assert {*MANIFEST["ui"]["javascript"], *MANIFEST["ui"]["css"]} <= {*names}


def test_what_is_not_shipped_makes_no_new_version(checkout, tmp_path):
    first = built(checkout, tmp_path / "first")
    (checkout / "plugin" / "tests" / "test_it.py").write_text("# changed\n")
    git(checkout, "commit", "-qam", "A test")

    assert built(checkout, tmp_path / "second") == first


@pytest.mark.parametrize("name", ["stash-sense.js", "ui/new.js"])
def test_what_is_not_committed_is_not_packed(checkout, tmp_path, name):
    (checkout / "plugin" / name).write_text("changed")

    ended = build(checkout, tmp_path / "out")

    assert ended.returncode == 1
    assert "Commit" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_checkout_without_its_history_is_refused(checkout, tmp_path):
    url = checkout.as_uri()
    (checkout / "plugin" / "stash-sense.js").write_text("more")
    git(checkout, "commit", "-qam", "More")
    git(tmp_path, "clone", "-q", "--depth=1", url, tmp_path / "shallow")

    ended = build(tmp_path / "shallow", tmp_path / "out")

    assert ended.returncode == 1
    assert "history" in ended.stderr


def installed(index_url, plugins):
    """Install what the index has, as Stash's package manager does; return where."""
    with urllib.request.urlopen(index_url) as answer:
        (entry,) = yaml.load(answer.read(), yaml.BaseLoader)
    with urllib.request.urlopen(urllib.parse.urljoin(index_url, entry["path"])) as zip:
        packed = zip.read()
    assert hashlib.sha256(packed).hexdigest() == entry["sha256"]
    folder = plugins / entry["id"]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(archive.read(name))
    listed = {**entry, "source_repository": index_url, "files": names}
    (folder / "manifest").write_text(yaml.safe_dump(listed))
    return folder


def uninstalled(folder):
    """Remove the files that were brought, and the folders that are empty then."""
    for name in yaml.safe_load((folder / "manifest").read_text())["files"]:
        (folder / name).unlink()
        # The innermost first, and not the plugin's own.
        for around in [*Path(name).parents][:-1]:
            if not any((folder / around).iterdir()):
                (folder / around).rmdir()
    (folder / "manifest").unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def test_what_stash_installs_from_a_file_index_answers(
    checkout, tmp_path, backend, sidecar
):
    built(checkout, tmp_path / "out")
    plugins = tmp_path / "plugins" / "stable"

    folder = installed((tmp_path / "out" / "index.yml").as_uri(), plugins)

    assert [path.name for path in folder.rglob("*.yml")] == ["stash-sense.yml"]
    document = json.dumps(backend.document("health")).encode()
    ended = run(document, backend=folder / "stash_sense_backend.py")
    assert ended.output["plugin_version"] == PLUGIN_VERSION
    assert ended.output["version"]

    uninstalled(folder)

    assert not folder.exists()
