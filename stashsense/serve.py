"""Run the service: prepare its data folder, start its processes, end them all.

    python -m stashsense.serve [--host ADDRESS] [--port PORT] [--data-dir FOLDER] ...

`scripts/serve` comes here once the packages are installed; a container comes here
directly. This process imports nothing heavy: it stays while the service runs.
"""

import argparse
import contextlib
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import IO, NoReturn

import psutil

from stashsense import __version__, data_folder, keys, processes
from stashsense.data_folder import ROOT, DataFolderUnusable

# supervisord gives its programs 7 s (supervisord.conf); Docker kills after 10.
STOP_SECONDS = 8.5
# A worker imports for about 2 s; a Raspberry Pi with a cold disk needs far longer.
READY_SECONDS = 90
READY_POLL_SECONDS = 0.05
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DESCRIPTORS = "/proc/self/fd"
DEFAULT_HOST = "0.0.0.0"
DEFAULT_PORT = 5000
DEMO_STASH_PORT = 9998
# The programs of supervisord.conf that `--only` chooses from.
WEB, CLUSTER = "web", "cluster"
# What names of settings begin with that may be given as files.
OURS = ("STASH_", "RECOGNITION_", "DATABASE_", "REDIS_")
# The user is there then; the programs that go on running have no use for it.
PASSWORD = "STASH_SENSE_ADMIN_PASSWORD"
PASSWORD_FILE = f"{PASSWORD}_FILE"


class CannotServe(Exception):
    """The service did not start or did not go on; the message says why in a line."""


class Stopped(Exception):
    """A signal asked for the end."""


class OneLineParser(argparse.ArgumentParser):
    """Refuses an argument with one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message} (--help lists the options)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; return the exit status."""
    started = time.monotonic()
    data_folder.write_for_owner_only()
    for number in STOP_SIGNALS:
        signal.signal(number, _stop)
    try:
        # Blocked by whoever replaced itself by this process, so that none was lost.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        options = _parser().parse_args(arguments)
        _set_environment(options)
        if options.only != CLUSTER:
            _require_port(options.host, options.port)
        if options.demo_stash is not None:
            _require_demo_stash(options)
        with data_folder.held(options.data_dir):
            data_folder.close_to_others(options.data_dir)
            if options.demo_stash is not None:
                _connect_demo_stash(options.data_dir, options.demo_stash)
            _require_settings()
            _prepare(options.data_dir, without_demo=options.no_demo)
            _forget_password()
            _serve(options, started)
    except Stopped:
        return 0
    except (CannotServe, DataFolderUnusable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def hide_password() -> None:
    """Begin this program anew if what it was given shows the password of `admin`.

    For as long as a process lives, /proc tells what it was started with. Anew it has a
    file without a name in place of the variable, until all is prepared.
    """
    password = os.environ.get(PASSWORD, "").strip()
    # Both are an error that is told later; elsewhere than on Linux there is no /proc.
    if not password or os.environ.get(PASSWORD_FILE) or sys.platform != "linux":
        return
    descriptor = os.memfd_create("password", 0)
    os.write(descriptor, os.fsencode(password))
    del os.environ[PASSWORD]
    os.environ[PASSWORD_FILE] = f"{_DESCRIPTORS}/{descriptor}"
    # Until there is a handler again. Locks are taken later, and the pid stays.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _password_descriptors() -> list[int]:
    folder, _, number = os.environ.get(PASSWORD_FILE, "").rpartition("/")
    return [int(number)] if folder == _DESCRIPTORS else []


def _forget_password() -> None:
    for descriptor in _password_descriptors():
        os.close(descriptor)
    for name in (PASSWORD, PASSWORD_FILE):
        os.environ.pop(name, None)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="scripts/serve",
        description="Set up whatever is missing and run Stash Sense on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("STASH_SENSE_HOST") or DEFAULT_HOST,
        help="address to listen on; 127.0.0.1 keeps other machines out (%(default)s)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("PORT") or DEFAULT_PORT,
        help="port to listen on (%(default)s)",
    )
    parser.add_argument(
        "--data-dir",
        type=_folder,
        default=os.environ.get("DATA_DIR") or ROOT / "data",
        metavar="FOLDER",
        help="where releases, networks and the database are kept (%(default)s)",
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="do not install the demo world"
    )
    parser.add_argument(
        "--demo-stash",
        nargs="?",
        type=_port,
        const=DEMO_STASH_PORT,
        metavar="PORT",
        help="run a stand-in Stash of drawn people beside the service, for this "
        f"machine only, and use it in place of a real one (port {DEMO_STASH_PORT})",
    )
    parser.add_argument(
        "--only",
        choices=[WEB, CLUSTER],
        help="run the web server or the background tasks alone, the other one being "
        "on another machine with the same database (both)",
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _port(value: str) -> int:
    if value.isdecimal() and 1 <= int(value) <= 65535:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value} is no port between 1 and 65535")


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _set_environment(options: argparse.Namespace) -> None:
    """Hand the options to the processes to come, which run in the project's folder."""
    for name, value in os.environ.items():
        if name.startswith(OURS) and name.endswith("_FILE") and value:
            os.environ[name] = str(_folder(value))
    os.environ |= {
        "DATA_DIR": str(options.data_dir),
        "STASH_SENSE_HOST": options.host,
        "PORT": str(options.port),
        "STASH_SENSE_PYTHON": sys.executable,
        # By these two metrics tell whose memory is whose.
        "STASH_SENSE_SERVING_PID": str(os.getpid()),
        "STASH_SENSE_PROGRAM": "supervisor",
        "STASH_SENSE_WEB": str(options.only != CLUSTER).lower(),
        "STASH_SENSE_CLUSTER": str(options.only != WEB).lower(),
        "STASH_SENSE_DEMO_STASH": str(options.demo_stash is not None).lower(),
        "PYTHONUNBUFFERED": "1",
    }
    os.chdir(ROOT)


def _require_port(host: str, port: int, *, option: str = "--port") -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            # Only this finds a listener that set SO_REUSEADDR as well.
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotServe(
                    f"Port {port} is in use by another program: "
                    f"end that one, or choose another with {option}."
                ) from None
            raise CannotServe(
                f"Cannot listen on {host} port {port}: {error.strerror}."
            ) from None


def _require_demo_stash(options: argparse.Namespace) -> None:
    for name in ("STASH_URL", "STASH_API_KEY", "STASH_API_KEY_FILE"):
        if os.environ.get(name, "").strip():
            raise CannotServe(
                f"{name} is set, and --demo-stash is for those without a Stash: "
                f"leave out the option, or unset {name}."
            )
    if options.demo_stash == options.port:
        raise CannotServe(
            f"The service and the stand-in Stash cannot both listen on port "
            f"{options.port}: give another one, as in --demo-stash {options.port + 1}."
        )
    _require_port("127.0.0.1", options.demo_stash, option="--demo-stash PORT")


def _connect_demo_stash(data_dir: Path, port: int) -> None:
    """Have the processes to come find the stand-in as they would find a real Stash."""
    os.environ |= {
        "STASH_URL": _demo_stash_url(port),
        # Not on its command line, where every user of the machine could read it.
        "STASH_API_KEY": keys.read_or_create(data_dir / "demo_stash_key"),
    }


def _demo_stash_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _require_settings() -> None:
    # Imported only now: it reads the environment, and makes a key in the data folder.
    from django.core.exceptions import ImproperlyConfigured

    try:
        from stashsense import settings  # noqa: F401
    except ImproperlyConfigured as error:
        raise CannotServe(str(error)) from None


def _prepare(data_dir: Path, *, without_demo: bool) -> None:
    # Read the environment by now; what another host's database holds is not known here.
    from stashsense import engines, settings

    is_sqlite = settings.DATABASES["default"]["ENGINE"] == engines.SQLITE
    is_complete = without_demo or data_folder.has_release(data_dir)
    is_prepared = is_sqlite and is_complete and data_folder.is_prepared(data_dir)
    if is_prepared and data_folder.is_settled(data_dir):
        return
    command = [sys.executable, "manage.py", "prepare", *["--no-demo"] * without_demo]
    given = _password_descriptors()
    with _ended(_start(command, pass_fds=given)) as preparation:
        if preparation.wait() != 0:
            raise CannotServe("The data folder could not be prepared; see above.")


def _serve(options: argparse.Namespace, started: float) -> None:
    host, port = options.host, options.port
    processes.adopt_orphans()
    command = [sys.executable, "-m", "stashsense.supervisor"]
    with _ended(_start(command, stdout=subprocess.PIPE)) as supervisor:
        assert supervisor.stdout is not None
        threading.Thread(target=_relay, args=[supervisor.stdout], daemon=True).start()
        if options.only == CLUSTER:
            _say(f"Stash Sense {__version__} works in the background.")
        else:
            _wait_until_ready(supervisor, host, port)
            _say_where(host, port, time.monotonic() - started)
        if options.demo_stash is not None:
            _say(
                f"The stand-in Stash is at {_demo_stash_url(options.demo_stash)}/ once "
                "its library is drawn; its key is in demo_stash_key in the data folder."
            )
        _wait_for_exit(supervisor)
        raise CannotServe("The supervisor ended by itself; see above.")


def _start(
    command: list[str], *, stdout: int | None = None, pass_fds: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Start a process that gets no key presses and does not outlive this one."""
    return subprocess.Popen(
        command,
        stdout=stdout,
        stdin=subprocess.DEVNULL,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=processes.end_with_parent,
    )


@contextlib.contextmanager
def _ended(
    process: "subprocess.Popen[bytes]",
) -> Iterator["subprocess.Popen[bytes]"]:
    """End the process in order when the block is left, and then whatever it left."""
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        left = psutil.Process().children(recursive=True)
        for orphan in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                orphan.kill()
        psutil.wait_procs(left, timeout=1)


def _relay(log: IO[bytes]) -> None:
    """Pass the log on; supervisord cannot open a standard output that is a socket."""
    for line in log:
        # Whoever read it may be gone; the service goes on and must not block.
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def _wait_until_ready(
    supervisor: "subprocess.Popen[bytes]", host: str, port: int
) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_healthy(host, port):
        if supervisor.poll() is not None:
            raise CannotServe("The supervisor did not start; see above.")
        if time.monotonic() > deadline:
            raise CannotServe(
                f"The service did not answer within {READY_SECONDS} s; see above."
            )
        time.sleep(READY_POLL_SECONDS)


def _is_healthy(host: str, port: int) -> bool:
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(own, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say_where(host: str, port: int, seconds: float) -> None:
    if host in {"0.0.0.0", "::"}:
        hosts = ["127.0.0.1", *_network_address()]
    else:
        hosts = [f"[{host}]" if ":" in host else host]
    addresses = "".join(f"\n  http://{name}:{port}/" for name in hosts)
    _say(
        f"Stash Sense {__version__} is ready after {seconds:.1f} s:{addresses}\n"
        "Sign in as admin. Ctrl-C stops it."
    )


def _network_address() -> list[str]:
    """Return the address other machines reach this one at, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Chooses a route and sends nothing; the address is for documentation.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def _wait_for_exit(supervisor: "subprocess.Popen[bytes]") -> None:
    """Return when supervisord has ended, burying adopted processes meanwhile."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None or ended.si_pid == supervisor.pid:
            return
        os.waitpid(ended.si_pid, 0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _stop(number: int, frame: object) -> NoReturn:
    """Begin the end, once: it must not be interrupted by the next signal."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    hide_password()
    sys.exit(main())
