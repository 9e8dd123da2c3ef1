"""Who may import whom, read from the source without running it."""

import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from stashsense.tests.layers import LAYERS, layer_of

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("stashsense", "recognition", "dbupdates", "recommendations", "demo", "plugin")
WEB = ("django", "rest_framework", "drf_spectacular", "django_q", "requests")
OUTSIDE_WORLD = (
    *WEB, "logging", "io", "os", "pathlib", "shutil", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time", "datetime", "random",
)  # fmt: skip
# Values in, values out, and nothing of the world outside.
PURE = (
    "dbupdates.manifest",
    "dbupdates.versions",
    *[
        f"recommendations.{name}"
        for name in (
            "analyzers.upstream_comparison", "causes", "compound", "diffing",
            "duplicate_candidates", "field_maps", "items", "link_evidence", "marks",
            "phash_pairs", "phashes", "predecessor_mapping", "predecessor_report",
            "scene_diffing", "scene_matching", "scoring",
        )
    ],
)  # fmt: skip
# Shapes and errors, which are pure themselves.
PURE_MATERIAL = (
    "dbupdates.exceptions",
    "stashsense.integrations.stash_library_types",
    "stashsense.integrations.stashbox_types",
)
# Moments are values here; nobody asks what time it is.
OF_MOMENTS = (
    "dbupdates.manifest",
    "recommendations.marks",
    "recommendations.predecessor_mapping",
)
# Where Python lies: every folder of it has to be here.
FOLDERS = (*OURS, "benchmarks", "handbook", "scripts")


@dataclass(frozen=True)
class Rule:
    """`who` and what lies in it imports none of `refused`, but for `allowed`."""

    who: str
    refused: tuple[str, ...]
    allowed: tuple[str, ...] = ()


def pure_rule(module):
    moments = ("datetime",) if module in OF_MOMENTS else ()
    allowed = (*PURE, *PURE_MATERIAL, *moments)
    return Rule(module, (*OUTSIDE_WORLD, *OURS), allowed)


# What the layers do not say already.
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
    # Recognition hears of releases, and does nothing about them.
    Rule(
        "recognition",
        ("dbupdates",),
        (
            "dbupdates.signals",
            "dbupdates.store",
            "dbupdates.prepared",
            "dbupdates.progress",
            "dbupdates.provision",
            "dbupdates.exceptions",
        ),
    ),
    Rule("recommendations", ("recognition.runtime", "recognition.numeric")),
    *[pure_rule(module) for module in PURE],
    # Django-free modules of dbupdates.
    Rule("dbupdates.prepared", WEB),
    # Fetching knows HTTP and files, and no rows.
    Rule("stashsense.downloads", ("django", "django_q", "rest_framework")),
    Rule("stashsense.api", ("recognition.runtime", "recognition.numeric")),
    Rule("stashsense.files", (*WEB, *OURS), ("stashsense.files",)),
    Rule("stashsense.serve", ("rest_framework", "cv2", "numpy", "onnxruntime")),
    # The plugin runs at Stash's, alone with its Python; only HTTP is between the two.
    Rule("plugin", (*WEB, *OURS), ("plugin",)),
    *[Rule(app, ("plugin", "stash_sense")) for app in OURS if app != "plugin"],
    *[Rule(app, ("pytest", "selenium", "factory")) for app in OURS],
    # The training code is not part of the service.
    *[Rule(app, ("torch", "demo.training")) for app in OURS],
]
EXEMPT = {"demo": ("demo.training",)}
# What changes Stash, and where it may be imported: the last one keeps an audit.
WRITES = "stashsense.integrations.stash_writes"
WRITE_OPERATIONS = "stashsense.integrations.stash_write_operations"
WRITER = "recommendations.stash_actions"


def modules():
    """Yield the dotted name and path of every module that is not a test."""
    paths = [
        *ROOT.glob("*.py"),
        *(p for f in FOLDERS for p in (ROOT / f).rglob("*.py")),
    ]
    for path in sorted(paths):
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


def module_of(name):
    """Return which of our modules a dotted name is, or is in; None for others."""
    while name and name not in IMPORTS:
        name = name.rpartition(".")[0]
    return name or None


GRAPH = {
    module: {origin for name in names if (origin := module_of(name))} - {module}
    for module, names in IMPORTS.items()
}


def violations(rule):
    for module, names in IMPORTS.items():
        exempt = EXEMPT.get(rule.who, ())
        if not lies_in(module, [rule.who]) or lies_in(module, exempt):
            continue
        for name in sorted(names):
            if lies_in(name, rule.refused) and not lies_in(name, rule.allowed):
                yield f"{module} imports {name}"


def test_every_module_has_its_layer():
    assert [module for module in GRAPH if layer_of(module) is None] == []


def test_a_new_module_has_no_layer_until_it_is_given_one():
    assert layer_of("recognition.nobody_placed_this") is None
    assert layer_of("stashsense.nobody_placed_this") is None
    assert layer_of("another_app.models") is None
    assert layer_of("recognition.numeric.new") == "arithmetic"
    assert layer_of("stashsense.api.new") == "project"
    assert layer_of("stashsense.api.health") == "front doors"


def test_no_layer_is_of_modules_that_are_gone():
    places = [place for names in LAYERS.values() for place in names]

    gone = [p for p in places if not any(lies_in(module, [p]) for module in GRAPH)]

    assert gone == []
    assert sorted(places) == sorted(set(places))


def test_nothing_imports_from_a_layer_above():
    heights: dict[str | None, int] = {
        layer: height for height, layer in enumerate(LAYERS)
    }

    upward = [
        f"{module} ({layer_of(module)}) imports {origin} ({layer_of(origin)})"
        for module, origins in GRAPH.items()
        for origin in sorted(origins)
        if heights[layer_of(module)] < heights[layer_of(origin)]
    ]

    assert upward == []


def test_no_imports_go_round_in_a_circle():
    # Imports within functions and for types count as well.
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_folder_of_python_is_overlooked():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages - set(FOLDERS) == set()


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


def test_what_calls_itself_pure_is_held_to_it():
    documented = {
        module: ast.get_docstring(ast.parse(path.read_text())) or ""
        for module, path in modules()
    }

    says_so = {module for module, text in documented.items() if "PURE" in text}

    assert says_so - set(PURE) == set()
    assert says_so


def test_no_rule_is_about_modules_that_are_gone():
    about = {rule.who for rule in RULES if rule.who != "recommendations"}

    assert {
        who for who in about if not any(lies_in(m, [who]) for m in IMPORTS)
    } == set()
