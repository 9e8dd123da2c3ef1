"""Answers that are none of Stash's, or have not the shape of its schema."""

import json

import pytest

from stashsense.integrations import stash_transport
from stashsense.integrations.stash_errors import StashError
from stashsense.tests.stash_server import (
    Reply,
    ask_and_fail,
    data,
    image,
    performer,
    running_stash,
    scene,
    video,
)


@pytest.fixture
def server():
    with running_stash() as server:
        server.replies["Scene"] = data(findScene=scene())
        yield server


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><title>Router</title></html>",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"data": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_an_answer_that_is_none_of_stashs_points_at_the_address(server, body):
    server.replies["Version"] = Reply(body)

    assert "check that STASH_URL is the address" in ask_and_fail(server)


@pytest.mark.parametrize(
    "body",
    [{}, {"data": None}, {"data": []}, {"data": 1, "errors": []}, {"errors": None}],
    ids=str,
)
def test_an_answer_without_data_is_an_error(server, body):
    server.replies["Scene"] = Reply(json.dumps(body).encode())

    assert "without data" in ask_and_fail(server)


@pytest.mark.parametrize(
    "listed", ["text", {"message": "x"}, [None], [{}], [{"message": {"a": 1}}]], ids=str
)
def test_errors_that_say_nothing_are_errors(server, listed):
    server.replies["Scene"] = Reply(json.dumps({"errors": listed}).encode())

    assert ask_and_fail(server) == "Stash refused Scene: it does not say why"


def test_a_server_without_graphql_points_at_the_address(server):
    server.replies["Version"] = Reply(b"<html>", 404, "text/html")

    assert "check that STASH_URL is the address" in ask_and_fail(server)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"id": "x"}, "data.findScene.id"),
        ({"id": -1}, "data.findScene.id"),
        ({"title": {"a": 1}}, "data.findScene.title"),
        ({"files": None}, "data.findScene.files"),
        ({"files": [None]}, "data.findScene.files.0"),
        ({"files": [video(duration="600")]}, "data.findScene.files.0.duration"),
        ({"files": [video(duration=True)]}, "data.findScene.files.0.duration"),
        ({"files": [video(duration=float("nan"))]}, "data.findScene.files.0.duration"),
        ({"files": [video(width=1e999)]}, "data.findScene.files.0.width"),
        ({"files": [video(width=1.5)]}, "data.findScene.files.0.width"),
        ({"files": [video(size=10**400)]}, "data.findScene.files.0.size"),
        ({"paths": []}, "data.findScene.paths"),
        ({"updated_at": "yesterday"}, "data.findScene.updated_at"),
        ({"performers": {}}, "data.findScene.performers"),
        ({"performers": [performer(name=None)]}, "data.findScene.performers.0.name"),
        (
            {"performers": [performer(stash_ids=[{"endpoint": "x"}])]},
            "data.findScene.performers.0.stash_ids.0.stash_id",
        ),
    ],
    ids=str,
)
def test_what_has_not_the_shape_it_should_have_is_an_error_that_says_where(
    server, fields, where
):
    server.replies["Scene"] = data(findScene=scene(**fields))

    message = ask_and_fail(server)

    assert message.startswith("Stash's answer has no ")
    assert message.endswith(f" at {where}.")


@pytest.mark.parametrize("found", [[], "text", 5, True])
def test_something_else_than_an_image_is_an_error(server, found):
    server.replies["Image"] = data(findImage=found)

    with pytest.raises(StashError, match=r"no object at data\.findImage"):
        server.client().get_image(5)


def test_a_file_of_an_unknown_kind_is_an_error_where_its_size_is_missing(server):
    server.replies["Image"] = data(
        findImage=image(visual_files=[{"__typename": "Hologram"}])
    )

    with pytest.raises(StashError, match=r"visual_files\.0\.width"):
        server.client().get_image(5)


def test_half_a_character_in_a_title_does_not_travel_on(server):
    server.replies["Scene"] = data(findScene=scene(title="a\ud800b"))

    assert server.client().get_scene(12).title == "a?b"


def test_an_answer_without_end_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(stash_transport, "MAX_ANSWER_BYTES", 10_000)
    server.replies["Scene"] = data(findScene=scene(title="x" * 10_000))

    assert "larger than 10,000 bytes" in ask_and_fail(server)
