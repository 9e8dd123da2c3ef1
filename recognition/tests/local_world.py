"""Performers of the stand-in Stash whom the small world's release does not know."""

import base64

import numpy as np

from demo.embedding import NETWORK_SET_NAME
from demo.scenes import draw_portrait
from demo.stash.library import Image, Performer, now
from demo.stash.rows import image_file
from demo.world import invent_stranger
from recognition import registry
from recognition.library_runs import sync_local_performers
from recognition.local_faces import current_revision
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import SeenFace
from recognition.pictures import decode_picture
from recognition.preferences import LOCAL_PERFORMERS
from recognition.runtime.collector import FaceCollector, FaceFilter, look_at
from recognition.runtime.recognizer import Timing
from recognition.services import inference_queue
from recognition.tests.library_world import ASKER, work
from recognition.tests.stash_world import post
from stashsense.preferences.services import store_settings
from stashsense.tests.waiting import wait_until

STRANGER_SEED = 4242


def switch(is_on):
    """Have local performers switched on or off, as their owner does."""
    store_settings({LOCAL_PERFORMERS: is_on}, user=None)


def portrait(number, take=0):
    """Return a picture of the stranger of that number, another one for each take."""
    rng = np.random.default_rng([number, take])
    return draw_portrait(invent_stranger(STRANGER_SEED, number), rng).jpeg


def add_performer(stash, name, picture=None):
    """Add a performer without stash ids; return the row."""
    library = stash.library
    row = Performer(library.next_id(library.performers), now(), now(), name=name)
    row.picture = picture
    library.performers[row.id] = row
    return row


def add_image(stash, folder, jpeg, *performers):
    """Add an image in which the performers are tagged; return the row."""
    library = stash.library
    file_id = library.next_id(library.files)
    path = folder / f"{file_id}.jpg"
    path.write_bytes(jpeg)
    library.files[file_id] = image_file(
        library.folder, str(path), file_id=file_id, size=(480, 360)
    )
    row = Image(library.next_id(library.images), now(), now(), file_ids=[file_id])
    row.performer_ids = [performer.id for performer in performers]
    library.images[row.id] = row
    return row


def sync():
    """Go through the performers of Stash; return the run as it ended."""
    run = sync_local_performers(asker=ASKER)
    while run.is_in_progress:
        work(tasks=1)
        run.refresh_from_db()
    return run


def follow():
    """Have this process compare with the local performers there are now."""

    def is_followed():
        registry.follow_local()
        database = registry.recognizer().database
        return database.local_revision == current_revision(NETWORK_SET_NAME)

    wait_until(is_followed)


def identify(client, jpeg):
    """Return the faces of a picture as POST /identify answers them."""
    image = base64.b64encode(jpeg).decode()
    response = post(client, "/identify", image_base64=image)
    assert response.status_code == 200
    return response.json()["faces"]


def names_in(client, jpeg):
    """Return the universal ids that a picture's faces are taken for, None unknown."""
    return [
        face["matches"][0]["universal_id"] if face["matches"] else None
        for face in identify(client, jpeg)
    ]


def face(facenet, arcface=None, *, quality=1.0):
    """Return a face seen, with these embeddings."""
    return SeenFace(
        frame=0,
        seconds=None,
        box=FaceBox(0, 0, 100, 100),
        confidence=0.9,
        quality=quality,
        facenet=np.asarray(facenet, dtype=np.float32),
        arcface=np.asarray(facenet if arcface is None else arcface, dtype=np.float32),
    )


def random_face(seed, *, quality=1.0):
    """Return a face of nobody in particular."""
    facenet, arcface = np.random.default_rng(seed).normal(size=(2, 512))
    return face(facenet, arcface, quality=quality)


def seen_face(jpeg):
    """Return the one face of a picture as the served networks see it."""
    networks, timing = registry.recognizer().networks, Timing()
    look = look_at(
        networks,
        decode_picture(jpeg),
        face_filter=FaceFilter(0.5, 40),
        frame=0,
        seconds=None,
        timing=timing,
    )
    collector = FaceCollector(networks, turn=inference_queue().turn, timing=timing)
    collector.add(look.faces)
    (seen,) = collector.collect().faces
    return seen
