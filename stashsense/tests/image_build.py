"""Taking the Dockerfile's steps without a container engine: a folder for each stage.

The base image is a fresh Debian of the same release, made by debootstrap; every RUN is
run in it by chroot, in namespaces of its own. Linux and root only.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stashsense.tests.dockerfile import (
    Context,
    Dockerfile,
    Instruction,
    Stage,
    substituted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# debian:trixie-slim and the like.
BASE = re.compile(r"^debian:([a-z]+)-slim$")
# What a machine may need to reach its registries; Docker hands on the first four, too.
HANDED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY")
HANDED_ON_TO_PIP = ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
CERTIFICATES_INSIDE = "run/registry-certificates.crt"
# What Docker's images of Debian are set up with: no waiting for the disk, no archives
# kept, no documentation.
HABITS = {
    "etc/dpkg/dpkg.cfg.d/docker": "force-unsafe-io\n"
    "path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n"
    "path-exclude /usr/share/locale/*\n",
    "etc/apt/apt.conf.d/docker": 'APT::Keep-Downloaded-Packages "false";\n'
    'Acquire::Languages "none";\n',
}
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Builder:
    """Makes the root folders of an image's stages under a work folder."""

    def __init__(self, work: Path, root: Path, file: Dockerfile, **arguments: str):
        self._work, self._context, self._file = work, Context(root), file
        self._arguments = file.arguments | arguments
        self._built: dict[str, Path] = {}

    def build(self, stage: Stage) -> Path:
        """Return the stage's root, in which everything of it has been done."""
        name = stage.name or "image"
        if name not in self._built:
            folder = self._work / name
            self._begin(folder, substituted(stage.base, self._arguments))
            self._take_steps(folder, stage)
            self._built[name] = folder
        return self._built[name]

    def _begin(self, folder: Path, base: str) -> None:
        if base in [stage.name for stage in self._file.stages]:
            below = self.build(self._file.stage(base))
            run("cp", "--archive", "--reflink=auto", below, folder)
        elif match := BASE.match(base):
            tell(f"debootstrap {match[1]}")
            # It mounts things, which must not outlive it in a folder to be deleted.
            run(*namespaces(), "debootstrap", "--variant=minbase", match[1], folder)
            run("chroot", folder, "apt-get", "clean")
            for name, content in HABITS.items():
                (folder / name).write_text(content)
        else:
            raise ValueError(f"No way to make {base} without a container engine.")

    def _take_steps(self, folder: Path, stage: Stage) -> None:
        chain = self._file.chain(stage, self._arguments)
        work_dir = "/"
        environment = {"PATH": DEFAULT_PATH}
        for below in chain[:-1]:
            for step in below.all("ENV"):
                environment |= _assigned(step, environment)
        steps: dict[str, Callable[[Instruction], None]] = {
            "RUN": lambda step: self._run(folder, step, work_dir, environment),
            "COPY": lambda step: self._copy(folder, step, work_dir),
        }
        for step in stage.instructions:
            if step.name == "ENV":
                environment |= _assigned(step, environment)
            elif step.name == "WORKDIR":
                work_dir = step.text
                (folder / work_dir.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif take := steps.get(step.name):
                tell(f"{step.name} {step.text[:100]}")
                take(step)

    def _run(
        self,
        folder: Path,
        step: Instruction,
        work_dir: str,
        environment: dict[str, str],
    ) -> None:
        certificates = folder / CERTIFICATES_INSIDE
        handed_on = _handed_on(certificates)
        try:
            run(
                *namespaces(),
                *["sh", "-euc"],
                'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; '
                'exec chroot "$1" /bin/sh -c "cd $2; $3"',
                *["sh", folder, work_dir, step.text],
                env=environment | handed_on,
            )
        finally:
            certificates.unlink(missing_ok=True)

    def _copy(self, folder: Path, step: Instruction, work_dir: str) -> None:
        *sources, target = step.words
        into = folder / str(Path(work_dir) / target).lstrip("/")
        if stage := step.flags.get("from"):
            [source] = sources
            from_root = self.build(self._file.stage(stage)) / source.lstrip("/")
            shutil.copytree(from_root, into, symlinks=True)
            return
        for source in sources:
            files = [
                file
                for file in self._context.files()
                if file == source or file.startswith(f"{source}/")
            ]
            if not files:
                raise FileNotFoundError(f"COPY finds nothing to copy: {source}")
            for file in files:
                below = file.removeprefix(source).lstrip("/")
                is_folder = target.endswith("/")
                to = into / Path(file).name if is_folder and not below else into / below
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._context.root / file, to)
                to.chmod(int(step.flags.get("chmod", "644"), 8))


def _assigned(step: Instruction, environment: dict[str, str]) -> dict[str, str]:
    return {
        name: substituted(value, environment)
        for name, value in step.assignments.items()
    }


def _handed_on(certificates: Path) -> dict[str, str]:
    """Return what a RUN gets of this machine's way to its registries."""
    names = [name for name in (*HANDED_ON, *HANDED_ON_TO_PIP) if name in os.environ]
    handed_on = {name: os.environ[name] for name in names}
    own = [os.environ[name] for name in CERTIFICATES if os.environ.get(name)]
    if own:
        shutil.copyfile(own[0], certificates)
        handed_on |= dict.fromkeys(CERTIFICATES, f"/{CERTIFICATES_INSIDE}")
    return handed_on


def namespaces(*further: str) -> list[str]:
    """Return the command that runs another in namespaces that end with it."""
    own = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    return ["unshare", *own, *further, "--"]


def run(*command: object, env: dict[str, str] | None = None) -> None:
    """Run the command in silence; tell what it said when it fails."""
    words = list(map(str, command))
    answer = subprocess.run(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if answer.returncode != 0:
        sys.stderr.write(answer.stdout[-4000:])
        raise SystemExit(f"Failed with {answer.returncode}: {' '.join(words)[:300]}")


def tell(line: str) -> None:
    """Say what comes next, and when."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def size_mb(folder: Path) -> int:
    """Return what the folder's files take, those of other mounts left out."""
    answer = subprocess.check_output(["du", "-sxm", folder], text=True)
    return int(answer.split()[0])


def programs_of(folder: Path, names: list[str]) -> list[str]:
    """Return those of the programs that the root has."""
    places = [folder / "usr" / "bin", folder / "opt" / "venv" / "bin"]
    return [name for name in names if any((place / name).exists() for place in places)]
