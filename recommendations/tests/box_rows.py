"""Rows that tests put into a stand-in stash-box, some days old."""

import itertools
import uuid
from datetime import timedelta

from demo.stashbox.rows import Box, Performer, Scene, Studio, Tag, now

_NUMBERS = itertools.count(1)


def _row(kind, rows, facts):
    number = next(_NUMBERS)
    moment = now() - timedelta(days=3) + timedelta(seconds=number)
    id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"row {number}"))
    rows[id] = kind(id, moment, moment, **facts)
    return rows[id]


def box_performer(box: Box, name: str, **facts) -> Performer:
    return _row(Performer, box.performers, {"name": name, **facts})


def box_scene(box: Box, title: str, **facts) -> Scene:
    return _row(Scene, box.scenes, {"title": title, **facts})


def box_studio(box: Box, name: str, **facts) -> Studio:
    return _row(Studio, box.studios, {"name": name, **facts})


def box_tag(box: Box, name: str, **facts) -> Tag:
    return _row(Tag, box.tags, {"name": name, **facts})
