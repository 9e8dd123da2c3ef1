"""Scenes that tests put into a stand-in stash-box."""

import itertools
import uuid

from demo.stashbox.rows import (
    Appearance,
    Fingerprint,
    Performer,
    Scene,
    Studio,
    now,
)

_NUMBERS = itertools.count(1)


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
