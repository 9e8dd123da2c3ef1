"""Pack the plugin for Stash's package manager.

    python plugin_index.py FOLDER

Writes `stash-sense.zip` and `index.yml` into the folder. Everything comes out of the
last commit and nothing from this machine: contents, order, times, modes. So whoever
builds the same commit gets the same bytes, and the digest in the index can be checked.

Standard library only, run by the machine's own Python.
"""

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGIN_ID = "stash-sense"
SOURCE = "plugin"
MANIFEST = f"{PLUGIN_ID}.yml"
# What Stash needs; tests, their pages and the rest stay here.
SHIPPED = (
    MANIFEST,
    "stash_sense_backend.py",
    "stash_sense",
    f"{PLUGIN_ID}.js",
    "styles",
    "ui",
)
# Two commits of one name would have to differ after these.
COMMIT_CHARACTERS = 8


class NotBuilt(Exception):
    """Nothing was written; the text says what to do."""


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit("Usage: build_plugin_index FOLDER")
    try:
        index = build(ROOT, Path(arguments[0]))
    except NotBuilt as reason:
        sys.exit(str(reason))
    sys.stdout.write(f"{index}\n")


def build(root: Path, folder: Path) -> Path:
    """Write the zip and the index of the last commit; return the index's path."""
    commit, committed_at = _last_commit(root)
    files = _committed_files(root)
    manifest = files[MANIFEST].decode()
    version = f"{_value(manifest, 'version')}-{commit[:COMMIT_CHARACTERS]}"
    packed = _packed(_addressed(files, version), committed_at)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{PLUGIN_ID}.zip").write_bytes(packed)
    index = folder / "index.yml"
    # A text of JSON is one of YAML. The date is none: Stash reads it as build_site.sh
    # of its community writes it.
    index.write_text(
        f"- id: {PLUGIN_ID}\n"
        f"  name: {json.dumps(_value(manifest, 'name'))}\n"
        "  metadata:\n"
        f"    description: {json.dumps(_value(manifest, 'description'))}\n"
        f"  version: {json.dumps(version)}\n"
        f"  date: {committed_at:%Y-%m-%d %H:%M:%S}\n"
        f"  path: {PLUGIN_ID}.zip\n"
        f"  sha256: {json.dumps(hashlib.sha256(packed).hexdigest())}\n",
        encoding="ascii",
        newline="\n",
    )
    return index


def _last_commit(root: Path) -> tuple[str, datetime]:
    """Return the commit that last changed what is shipped, and when that was."""
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NotBuilt(
            "This checkout lacks history, so the date would be wrong: fetch all of it."
        )
    paths = [f"{SOURCE}/{name}" for name in SHIPPED]
    if _git(root, "status", "--porcelain", "--", *paths):
        raise NotBuilt("Commit the changes of the plugin first: a commit is packed.")
    told = _git(root, "log", "-1", "--format=%H %ct", "--", *paths).decode().split()
    if not told:
        raise NotBuilt("The plugin is not committed.")
    return told[0], datetime.fromtimestamp(int(told[1]), UTC)


def _committed_files(root: Path) -> dict[str, bytes]:
    """Return what is shipped by its path in the plugin, in order."""
    archive = _git(root, "archive", "--format=tar", f"HEAD:{SOURCE}")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            is_shipped = member.name.partition("/")[0] in SHIPPED
            if is_shipped and (content := tar.extractfile(member)) is not None:
                files[member.name] = content.read()
    # Stash reads every one it finds as a plugin of its own.
    if [name for name in files if name.endswith(".yml")] != [MANIFEST]:
        raise NotBuilt(f"There must be one .yml in the plugin, {MANIFEST}.")
    return dict(sorted(files.items()))


def _addressed(files: dict[str, bytes], version: str) -> dict[str, bytes]:
    """Return the files with the modules at an address of this version.

    Browsers keep modules as long as their address stays, and Stash offers every commit
    as an update: of two commits the modules would be mixed.
    """
    own = _value(files[MANIFEST].decode(), "version")
    places = {MANIFEST: '"/{}": ui', f"{PLUGIN_ID}.js": 'const VERSION = "{}";'}
    changed = dict(files)
    for name, place in places.items():
        before, after = place.format(own).encode(), place.format(version).encode()
        if files[name].count(before) != 1:
            raise NotBuilt(f"{name} must say {before.decode()} in one place.")
        changed[name] = files[name].replace(before, after)
    return changed


def _packed(files: dict[str, bytes], committed_at: datetime) -> bytes:
    packed = io.BytesIO()
    # Stored: what compression makes of it depends on the machine's zlib.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, committed_at.timetuple()[:6])
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            archive.writestr(member, content)
    return packed.getvalue()


def _value(manifest: str, name: str) -> str:
    """Return a value of one line at the top of the manifest."""
    found = re.search(rf"^{name}: *(.+?) *$", manifest, re.MULTILINE)
    if found is None or found[1][0] in "\"'|>&*!#%@`[{":
        raise NotBuilt(f"{MANIFEST} must say {name} as plain text on one line.")
    return found[1]


def _git(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments], check=True, capture_output=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as reason:
        raise NotBuilt(f"git {arguments[0]} failed: is this a checkout?") from reason


if __name__ == "__main__":
    main(sys.argv[1:])
