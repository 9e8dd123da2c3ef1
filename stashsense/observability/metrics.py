"""What processes count about requests, for Prometheus; /metrics tells it.

Every worker writes its counts into files of its own below PROMETHEUS_MULTIPROC_DIR,
which the library looks for when it is imported; whichever worker is asked adds them up.
"""

from prometheus_client import Counter, Gauge, Histogram

# From a look at a row to a scene that takes minutes on a processor.
_REQUEST_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)
_STAGE_BUCKETS = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)

REQUESTS = Counter(
    "stash_sense_requests",
    "Requests answered, by route, method, status and who asked.",
    ["route", "method", "status", "caller"],
)
REQUEST_SECONDS = Histogram(
    "stash_sense_request_seconds",
    "How long requests took.",
    ["route"],
    buckets=_REQUEST_BUCKETS,
)
STAGE_SECONDS = Histogram(
    "stash_sense_stage_seconds",
    "How long the stages of requests took.",
    ["stage"],
    buckets=_STAGE_BUCKETS,
)
FAILURES = Counter(
    "stash_sense_request_failures",
    "Requests answered with 400 or more, by the stage they failed in and the code.",
    ["stage", "code"],
)
IN_PROGRESS = Gauge(
    "stash_sense_requests_in_progress",
    "Requests that are answered now.",
    multiprocess_mode="livesum",
)
IDENTIFYING = Gauge(
    "stash_sense_identifying",
    "What is identified now, or waits for a place.",
    ["what"],
    multiprocess_mode="livesum",
)
REFUSED_CREDENTIALS = Counter(
    "stash_sense_refused_credentials",
    "Keys, signatures and sign-ins that were refused.",
    ["code"],
)
