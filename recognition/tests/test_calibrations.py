"""Adopting what an evaluation has learnt, and going back, as users meet it."""

import pytest
from django.contrib.admin.models import LogEntry

from dbupdates.store import active_release
from recognition import calibrations
from recognition.calibrations import current_calibration
from recognition.models import (
    EvaluatedItem,
    Evaluation,
    LibraryRun,
    ReviewedName,
    StoredCalibration,
)
from recognition.numeric.calibration import Calibration
from recognition.numeric.people import MatchingMode
from recognition.tests.conftest import VERSION
from recognition.tests.stash_world import KNOWN_SCENE, post

FREQUENCY = MatchingMode.FREQUENCY
CURVE = Calibration((0.4, 0.8), (0.1, 0.9), known_score=0.6, uncertain_score=0.5)


@pytest.fixture
def evaluation(served):
    """An evaluation of the active release, of nothing so far."""
    run = LibraryRun.objects.create(
        kind=LibraryRun.Kind.EVALUATE, state=LibraryRun.State.COMPLETE, asked_by="api"
    )
    release = served.release
    return Evaluation.objects.create(
        run=run,
        sample_size=200,
        kinds=["scene"],
        is_sampled=True,
        release_version=release.version,
        network_set=release.network_set,
    )


def add_scene(evaluation, number, *, tagged=(), named=()):
    """Add a scene with its tagged ids, and the names with scores that it was given."""
    EvaluatedItem.objects.create(
        evaluation=evaluation,
        number=number,
        kind="scene",
        stash_id=number + 1,
        state="evaluated",
        source="stream",
        tagged=[
            {"performer_id": one, "name": one, "universal_ids": [one], "is_known": True}
            for one in tagged
        ],
        people={mode.value: [*map(as_person, named)] for mode in MatchingMode},
    )


def as_person(name_and_score):
    name, score = name_and_score
    return {
        "universal_id": name,
        "name": name,
        "is_named": True,
        "score": score,
        "confidence": score,
        "distance": 1 - score,
        "quality": 0.8,
        "face": {"frame": 0, "seconds": 1.0, "box": [0, 0, 9, 9], "image_id": None},
    }


def add_mixed_scenes(evaluation, count=40):
    """Right names from 0.6 on, and in every tenth scene a wrong one below 0.7."""
    for number in range(count):
        named = [("a", 0.6 + 0.3 * number / count)]
        if number % 10 == 0:
            named.append(("b", 0.4 + 0.2 * number / count))
        add_scene(evaluation, number, tagged=["a"], named=named)


def adopt(client, **asked):
    return post(client, "/identify/evaluation/adopt", **({"mode": "frequency"} | asked))


def report_of(client, mode="frequency"):
    report = client.get("/identify/evaluation").json()
    return next(each for each in report["modes"] if each["mode"] == mode)


def test_the_threshold_for_so_few_wrong_names_is_adopted_with_the_curve(
    evaluation, admin_client, admin_user
):
    add_mixed_scenes(evaluation)

    response = adopt(admin_client, wrong_names=1, per_scenes=40)

    assert response.status_code == 200, response.content
    answer = response.json()
    # Of the wrong ones, at 0.4, 0.45, 0.5 and 0.55, one may stay.
    assert answer["threshold"] == pytest.approx(0.55)
    assert (answer["wrong_count"], answer["item_count"]) == (1, 40)
    assert answer["highest_rate"] == pytest.approx(5.572 / 40, abs=1e-3)
    row = StoredCalibration.objects.get()
    assert (row.mode, row.origin, row.is_active) == ("frequency", "library", True)
    assert (row.sample_size, row.adopted_by) == (40, admin_user)
    adopted = current_calibration(FREQUENCY)
    assert adopted is not None
    assert adopted.known_score == pytest.approx(0.55)
    assert adopted.probability(0.45) < 0.5 < adopted.probability(0.85)


def test_the_confidence_of_a_name_becomes_the_probability_of_being_right(
    stash, admin_client
):
    told = confidences(admin_client)
    calibrations.adopt(
        FREQUENCY, CURVE, by=None, sample_size=9, network_set=network_set()
    )

    calibrated = confidences(admin_client)

    assert calibrated == pytest.approx([CURVE.probability(one) for one in told])
    assert calibrated != pytest.approx(told)


def confidences(client):
    answer = post(
        client,
        "/identify/scene",
        scene_id=KNOWN_SCENE,
        num_frames=4,
        matching_mode="frequency",
    ).json()
    return [
        one["best_match"]["confidence"]
        for one in answer["persons"]
        if one["best_match"]
    ]


def network_set():
    release = active_release()
    assert release is not None
    return release.network_set


def test_going_back_has_the_shipped_one_decide_again(evaluation, admin_client):
    calibrations.adopt(
        FREQUENCY, CURVE, by=None, sample_size=9, network_set=evaluation.network_set
    )
    assert current_calibration(FREQUENCY) == CURVE

    response = post(admin_client, "/identify/evaluation/shipped", mode="frequency")

    assert response.json()["origin"] == "shipped"
    shipped = calibrations.SHIPPED_CALIBRATIONS.get(FREQUENCY)
    assert current_calibration(FREQUENCY) == shipped
    # What was in force before is still told of.
    assert StoredCalibration.objects.count() == 2
    assert StoredCalibration.objects.filter(is_active=True).count() == 1


def test_a_calibration_of_other_networks_does_not_hold(evaluation):
    calibrations.adopt(FREQUENCY, CURVE, by=None, sample_size=9, network_set="others")

    assert current_calibration(FREQUENCY) is None


def test_what_another_process_adopts_is_noticed(evaluation, monkeypatch):
    assert current_calibration(FREQUENCY) is None
    StoredCalibration.objects.create(
        mode="frequency",
        origin="library",
        scores=[0.4, 0.8],
        probabilities=[0.1, 0.9],
        known_score=0.6,
        uncertain_score=0.5,
        network_set=evaluation.network_set,
        is_active=True,
    )

    assert current_calibration(FREQUENCY) is None
    monkeypatch.setattr(calibrations, "MAX_AGE_SECONDS", 0)
    assert current_calibration(FREQUENCY) == CURVE


def test_too_few_names_are_not_adopted(evaluation, admin_client):
    add_scene(evaluation, 0, tagged=["a"], named=[("a", 0.7)])

    response = adopt(admin_client, per_scenes=10)

    assert (response.status_code, response.json()["code"]) == (409, "nothing_to_adopt")
    assert "1 names" in response.json()["detail"]
    assert not StoredCalibration.objects.exists()


def test_a_threshold_that_would_name_nobody_is_not_adopted(evaluation, admin_client):
    for number in range(30):
        add_scene(evaluation, number, tagged=["a"], named=[("b", 0.7)])

    response = adopt(admin_client, per_scenes=100)

    assert response.status_code == 409
    assert "nobody would be named" in response.json()["detail"]
    # The worst that can be, and still a report.
    mode = report_of(admin_client)
    assert mode["strict"]["precision"]["value"] == 0
    assert mode["strict"]["false_names_per_scene"]["value"] == 1
    assert mode["strict"]["recall"]["count"] == 0


def test_an_evaluation_of_other_networks_is_not_adopted(evaluation, admin_client):
    add_mixed_scenes(evaluation)
    Evaluation.objects.update(network_set="others")

    response = adopt(admin_client, per_scenes=10)

    assert response.status_code == 409
    assert "other networks" in response.json()["detail"]


def test_where_everything_is_right_every_name_is_kept(evaluation, admin_client):
    for number in range(30):
        score = 0.5 + number / 100
        add_scene(evaluation, number, tagged=["a"], named=[("a", score)])

    assert adopt(admin_client, per_scenes=30).json()["threshold"] == 0.5

    strict = report_of(admin_client)["strict"]
    assert strict["precision"]["value"] == strict["recall"]["value"] == 1
    assert strict["precision"]["low"] < 0.9
    assert strict["false_names_per_scene"] == {"value": 0, "low": 0, "high": 0}


def test_one_scene_alone_is_reported_and_not_adopted(evaluation, admin_client):
    add_scene(evaluation, 0, tagged=["a", "c"], named=[("a", 0.7), ("b", 0.6)])

    mode = report_of(admin_client)

    assert mode["strict"]["recall"]["value"] == 0.5
    assert mode["strict"]["precision"]["value"] == 0.5
    assert mode["fitted_calibration_error"] is None
    assert adopt(admin_client, per_scenes=10).status_code == 409


def test_items_in_which_tags_and_names_disagree_strongly_are_left_out_apart(
    evaluation, admin_client
):
    for number in range(9):
        add_scene(evaluation, number, tagged=["a"], named=[("a", 0.7)])
    add_scene(evaluation, 9, tagged=["a"], named=[("b", 0.9)])
    add_scene(evaluation, 10, tagged=["a"], named=[("c", 0.5)])

    mode = report_of(admin_client)

    assert mode["disputed_count"] == 1
    assert mode["strict"]["precision"]["total"] == 11
    assert mode["undisputed"]["precision"]["total"] == 10
    assert mode["undisputed"]["precision"]["count"] == 9

    ReviewedName.objects.create(
        kind="scene", stash_id=10, universal_id="b", verdict="name_wrong"
    )

    # Somebody has looked: it is a mistake and not a matter of tags.
    assert report_of(admin_client)["disputed_count"] == 0


def test_who_is_uncertain_is_nobodys_name(evaluation, admin_client):
    person = as_person(("b", 0.9)) | {"is_named": False}
    add_scene(evaluation, 0, tagged=["a"], named=[("a", 0.7)])
    item = evaluation.items.get()
    item.people["frequency"].append(person)
    item.save()

    strict = report_of(admin_client)["strict"]

    assert strict["uncertain_count"] == 1
    assert strict["precision"] | {"low": 0, "high": 0} == {
        "count": 1, "total": 1, "value": 1.0, "low": 0, "high": 0,
    }  # fmt: skip
    listed = admin_client.get("/identify/evaluation/disagreements").json()
    assert listed["total"] == 0


def test_two_ids_of_one_performer_are_one_person(evaluation, admin_client):
    add_scene(evaluation, 0, named=[("a", 0.7), ("a2", 0.6)])
    item = evaluation.items.get()
    item.tagged = [
        {
            "performer_id": 1,
            "name": "a",
            "universal_ids": ["a", "a2"],
            "is_known": True,
        }
    ]
    item.save()

    strict = report_of(admin_client)["strict"]

    assert strict["recall"]["total"] == strict["recall"]["count"] == 1
    assert strict["precision"]["total"] == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"per_scenes": 0},
        {"per_scenes": 10, "mode": "guess"},
        {"per_scenes": 10, "wrong_names": -1},
        {},
    ],
)
def test_what_makes_no_sense_is_refused(evaluation, admin_client, asked):
    assert adopt(admin_client, **asked).status_code == 422


def test_the_page_shows_figures_plots_and_the_button(
    evaluation, admin_client, admin_user
):
    add_mixed_scenes(evaluation)
    path = f"/admin/recognition/evaluation/{evaluation.pk}/change/"

    page = admin_client.get(path, {"mode": "hybrid"}).content.decode()

    assert page.count("<svg") >= 5
    assert 'role="img" aria-labelledby="reliability-title' in page
    assert "Mode hybrid" in page
    assert "lower bound" in page
    assert f"Release {VERSION}" in page
    assert 'id="adopt-form"' in page

    adopted = admin_client.post(
        f"/admin/recognition/evaluation/{evaluation.pk}/adopt/",
        {"mode": "hybrid", "wrong_names": 1, "per_scenes": 40},
        follow=True,
    )

    assert "Adopted. From 0.5" in adopted.content.decode()
    assert "own, of 40 items, adopted by admin" in adopted.content.decode()
    row = StoredCalibration.objects.get()
    assert (row.mode, row.adopted_by) == ("hybrid", admin_user)

    back = admin_client.post(
        f"/admin/recognition/evaluation/{evaluation.pk}/shipped/",
        {"mode": "hybrid"},
        follow=True,
    )

    assert "Calibration in force: none" in back.content.decode()


def test_names_are_reviewed_on_the_page(evaluation, admin_client, admin_user):
    add_scene(evaluation, 0, tagged=["a"], named=[("a", 0.7), ("<b>", 0.9)])
    root = f"/admin/recognition/evaluation/{evaluation.pk}"
    said = {"kind": "scene", "stash_id": 1, "universal_id": "<b>"}

    page = admin_client.get(f"{root}/change/").content.decode()
    assert "Names that are not tagged (1)" in page
    # Names come from elsewhere and are text.
    assert "<b>" not in page
    admin_client.post(f"{root}/review/", {**said, "verdict": "name_wrong"})

    assert ReviewedName.objects.get().verdict == "name_wrong"
    page = admin_client.get(f"{root}/change/").content.decode()
    assert 'value="name_wrong" aria-pressed="true"' in page
    admin_client.post(f"{root}/review/", {**said, "verdict": ""})
    assert not ReviewedName.objects.exists()
    kept = LogEntry.objects.filter(user=admin_user, object_id=evaluation.pk)
    assert [entry.get_change_message() for entry in kept.order_by("pk")] == [
        "Said of <b> in scene 1: name_wrong.",
        "Said of <b> in scene 1: nothing any more.",
    ]
    history = admin_client.get(f"{root}/history/").content.decode()
    assert "Said of &lt;b&gt; in scene 1" in history


def test_the_page_of_an_evaluation_begins_and_refuses(
    stash, admin_client, client, django_user_model
):
    path = "/admin/recognition/evaluation/"
    assert 'id="begin-evaluation"' in admin_client.get(path).content.decode()

    wrong = admin_client.post(f"{path}begin/", {"sample": 0}, follow=True)
    assert "sample" in wrong.content.decode()
    assert not Evaluation.objects.exists()

    begun = admin_client.post(
        f"{path}begin/", {"sample": 5, "kinds": ["scene"]}, follow=True
    )
    assert 'id="stop-form"' in begun.content.decode()
    assert begun["Refresh"]
    pk = Evaluation.objects.get().pk
    admin_client.post(f"{path}{pk}/stop/")
    assert LibraryRun.objects.get().state == "cancelled"

    staff = django_user_model.objects.create_user("anna", is_staff=True)
    client.force_login(staff)
    for name in ("begin", f"{pk}/stop", f"{pk}/adopt", f"{pk}/shipped", f"{pk}/review"):
        assert client.post(f"{path}{name}/").status_code == 403
