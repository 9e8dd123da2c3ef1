"""Reading a list that changes while it is read, the newest first, page by page.

A stash-box has neither cursors nor a filter by time, and sorts by one moment alone:
what has the same one may come in another order at each call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stashsense.integrations.stash_answers import Node

# Of one moment there may be as many as this on each side of a page's end; of more,
# which only a change of the box's whole content makes, some may be left out.
_MOST_AT_ONCE = 2000


@dataclass(frozen=True)
class Page:
    """So many of a list, and how many there are in all."""

    count: int
    nodes: list[Node]


# Takes the page's number, from 1 on, and how many a page has.
AskForPage = Callable[[int, int], Page]


def iter_newest_first(
    ask: AskForPage, *, per_page: int, moment_name: str
) -> Iterator[Node]:
    """Yield all there is, each id once.

    What changes meanwhile moves to the front, so that pages overlap. What is deleted
    lets the rest move up, so that the page before is asked for again. Where a page ends
    among those of one moment, a larger one around that place is asked for.
    """
    seen: set[str] = set()
    page, last_count, read_count = 1, 0, 0
    last_moment: object = None
    while True:
        found = ask(page, per_page)
        if page > 1 and found.count < last_count:
            page, last_count, last_moment = page - 1, found.count, None
            read_count = min(read_count, (page - 1) * per_page)
            continue
        last_count = found.count
        read_count += len(found.nodes)
        nodes = found.nodes
        if nodes and page > 1 and nodes[0].fields.get(moment_name) == last_moment:
            nodes = _around_end(ask, page - 1, per_page, moment_name)
        for node in nodes:
            id = node.text("id")
            if id not in seen:
                seen.add(id)
                yield node
        if not found.nodes or read_count >= found.count:
            return
        last_moment = found.nodes[-1].fields.get(moment_name)
        page += 1


def _around_end(
    ask: AskForPage, page: int, per_page: int, moment_name: str
) -> list[Node]:
    """Return a larger page, with the end of that one and all of its moment inside."""
    factor = 2
    while True:
        # One whose own end is elsewhere.
        while page % factor == 0:
            factor += 1
        number, size = page // factor + 1, factor * per_page
        found = ask(number, size)
        nodes = found.nodes
        if not nodes:
            return nodes
        place = min(page * per_page - (number - 1) * size, len(nodes) - 1)
        moment = nodes[place].fields.get(moment_name)
        is_begun = number > 1 and nodes[0].fields.get(moment_name) == moment
        is_open = number * size < found.count and (
            nodes[-1].fields.get(moment_name) == moment
        )
        if not (is_begun or is_open) or size >= _MOST_AT_ONCE:
            return nodes
        factor *= 2
