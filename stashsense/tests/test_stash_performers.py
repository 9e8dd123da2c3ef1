"""Performers page by page, and the images of one alone."""

import pytest

from stashsense.integrations import stash
from stashsense.integrations.stash_errors import InvalidStashId, StashNotFound
from stashsense.tests.stash_server import data, image, performer, running_stash


@pytest.fixture
def server():
    with running_stash() as server:
        yield server


def pictured(id, **fields):
    return performer(
        id,
        **{
            "updated_at": "2026-01-02T03:04:05Z",
            "image_path": "http://stash/performer/7/image?t=1",
            "image_count": 3,
        }
        | fields,
    )


def test_a_performer_comes_with_what_there_is_to_learn_from(server):
    server.replies["Performer"] = data(findPerformer=pictured(7))

    found = server.client().get_performer(7)

    assert (found.id, found.name, found.image_count) == (7, "Anna", 3)
    assert found.image_url == f"{server.url}/performer/7/image?t=1"
    assert found.has_own_image
    assert found.updated_at.year == 2026


@pytest.mark.parametrize(
    "path", [None, "", "http://stash/performer/7/image?t=1&default=true"]
)
def test_a_picture_that_everybody_has_is_none_of_their_own(server, path):
    server.replies["Performer"] = data(findPerformer=pictured(7, image_path=path))

    assert not server.client().get_performer(7).has_own_image


def test_one_who_is_gone_is_not_found(server):
    server.replies["Performer"] = data(findPerformer=None)

    with pytest.raises(StashNotFound):
        server.client().get_performer(7)
    with pytest.raises(InvalidStashId):
        server.client().get_performer("1 OR 1=1")


def test_performers_come_by_page_and_the_last_says_so(server, monkeypatch):
    monkeypatch.setattr(stash, "PERFORMERS_PER_PAGE", 2)

    def answer(seen):
        page = seen.variables["page"]
        begin = (page["page"] - 1) * page["per_page"]
        ids = [1, 2, 3, 5][begin : begin + page["per_page"]]
        performers = [pictured(id) for id in ids]
        return data(findPerformers={"count": 4, "performers": performers})

    server.replies["Performers"] = answer
    client = server.client()

    first, second = client.performers_page(1), client.performers_page(2)

    assert [each.id for each in first.performers] == [1, 2]
    assert (first.total_count, first.is_last) == (4, False)
    assert [each.id for each in second.performers] == [3, 5]
    assert second.is_last
    assert client.performers_page(3).is_last


def test_images_of_one_alone_are_asked_for_by_variables(server):
    server.replies["Images"] = data(findImages={"images": [image(id=5)]})

    found = server.client().find_images_alone(7, limit=8)

    assert [each.id for each in found] == [5]
    assert server.requests[-1].variables == {
        "items": {
            "performers": {"value": ["7"], "modifier": "INCLUDES"},
            "performer_count": {"value": 1, "modifier": "EQUALS"},
        },
        "page": {"page": 1, "per_page": 8, "sort": "id", "direction": "DESC"},
    }
