"""Does the image for machines without a GPU work? Tried without a container engine.

    scripts/check_image [--keep FOLDER]

Takes the Dockerfile's steps in a fresh Debian (`image_build`), then does what an engine
would do with the result: read-only root, few capabilities, a network of its own, the
entry point, the health check, a signal. It ends with what was measured, a line each.

A machine that cannot do it says why and is done; with STASH_SENSE_REQUIRE_IMAGE that is
a failure.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stashsense.data_folder import ROOT
from stashsense.tests.dockerfile import Dockerfile, Stage, read_dockerfile
from stashsense.tests.image_build import (
    DEFAULT_PATH,
    Builder,
    namespaces,
    programs_of,
    size_mb,
    tell,
)

HEALTHY_BOUND_SECONDS = 180
STOP_BOUND_SECONDS = 10
POLL_SECONDS = 0.5
TOOLS = ["debootstrap", "unshare", "nsenter", "chroot"]
# docker-compose.yml gives no others.
CAPABILITIES = ["chown", "dac_override", "setgid", "setuid"]
NOT_IN_IT = ["gcc", "cc", "c++", "make", "pip", "pip3", "git"]
# Each of them loads libraries of the system, or brings its own.
IMPORTS = "import av, cv2, insightface, matplotlib, onnxruntime, scipy, voyager; " + (
    "import mediapipe.tasks.python.vision; print(onnxruntime.get_available_providers())"
)
# A network with nothing but itself.
START = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o size=1g tmpfs "$1/tmp"
mount --bind "$2" "$1/data"
root=$1 work_dir=$3
shift 3
exec chroot "$root" sh -c 'cd "$0"; exec "$@"' "$work_dir" "$@"
"""
LOOPBACK_UP = """
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
flags = struct.pack("16sh", b"lo", IFF_UP | IFF_RUNNING)
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), SIOCSIFFLAGS, flags)
"""


def reason_to_skip() -> str | None:
    """Return why this machine cannot do it, if so."""
    if not sys.platform.startswith("linux"):
        return "it takes Linux's namespaces"
    if os.geteuid() != 0:
        return "it takes root, for chroot and mounts"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"it takes {', '.join(lacking)} (Debian: debootstrap, util-linux)"
    if subprocess.run([*namespaces("--net"), "true"], capture_output=True).returncode:
        return "namespaces are not allowed here"
    return None


class Container:
    """The image's entry point at work, as an engine would have it."""

    def __init__(self, root: Path, data: Path, stage: Stage, env: dict[str, str]):
        self._root, self._env = root, env
        self._work_dir = stage.only("WORKDIR").text
        only = ",".join(["-all", *(f"+{name}" for name in CAPABILITIES)])
        bound = [f"--bounding-set={only}", "--inh-caps=-all", "--no-new-privs"]
        entry = stage.only("ENTRYPOINT").words
        self._unshare = subprocess.Popen(
            [
                *namespaces("--net", "--ipc", "--uts"),
                *["sh", "-euc", f'"$0" -c "$1"; shift;{START}'],
                *[sys.executable, LOOPBACK_UP, str(root), str(data), self._work_dir],
                *["setpriv", *bound, *entry],
            ],
            env=env,
        )
        self.pid = self._first_child()

    def _first_child(self) -> int:
        pid = self._unshare.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        deadline = time.monotonic() + STOP_BOUND_SECONDS
        while not (found := children.read_text().split()):
            if time.monotonic() > deadline:
                raise SystemExit("The container's first process did not start.")
            time.sleep(POLL_SECONDS / 10)
        return int(found[0])

    def execute(self, *command: str, timeout_seconds: float = 300) -> str | None:
        """Return what the command printed in there, or None when it failed."""
        inside = ["nsenter", f"--target={self.pid}", "--all", "chroot", str(self._root)]
        answer = subprocess.run(
            [*inside, "sh", "-c", 'cd "$0"; exec "$@"', self._work_dir, *command],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
        )
        if answer.returncode == 0:
            return answer.stdout
        self.last_error = answer.stderr
        return None

    def required(self, *command: str) -> str:
        output = self.execute(*command)
        if output is None:
            raise SystemExit(f"Failed inside: {command}\n{self.last_error[-3000:]}")
        return output

    def users(self) -> set[tuple[str, ...]]:
        """Return user, group and capabilities of every process in there."""
        own = Path(f"/proc/{self.pid}/ns/pid").readlink()
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "ns" / "pid").readlink() == own:
                    found.add(_owner((folder / "status").read_text()))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def stop(self) -> tuple[int, float]:
        """Return the exit status after a stop signal, and how long it took."""
        began = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        status = self._unshare.wait(timeout=3 * STOP_BOUND_SECONDS)
        return status, time.monotonic() - began

    def kill(self) -> None:
        self._unshare.kill()
        self._unshare.wait()


def _owner(status: str) -> tuple[str, ...]:
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    user, group = fields["Uid"].split()[1], fields["Gid"].split()[1]
    return user, group, fields["CapEff"].strip("0")


def check(work: Path, file: Dockerfile) -> dict[str, object]:
    """Return what was measured; raises SystemExit at the first thing that is wrong."""
    began = time.monotonic()
    stage = file.stages[-1]
    root = Builder(work, ROOT, file, VARIANT="cpu").build(stage)
    measured: dict[str, object] = {
        "build_seconds": round(time.monotonic() - began),
        "image_mb": size_mb(root),
        "packages_mb": size_mb(root / "opt" / "venv"),
    }
    require(programs_of(root, NOT_IN_IT) == [], "tools of the build are left")
    require(not list((root / "app").rglob("tests")), "tests are in the image")
    environment = file.environment(stage, {"VARIANT": "cpu"})
    environment["PATH"] = environment["PATH"].replace("$PATH", DEFAULT_PATH)
    data = work / "data"
    data.mkdir()
    # As another user left it, so that it has to be taken over.
    (data / "staging").mkdir(mode=0o700)
    (data / "staging" / "left").touch()
    tell("start")
    container = Container(root, data, stage, environment)
    try:
        measured |= _observe(container, stage, data, environment)
    finally:
        container.kill()
    return measured


def _observe(
    container: Container, stage: Stage, data: Path, environment: dict[str, str]
) -> dict[str, object]:
    began = time.monotonic()
    probe = stage.only("HEALTHCHECK").text.partition("CMD ")[2]
    while container.execute(*json.loads(probe)) is None:
        require(time.monotonic() - began < HEALTHY_BOUND_SECONDS, "not healthy in time")
        time.sleep(POLL_SECONDS)
    healthy_seconds = time.monotonic() - began

    port = environment["PORT"]
    answer = container.required("curl", "-fsS", f"http://127.0.0.1:{port}/health")
    health = json.loads(answer)
    require(
        health["database_loaded"] or health["is_loading"], f"serves nothing: {health}"
    )
    user, group = environment["PUID"], environment["PGID"]
    require(container.users() == {(user, group, "")}, f"runs as {container.users()}")
    owned = {
        (path.stat().st_uid, path.stat().st_gid) for path in [data, *data.rglob("*")]
    }
    require(owned == {(int(user), int(group))}, f"the data folder is owned by {owned}")
    require(container.execute("touch", "/app/new") is None, "the root can be written")
    providers = container.required("python", "-c", IMPORTS).strip()
    require("CPUExecutionProvider" in providers, providers)
    named = container.required("manage", "identify", "/data/demo-pictures")
    require("%" in named or "distance" in named.lower(), f"nobody named: {named[:500]}")

    tell("stop")
    status, stop_seconds = container.stop()
    require(status == 0, f"exit status {status}")
    require(stop_seconds <= STOP_BOUND_SECONDS, f"stopped after {stop_seconds:.1f} s")
    return {
        "healthy_seconds": round(healthy_seconds, 1),
        "stop_seconds": round(stop_seconds, 1),
        "health": answer.strip(),
        "providers": providers,
    }


def require(is_so: bool, complaint: str) -> None:
    if not is_so:
        raise SystemExit(f"The image is not right: {complaint}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/check_image")
    parser.add_argument("--keep", type=Path, help="folder to build in, and to leave")
    options = parser.parse_args()
    if reason := reason_to_skip():
        # Not by `env`, which takes packages that need not be installed here.
        is_required = os.environ.get("STASH_SENSE_REQUIRE_IMAGE", "").lower() in {
            "1", "true", "yes", "on",
        }  # fmt: skip
        tell(f"{'Not checked' if is_required else 'Skipped'}: {reason}.")
        return 1 if is_required else 0
    file = read_dockerfile(ROOT / "Dockerfile")
    if options.keep:
        options.keep.mkdir(parents=True)
        measured = check(options.keep.absolute(), file)
    else:
        with tempfile.TemporaryDirectory(prefix="stash-sense-image-") as folder:
            measured = check(Path(folder), file)
    for name, value in measured.items():
        sys.stdout.write(f"{name} = {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
