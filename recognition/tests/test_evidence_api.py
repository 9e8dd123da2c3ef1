"""Bodies and tattoos in the answers about pictures, images and scenes."""

import base64
import dataclasses

import pytest

from recognition import registry
from recognition.models import Fingerprint
from recognition.numeric.body import BodyRatios
from recognition.numeric.tattoos import TattooBox, TattooEvidence
from recognition.rematching import rematch
from recognition.runtime.signals import ON, SignalResources
from recognition.tests.stash_world import KNOWN_SCENE, post

WIDE = 2.0


class Eyes:
    """What reads bodies: the same one wherever there is a face."""

    def __init__(self, shoulder_hip):
        self.seen = BodyRatios(shoulder_hip, 1.0, 1.0, confidence=0.9)

    def estimate(self, image, boxes):
        return [self.seen for _ in boxes]


@pytest.fixture
def portrait(served):
    pictures = served.known_pictures(12)
    return next(picture for picture in pictures if len(picture.answers) == 1)


@pytest.fixture
def serve_bodies(served, small_recognizer):
    """Serve with bodies of this shape, which only these performers have."""

    def serve(universal_ids):
        signals = SignalResources(
            {"body": ON, "tattoo": "none"},
            pose=Eyes(WIDE),  # type: ignore[arg-type]
            body_ratios={
                person.universal_id: (
                    WIDE if person.universal_id in universal_ids else 1.0
                )
                for person in served.world.people
            },
        )
        recognizer = dataclasses.replace(small_recognizer, signals=signals)
        registry.serve(registry.Serving(served.release, recognizer))

    return serve


def best_and_rest(matches):
    return [match["universal_id"] for match in matches]


def identify(client, picture, **body):
    encoded = base64.b64encode(picture.jpeg).decode()
    answer = post(client, "/identify", image_base64=encoded, max_distance=2, **body)
    (face,) = answer.json()["faces"]
    return face["matches"]


def test_another_body_takes_the_lead_of_a_face(admin_client, portrait, serve_bodies):
    plain = identify(admin_client, portrait, top_k=8)
    rival = plain[1]["universal_id"]
    serve_bodies({rival})

    weighed = identify(admin_client, portrait, top_k=8)

    assert best_and_rest(weighed)[0] == rival
    assert {m["universal_id"]: m["distance"] for m in weighed} == {
        m["universal_id"]: m["distance"] for m in plain
    }
    confidences = [match["confidence"] for match in weighed]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.parametrize("option", ["use_body", "use_multi_signal"])
def test_evidence_can_be_declined(admin_client, portrait, serve_bodies, option):
    plain = identify(admin_client, portrait, top_k=3)
    serve_bodies({plain[1]["universal_id"]})

    assert identify(admin_client, portrait, top_k=3, **{option: False}) == plain


def test_who_leads_is_chosen_among_more_than_are_told(
    admin_client, portrait, serve_bodies
):
    last = identify(admin_client, portrait, top_k=8)[-1]["universal_id"]
    serve_bodies({last})

    (only,) = identify(admin_client, portrait, top_k=1)

    assert only["universal_id"] != portrait.answers[0].universal_id


def test_a_scene_says_what_spoke_for_whom(admin_client, stash, serve_bodies):
    serve_bodies(set())

    answer = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6
    ).json()
    without = post(
        admin_client,
        "/identify/scene",
        scene_id=KNOWN_SCENE,
        num_frames=6,
        use_multi_signal=False,
    ).json()

    assert answer["multi_signal_used"] is True
    assert ["face", "body"] in [p["signals_used"] for p in answer["persons"]]
    assert without["multi_signal_used"] is False
    assert all(p["signals_used"] == ["face"] for p in without["persons"])


def test_what_another_release_makes_of_a_scene_weighs_the_bodies_again(
    admin_client, stash, served, serve_bodies
):
    everybody = {person.universal_id for person in served.world.people}
    serve_bodies(everybody)
    post(admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6)
    fingerprint = Fingerprint.objects.select_related("packed").get()
    before = [*fingerprint.people.values_list("universal_id", flat=True)]
    recognizer = registry.recognizer()
    fingerprint.release_version = "2020.01.01"

    rematch([fingerprint], recognizer.database, signals=recognizer.signals)

    assert [*fingerprint.people.values_list("universal_id", flat=True)] == before
    assert fingerprint.evidence
    assert not fingerprint.changes.exists()


def test_a_signal_changes_nobody_without_evidence(
    admin_client, stash, serve_bodies, served, small_recognizer
):
    plain = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=6
    ).json()["persons"]
    serve_bodies(set())
    weighed = post(
        admin_client,
        "/identify/scene",
        scene_id=KNOWN_SCENE,
        num_frames=6,
        matching_mode="hybrid",
        top_k=1,
    ).json()["persons"]
    registry.serve(registry.Serving(served.release, small_recognizer))
    alone = post(
        admin_client,
        "/identify/scene",
        scene_id=KNOWN_SCENE,
        num_frames=6,
        matching_mode="hybrid",
        top_k=1,
    ).json()["persons"]

    assert plain
    assert [p["best_match"] and p["best_match"]["name"] for p in weighed] == [
        p["best_match"] and p["best_match"]["name"] for p in alone
    ]


def test_tattoos_are_counted_on_who_has_them(
    admin_client, stash, served, small_recognizer
):
    class Skin:
        index = type("Index", (), {"known": frozenset()})

        def read(self, image, boxes):
            first = TattooEvidence((TattooBox(0, 0, 1, 1, 0.9),), {})
            return [first] + [TattooEvidence((), {})] * (len(boxes) - 1)

    status = {"body": "none", "tattoo": ON}
    signals = SignalResources(status, tattoos=Skin())  # type: ignore[arg-type]
    recognizer = dataclasses.replace(small_recognizer, signals=signals)
    registry.serve(registry.Serving(served.release, recognizer))

    answer = post(
        admin_client, "/identify/scene", scene_id=KNOWN_SCENE, num_frames=4
    ).json()

    counts = [person["tattoos_detected"] for person in answer["persons"]]
    assert 1 <= sum(counts) <= 3


def test_an_image_of_stash_is_weighed_the_same_way(admin_client, stash, serve_bodies):
    image_id = next(i for i, each in stash.library.images.items() if each.performer_ids)
    asked = {"image_id": image_id, "max_distance": 2, "top_k": 8}
    asked["matching_mode"] = "frequency"
    plain = post(admin_client, "/identify/image", **asked).json()["faces"][0]["matches"]
    serve_bodies({plain[1]["universal_id"]})

    (face,) = post(admin_client, "/identify/image", **asked).json()["faces"]
    weighed = face["matches"]

    assert weighed[0]["universal_id"] == plain[1]["universal_id"]
