"""Whether a built site is whole by itself: what a browser would load from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_ELSEWHERE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_CSS_ADDRESS = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])([^\"')\s]+)")
# Of a srcset: an address, which may hold commas and ends in none, and a size or none.
_CANDIDATE = re.compile(r"[\s,]*(\S*[^\s,])(?:,|\s[^,]*|$)")
# A link of these kinds is loaded, or a connection made, without anybody pressing it.
_LOADED_LINKS = {
    *["stylesheet", "icon", "shortcut", "preload", "prefetch", "preconnect"],
    *["dns-prefetch", "modulepreload", "manifest", "apple-touch-icon"],
}
# Elements of which the theme's script fetches something by itself.
_FETCHING_CLASSES = {"mermaid", "md-source"}


def addresses_loaded(site: Path) -> list[str]:
    """Return what pages of the site would load from elsewhere, with the page."""
    found = []
    for path in sorted(site.rglob("*.html")):
        reader = _LoadedReader()
        reader.feed(path.read_text())
        found += [f"{path.relative_to(site)}: {each}" for each in reader.found]
    for path in sorted(site.rglob("*.css")):
        for address in _elsewhere_in_css(path.read_text()):
            found.append(f"{path.relative_to(site)}: {address}")
    return found


def _elsewhere_in_css(text: str) -> Iterator[str]:
    yield from filter(_ELSEWHERE.match, _CSS_ADDRESS.findall(text))


class _LoadedReader(HTMLParser):
    """Collects the addresses that reading a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._is_style = tag == "style"
        loaded = [values.get("src", ""), values.get("poster", "")]
        loaded += _CANDIDATE.findall(values.get("srcset", ""))
        if tag == "object":
            loaded.append(values.get("data", ""))
        if tag == "link" and _LOADED_LINKS & set(values.get("rel", "").split()):
            loaded.append(values.get("href", ""))
            loaded += _CANDIDATE.findall(values.get("imagesrcset", ""))
        self.found += filter(_ELSEWHERE.match, loaded)
        self.found += _elsewhere_in_css(values.get("style", ""))
        classes = set(values.get("class", "").split()) & _FETCHING_CLASSES
        self.found += [f"an element of class {name}" for name in sorted(classes)]

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self.found += _elsewhere_in_css(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._is_style = False
