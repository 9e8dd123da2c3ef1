"""Rows that tests put into a stand-in stash-box, some days old."""

import itertools
import uuid
from datetime import timedelta
from typing import Any

from demo.stashbox.rows import Box, Performer, Scene, Studio, Tag, now

_NUMBERS = itertools.count(1)


def _row(kind, rows, facts) -> Any:
    number = next(_NUMBERS)
    moment = now() - timedelta(days=3) + timedelta(seconds=number)
    id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"row {number}"))
    rows[id] = kind(id, moment, moment, **facts)
    return rows[id]


def box_performer(box: Box, name: str, **facts) -> Performer:
    row: Performer = _row(Performer, box.performers, {"name": name, **facts})
    return row


def box_scene(box: Box, title: str, **facts) -> Scene:
    row: Scene = _row(Scene, box.scenes, {"title": title, **facts})
    return row


def box_studio(box: Box, name: str, **facts) -> Studio:
    row: Studio = _row(Studio, box.studios, {"name": name, **facts})
    return row


def box_tag(box: Box, name: str, **facts) -> Tag:
    row: Tag = _row(Tag, box.tags, {"name": name, **facts})
    return row
