"""Groups of made people, asked for and decided about over REST."""

from recognition.tests.people_world import grouped, look_at
from recognition.tests.stash_world import post

ANNA, BEN, CLEO = range(3)
UNKNOWN = "/identify/unknown"


def fill_library():
    """Have Anna be in three scenes, Ben in two and Cleo in one."""
    look_at(1, ANNA, BEN)
    look_at(2, CLEO, ANNA)
    look_at(3, ANNA)
    look_at(4, BEN)
    grouped()


def get(client, path="", **query):
    return client.get(f"{UNKNOWN}{path}", query)


def tell(client, group, verb, **body):
    return post(client, f"{UNKNOWN}/{group.pk}/{verb}", **body)


def listed(client, **query):
    return [group["group_id"] for group in get(client, **query).json()["groups"]]
