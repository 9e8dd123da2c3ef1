"""POST /identify/scene, against a stand-in Stash with drawn scenes."""

import base64
import io
from dataclasses import replace

import pytest
from PIL import Image

from demo.stash.testing import Faults, write_variant
from recognition.exceptions import MediaUnreachable
from recognition.models import Fingerprint, FingerprintPerson
from recognition.pictures import decode_picture
from recognition.scenes import SceneOptions, identify_scene
from recognition.tests.stash_world import (
    KNOWN_SCENE,
    MIXED_SCENE,
    UNKNOWN_ID,
    cast_of,
    named,
    post,
)
from recognition.watching import Nobody
from stashsense.preferences.services import store_settings

MODES = pytest.mark.parametrize("mode", ["frequency", "cluster", "hybrid"])


def identify(client, scene_id=KNOWN_SCENE, **body):
    return post(client, "/identify/scene", scene_id=scene_id, **body)


def kept_scenes():
    return {f.stash_id for f in Fingerprint.objects.scenes().complete()}


# Who is there


@MODES
def test_everybody_in_a_scene_is_named(admin_client, stash, mode):
    response = identify(admin_client, num_frames=12, matching_mode=mode)

    assert response.status_code == 200
    answer = response.json()
    assert named(answer["persons"]) == cast_of(stash.library, KNOWN_SCENE)
    assert (answer["frames_analyzed"], answer["frames_requested"]) == (12, 12)
    assert answer["source"] == "stream"
    assert answer["errors"] == []
    assert answer["faces_after_filter"] <= answer["faces_detected"]


@MODES
def test_a_stranger_is_a_person_without_a_name(admin_client, stash, mode):
    answer = identify(
        admin_client, MIXED_SCENE, num_frames=12, matching_mode=mode
    ).json()

    assert named(answer["persons"]) == cast_of(stash.library, MIXED_SCENE)
    strangers = [p for p in answer["persons"] if p["best_match"] is None]
    assert max(person["frame_count"] for person in strangers) >= 2


def test_each_person_carries_evidence_from_when_they_are_seen(admin_client, stash):
    answer = identify(admin_client, num_frames=12).json()

    for person in answer["persons"]:
        if person["best_match"] is None:
            continue
        universal_id = person["best_match"]["universal_id"]
        spans = [
            (each.begin, each.end)
            for each in stash.library.answers[KNOWN_SCENE]
            if each.universal_id == universal_id
        ]
        timestamps = [face["timestamp"] for face in person["faces"]]
        assert len({face["frame"] for face in person["faces"]}) == person["frame_count"]
        for seconds in filter(None, timestamps):
            assert any(begin <= seconds <= end for begin, end in spans)
        for face in person["faces"]:
            assert 0 <= face["box"]["x"] < 480
            assert face["box"]["width"] >= 40
            assert 0 < face["quality"] <= 1
        assert person["crop"] is None


def test_crops_are_sent_when_asked_for(admin_client, stash):
    answer = identify(admin_client, num_frames=4, include_crops=True).json()

    for person in answer["persons"]:
        head, _, encoded = person["crop"].partition(",")
        assert head == "data:image/jpeg;base64"
        assert decode_picture(base64.b64decode(encoded)).shape == (112, 112, 3)


def test_matches_say_who_is_tagged_and_who_is_in_the_library(admin_client, stash):
    tagged = stash.library.scenes[KNOWN_SCENE].performer_ids
    answer = identify(admin_client, num_frames=12).json()

    best = [p["best_match"] for p in answer["persons"] if p["best_match"]]
    assert {m["local_performer_id"] for m in best if m["already_tagged"]} == {*tagged}
    assert {m["local_performer_id"] for m in best} == {"1", "2"}


def test_any_stash_id_of_a_tagged_performer_counts(admin_client, stash):
    performer = stash.library.performers["2"]
    other, own = performer.stash_ids[1], performer.stash_ids[0]
    performer.stash_ids = [other, own]
    stash.library.scenes[KNOWN_SCENE].performer_ids = ["2"]

    answer = identify(admin_client, num_frames=12).json()

    by_id = {
        p["best_match"]["local_performer_id"]: p["best_match"]["already_tagged"]
        for p in answer["persons"]
        if p["best_match"]
    }
    assert by_id == {"1": False, "2": True}


def test_ids_that_the_caller_calls_tagged_count_as_well(admin_client, stash):
    bare = stash.library.performers["2"].stash_ids[0].stash_id

    answer = identify(
        admin_client, num_frames=12, scene_performer_stashdb_ids=[bare]
    ).json()

    assert all(
        p["best_match"]["already_tagged"] for p in answer["persons"] if p["best_match"]
    )


def test_the_cover_counts_as_a_frame(admin_client, stash):
    answer = identify(admin_client, num_frames=2).json()

    frames = {face["frame"] for p in answer["persons"] for face in p["faces"]}
    assert -1 in frames
    (cover, *_) = (
        face for p in answer["persons"] for face in p["faces"] if face["frame"] == -1
    )
    assert cover["timestamp"] is None


def test_a_scene_without_a_cover_is_none_the_worse(admin_client, stash):
    answer = identify(admin_client, MIXED_SCENE, num_frames=4).json()

    assert answer["errors"] == []
    assert -1 not in {f["frame"] for p in answer["persons"] for f in p["faces"]}


# How it is looked at


def test_one_frame_is_enough(admin_client, stash):
    answer = identify(admin_client, num_frames=1).json()

    assert (answer["frames_analyzed"], answer["frames_requested"]) == (1, 1)


@pytest.mark.parametrize(
    ("width", "height"),
    [(270, 480), (480, 203), (360, 270)],
    ids=["turned", "flat pixels", "wide pixels"],
)
def test_sizes_in_sprites_are_those_of_the_video_as_shown(
    admin_client, stash, width, height
):
    shown = boxes_in_sprites(admin_client)
    file_id = stash.library.scenes[KNOWN_SCENE].file_ids[0]
    stored = replace(stash.library.files[file_id], width=width, height=height)
    stash.library.files[file_id] = stored

    boxes = boxes_in_sprites(admin_client)

    assert shown
    assert max(box["width"] for box in shown) >= 40
    assert boxes == [pytest.approx(box, abs=2) for box in shown]


def boxes_in_sprites(client):
    """Return the boxes found in sprites, covers apart."""
    answer = identify(client, num_frames=8, source="sprites", min_face_size=30).json()
    faces = [face for person in answer["persons"] for face in person["faces"]]
    in_sprites = sorted(
        (face for face in faces if face["frame"] >= 0),
        key=lambda face: (face["frame"], face["box"]["x"]),
    )
    return [face["box"] for face in in_sprites]


def test_the_setting_decides_how_many_frames_where_the_request_does_not(
    admin_client, stash
):
    store_settings({"num_frames": 11}, user=None)

    assert identify(admin_client).json()["frames_requested"] == 11


def test_distances_and_sizes_are_honoured(admin_client, stash):
    strict = identify(
        admin_client, num_frames=6, max_distance=0.01, matching_mode="frequency"
    ).json()
    large = identify(admin_client, num_frames=6, min_face_size=200).json()

    assert named(strict["persons"]) == set()
    assert strict["persons"]
    assert (large["persons"], large["faces_after_filter"]) == ([], 0)
    assert large["faces_detected"] > 0


def test_the_key_is_sent_in_headers_alone(admin_client, stash, settings):
    stash.api_key = settings.STASH_API_KEY = "a-secret-key"

    response = identify(admin_client, num_frames=4)

    assert response.status_code == 200
    assert stash.requests
    for request in stash.requests:
        assert "secret" not in request.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["apikey"] == "a-secret-key"


def test_another_address_in_a_request_is_not_asked(admin_client, stash):
    response = identify(
        admin_client, num_frames=2, stash_url="http://127.0.0.1:9", api_key="x"
    )

    assert response.status_code == 200


# What is kept


def test_what_was_seen_is_kept(admin_client, stash, served):
    answer = identify(admin_client, num_frames=12).json()

    assert answer["fingerprint_saved"] is True
    fingerprint = Fingerprint.objects.get(kind="scene", stash_id=int(KNOWN_SCENE))
    assert fingerprint.release_version == served.release.version
    assert fingerprint.face_count == sum(len(p["faces"]) for p in answer["persons"])
    assert {
        person.universal_id
        for person in FingerprintPerson.objects.exclude(universal_id="")
    } == cast_of(stash.library, KNOWN_SCENE)


def test_a_scene_of_nobody_known_is_kept_too(admin_client, stash):
    identify(admin_client, MIXED_SCENE, num_frames=6, max_distance=0.0)

    assert kept_scenes() == {int(MIXED_SCENE)}
    assert FingerprintPerson.objects.filter(universal_id="").exists()


def test_a_glance_does_not_replace_a_closer_look(admin_client, stash):
    identify(admin_client, num_frames=4)

    answer = identify(admin_client, num_frames=1).json()

    assert answer["fingerprint_saved"] is False
    assert "4 frames" in answer["fingerprint_error"]
    assert Fingerprint.objects.get().frames_analyzed == 4


def test_a_glance_replaces_what_was_to_be_looked_at_again(admin_client, stash):
    identify(admin_client, num_frames=4)
    Fingerprint.objects.update(state=Fingerprint.State.PENDING)

    identify(admin_client, num_frames=1)

    assert Fingerprint.objects.get().frames_analyzed == 1


def test_a_cover_as_high_as_it_is_narrow_is_not_enlarged(admin_client, stash):
    strip = io.BytesIO()
    Image.new("RGB", (10, 4000)).save(strip, "JPEG")
    stash.library.scenes[KNOWN_SCENE].cover_image = strip.getvalue()

    assert identify(admin_client, num_frames=1).status_code == 200


def test_sprites_that_were_not_made_are_told(admin_client, stash):
    response = identify(admin_client, MIXED_SCENE, source="sprites")

    assert response.status_code == 422
    assert response.json()["code"] == "no_sprites"


def test_what_is_seen_again_replaces_what_was_kept(admin_client, stash):
    identify(admin_client, num_frames=2)
    identify(admin_client, num_frames=4)

    (fingerprint,) = Fingerprint.objects.all()
    assert fingerprint.frames_analyzed == 4


def test_a_stash_that_goes_away_in_the_middle_leaves_what_was_kept(admin_client, stash):
    identify(admin_client, num_frames=4)
    gone = GoesAway(stash)

    with pytest.raises(MediaUnreachable):
        identify_scene(KNOWN_SCENE, SceneOptions(num_frames=30), watcher=gone)

    assert 1 <= gone.frames_done < 30
    (fingerprint,) = Fingerprint.objects.all()
    assert (fingerprint.frames_analyzed, fingerprint.state) == (4, "complete")


def test_the_time_limit_of_a_scene_is_told(admin_client, stash, settings):
    settings.SCENE_SECONDS = 4
    file_id = stash.library.scenes[KNOWN_SCENE].file_ids[0]
    stash.faults = Faults(
        only_paths=f"/scene/{KNOWN_SCENE}/stream",
        bytes_per_second=stash.library.files[file_id].size // 8,
    )

    answer = identify(admin_client, num_frames=30).json()

    done = answer["frames_analyzed"]
    assert 1 <= done < 30
    assert answer["errors"] == [f"Stopped after 4 s at frame {done} of 30"]


class GoesAway(Nobody):
    """Has Stash refuse connections from the first frame on."""

    def __init__(self, stash):
        self._stash = stash
        self.frames_done = 0

    def report(self, progress):
        self.frames_done = progress.frames_done
        self._stash.go_down()


# What goes wrong


@pytest.mark.parametrize("scene_id", ["abc", "", "-1", "1; drop", "²", "9" * 30, None])
def test_ids_that_are_no_numbers_are_refused(admin_client, stash, scene_id):
    response = identify(admin_client, scene_id)

    assert response.status_code == 422
    assert stash.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"num_frames": 0},
        {"num_frames": 100_000},
        {"num_frames": "many"},
        {"start_offset_pct": 0.7},
        {"max_distance": "nan"},
        {"matching_mode": "guess"},
        {"source": "thin air"},
        {"top_k": 0},
        {"scene_performer_stashdb_ids": "x"},
    ],
)
def test_options_out_of_bounds_are_refused(admin_client, stash, options):
    response = identify(admin_client, **options)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][1] == next(iter(options))


def test_a_scene_that_is_not_there_is_not_found(admin_client, stash):
    response = identify(admin_client, UNKNOWN_ID)

    assert response.status_code == 404
    assert response.json()["code"] == "stash_not_found"
    assert kept_scenes() == set()


def test_a_scene_without_files_is_not_found(admin_client, stash):
    stash.library.scenes[KNOWN_SCENE].file_ids = []

    response = identify(admin_client)

    assert response.status_code == 404
    assert "no files" in response.json()["detail"]


@pytest.mark.parametrize("content", [b"no video at all" * 100, b""])
def test_a_video_that_cannot_be_read_is_told(admin_client, stash, tmp_path, content):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    stash.replace_video(MIXED_SCENE, path)

    response = identify(admin_client, MIXED_SCENE)

    assert response.status_code == 422
    assert response.json()["code"] == "unreadable_video"
    assert kept_scenes() == set()


def test_sound_alone_is_no_video(admin_client, stash, tmp_path):
    stash.replace_video(MIXED_SCENE, write_variant("audio_only", tmp_path))

    response = identify(admin_client, MIXED_SCENE)

    assert response.status_code == 422


def test_a_scene_without_a_duration_is_told(admin_client, stash):
    file_id = stash.library.scenes[MIXED_SCENE].file_ids[0]
    stash.library.files[file_id].duration = 0.0

    response = identify(admin_client, MIXED_SCENE)

    assert response.status_code == 422
    assert "duration" in response.json()["detail"]


def test_a_wrong_key_says_what_to_check(admin_client, stash, settings):
    stash.api_key = "right"
    settings.STASH_API_KEY = "mistyped"

    response = identify(admin_client)

    assert response.status_code == 502
    assert "STASH_API_KEY" in response.json()["detail"]
    assert "mistyped" not in response.content.decode()


def test_stash_that_is_down_says_what_to_check(admin_client, stash):
    stash.go_down()

    response = identify(admin_client)

    assert response.status_code == 503
    assert response.json()["code"] == "stash_unreachable"


@pytest.mark.parametrize(
    ("answered", "status", "code"),
    [
        (401, 502, "media_refused"),
        (404, 404, "media_missing"),
        (500, 502, "media_refused"),
    ],
)
def test_a_video_that_stash_does_not_give_says_why(
    admin_client, stash, answered, status, code
):
    path = f"/scene/{MIXED_SCENE}/stream"
    stash.faults = Faults(only_paths=path, status=answered)

    response = identify(admin_client, MIXED_SCENE)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "source of the video" in response.json()["detail"]
    assert kept_scenes() == set()


def test_without_stash_there_is_nothing_to_ask(admin_client, served, settings):
    settings.STASH_URL = ""

    response = identify(admin_client)

    assert response.status_code == 400
    assert "STASH_URL" in response.json()["detail"]


def test_strangers_are_sent_away(client, stash):
    assert identify(client).status_code == 401
