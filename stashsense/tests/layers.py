"""Where every module stands: layers from the bottom up, read by test_layering.py.

A module stands where the longest name says that it or its package begins with. The
top of a package with several layers stands for itself alone, so that a new module in it
has no place until somebody gives it one.
"""

LAYERS: dict[str, tuple[str, ...]] = {
    # The project: what knows nothing but the standard library and a framework ...
    "foundations": (
        "stashsense",
        *[
            f"stashsense.{name}"
            for name in (
                "cgroups", "cores", "data_folder", "engines", "engines_used", "env",
                "exceptions", "files", "heartbeats", "hosts", "keys", "memory",
                "nonces", "processes", "proxies", "read_only_admin", "schedules",
                "stopping", "terminal", "turns", "zips",
            )
        ],
        "stashsense.observability",
    ),
    # ... and what the apps stand on. `api` is in two layers: front doors come last.
    "project": (
        *[
            f"stashsense.{name}"
            for name in (
                "admin", "api", "apps", "audit", "audit_admin", "container",
                "downloads", "integrations", "management", "migrations", "models",
                "preferences", "serve", "settings", "slices", "supervisor",
                "web_worker", "wsgi",
            )
        ],
        "stashsense.observability.middleware",
    ),
    # Releases.
    "published and unpacked": (
        "dbupdates",
        *[
            f"dbupdates.{name}"
            for name in (
                "archive", "contents", "exceptions", "feed", "index_check", "manifest",
                "prepared", "progress", "signals", "trial_load", "versions",
            )
        ],
    ),
    "rows of releases": (
        "dbupdates.migrations",
        "dbupdates.models",
        "dbupdates.store",
    ),
    "services of releases": tuple(
        f"dbupdates.{name}"
        for name in (
            "adoption", "download", "execution", "liveness", "provision", "published",
            "reconcile", "runs", "schedule", "services", "swap", "updates",
        )
    ),
    "entrances of releases": (
        *[
            f"dbupdates.{name}"
            for name in ("admin", "api", "apps", "management", "tasks")
        ],
    ),
    # Recognition.
    "arithmetic": (
        "recognition",
        "recognition.exceptions",
        "recognition.numeric",
        "recognition.signals",
    ),
    "runtime": ("recognition.runtime",),
    "rows of recognition": ("recognition.migrations", "recognition.models"),
    "what a process serves": tuple(
        f"recognition.{name}"
        for name in (
            "capabilities", "fetching", "hardware", "inference_queue", "loading",
            "local_files",
            "local_following", "model_files", "preferences", "registry", "reporting",
            "serving", "signal_files", "usage", "video_libraries", "watching",
        )
    ),
    "services of recognition": tuple(
        f"recognition.{name}"
        for name in (
            "annotation", "attempts", "calibrations", "correction_binding",
            "correction_identities", "correction_learning", "corrections", "covers",
            "enqueued_scenes", "evaluation_crops", "evaluation_matching",
            "evaluation_plots", "evaluation_report", "evaluation_texts",
            "evaluation_truth", "evaluations", "evidence", "fingerprints", "galleries",
            "group_corrections", "jobs", "library_evaluation", "library_identification",
            "library_rematching", "library_runs", "library_slices", "library_status",
            "local_faces", "local_learning", "local_performers", "local_status",
            "local_sync", "model_downloads", "model_fetching", "people_crops",
            "people_grouping", "people_groups", "people_members", "pictures",
            "recognised", "recognition_service", "rematching", "scene_frames", "scenes",
            "services", "slice_at_work", "stash_images",
        )
    ),
    "entrances of recognition": tuple(
        f"recognition.{name}"
        for name in ("admin", "api", "apps", "management", "receivers", "tasks")
    ),
    # What to tidy.
    "arithmetic of recommendations": (
        "recommendations",
        *[
            f"recommendations.{name}"
            for name in (
                "causes", "compound", "diffing", "duplicate_candidates", "exceptions",
                "field_maps", "items", "link_evidence", "marks", "phash_pairs",
                "phashes", "predecessor_mapping", "predecessor_reader",
                "predecessor_report", "scene_diffing", "scene_matching", "scoring",
            )
        ],
    ),
    "rows of recommendations": tuple(
        f"recommendations.{name}"
        for name in ("listing", "migrations", "models", "preferences", "snapshots")
    ),
    "analyzers": tuple(
        f"recommendations.{name}"
        for name in (
            "analyzers", "box_performers", "endpoints", "field_switches", "findings",
        )
    ),
    "services of recommendations": tuple(
        f"recommendations.{name}"
        for name in (
            "decisions", "execution", "history", "other_runs", "predecessor",
            "predecessor_findings", "predecessor_settings", "run_types", "runs",
            "schedules", "stash_actions",
        )
    ),
    "entrances of recommendations": tuple(
        f"recommendations.{name}"
        for name in ("admin", "api", "apps", "management", "tasks")
    ),
    # Everything put together.
    "front doors": (
        *[
            f"stashsense.api.{name}"
            for name in ("health", "home", "metrics", "status", "system")
        ],
        "stashsense.urls",
        "gunicorn.conf",
        "manage",
    ),
    "demo": ("demo",),
    "benchmarks": ("benchmarks",),
    "documentation": ("handbook",),
    # These stand alone: the plugin at Stash's, the scripts before there are packages.
    "plugin": ("plugin",),
    "scripts": ("scripts",),
}  # fmt: skip

# Packages whose modules have their places one by one.
SPREAD = ("stashsense", "dbupdates", "recognition", "recommendations")


def layer_of(module: str) -> str | None:
    """Return the name of the module's layer; None where nobody has placed it."""
    best, layer = "", None
    for name, places in LAYERS.items():
        for place in places:
            is_within = place not in SPREAD and module.startswith(f"{place}.")
            if (module == place or is_within) and len(place) > len(best):
                best, layer = place, name
    return layer
