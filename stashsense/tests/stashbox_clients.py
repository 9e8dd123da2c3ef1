"""Clients of a stand-in stash-box that wait for nothing that tests are not about."""

from stashsense.integrations.graphql_http import Patience
from stashsense.integrations.shared_rate_limiter import SharedRateLimiter
from stashsense.integrations.stashbox import StashBoxClient

# Repeats without lingering; the time-outs are far above what a busy machine needs.
QUICK = Patience(
    connect_seconds=10, stall_seconds=10, answer_seconds=20, first_delay_seconds=0.01
)


def client_of(server, limit_path, *, patience=QUICK, api_key=None, rate=60_000):
    return StashBoxClient(
        server.endpoint,
        server.api_key if api_key is None else api_key,
        limiter=SharedRateLimiter(limit_path, rate),
        patience=patience,
        name="Box",
    )
