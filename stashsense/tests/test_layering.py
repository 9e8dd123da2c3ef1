"""Who may import whom, read from the source without running it."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("stashsense", "recognition", "dbupdates", "recommendations", "demo", "plugin")
WEB = ("django", "rest_framework", "drf_spectacular", "django_q", "requests")
OUTSIDE_WORLD = (
    *WEB, "logging", "io", "os", "pathlib", "shutil", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time", "datetime", "random",
)  # fmt: skip
PURE_RECOMMENDATIONS = tuple(
    f"recommendations.{name}"
    for name in (
        "compound", "diffing", "duplicate_candidates", "field_maps", "items",
        "phash_pairs", "scene_diffing", "scoring",
    )
)  # fmt: skip
ENTRANCES = ("api", "admin", "tasks", "checks", "management")


@dataclass(frozen=True)
class Rule:
    """`who` and what lies in it imports none of `refused`, but for `allowed`."""

    who: str
    refused: tuple[str, ...]
    allowed: tuple[str, ...] = ()


def entrances_of(app):
    return tuple(f"{app}.{name}" for name in ENTRANCES)


RULES = [
    # The arithmetic: arrays in, arrays out.
    Rule("recognition.numeric", (*OUTSIDE_WORLD, *OURS), ("recognition.numeric",)),
    # Files and devices, but neither Django nor HTTP.
    Rule(
        "recognition.runtime",
        (*WEB, *OURS),
        (
            "recognition.numeric",
            "recognition.runtime",
            "recognition.exceptions",
            "dbupdates.prepared",
            "dbupdates.exceptions",
            "stashsense.cores",
            "stashsense.files",
            "stashsense.exceptions",
            "stashsense.observability",
        ),
    ),
    Rule("recognition.registry", entrances_of("recognition")),
    Rule("recognition.services", entrances_of("recognition")),
    *[
        Rule(f"recognition.{name}", entrances_of("recognition"))
        for name in ("model_files", "model_fetching", "model_downloads")
    ],
    Rule("dbupdates.services", entrances_of("dbupdates")),
    # Recognition hears of releases; releases know nothing of recognition.
    Rule(
        "recognition",
        ("dbupdates", "recommendations"),
        (
            "dbupdates.signals",
            "dbupdates.store",
            "dbupdates.prepared",
            "dbupdates.progress",
            "dbupdates.provision",
            "dbupdates.exceptions",
        ),
    ),
    Rule("dbupdates", ("recognition", "recommendations")),
    Rule("recommendations", ("recognition.runtime", "recognition.numeric")),
    # What to tidy is arithmetic, too: values in, values out.
    *[
        Rule(module, (*OUTSIDE_WORLD, *OURS), PURE_RECOMMENDATIONS)
        for module in PURE_RECOMMENDATIONS
    ],
    # Pure or Django-free modules of dbupdates.
    Rule("dbupdates.manifest", (*WEB, "os", "pathlib", "time", "logging")),
    Rule("dbupdates.versions", (*WEB, "os", "pathlib", "time", "logging")),
    Rule("dbupdates.prepared", WEB),
    # Fetching knows HTTP and files, and no rows.
    Rule("stashsense.downloads", ("django", "django_q", "rest_framework")),
    # The project knows no domain; only its routes and its front doors do.
    Rule("stashsense", OURS[1:], ()),
    Rule("stashsense.api", ("recognition.runtime", "recognition.numeric")),
    Rule("stashsense.files", (*WEB, *OURS), ("stashsense.files",)),
    Rule("stashsense.serve", ("rest_framework", "cv2", "numpy", "onnxruntime")),
    # The plugin runs at Stash's, alone with its Python; only HTTP is between the two.
    Rule("plugin", (*WEB, *OURS), ("plugin",)),
    *[Rule(app, ("plugin", "stash_sense")) for app in OURS if app != "plugin"],
    # The demo world stands on everything, nothing stands on it.
    *[Rule(app, ("demo", "benchmarks")) for app in OURS if app != "demo"],
    *[Rule(app, ("pytest", "selenium", "factory")) for app in OURS],
    # The training code is not part of the service.
    *[Rule(app, ("torch", "demo.training")) for app in OURS],
]
# /health and / tell of recognition, so they may know it.
EXEMPT = {
    "stashsense": ("stashsense.api",),
    "demo": ("demo.training",),
}
# What changes Stash, and where it may be imported: the last one keeps an audit.
WRITES = "stashsense.integrations.stash_writes"
WRITE_OPERATIONS = "stashsense.integrations.stash_write_operations"
WRITER = "recommendations.stash_actions"


def modules():
    """Yield the dotted name and path of every module that is not a test."""
    for app in OURS:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "tests" not in parts and path.name != "conftest.py":
                package = parts[:-1] if parts[-1] == "__init__" else parts
                yield ".".join(package), path


def imported_names(module, path):
    """Return every dotted name the module imports, at any depth of its code."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                base = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*base, *([origin] if origin else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def lies_in(name, scopes):
    return any(name == scope or name.startswith(f"{scope}.") for scope in scopes)


IMPORTS = {module: imported_names(module, path) for module, path in modules()}


def violations(rule):
    for module, names in IMPORTS.items():
        exempt = EXEMPT.get(rule.who, ())
        if not lies_in(module, [rule.who]) or lies_in(module, exempt):
            continue
        for name in sorted(names):
            if lies_in(name, rule.refused) and not lies_in(name, rule.allowed):
                yield f"{module} imports {name}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.who)
def test_imports_point_one_way(rule):
    assert list(violations(rule)) == []


@pytest.mark.parametrize(
    ("written_by", "allowed"), [(WRITES, WRITER), (WRITE_OPERATIONS, WRITES)]
)
def test_stash_is_changed_from_one_place_only(written_by, allowed):
    importers = {
        module
        for module, names in IMPORTS.items()
        if any(lies_in(name, [written_by]) for name in names)
    }

    assert written_by in IMPORTS
    assert {each for each in importers if not lies_in(each, [allowed])} == set()


def test_every_module_is_read():
    assert "stashsense.settings" in IMPORTS
    assert "recognition.numeric.fusion" in IMPORTS
    assert "stashsense.env" in IMPORTS["stashsense.settings"]


def test_a_relative_import_is_seen_as_what_it_names(tmp_path):
    path = tmp_path / "views.py"
    path.write_text("from ..runtime import sessions\nfrom . import serializers\n")

    names = imported_names("recognition.api.views", path)

    assert names == {"recognition.runtime.sessions", "recognition.api.serializers"}


def test_no_rule_is_about_modules_that_are_gone():
    about = {rule.who for rule in RULES if rule.who != "recommendations"}

    assert {
        who for who in about if not any(lies_in(m, [who]) for m in IMPORTS)
    } == set()
