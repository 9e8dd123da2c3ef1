"""Moving over: what the predecessor's database holds that people would miss.

`predecessor_reader` reads it, `predecessor_mapping` says what a row means here,
`predecessor_settings` and `predecessor_findings` write, `predecessor_report` tells.
"""

from pathlib import Path

from django.db import transaction

from recommendations.predecessor_findings import (
    import_dismissals,
    import_recommendations,
    import_snapshots,
)
from recommendations.predecessor_mapping import shown
from recommendations.predecessor_reader import Source, opened
from recommendations.predecessor_report import Report, Untouched
from recommendations.predecessor_settings import (
    disabled_endpoints,
    import_endpoints,
    import_schedules,
    import_settings,
    import_switches,
)
from stashsense.preferences import values
from stashsense.turns import in_turn

# Tables that something of comes along.
_READ = {
    "dismissed_targets",
    "job_schedules",
    "recommendations",
    "schema_version",
    "upstream_field_config",
    "upstream_snapshots",
    "user_settings",
}
_FACES = "no new release can be matched with it; the library is looked at anew"
_WHY_NOT = {
    "analysis_runs": "what was done is not done again by knowing of it",
    "analysis_watermarks": "the first analysis here looks at everything once",
    "duplicate_candidates": "every analysis makes its own",
    "image_fingerprint_faces": _FACES,
    "image_fingerprints": _FACES,
    "job_queue": "what waits or failed there is asked for anew here",
    "recommendation_settings": "no page or route of the predecessor changes them",
    "scene_fingerprint_faces": _FACES,
    "scene_fingerprints": _FACES,
}
_UNKNOWN = "a table that is not known here"


def import_predecessor(path: Path) -> Report:
    """Bring along what is not here yet; all of it, or nothing where that fails.

    What is here is left as it is, so it can be done again. The predecessor's file is
    only read. Raises PredecessorUnreadable.
    """
    with opened(path) as source, in_turn():
        return _import(source)


def rehearse_import(path: Path) -> Report:
    """Return what importing would report; nothing is changed, here or there."""
    try:
        with opened(path) as source, in_turn():
            report = _import(source)
            transaction.set_rollback(True)
            return report
    finally:
        # Somebody may have asked meanwhile what a setting is.
        values.forget()


def _import(source: Source) -> Report:
    report = Report(version=source.version)
    import_settings(source, report)
    import_endpoints(source, report)
    import_switches(source, report)
    import_schedules(source, report)
    # Before the recommendations: one that is here was decided of here.
    import_dismissals(source, report)
    import_recommendations(
        source, report, disabled_endpoints=disabled_endpoints(source)
    )
    import_snapshots(source, report)
    for table in source.tables:
        if table not in _READ:
            why = _WHY_NOT.get(table, _UNKNOWN)
            report.untouched.append(Untouched(shown(table), source.count(table), why))
    return report
