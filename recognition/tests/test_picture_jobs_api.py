"""Images and galleries identified in the background, as scenes are."""

import time

import pytest

from recognition import jobs, scenes, watching
from recognition.api import job_serializers
from recognition.models import Fingerprint, IdentificationJob
from recognition.tests.stash_world import KNOWN_SCENE, UNKNOWN_ID, post
from recognition.tests.test_jobs_api import client, ended, look, runner  # noqa: F401
from recognition.tests.test_stash_pictures_api import GALLERY, image_ids_of, standalone
from stashsense.tests.waiting import wait_until

FIELDS = {"image": "image_id", "gallery": "gallery_id"}


def start(client, kind, stash_id=GALLERY, **body):  # noqa: F811
    body[FIELDS[kind]] = stash_id
    return post(client, f"/identify/{kind}/jobs", **body)


def at_once(client, kind, stash_id=GALLERY, **body):  # noqa: F811
    body[FIELDS[kind]] = stash_id
    return post(client, f"/identify/{kind}", **body).json()


def crops_of(answer):
    return [
        each["crop"] for name in job_serializers._LISTS for each in answer.get(name, [])
    ]


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_a_job_ends_with_what_the_route_answers_at_once(client, stash, kind):  # noqa: F811
    response = start(client, kind)

    assert response.status_code == 202
    job = response.json()
    assert (job["kind"], job["stash_id"], job["scene_id"]) == (kind, GALLERY, None)
    done = ended(client, job)
    assert (done["state"], done["error"]) == ("complete", None)
    assert done["result"] == at_once(client, kind)
    assert done["persons"] == []
    count = 1 if kind == "image" else len(image_ids_of(stash, GALLERY))
    assert (done["frames_done"], done["frames_asked"]) == (count, count)
    assert Fingerprint.objects.get(kind=kind).people.exists()


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_crops_are_sent_when_asked_for(client, stash, kind):  # noqa: F811
    job = ended(client, start(client, kind).json())

    assert {*crops_of(job), *crops_of(job["result"])} == {None}
    with_crops = look(client, job, include_crops="true")
    told = crops_of(with_crops["result"])
    assert told
    assert all(each.startswith("data:image/jpeg;base64,") for each in told)
    assert with_crops["result"] == at_once(client, kind, include_crops=True)


def test_performers_are_told_while_a_gallery_is_looked_at(
    client,  # noqa: F811
    stash,
    monkeypatch,
):
    monkeypatch.setattr(watching, "PEOPLE_SO_FAR_SECONDS", 0)
    monkeypatch.setattr("recognition.galleries._TELLING_SHARE", 1e9)
    told, report = [], jobs._Job.report

    def noted(job, progress):
        report(job, progress)
        row = IdentificationJob.objects.get()
        told.append((row.frames_done, row.frames_asked, row.people))

    monkeypatch.setattr(jobs._Job, "report", noted)

    done = ended(client, start(client, "gallery").json())

    assert done["performers"] == done["result"]["performers"]
    counts = [each[0] for each in told]
    assert counts == sorted(counts)
    assert {each[1] for each in told} == {len(image_ids_of(stash, GALLERY))}
    known = {each["universal_id"] for each in done["performers"]}
    so_far = [{one["universal_id"] for one in each[2]} for each in told]
    assert any(so_far)
    assert all(each <= known for each in so_far)


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_a_job_is_cancelled_within_about_a_second_while_stash_sends_nothing(
    client,  # noqa: F811
    stash,
    kind,
):
    stash.faults.only_paths = "/image"
    stash.faults.hang = True
    job = start(client, kind).json()
    wait_until(lambda: look(client, job)["state"] == "running")

    began = time.monotonic()
    response = client.post(f"/identify/jobs/{job['job_id']}/cancel")
    done = ended(client, job)

    assert response.status_code == 200
    assert done["state"] == "cancelled"
    # A fetch alone would be waited for for thirty.
    assert time.monotonic() - began < 5
    assert not Fingerprint.objects.exists()


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_what_cannot_begin_leaves_no_job(client, stash, kind):  # noqa: F811
    unknown = start(client, kind, UNKNOWN_ID)

    assert (unknown.status_code, unknown.json()["code"]) == (404, "stash_not_found")
    assert start(client, kind, "x").status_code == 422
    assert start(client, kind, top_k=0).status_code == 422
    assert not IdentificationJob.objects.exists()


def test_a_job_about_an_image_that_cannot_be_read_tells_why(client, stash):  # noqa: F811
    image_id = standalone(stash, 0)
    file_id = stash.library.images[image_id].file_ids[0]
    stash.library.files[file_id].name = "gone.jpg"
    at_once_code = at_once(client, "image", image_id)["code"]

    job = ended(client, start(client, "image", image_id).json())

    assert (job["state"], job["code"]) == ("failed", at_once_code)
    assert job["error"]
    assert job["result"] is None


def test_an_image_does_not_wait_for_scenes(client, stash, settings):  # noqa: F811
    scenes.scene_gate.cache_clear()
    settings.SCENE_SLOTS = 1
    stash.faults.only_paths = "/scene"
    stash.faults.hang = True
    scene = post(client, "/identify/scene/jobs", scene_id=KNOWN_SCENE).json()
    wait_until(lambda: look(client, scene)["state"] == "running")
    gallery = start(client, "gallery").json()

    image = ended(client, start(client, "image").json())

    assert image["state"] == "complete"
    assert look(client, gallery)["state"] == "queued"
    client.post(f"/identify/jobs/{gallery['job_id']}/cancel")
    client.post(f"/identify/jobs/{scene['job_id']}/cancel")
    assert ended(client, scene)["state"] == "cancelled"
    scenes.scene_gate.cache_clear()


def test_an_empty_gallery_ends_without_anybody(client, stash):  # noqa: F811
    for each in stash.library.images.values():
        each.gallery_ids = []

    job = ended(client, start(client, "gallery").json())

    assert (job["state"], job["frames_done"], job["performers"]) == ("complete", 0, [])
