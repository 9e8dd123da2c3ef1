"""The hook on new scenes: off unless the user wants it, quick, and never in the way."""

import pytest

from plugin.tests.conftest import answering
from recognition.models import EnqueuedScene

CONTEXT = {"id": 7, "type": "Scene.Create.Post", "input": None, "inputFields": None}


def created(backend, **context):
    return backend.run("hook_scene_created", hookContext={**CONTEXT, **context})


@pytest.mark.parametrize("stored", [{}, {"identifyNewScenes": False}])
def test_nothing_is_asked_of_the_sidecar_unless_the_user_wants_it(
    backend, stash, stranger, stored
):
    host = stranger(answering(b"{}"))
    backend.set(**stored)

    ended = created(backend)

    assert ended.answer == {"output": {"is_enqueued": False}}
    assert host.asked == []
    assert len(stash.requests) == 1
    assert ended.stderr == ""


def test_a_new_scene_is_put_on_the_list(backend, sidecar):
    backend.set(identifyNewScenes=True)

    ended = created(backend)

    assert ended.answer == {"output": {"is_enqueued": True}}
    assert EnqueuedScene.objects.get().stash_id == 7
    assert ended.stderr == ""


def test_a_sidecar_that_is_not_there_costs_a_warning(backend):
    backend.set(identifyNewScenes=True, sidecarUrl="http://127.0.0.1:9")

    ended = created(backend)

    assert ended.answer == {"output": {"is_enqueued": False}}
    ((level, text),) = ended.logged
    assert level == "w"
    assert text.startswith("Scene 7 was not put on the list: No Stash Sense answers")


def test_a_sidecar_that_says_nothing_holds_a_scan_up_for_seconds(backend, stranger):
    stranger(lambda handler: handler.keep_silent())
    backend.set(identifyNewScenes=True)

    ended = created(backend)

    assert ended.answer == {"output": {"is_enqueued": False}}
    assert ended.seconds < 8
    assert len(ended.logged) == 1


@pytest.mark.parametrize("scene_id", [None, "a", [], {"a": "\n\x01e\x02no"}, 10**30])
def test_what_is_no_scene_is_told_in_one_line(backend, stash, scene_id):
    backend.set(identifyNewScenes=True)

    ended = created(backend, id=scene_id)

    assert ended.answer == {"output": {"is_enqueued": False}}
    assert len(ended.logged) == 1
