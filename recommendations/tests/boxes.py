"""Stand-in stash-boxes that a test's library knows, and scenes that they have."""

import contextlib
import itertools
import uuid

from demo.stash.library import StashBox
from demo.stashbox.rows import (
    Appearance,
    Box,
    Fingerprint,
    Performer,
    Scene,
    Studio,
    now,
)
from demo.stashbox.testing import StashBoxServer
from stashsense.integrations import stashbox_connections

_NUMBERS = itertools.count(1)


@contextlib.contextmanager
def box_of(library, name="Drawn box"):
    """Serve an empty stash-box that the library's Stash is configured with."""
    with StashBoxServer(Box()) as server:
        ours = [box for box in library.stash_boxes if box.endpoint.startswith("http:")]
        entry = StashBox(server.endpoint, name, server.api_key, 60_000)
        library.stash_boxes[:] = [*ours, entry]
        stashbox_connections.forget()
        yield server
    stashbox_connections.forget()


def new_id():
    return str(uuid.UUID(int=next(_NUMBERS)))


def add_box_scene(server, *fingerprints, **facts) -> Scene:
    """Add a scene with fingerprints (algorithm, hash, seconds, submissions)."""
    scene = Scene(new_id(), now(), now(), **facts)
    scene.fingerprints = [Fingerprint(*each) for each in fingerprints]
    server.box.scenes[scene.id] = scene
    return scene


def add_cast(server, scene, *names) -> None:
    for name in names:
        performer = Performer(new_id(), now(), now(), name=name)
        server.box.performers[performer.id] = performer
        scene.performers.append(Appearance(performer.id))


def add_box_studio(server, name) -> Studio:
    studio = Studio(new_id(), now(), now(), name=name)
    server.box.studios[studio.id] = studio
    return studio
