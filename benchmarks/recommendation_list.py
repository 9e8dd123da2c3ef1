"""How long lists and counts of a long list of recommendations take.

    python -m benchmarks.recommendation_list [--quick]

200,000 recommendations (20,000 with --quick) of eight types, each with details of about
a kilobyte and a half, as an upstream change of six fields has. They are asked for
through the whole of the service's routing, authentication and rendering, in this
process: the first page and the last, by every combination of the filters. The figure of
each is the median of seven; the slowest of all has the goal.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from typing import Any

from benchmarks.cache import cache_dir
from benchmarks.figures import Figure, argument_parser, print_figures, print_machine

GOAL_MS = 100.0
ROWS, QUICK_ROWS = 200_000, 20_000
REPEATS = 7
PAGE = 100
_CHUNK = 5000
# Types with what they are about, and of how many parts in a hundred they are.
_TYPES = {
    "duplicate_performer": ("performer", 5),
    "duplicate_scene_files": ("scene", 10),
    "duplicate_scenes": ("scene", 30),
    "upstream_performer_changes": ("performer", 20),
    "upstream_tag_changes": ("tag", 5),
    "upstream_studio_changes": ("studio", 5),
    "upstream_scene_changes": ("scene", 20),
    "scene_fingerprint_match": ("scene", 5),
}
_STATUSES = {"pending": 60, "dismissed": 10, "resolved": 30}


def store(count: int) -> None:
    """Store made recommendations."""
    from recommendations.models import Recommendation

    rng = random.Random(5)
    types = [*_TYPES]
    type_weights = [weight for _, weight in _TYPES.values()]
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        drawn = rng.choices(types, type_weights, k=size)
        statuses = rng.choices([*_STATUSES], [*_STATUSES.values()], k=size)
        Recommendation.objects.bulk_create(
            Recommendation(
                type=type,
                status=status,
                target_type=_TYPES[type][0],
                target_id=str(start + number),
                details=_details(start + number),
                confidence=1.0,
            )
            for number, (type, status) in enumerate(zip(drawn, statuses, strict=True))
        )


def _details(number: int) -> dict[str, Any]:
    return {
        "endpoint": "https://stashdb.org/graphql",
        "performer_id": number,
        "changes": [
            {
                "field": f"field_{field}",
                "field_label": f"Field {field}",
                "local_value": "as it is in the library " * 3,
                "upstream_value": "as it is upstream now " * 3,
                "previous_upstream_value": None,
                "merge_type": "simple",
            }
            for field in range(6)
        ],
    }


def median_ms(ask: Callable[[], Any]) -> float:
    """Return the milliseconds that asking takes, of several times the middle one."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def measure() -> list[Figure]:
    """Return how long each question takes."""
    from django.test import Client

    client = Client()

    def ask(path: str, **query: str | int) -> Any:
        response = client.get(path, query)
        assert response.status_code == 200, response.content
        return response.json()

    counts_ms = median_ms(lambda: ask("/recommendations/counts"))
    pages: dict[str, float] = {}
    filters = product(("", "pending"), ("", "duplicate_scenes"), ("", "scene"))
    for status, type, target_type in filters:
        wanted = {"status": status, "type": type, "target_type": target_type}
        name = "_and_".join(name for name, value in wanted.items() if value) or "all"
        total = ask("/recommendations", limit=1, **wanted)["total"]
        last = max(0, total - PAGE)
        for place, offset in (("first", 0), ("last", last)):
            pages[f"{name}_{place}_page"] = median_ms(
                lambda offset=offset, wanted=wanted: ask(  # type: ignore[misc]
                    "/recommendations", limit=PAGE, offset=offset, **wanted
                )
            )
    return [
        *(Figure(name, taken, "ms") for name, taken in pages.items()),
        Figure("slowest_page", max(pages.values()), "ms", goal=GOAL_MS),
        Figure("counts", counts_ms, "ms", goal=GOAL_MS),
    ]


def main() -> int:
    is_quick = argument_parser(__doc__ or "").parse_args().quick
    with tempfile.TemporaryDirectory(prefix="recommendations-", dir=cache_dir()) as dir:
        os.environ |= {
            "DATA_DIR": dir,
            "LOG_LEVEL": "warning",
            "STASH_SENSE_AUTH": "off",
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        print_machine()
        store(QUICK_ROWS if is_quick else ROWS)
        figures = measure()
    return print_figures(figures)


if __name__ == "__main__":
    sys.exit(main())
