"""Pages made of files that lie outside docs, and links that lead there."""

import posixpath
import re

from handbook import DOCS, PROJECT_ADDRESS, ROOT

_LINK = re.compile(r"(?<=\]\()([^)#\s]+)(#[^)\s]*)?(?=\))")
# What of the project's top has a page of its own.
_WITH_A_PAGE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
    "docs/adr": "adr/index.md",
}


def read_project_page(name: str) -> str:
    """Return a page of the project's top with links as if it lay in docs."""
    return _LINK.sub(_one_below, (ROOT / name).read_text())


def list_of_decisions() -> str:
    """Return a page that lists every decision."""
    lines = [
        "# Decisions",
        "",
        "What a newcomer would wonder about: what was to be decided, what was chosen,",
        "and what it costs.",
        "",
    ]
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        title = path.read_text().partition("\n")[0].lstrip("# ")
        number, _, words = title.partition(". ")
        lines.append(f"{int(number)}. [{words}]({path.name})")
    return "\n".join([*lines, ""])


def with_links_for_the_site(markdown: str, page: str) -> str:
    """Return a page's text with links that leave docs leading where they can.

    `page` is the page's path below docs. A file with a page of its own is linked as
    that, any other where the project is kept.
    """
    folder = posixpath.dirname(page)

    def replaced(match: re.Match[str]) -> str:
        link, anchor = match[1], match[2] or ""
        if "://" in link or not link.startswith(".."):
            return match[0]
        target = posixpath.normpath(posixpath.join("docs", folder, link))
        if target.startswith("docs/") and target not in _WITH_A_PAGE:
            return match[0]
        if target in _WITH_A_PAGE:
            return posixpath.relpath(_WITH_A_PAGE[target], folder or ".") + anchor
        return f"{PROJECT_ADDRESS}/blob/main/{target}{anchor}"

    return _LINK.sub(replaced, markdown)


def _one_below(match: re.Match[str]) -> str:
    link, anchor = match[1], match[2] or ""
    if "://" in link:
        return match[0]
    if link in _WITH_A_PAGE:
        return _WITH_A_PAGE[link] + anchor
    if link.startswith("docs/"):
        return link.removeprefix("docs/") + anchor
    return f"../{link}{anchor}"
