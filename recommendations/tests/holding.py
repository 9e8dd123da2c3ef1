"""A run that some process holds."""

import socket
from datetime import timedelta

from django.utils import timezone


def hold_by(run, pid):
    now = timezone.now()
    run.refresh_from_db()
    run.rows_in_progress.update(
        host=socket.gethostname(),
        pid=pid,
        heartbeat_at=now,
        held_until=now + timedelta(minutes=1),
    )
    run.refresh_from_db()
