"""What tests share that identify things of the stand-in Stash."""

KNOWN_SCENE = "1"  # two known people, one of them tagged; a cover and sprites
MIXED_SCENE = "2"  # one known person and a stranger; neither cover nor sprites
UNKNOWN_ID = "987654"


def post(client, path, **body):
    return client.post(path, body, content_type="application/json")


def cast_of(library, scene_id):
    """Return the universal ids of those in the scene whom the release knows."""
    return {each.universal_id for each in library.answers[scene_id]} - {None}


def named(persons):
    """Return the universal ids that an answer's people are taken for."""
    return {
        person["best_match"]["universal_id"]
        for person in persons
        if person["best_match"]
    }
