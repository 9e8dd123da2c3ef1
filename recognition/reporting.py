"""The row in which this process says what it serves, for updates and for people."""

import os
import socket
from datetime import datetime, timedelta

import psutil
from django.utils import timezone

from recognition.models import ServingProcess, ServingProcessQuerySet
from recognition.serving import RegistryState
from stashsense.memory import available_memory_bytes

FORGET_AFTER = timedelta(hours=1)


def write_row(
    state: RegistryState, *, has_unloaded_first: bool, started_at: datetime
) -> None:
    """Write what this process serves, and that it lives."""
    followed, plan = state.followed, state.plan
    ServingProcess.objects.update_or_create(
        host=socket.gethostname(),
        pid=os.getpid(),
        defaults={
            "release_version": followed.version if followed else "",
            "network_set": followed.network_set if followed else "",
            "is_unloaded": state.unloaded is not None,
            "is_loading": state.is_loading,
            "fetched_percent": state.fetched_percent,
            "failed_version": state.failed_version,
            "problem": state.failure.message if state.failure else "",
            "has_unloaded_first": has_unloaded_first,
            "device": plan.device if plan else "",
            "execution_provider": plan.provider if plan else "",
            "device_reason": plan.reason if plan else "",
            "memory_bytes": psutil.Process().memory_info().rss,
            "available_memory_bytes": available_memory_bytes(),
            "started_at": started_at,
            "heartbeat_at": timezone.now(),
        },
    )


def remove_row() -> None:
    """Take this process out of those that serve."""
    _own_row().delete()


def forget_the_dead() -> None:
    """Remove rows of processes that ended without doing so.

    Of this machine those that are no more; of others, such as containers that were made
    anew, those not heard of for long. One that lives writes its row again.
    """
    long_ago = timezone.now() - FORGET_AFTER
    ServingProcess.objects.filter(heartbeat_at__lt=long_ago).delete()
    rows = ServingProcess.objects.filter(host=socket.gethostname())
    dead = [
        pid for pid in rows.values_list("pid", flat=True) if not psutil.pid_exists(pid)
    ]
    rows.filter(pid__in=dead).delete()


def _own_row() -> ServingProcessQuerySet:
    return ServingProcess.objects.filter(host=socket.gethostname(), pid=os.getpid())
