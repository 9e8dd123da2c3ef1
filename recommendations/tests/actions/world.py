"""What tests of actions share: asking, recommending, and seeing what changed."""

import copy

from django.contrib.auth.models import Permission, User

from demo.stash.generated import ENDPOINT
from demo.stash.library import Gallery, Image, StashId, now
from recommendations.models import ActionRecord, Recommendation

KINDS = ("scenes", "images", "galleries", "performers", "tags", "studios", "files")
BOX = ENDPOINT
OTHER_BOX = "https://other.example/graphql"
VERSIONS = [f"0.{minor}.0" for minor in range(25, 32)]
DRAWN = b"\xff\xd8\xff a drawing"


def act(client, name, **body):
    """Ask for an action over HTTP."""
    path = f"/recommendations/actions/{name}"
    return client.post(path, body, content_type="application/json")


def done(client, name, **body):
    """Ask for an action that succeeds, and return the answer."""
    response = act(client, name, **body)
    assert response.status_code == 200, response.json()
    return response.json()


def refused(client, name, status, code, **body):
    """Ask for an action that is refused just so, and return the answer."""
    response = act(client, name, **body)
    answer = response.json()
    assert (response.status_code, answer["code"]) == (status, code), answer
    return answer


def snapshot(library):
    """Return all rows as they are now."""
    with library.lock:
        return {kind: copy.deepcopy(getattr(library, kind)) for kind in KINDS}


def changed(library, before):
    """Return kind and id of what is other than before, or gone, or new."""
    now_there = snapshot(library)
    return {
        (kind, row_id)
        for kind in KINDS
        for row_id in before[kind].keys() | now_there[kind].keys()
        if before[kind].get(row_id) != now_there[kind].get(row_id)
    }


def mutations(server):
    """Return the names of the changes that were asked of Stash, in order."""
    return [
        request.operation
        for request in server.graphql_requests()
        if (request.query or "").startswith("mutation")
    ]


def recommend(type, target_id, *, target_type, endpoint="", **details):
    return Recommendation.objects.create(
        type=type,
        target_type=target_type,
        target_id=str(target_id),
        endpoint=endpoint,
        details=details,
        cause="first",
    )


def told_of(row):
    """Return how a recommendation stands, and by what it was closed."""
    row.refresh_from_db()
    return row.status, row.resolution_action


def records():
    """Return the audit, oldest first, by what happened."""
    rows = ActionRecord.objects.order_by("pk")
    return [(row.action, row.state) for row in rows]


def linked(stash_id, endpoint=BOX):
    return StashId(endpoint, stash_id, "2024-01-01T00:00:00Z")


def add_image(library, number, **fields):
    library.images[number] = Image(number, now(), now(), **fields)


def add_gallery(library, number, **fields):
    library.galleries[number] = Gallery(number, now(), now(), **fields)


def somebody(name, *permissions):
    """Return a member of staff with these permissions of the app."""
    user = User.objects.create_user(name, password="a long passphrase", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user
