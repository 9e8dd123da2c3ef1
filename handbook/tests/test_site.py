"""The site that scripts/docs builds: whole, by itself, and of what the code says."""

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from rest_framework import exceptions as drf_exceptions

from handbook import DOCS, ROOT, error_reference, generated, rest_reference
from handbook.self_contained import addresses_loaded
from handbook.settings_reference import may_be, variables
from stashsense.preferences.definitions import all_definitions
from stashsense.tests.test_documentation import variables_read
from stashsense.tests.waiting import wait_until

BUILD_SECONDS = 180


def linked_project(folder, *, without=()):
    """Return a project of links to this one's files, with scripts of its own.

    Its `.venv` is a link as well, which the scripts do not make anew.
    """
    project = folder / "project"
    project.mkdir()
    for path in ROOT.iterdir():
        if path.name not in {"scripts", "data", ".git", ".venv", *without}:
            (project / path.name).symlink_to(path)
    (project / ".venv").symlink_to(sys.prefix)
    # They look for the project beside the file that they are, whatever led there.
    shutil.copytree(ROOT / "scripts", project / "scripts")
    return project


def build(site, *, project):
    """Run the line of scripts/check, with what every shell has and no more."""
    checks = (project / "scripts" / "check").read_text()
    [line] = re.findall(r'^check "documentation" (.+)$', checks, re.MULTILINE)
    return subprocess.run(
        ["/bin/sh", "-euc", f'python=.venv/bin/python; exec {line} --out "$0"', site],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(project),
            "STASH_URL": "http://planted:1",
        },
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    answer = build(folder, project=linked_project(tmp_path_factory.mktemp("linked")))
    assert answer.returncode == 0, answer.stderr
    return folder


def test_the_site_is_built_and_holds_every_page(site):
    pages = [path.relative_to(DOCS) for path in DOCS.rglob("*.md")]
    pages += map(Path, generated.pages())

    missing = [
        page for page in pages if not (site / page).with_suffix(".html").exists()
    ]

    assert missing == []


def test_nothing_of_this_machine_stands_in_a_page(site):
    text = "".join(path.read_text() for path in site.rglob("*.html"))

    assert "planted" not in text
    assert str(ROOT.parent) + "/" not in text


@pytest.mark.parametrize(
    "planted",
    [
        "[nowhere](no-such-page.md)",
        "[nowhere](index.md#no-such-anchor)",
        "[nowhere](#no-such-anchor)",
        "![nothing](images/no-such.png)",
    ],
)
def test_a_link_that_leads_nowhere_fails_the_build(planted, tmp_path):
    project = linked_project(tmp_path, without={"docs", "handbook"})
    (project / "docs").mkdir()
    (project / "docs" / "index.md").write_text(f"# Home\n\n{planted}\n")
    (project / "handbook").mkdir()
    for path in (ROOT / "handbook").glob("*.py"):
        (project / "handbook" / path.name).write_text(path.read_text())
    # One page, and none of those that are made.
    (project / "handbook" / "generated.py").write_text("def pages():\n    return {}\n")
    config = yaml.unsafe_load((ROOT / "mkdocs.yml").read_text().replace("!ENV", ""))
    config |= {"nav": ["index.md"], "theme": {"name": "material", "font": False}}
    config |= {"site_url": "", "extra_css": []}
    (project / "mkdocs.yml").unlink()
    (project / "mkdocs.yml").write_text(yaml.dump(config))

    answer = build(tmp_path / "site", project=project)

    assert answer.returncode != 0
    assert "strict mode" in answer.stdout + answer.stderr
    assert "no-such" in answer.stderr


@pytest.mark.parametrize(
    "planted",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img src="https://cdn.example/x.png">',
        '<img srcset="https://cdn.example/x.png 2x, y.png 1x">',
        '<img srcset="y.png 1x, https://cdn.example/x.png 2x">',
        '<img srcset="https://cdn.example/x.png">',
        '<link rel="preload" as="image" imagesrcset="//cdn.example/x.png 2x,">',
        "<style>@import 'https://cdn.example/x.css'</style>",
        '<p style="background: url(https://cdn.example/x.png)">',
        '<pre class="mermaid">',
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_found(planted, tmp_path):
    (tmp_path / "page.html").write_text(f"<html><body>{planted}</body></html>")

    [found] = addresses_loaded(tmp_path)

    assert found.startswith("page.html: ")


def test_a_link_for_people_is_none_that_is_loaded(tmp_path):
    (tmp_path / "page.html").write_text(
        '<a href="https://example.org">there</a><link rel="canonical" href="https://x.y">'
        '<img srcset="data:image/png;base64,//8= 1x, y.png 2x">'
    )

    assert addresses_loaded(tmp_path) == []


@pytest.fixture
def address(site):
    """Where the site is served, on this machine."""
    handler = functools.partial(SilentHandler, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, format, *arguments):
        """Write nothing."""


@pytest.mark.browser
@pytest.mark.parametrize(
    "page", ["index.html", "recognition.html", "reference/rest/identify.html"]
)
def test_a_browser_asks_nobody_else_for_a_page(page, address, browser):
    browser.get(address + page)
    # The index of the search is fetched when somebody begins to search.
    browser.execute_script("document.querySelector('[data-md-toggle=search]').click()")

    def asked():
        return browser.execute_script(
            "return performance.getEntriesByType('resource').map(each => each.name)"
        )

    wait_until(lambda: any("javascripts" in name for name in asked()), within=30)
    elsewhere = [
        name for name in asked() if not name.startswith((address, "data:", "blob:"))
    ]
    assert elsewhere == []
    assert browser.get_log("browser") == []


def test_every_variable_that_settings_read_is_in_the_reference():
    names, secrets = variables_read()

    read = {each.name: each for each in variables()}

    assert set(read) == names
    assert {each.name for each in read.values() if each.reader == "secret"} == secrets
    page = generated.pages()["reference/settings.md"]
    assert all(f"| `{name}` | " in page for name in names)


def test_bounds_and_defaults_are_those_of_the_code():
    read = {each.name: each for each in variables()}

    assert may_be(read["PORT"]) == "a whole number, 1 to 65535"
    assert read["PORT"].default == 5000
    assert may_be(read["STASH_SENSE_DEVICE"]) == "`auto`, `cpu`, `cuda`"
    # Computed of four others, which a reader of the source alone would not know.
    assert read["WEB_THREADS"].default == 2 + 16 + 2 + 4 + 8
    assert "a multiple of 32" in may_be(read["STASH_SENSE_DETECTION_SIZE"])


def test_every_setting_that_users_change_is_in_the_reference():
    page = generated.pages()["reference/settings.md"]

    assert [
        each.key for each in all_definitions() if f"| `{each.key}` | " not in page
    ] == []
    assert "| 32, 16, 4 |" in page


def test_every_operation_is_in_the_reference_with_what_it_takes_and_answers():
    described = rest_reference.description()
    pages = generated.pages()
    listed = pages["reference/rest.md"]

    for operation in rest_reference.operations(described):
        page = pages[f"reference/rest/{operation.group}.md"]
        heading = f"## `{operation.title}` {{ #{operation.anchor} }}\n"
        assert page.count(heading) == 1
        assert f"#{operation.anchor})" in listed
        own = page.partition(heading)[2].partition("\n## ")[0]
        assert "*Wants*: " in own
        for status in operation.described["responses"]:
            assert f"\n| {status} | " in own
        for parameter in operation.described.get("parameters", []):
            assert f"| `{parameter['name']}` | {parameter['in']} | " in own
        assert ("**Body**" in own) == ("requestBody" in operation.described)


def test_an_open_route_says_so():
    system = generated.pages()["reference/rest/system.md"]

    health = system.partition("## `GET /health` ")[2].partition("\n## ")[0]
    assert "*Wants*: nothing" in health
    assert system.count("*Wants*: nothing") < 3


def test_every_code_that_troubleshooting_names_exists():
    page = (DOCS / "troubleshooting.md").read_text()

    rows = re.findall(r"^\| \d{3} ((?:`[a-z_]+`(?:, (?=`))?)+)", page, re.MULTILINE)
    named = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}

    assert len(named) > 25
    assert named - error_reference.codes() == set()


@pytest.mark.parametrize(("code", "status"), error_reference.AT_THE_DOOR)
def test_a_code_that_no_class_of_ours_has_is_answered_all_the_same(code, status):
    sources = [*(ROOT / "stashsense" / "api").glob("*.py")]
    ours = "".join(path.read_text() for path in sources)
    theirs = {
        (each.default_code, each.status_code)
        for each in vars(drf_exceptions).values()
        if isinstance(each, type) and issubclass(each, drf_exceptions.APIException)
    }

    assert f'"{code}"' in ours or (code, status) in theirs


@pytest.mark.parametrize(
    ("title", "count"), [("It does not start", 9), ("PostgreSQL and Redis", 4)]
)
def test_every_message_that_troubleshooting_quotes_is_one_of_the_program(title, count):
    page = (DOCS / "troubleshooting.md").read_text()
    chapter = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    sources = [*(ROOT / "scripts").iterdir(), *(ROOT / "recognition").glob("*.py")]
    sources += [*(ROOT / "stashsense").glob("[!t]*/**/*.py")]
    sources += (ROOT / "stashsense").glob("*.py")
    program = "".join(path.read_text() for path in sources if path.is_file())

    quoted = re.findall(r"^\| ([A-Zil…][^|]+?) \|", chapter, re.MULTILINE)[1:]
    parts = [part.strip() for row in quoted for part in row.split("…") if part.strip()]

    assert len(parts) >= count
    assert [part for part in parts if part not in program] == []


def test_every_picture_is_shown_by_a_page():
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "mkdocs.yml"]
    text = "".join(path.read_text() for path in pages)

    pictures = [path for path in (DOCS / "images").rglob("*") if path.is_file()]

    assert len(pictures) > 10
    assert [
        str(path.relative_to(DOCS))
        for path in pictures
        if path.relative_to(DOCS).as_posix() not in text
    ] == []


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text()

    missing = [
        path.name
        for path in DOCS.glob("*.md")
        if f": {path.name}\n" not in text and f"/{path.name}\n" not in text
    ]

    assert missing == []
