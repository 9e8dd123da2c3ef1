"""How good names are on a library, measured by its tags, as users meet it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dbupdates.models import DatabaseRelease
from recognition import (
    evaluations,
    library_runs,
    library_slices,
    registry,
    slice_at_work,
)
from recognition.evaluations import EvaluationOptions, Kind
from recognition.management import library_terminal
from recognition.models import (
    EvaluatedItem,
    Evaluation,
    Fingerprint,
    LibraryRun,
    ReviewedName,
)
from recognition.numeric.people import MatchingMode
from recognition.pictures import decode_picture
from recognition.tests.conftest import TWIN_VERSION, VERSION
from recognition.tests.library_world import ASKER, ended, work
from recognition.tests.stash_world import KNOWN_SCENE, MIXED_SCENE, cast_of, post
from recognition.tests.test_library_runs import break_video, library  # noqa: F401
from recognition.tests.test_rematching import serve_release

State = LibraryRun.State
KNOWN_IMAGE = "1"


@pytest.fixture
def identified(library, admin_client):  # noqa: F811
    """A library of which two scenes and two images were identified."""
    for scene_id in (KNOWN_SCENE, MIXED_SCENE):
        post(admin_client, "/identify/scene", scene_id=scene_id, num_frames=6)
    for image_id in ("1", "2"):
        post(admin_client, "/identify/image", image_id=image_id)
    return library


def tag(stash, kind, stash_id, universal_ids):
    """Tag performers in the stand-in Stash, by what a release calls them."""
    rows = getattr(stash.library, kind)
    rows[stash_id].performer_ids = [
        performer.id
        for performer in stash.library.performers.values()
        if any(_universal(one) in universal_ids for one in performer.stash_ids)
    ]


def _universal(stash_id):
    return f"{stash_id.endpoint.split('/')[2]}:{stash_id.stash_id}"


def tag_everybody(stash):
    for scene_id in stash.library.scenes:
        tag(stash, "scenes", scene_id, cast_of(stash.library, scene_id))
    for image_id in stash.library.images:
        tag(stash, "images", image_id, {*stash.library.image_answers[image_id]})


def evaluate(**options):
    evaluation = evaluations.evaluate_library(EvaluationOptions(**options), asker=ASKER)
    ended(evaluation.run)
    return evaluation


def tag_nobody(stash):
    for rows in (stash.library.scenes, stash.library.images, stash.library.galleries):
        for row in rows.values():
            row.performer_ids = []


def unlink_performers(stash):
    tag_everybody(stash)
    for performer in stash.library.performers.values():
        performer.stash_ids = []


def mode_of(report, mode="frequency"):
    return next(each for each in report["modes"] if each["mode"] == mode)


def review(client, one, verdict):
    about = {key: one[key] for key in ("kind", "stash_id", "universal_id")}
    response = post(
        client, "/identify/evaluation/disagreements", verdict=verdict, **about
    )
    assert response.status_code == 200


def latest_report(client):
    response = client.get("/identify/evaluation")
    assert response.status_code == 200, response.content
    return response.json()


def test_what_is_tagged_is_identified_in_every_mode(identified, admin_client):
    tag_everybody(identified)

    started = post(admin_client, "/identify/evaluation")
    work()

    assert started.status_code == 200
    report = latest_report(admin_client)
    assert (report["state"], report["error"]) == ("complete", None)
    assert report["release_version"] == VERSION
    assert report["item_counts"] == {"scene": 2, "image": 2, "gallery": 0}
    assert {one["mode"] for one in report["modes"]} == {*map(str, MatchingMode)}
    for mode in report["modes"]:
        assert mode["strict"]["recall"]["total"] >= 5
        assert mode["strict"]["precision"]["value"] > 0.5
        assert 0 <= mode["strict"]["precision"]["low"] <= 1
        assert mode["thresholds"]


def test_a_name_that_is_not_tagged_counts_as_wrong_until_somebody_says_it_is_right(
    identified, admin_client
):
    cast = sorted(cast_of(identified.library, KNOWN_SCENE))
    tag(identified, "scenes", KNOWN_SCENE, cast[:1])
    tag(identified, "scenes", MIXED_SCENE, cast_of(identified.library, MIXED_SCENE))

    evaluate(kinds=(Kind.SCENE,))

    before = mode_of(latest_report(admin_client))["strict"]
    assert before["precision"]["count"] == before["precision"]["total"] - 1
    listed = admin_client.get("/identify/evaluation/disagreements").json()
    (one,) = listed["disagreements"]
    assert (one["universal_id"], one["verdict"]) == (cast[1], None)
    assert (one["kind"], one["stash_id"]) == ("scene", KNOWN_SCENE)

    review(admin_client, one, "tag_missing")

    after = mode_of(latest_report(admin_client))["strict"]
    assert after["precision"]["count"] == after["precision"]["total"]
    assert after["recall"]["total"] == before["recall"]["total"] + 1
    listed = admin_client.get("/identify/evaluation/disagreements").json()
    assert listed["disagreements"][0]["verdict"] == "tag_missing"


def test_what_nobody_can_tell_counts_neither_way_and_is_taken_back(
    identified, admin_client
):
    tag(identified, "scenes", KNOWN_SCENE, [min(cast_of(identified.library, "1"))])
    evaluate(kinds=(Kind.SCENE,))
    (one,) = admin_client.get("/identify/evaluation/disagreements").json()[
        "disagreements"
    ]
    before = mode_of(latest_report(admin_client))

    review(admin_client, one, "cannot_tell")

    strict = mode_of(latest_report(admin_client))["strict"]
    assert strict["precision"]["total"] == before["strict"]["precision"]["total"] - 1
    assert strict["recall"] == before["strict"]["recall"]

    review(admin_client, one, None)

    assert not ReviewedName.objects.exists()
    assert mode_of(latest_report(admin_client)) == before


def test_the_same_seed_gives_the_same_figures(identified, admin_client):
    tag_everybody(identified)
    evaluate(seed=5)
    first = latest_report(admin_client)

    evaluate(seed=5)

    assert latest_report(admin_client)["modes"] == first["modes"]


def test_tags_are_not_seen_by_the_matching(identified, admin_client):
    """A performer who is tagged and absent is proposed nowhere, in no mode."""
    absent = {*identified.library.image_answers["2"]} - cast_of(
        identified.library, KNOWN_SCENE
    )
    tag(identified, "scenes", KNOWN_SCENE, absent)

    evaluate(kinds=(Kind.SCENE,))

    for mode in latest_report(admin_client)["modes"]:
        assert mode["strict"]["recall"]["count"] == 0
        assert mode["strict"]["precision"]["value"] in (0, None)
        # There is no right name by which anything could be disputed.
        assert mode["disputed_count"] == 0


def test_what_is_missing_is_decoded_if_that_is_wanted(library, admin_client):  # noqa: F811
    tag_everybody(library)
    tag(library, "galleries", "1", cast_of(library.library, KNOWN_SCENE))

    evaluation = evaluate(may_decode=True)

    report = latest_report(admin_client)
    assert report["error"] is None
    assert report["item_counts"] == {"scene": 2, "image": 6, "gallery": 1}
    assert Fingerprint.objects.complete().count() >= 4
    assert evaluation.items.filter(source="gallery").count() == 1
    sources = {one["label"] for one in mode_of(report)["by_source"]}
    assert sources == {"stream", "image", "gallery"}


def test_a_scene_that_cannot_be_decoded_is_passed_over_with_its_reason(
    library,  # noqa: F811
    admin_client,
    tmp_path,
):
    tag_everybody(library)
    break_video(library, KNOWN_SCENE, tmp_path)

    evaluate(may_decode=True, kinds=(Kind.SCENE,))

    report = latest_report(admin_client)
    assert (report["state"], report["item_counts"]) == ("complete", {"scene": 1})
    (skipped,) = report["skipped"]
    assert skipped["stash_id"] == KNOWN_SCENE
    assert "Scene 1" in skipped["reason"]
    # An evaluation parks nothing.
    assert not Fingerprint.objects.filter(attempt_count__gt=0).exists()


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (lambda stash: Fingerprint.objects.all().delete(), "was identified"),
        (lambda stash: tag_nobody(stash), "was identified"),
        (lambda stash: unlink_performers(stash), "link performers to the stash-box"),
    ],
)
def test_an_evaluation_without_usable_tags_says_what_is_missing(
    identified, admin_client, arrange, told
):
    arrange(identified)

    run = evaluate().run

    run.refresh_from_db()
    assert (run.state, run.error_code) == (State.FAILED, "nothing_to_evaluate")
    assert told in run.error
    report = latest_report(admin_client)
    assert (report["modes"], report["error"]) == ([], run.error)


def test_without_a_stash_or_a_release_nothing_begins(
    served, settings, admin_client, stash_server
):
    settings.STASH_URL = ""

    response = post(admin_client, "/identify/evaluation")

    assert (response.status_code, response.json()["code"]) == (
        400,
        "stash_not_configured",
    )
    settings.STASH_URL = stash_server.url
    DatabaseRelease.objects.all().delete()
    response = post(admin_client, "/identify/evaluation")
    assert response.json()["code"] == "database_not_loaded"
    assert not Evaluation.objects.exists()
    assert admin_client.get("/identify/evaluation").status_code == 404


def test_one_evaluation_goes_on_at_a_time_and_is_stopped(identified, admin_client):
    post(admin_client, "/identify/evaluation")

    second = post(admin_client, "/identify/evaluation")

    assert second.json()["code"] == "library_run_in_progress"
    assert Evaluation.objects.count() == 1
    assert post(admin_client, "/identify/evaluation/stop").status_code == 200
    assert LibraryRun.objects.get().state == State.CANCELLED
    assert post(admin_client, "/identify/evaluation/stop").status_code == 404


def test_a_stash_that_goes_down_in_the_middle_leaves_what_was_done(
    library,  # noqa: F811
    admin_client,
    monkeypatch,
):
    tag_everybody(library)
    post(admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6)
    monkeypatch.setattr(slice_at_work, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(library_slices, "SLICE_SECONDS", 0.05)
    evaluation = evaluations.evaluate_library(
        EvaluationOptions(may_decode=True), asker=ASKER
    )
    while not evaluation.items.filter(state="evaluated").exists():
        work(tasks=1)
    monkeypatch.setattr(library_slices, "SLICE_SECONDS", 20)
    library.go_down()

    first = evaluation.run
    ended(first)

    assert (first.state, first.error_code) == (State.FAILED, "library_run_stuck")
    done = evaluation.items.filter(state="evaluated").count()
    assert 0 < done < evaluation.items.count()
    assert latest_report(admin_client)["pending_count"] > 0
    library.come_back()

    again = evaluate(may_decode=True)

    assert again.pk == evaluation.pk
    assert again.run_id != first.pk
    assert latest_report(admin_client)["pending_count"] == 0


def test_a_release_that_is_exchanged_meanwhile_has_all_matched_again(
    identified, admin_client, served, small_recognizer
):
    tag_everybody(identified)
    evaluation = evaluations.evaluate_library(EvaluationOptions(), asker=ASKER)
    ended(evaluation.run)
    # As if it had been stopped before the last item.
    evaluation.items.filter(number=3).update(state="pending")
    evaluation.items.exclude(number=3).update(people={"frequency": []})
    LibraryRun.objects.update(state="running", ended_at=None)
    serve_release(served, small_recognizer, TWIN_VERSION)

    library_runs.take_up_dead_runs()
    ended(evaluation.run)

    report = latest_report(admin_client)
    assert (report["state"], report["release_version"]) == ("complete", TWIN_VERSION)
    assert report["pending_count"] == 0
    assert mode_of(report)["strict"]["recall"]["count"] > 0


def test_the_command_tells_the_figures_and_how_tags_are_treated(
    identified, monkeypatch
):
    monkeypatch.setattr(library_terminal, "PATIENCE_SECONDS", 0)
    tag_everybody(identified)
    out = StringIO()

    call_command("evaluate_library", "--sample", "1", "--kind", "scene", stdout=out)

    told = out.getvalue()
    assert "1 of kind scene" in told
    assert "frequency" in told
    assert "lower bound" in told
    with pytest.raises(CommandError, match="--sample"):
        call_command("evaluate_library", "--sample", "0")


def test_only_who_may_operate_begins_or_judges(identified, django_user_model, client):
    staff = django_user_model.objects.create_user("anna", is_staff=True)
    client.force_login(staff)

    for path in ("", "/stop", "/adopt", "/shipped", "/disagreements", "/match"):
        assert post(client, f"/identify/evaluation{path}").status_code == 403

    assert client.get("/identify/evaluation").status_code == 404


def test_the_face_behind_a_name_is_cut_from_the_video_and_from_pictures(
    identified, admin_client
):
    tag(identified, "scenes", KNOWN_SCENE, [min(cast_of(identified.library, "1"))])
    tag(identified, "images", "2", identified.library.image_answers["1"])
    tag(identified, "images", "1", [])
    evaluate()

    listed = admin_client.get("/identify/evaluation/disagreements").json()

    assert {one["kind"] for one in listed["disagreements"]} == {"scene", "image"}
    for one in listed["disagreements"]:
        crop = admin_client.get(one["crop_path"])
        assert (crop.status_code, crop["Content-Type"]) == (200, "image/jpeg")
        pixels = decode_picture(crop.content)
        faces = registry.recognizer().networks.detector.detect_faces(
            pixels, min_confidence=0.3
        )
        assert faces, one["kind"]


def test_a_face_that_cannot_be_had_says_why(identified, admin_client):
    tag(identified, "scenes", KNOWN_SCENE, [min(cast_of(identified.library, "1"))])
    evaluate(kinds=(Kind.SCENE,))
    (one,) = admin_client.get("/identify/evaluation/disagreements").json()[
        "disagreements"
    ]
    item = EvaluatedItem.objects.get(stash_id=KNOWN_SCENE)

    nobody = admin_client.get(
        f"/identify/evaluation/crops/{item.pk}", {"universal_id": "nobody"}
    )
    identified.library.scenes.pop(KNOWN_SCENE)
    gone = admin_client.get(one["crop_path"])
    identified.go_down()
    away = admin_client.get(one["crop_path"])

    assert nobody.json()["code"] == "evaluation_not_found"
    assert (gone.status_code, gone.json()["code"]) == (404, "stash_not_found")
    assert (away.status_code, away.json()["code"]) == (503, "stash_unreachable")
