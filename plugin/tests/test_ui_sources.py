"""What the sources of the pages promise each other, read without a browser."""

import re
from pathlib import Path

import pytest

from plugin.stash_sense.modes import MODES

PLUGIN = Path(__file__).resolve().parent.parent
UI = PLUGIN / "ui"
SOURCES = [PLUGIN / "stash-sense.js", *sorted(UI.rglob("*.js"))]
CATALOGUES = sorted((UI / "texts" / "en").glob("*.js"))

_ID = re.compile(r'^\s*"([\w.]+)":', re.MULTILINE)
_USED = re.compile(r'\bt\(\s*"([\w.]+)"')
_BUILT = re.compile(r"`([a-z]\w*\.[\w.]*)\$\{")
_NAMED = re.compile(r'"([a-z]\w*(?:\.\w+)+)"')
_MODE = re.compile(r'\b(?:call|useSidecar)\(\s*"(\w+)"|\bmode: "([a-z]\w*)"')
_BUILT_OF_OURS = re.compile(r"\bt\(\s*`([\w.]+)\$\{")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def text_ids():
    return [name for path in CATALOGUES for name in _ID.findall(path.read_text())]


def code():
    return "\n".join(path.read_text() for path in SOURCES if path not in CATALOGUES)


def test_every_text_that_is_asked_for_is_there():
    ids = set(text_ids())

    assert {name for name in _USED.findall(code()) if name not in ids} == set()
    beginnings = set(_BUILT_OF_OURS.findall(code()))
    assert {
        each for each in beginnings if not any(name.startswith(each) for name in ids)
    } == set()


def test_no_text_is_there_twice_or_for_nothing():
    ids = text_ids()
    used = set(_USED.findall(code())) | set(_NAMED.findall(code()))
    built = tuple(_BUILT.findall(code()))

    assert sorted(ids) == sorted(set(ids))
    unused = {
        each
        for each in ids
        # Hints belong to codes, which the sidecar says.
        if each not in used and not each.startswith((*built, "problem."))
    }
    assert unused == set()


def test_every_mode_that_is_called_is_one_of_the_backend():
    called = {one or other for one, other in _MODE.findall(code())}

    assert called - set(MODES) == set()
    assert called


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sources_put_no_markup_into_the_page(path):
    text = path.read_text()

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|"
        r"dangerouslySetInnerHTML|srcdoc",
        text,
    )


def test_every_class_of_ours_has_our_prefix():
    allowed = re.compile(
        r"stash-sense(-[\w-]+)?|alert(-\w+)?|close|btn-group|table|active|show|form-\w+|"
        r"custom-\w+|modal-\w+|nav-link|badge(-\w+)?|card(-\w+)?|btn(-\w+)?|text-\w+|\d.*"
    )
    for path in sorted((PLUGIN / "styles").glob("*.css")):
        for selector in re.findall(r"([^{}]+)\{", _COMMENT.sub("", path.read_text())):
            names = re.findall(r"\.(-?[a-zA-Z][\w-]*)", selector)
            assert all(allowed.fullmatch(name) for name in names), (path.name, selector)
            if names and not selector.strip().startswith("@"):
                for part in selector.split(","):
                    assert ".stash-sense" in part, (path.name, part)


def test_every_class_is_described_in_one_place():
    described: dict[str, set[str]] = {}
    for path in sorted((PLUGIN / "styles").glob("*.css")):
        for selector in re.findall(r"([^{}]+)\{", _COMMENT.sub("", path.read_text())):
            for part in selector.split(","):
                # What a rule is about is the first class that it names.
                if first := re.search(r"\.(stash-sense-[\w-]+)", part):
                    described.setdefault(first[1], set()).add(path.name)

    assert {name: files for name, files in described.items() if len(files) > 1} == {}
