"""One update as a process of the background does it, and what it took.

    python -m benchmarks.update_task FEED

works at an update to the newest release of the feed in the data folder of the
environment, and prints one line of JSON.
"""

import json
import os
import resource
import sys
import time

import django

_KIB = 1024


def main(feed_url: str) -> None:
    """Update, then say how long each phase took and how much memory."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stashsense.settings")
    os.environ["STASH_SENSE_RELEASE_FEED"] = feed_url
    django.setup()
    # What a process of the cluster has imported before the first task.
    import dbupdates.tasks
    from dbupdates.models import UpdateRun
    from dbupdates.runs import Asker
    from dbupdates.updates import request_update

    started = time.perf_counter()
    run = request_update(asker=Asker(UpdateRun.Asker.COMMAND))
    dbupdates.tasks.run_update(run.pk)
    seconds = time.perf_counter() - started
    run.refresh_from_db()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "phase": run.phase,
                "error": run.error,
                "phase_seconds": run.phase_seconds,
                "fetched_bytes": run.fetched_bytes,
                "peak_bytes": _peak(resource.RUSAGE_SELF),
                "trial_peak_bytes": _peak(resource.RUSAGE_CHILDREN),
            }
        )
    )


def _peak(whose: int) -> int:
    return resource.getrusage(whose).ru_maxrss * _KIB


if __name__ == "__main__":
    main(sys.argv[1])
