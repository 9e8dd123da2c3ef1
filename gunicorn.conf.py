"""How gunicorn serves: one process with many threads, each with its own registry."""

import os
import shutil
from typing import TYPE_CHECKING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stashsense.settings")

from stashsense import processes, settings

# Where workers write what they count; the library looks for it when it is imported.
_counts_dir = settings.DATA_DIR / "metrics"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts_dir)

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
# Threads, and a bound on how long one waits for a request to come in.
worker_class = "stashsense.web_worker.PatientWorker"
# Sessions of ONNX Runtime opened before the fork would run with one thread only.
preload_app = False

_host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
bind = f"{_host}:{settings.PORT}"

# Proxies are heard by `stashsense.proxies` alone, which knows whom to believe.
forwarded_allow_ips = ""

# A worker whose main thread is silent for this long is replaced. It only waits for
# sockets, so that means that a thread kept Python to itself.
timeout = 60
# Requests that run at a stop may finish; `supervisord.conf` waits a little longer.
graceful_timeout = 5
# The heartbeat file's disk may be busy with a release.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
control_socket_disable = True
accesslog = None
errorlog = "-"
logconfig_dict = settings.LOGGING

# The longest of our addresses is one that holds another, of a picture.
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190


def on_starting(server: "Arbiter") -> None:
    """Leave with supervisord, even when that is killed; count from nothing."""
    processes.end_with_parent()
    shutil.rmtree(_counts_dir, ignore_errors=True)
    _counts_dir.mkdir(parents=True)


def post_worker_init(worker: "Worker") -> None:
    """Begin to load what is served; requests are answered meanwhile."""
    from recognition import registry
    from recognition.runtime.memory import set_up_allocator
    from stashsense.api.authentication import api_key
    from stashsense.api.health import operating_warnings

    set_up_allocator()
    # Made now, so that whoever sets up a client finds it in the data folder.
    api_key()
    for warning in operating_warnings():
        worker.log.warning(warning)
    registry.start()


def worker_exit(server: "Arbiter", worker: "Worker") -> None:
    """Say of jobs that they were interrupted, and that this process serves no more."""
    from recognition import jobs, registry

    jobs.stop()
    registry.stop()


def child_exit(server: "Arbiter", worker: "Worker") -> None:
    """Take what a worker had in progress out of what is told."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
