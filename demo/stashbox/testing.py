"""What tests of every app need of the stand-in stash-box, and of a Stash that knows it.

The root `conftest.py` makes the fixture `stashbox_server` of it: a box that knows whom
the tiny library of `stash_server` has ids for, and that the library's Stash is
configured with.
"""

from demo.stashbox.content import box_of_library, fill_performers, fill_scenes
from demo.stashbox.joining import STASHDB, add_box, connect_box
from demo.stashbox.news import add_news
from demo.stashbox.rows import Box
from demo.stashbox.server import DEMO_KEY, Faults, Request, StashBoxServer

__all__ = [
    "DEMO_KEY",
    "STASHDB",
    "Box",
    "Faults",
    "Request",
    "StashBoxServer",
    "add_box",
    "add_news",
    "box_of_library",
    "connect_box",
    "fill_performers",
    "fill_scenes",
]
