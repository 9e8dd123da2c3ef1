"""POST /identify and /identify/url, as clients of the predecessor speak them."""

import base64
import http.server
import io
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from recognition import registry, services

MATCH_FIELDS = {
    "stashdb_id",
    "universal_id",
    "local_performer_id",
    "name",
    "confidence",
    "distance",
    "facenet_distance",
    "arcface_distance",
    "score",
    "margin",
    "country",
    "image_url",
    "endpoint",
    "already_tagged",
}


@pytest.fixture
def portrait(served):
    """A picture of one person of the release."""
    pictures = served.known_pictures(12)
    return next(picture for picture in pictures if len(picture.answers) == 1)


def encoded(picture):
    return base64.b64encode(picture.jpeg).decode()


def identify(client, **body):
    return client.post("/identify", body, content_type="application/json")


def best_ids(answer):
    return [face["matches"][0]["universal_id"] for face in answer["faces"]]


def test_a_person_of_the_release_is_named(admin_client, portrait, served):
    response = identify(admin_client, image_base64=encoded(portrait))

    assert response.status_code == 200
    answer = response.json()
    assert answer["face_count"] == 1
    assert best_ids(answer) == [portrait.answers[0].universal_id]
    assert answer["database_version"] == served.release.version
    (face,) = answer["faces"]
    assert set(face) == {"box", "matches"}
    assert set(face["box"]) == {"x", "y", "width", "height", "confidence"}
    best = face["matches"][0]
    assert set(best) == MATCH_FIELDS
    assert best["universal_id"] == f"{best['endpoint']}:{best['stashdb_id']}"
    assert best["confidence"] == pytest.approx(1 - best["distance"])
    assert best["name"] in {person.name for person in served.world.people}


def test_boxes_lie_where_the_person_was_drawn(admin_client, portrait):
    answer = identify(admin_client, image_base64=encoded(portrait)).json()

    box, drawn = answer["faces"][0]["box"], portrait.answers[0]
    # Half the head's width is far less than the distance to another place.
    tolerance = (drawn.right - drawn.left) / 2
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert centre[0] == pytest.approx((drawn.left + drawn.right) / 2, abs=tolerance)
    assert centre[1] == pytest.approx((drawn.top + drawn.bottom) / 2, abs=tolerance)


def test_strangers_are_faces_without_matches(admin_client, served):
    (picture,) = served.stranger_pictures(1)

    answer = identify(admin_client, image_base64=encoded(picture)).json()

    assert answer["face_count"] >= 1
    assert [face["matches"] for face in answer["faces"]] == [[]] * answer["face_count"]


def test_a_performer_appears_once_and_no_more_than_top_k(admin_client, portrait):
    answer = identify(
        admin_client, image_base64=encoded(portrait), top_k=3, max_distance=2
    ).json()

    (face,) = answer["faces"]
    ids = [match["universal_id"] for match in face["matches"]]
    distances = [match["distance"] for match in face["matches"]]
    assert len(ids) == len(set(ids)) == 3
    assert distances == sorted(distances)


def test_max_distance_and_min_face_confidence_are_honoured(admin_client, portrait):
    picture = encoded(portrait)
    found = identify(admin_client, image_base64=picture).json()
    nearest = found["faces"][0]["matches"][0]["distance"]

    nearer = identify(
        admin_client, image_base64=picture, max_distance=nearest / 2
    ).json()
    surer = identify(admin_client, image_base64=picture, min_face_confidence=1).json()

    assert nearer["faces"][0]["matches"] == []
    assert surer["faces"] == []


def test_a_form_with_a_file_gives_the_same_answer(admin_client, portrait):
    upload = SimpleUploadedFile("a.jpg", portrait.jpeg, "image/jpeg")

    by_form = admin_client.post("/identify", {"image": upload, "top_k": "2"})

    by_json = identify(admin_client, image_base64=encoded(portrait), top_k=2)
    assert by_form.status_code == 200
    assert by_form.json() == by_json.json()


def test_a_data_url_is_understood(admin_client, portrait):
    content = f"data:image/jpeg;base64,{encoded(portrait)}"

    assert identify(admin_client, image_base64=content).json()["face_count"] == 1


def test_a_picture_without_faces_has_none(admin_client, served):
    plain = io.BytesIO()
    Image.new("RGB", (300, 200), "grey").save(plain, "PNG")

    content = base64.b64encode(plain.getvalue()).decode()
    response = identify(admin_client, image_base64=content)

    assert response.status_code == 200
    assert response.json()["faces"] == []


def test_where_the_time_went_is_in_a_header(admin_client, portrait):
    response = identify(admin_client, image_base64=encoded(portrait))

    steps = [part.split(";")[0] for part in response["Server-Timing"].split(", ")]
    assert steps == ["decode", "detect", "align", "embed", "match"]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, "no_picture", "image_url, image_base64"),
        ({"image_base64": ""}, "no_picture", "image_base64"),
        ({"image_base64": None, "image_url": None}, "no_picture", "image_base64"),
        ({"image_base64": "!!!"}, "unreadable_image", "not base64"),
        ({"image_base64": "caf\u00e9"}, "unreadable_image", "not base64"),
        ({"image_base64": "AAAA\x00"}, "unreadable_image", "not base64"),
        ({"image_base64": "\ud800"}, "parse_error", "surrogate"),
        ({"image_base64": "aGVsbG8="}, "unreadable_image", ""),
        ({"image_url": "ftp://example.org/a.jpg"}, "address_refused", "http"),
        ({"image_url": "http://127.0.0.1/a.jpg"}, "address_refused", ""),
        ({"image_url": "http://169.254.169.254/a"}, "address_refused", ""),
        ({"image_url": "no address"}, "address_refused", ""),
    ],
)
def test_what_is_no_picture_is_answered_400_with_a_sentence(
    admin_client, served, body, code, words
):
    response = identify(admin_client, **body)

    assert response.status_code == 400, response.content
    assert response.json()["code"] == code
    assert words in response.json()["detail"]
    assert response.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_k", 0),
        ("top_k", 21),
        ("top_k", "many"),
        ("top_k", None),
        ("max_distance", -0.1),
        ("max_distance", 2.1),
        ("max_distance", "nan"),
        ("max_distance", [1]),
        ("min_face_confidence", 1.1),
        ("min_face_confidence", "inf"),
        ("use_body", "perhaps"),
    ],
)
def test_a_value_out_of_bounds_is_answered_422_with_its_place(
    admin_client, portrait, field, value
):
    response = identify(
        admin_client, **{"image_base64": encoded(portrait), field: value}
    )

    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["body", field]
    assert problem["msg"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe", b"NaN"])
def test_a_body_that_is_no_object_is_refused_clearly(admin_client, served, body):
    response = admin_client.post("/identify", body, content_type="application/json")

    assert response.status_code in {400, 422}
    assert response.json()["detail"]


def test_a_body_over_the_limit_is_refused_before_it_is_read(
    admin_client, served, settings
):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    response = identify(admin_client, image_base64="A" * 2000)

    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


def test_another_media_type_is_refused(admin_client, served):
    response = admin_client.post("/identify", b"x", content_type="image/jpeg")

    assert response.status_code == 415


def test_without_a_release_the_answer_is_503_and_says_when_to_come_back(
    admin_client, db
):
    registry.serve(None)

    response = identify(admin_client, image_base64="aGVsbG8=")

    assert response.status_code == 503
    assert response.json()["code"] == "database_not_loaded"
    assert int(response["Retry-After"]) > 0


def test_when_too_many_wait_the_answer_is_503_and_says_when_to_come_back(
    admin_client, portrait, settings
):
    settings.INFERENCE_SLOTS, settings.INFERENCE_QUEUE = 1, 0
    services.inference_queue.cache_clear()
    try:
        with services.inference_queue().slot():
            response = identify(admin_client, image_base64=encoded(portrait))
    finally:
        services.inference_queue.cache_clear()

    assert response.status_code == 503
    assert response.json()["code"] == "busy"
    assert int(response["Retry-After"]) > 0


@pytest.fixture
def picture_host(portrait):
    """A server on loopback that has the portrait, and its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(portrait.jpeg)))
            self.end_headers()
            self.wfile.write(portrait.jpeg)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_picture_is_fetched_from_an_allowed_host(
    admin_client, portrait, picture_host, settings
):
    settings.ALLOWED_IMAGE_HOSTS = frozenset({picture_host})
    url = f"http://{picture_host}/a.jpg"
    expected = [portrait.answers[0].universal_id]

    by_body = identify(admin_client, image_url=url, image_base64="ignored")
    by_query = admin_client.post(f"/identify/url?url={url}&top_k=1")

    assert best_ids(by_body.json()) == expected
    assert best_ids(by_query.json()) == expected
    assert len(by_query.json()["faces"][0]["matches"]) == 1


def test_a_host_on_this_network_is_refused_unless_allowed(admin_client, picture_host):
    response = identify(admin_client, image_url=f"http://{picture_host}/a.jpg")

    assert response.status_code == 400
    assert response.json()["code"] == "address_refused"


@pytest.mark.parametrize("query", ["", "?url=", "?url=http://x/&top_k=99"])
def test_the_query_of_identify_url_is_checked(admin_client, served, query):
    assert admin_client.post(f"/identify/url{query}").status_code == 422


def test_health_says_what_is_served(client, served):
    health = client.get("/health").json()

    assert health["status"] == "healthy"
    assert health["database_loaded"] is True
    assert health["performer_count"] == len(served.world.people)
    assert health["face_count"] == served.release.face_count
    assert health["release"] == served.release.version
    assert health["is_loading"] is False
    assert health["problem"] is None


def test_health_without_a_release_is_degraded_and_asks_no_database(client):
    registry.serve(None)

    # No `db` fixture: a query would fail here.
    health = client.get("/health").json()

    assert health["status"] == "degraded"
    assert health["database_loaded"] is False
    assert (health["performer_count"], health["face_count"]) == (0, 0)


def test_database_info_speaks_of_the_active_release(admin_client, served):
    info = admin_client.get("/database/info").json()

    assert info["version"] == served.release.version
    assert info["face_count"] == served.release.face_count
    assert info["sources"] == ["stashdb.org"]
    assert info["tattoo_embedding_count"] is None


def test_database_info_without_a_release(admin_client):
    info = admin_client.get("/database/info").json()

    assert (info["version"], info["face_count"]) == ("unknown", 0)


def test_the_video_libraries_are_listed(admin_client):
    answer = admin_client.get("/health/ffmpeg").json()

    assert answer["ffmpeg_available"] is True
    assert answer["libraries"]["libavcodec"]


def test_the_api_description_and_its_page_need_no_other_host(admin_client):
    page = admin_client.get("/docs").content.decode()
    schema = admin_client.get("/openapi.json").json()

    assert "http://" not in page
    assert "https://" not in page
    assert set(schema["paths"]) >= {"/identify", "/identify/url", "/health"}


def test_matches_of_a_picture_say_who_is_in_the_library(
    admin_client, portrait, stash, monkeypatch
):
    monkeypatch.setattr("recognition.local_performers._quiet_until", 0.0)
    universal_id = portrait.answers[0].universal_id
    domain, _, bare = universal_id.partition(":")
    performer = stash.library.performers["5"]
    performer.stash_ids[0].endpoint = f"https://{domain}/graphql"
    performer.stash_ids[0].stash_id = bare

    (face,) = identify(admin_client, image_base64=encoded(portrait)).json()["faces"]

    assert face["matches"][0]["local_performer_id"] is not None
