"""The stand-in Stash as a client meets it: doors, addresses, media, and its faults."""

import contextlib
import socket
import time

import av
import pytest
import requests

from demo.stash.testing import Faults, StashServer

KEY = "a-key-of-this-test"
HEADER = {"ApiKey": KEY}


@pytest.fixture
def locked_server(stash_library):
    with StashServer(stash_library, api_key=KEY) as server:
        yield server


def get(server, path, **options):
    options = {"allow_redirects": False, "timeout": 20} | options
    return requests.get(f"{server.url}{path}", **options)


def ask(server, query, variables=None, **options):
    return requests.post(
        f"{server.url}/graphql",
        json={"query": query, "variables": variables or {}},
        timeout=20,
        **options,
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/scene/1/screenshot", 302),
        ("/scene/1/stream", 302),
        ("/image/1/image", 302),
        ("/scene/0123456789abcdef_sprite.jpg", 401),
        ("/scene/0123456789abcdef_thumbs.vtt", 401),
        ("/healthz", 200),
    ],
)
def test_without_the_key_paths_differ_by_their_extension(locked_server, path, status):
    answer = get(locked_server, path)

    assert answer.status_code == status
    assert answer.headers.get("Location", "").startswith("/login") == (status == 302)


@pytest.mark.parametrize(
    ("cookie", "status"),
    [("session=of-somebody", 200), ("session=of-nobody", 401), ("other=a", 401)],
)
def test_who_signed_in_needs_no_key(locked_server, cookie, status):
    locked_server.session = "of-somebody"

    answer = ask(locked_server, "{ version { version } }", headers={"Cookie": cookie})

    assert answer.status_code == status
    handed = locked_server.plugin_connection()
    assert handed["SessionCookie"]["Value"] == "of-somebody"
    assert locked_server.url.endswith(f":{handed['Port']}")


def test_the_login_page_is_html_with_200(locked_server):
    answer = get(locked_server, "/scene/1/stream", allow_redirects=True)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_graphql_without_the_key_is_refused(locked_server):
    assert ask(locked_server, "{ version { version } }").status_code == 401


@pytest.mark.parametrize(
    "path", ["/graphql?query={version{version}}", "/image/1/image"]
)
def test_the_key_opens_as_header_and_as_parameter(locked_server, path):
    joint = "&" if "?" in path else "?"

    assert get(locked_server, path, headers=HEADER).status_code == 200
    assert get(locked_server, f"{path}{joint}apikey={KEY}").status_code == 200


@pytest.mark.parametrize(("version", "status"), [("0.25.1", 500), ("0.26.0", 401)])
def test_a_wrong_key_is_refused(stash_library, version, status):
    with StashServer(stash_library, api_key=KEY, version=version) as server:
        answer = ask(server, "{ version { version } }", headers={"ApiKey": "other"})

    assert answer.status_code == status


def test_a_key_is_refused_where_there_is_none(stash_server):
    assert ask(stash_server, "{ jobQueue { id } }").status_code == 200

    answer = ask(stash_server, "{ jobQueue { id } }", headers=HEADER)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("version", "accept", "expected"),
    [
        ("0.30.1", "*/*", "application/graphql-response+json"),
        ("0.30.1", "application/json", "application/json"),
        ("0.30.1", "", "application/json"),
        ("0.28.0", "*/*", "application/json"),
    ],
)
def test_the_content_type_follows_what_is_accepted(
    stash_server, version, accept, expected
):
    stash_server.version = version

    answer = ask(stash_server, "{ jobQueue { id } }", headers={"Accept": accept})

    assert answer.headers["Content-Type"] == expected


def test_an_invalid_operation_is_422_and_has_no_effect(stash_server):
    answer = ask(
        stash_server,
        'mutation { sceneUpdate(input: { id: "1", title: "new" }) { id count } }',
        headers={"Accept": "*/*"},
    )

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/json"
    assert "count" in answer.json()["errors"][0]["message"]
    assert stash_server.library.scenes["1"].title == "Two at Tea"


def test_what_fails_while_executed_is_200_with_errors(stash_server):
    answer = ask(stash_server, '{ findScenes(filter: { sort: "beauty" }) { count } }')

    assert answer.status_code == 200
    assert "invalid sort" in answer.json()["errors"][0]["message"]


def test_an_unreadable_body_is_400(stash_server):
    url = f"{stash_server.url}/graphql"

    assert requests.post(url, data=b"{", timeout=20).status_code == 400
    assert requests.post(url, data=b"[]", timeout=20).status_code == 400


PATHS = (
    "{ findScene(id: 1) { paths { stream sprite screenshot } sceneStreams { url } } }"
)


def test_addresses_name_the_host_that_was_asked_for(locked_server):
    headers = {**HEADER, "Host": "stash:9999"}

    scene = ask(locked_server, PATHS, headers=headers).json()["data"]["findScene"]

    assert scene["paths"]["stream"] == f"http://stash:9999/scene/1/stream?apikey={KEY}"
    assert f"apikey={KEY}" in scene["sceneStreams"][0]["url"]
    assert scene["paths"]["sprite"].startswith("http://stash:9999/scene/")
    assert KEY not in scene["paths"]["sprite"] + scene["paths"]["screenshot"]


def test_an_external_host_stands_in_every_address(stash_server):
    stash_server.external_host = "https://media.example.org/stash/"

    scene = ask(stash_server, PATHS).json()["data"]["findScene"]

    assert scene["paths"]["stream"] == "https://media.example.org/stash/scene/1/stream"


def test_a_stream_answers_parts_and_refuses_what_lies_behind_its_end(stash_server):
    file = stash_server.library.files["1"]
    data = stash_server.library.path_of(file).read_bytes()

    def part(text):
        return get(stash_server, "/scene/1/stream", headers={"Range": text})

    assert part("bytes=10-19").content == data[10:20]
    assert part("bytes=10-19").headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert part("bytes=-7").content == data[-7:]
    assert part(f"bytes={len(data) - 3}-").content == data[-3:]
    assert part("bytes=0-").status_code == 206
    assert part(f"bytes={len(data)}-").status_code == 416
    assert get(stash_server, "/scene/1/stream").content == data


def test_pyav_reads_a_scene_over_http_with_the_key_in_a_header(locked_server):
    options = {"headers": f"ApiKey: {KEY}\r\n"}

    with av.open(f"{locked_server.url}/scene/1/stream", options=options) as container:
        frames = sum(1 for _ in container.decode(video=0))

    assert frames == 80
    assert all(KEY not in request.path for request in locked_server.requests)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/scene/1/screenshot", "image/jpeg"),
        ("/scene/2/screenshot", "image/svg+xml"),
        ("/scene/1/vtt/sprite", "image/jpeg"),
        ("/scene/1/vtt/thumbs", "text/vtt"),
        ("/image/1/image", "image/jpeg"),
        ("/image/1/thumbnail", "image/jpeg"),
        ("/gallery/1/cover", "image/jpeg"),
        ("/gallery/1/preview/3", "image/jpeg"),
        ("/performer/1/image", "image/jpeg"),
        ("/performer/5/image", "image/svg+xml"),
        ("/tag/1/image", "image/svg+xml"),
    ],
)
def test_media_are_what_they_are(stash_server, path, content_type):
    answer = get(stash_server, path)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/scene/2/vtt/sprite",
        "/scene/2/vtt/thumbs",
        "/scene/_sprite.jpg",
        "/scene/99/stream",
        "/scene/1/preview",
        "/image/99/image",
        "/gallery/1/preview/4",
        "/performer/99/image",
        "/scene/..%2f..%2flibrary.json",
    ],
)
def test_what_is_not_there_is_404(stash_server, path):
    assert get(stash_server, path).status_code == 404


def test_connections_are_kept_and_counted(stash_server):
    with requests.Session() as session:
        for _ in range(3):
            session.get(f"{stash_server.url}/image/1/image", timeout=20)
    get(stash_server, "/healthz")

    assert stash_server.connection_count == 2
    assert [request.connection for request in stash_server.requests] == [1, 1, 1, 2]


def test_requests_are_recorded_with_what_was_sent(stash_server):
    ask(stash_server, "query ($n: ID!) { findScene(id: $n) { id } }", {"n": "1"})
    get(stash_server, "/scene/1/stream", headers={"Range": "bytes=0-99"})

    [asked], [streamed] = (
        stash_server.graphql_requests(), stash_server.media_requests()
    )  # fmt: skip
    assert asked.query is not None
    assert asked.variables == {"n": "1"}
    assert streamed.headers["range"] == "bytes=0-99"
    assert (streamed.status, streamed.sent_bytes) == (206, 100)


def test_a_stand_in_that_is_down_refuses_and_can_come_back(stash_server):
    assert get(stash_server, "/healthz").ok

    stash_server.go_down()
    with pytest.raises(requests.ConnectionError):
        get(stash_server, "/healthz")
    stash_server.come_back()

    assert get(stash_server, "/healthz").ok


def test_going_down_cuts_kept_connections(stash_server):
    with requests.Session() as session:
        session.get(f"{stash_server.url}/healthz", timeout=20)
        stash_server.go_down()

        with pytest.raises(requests.ConnectionError):
            session.get(f"{stash_server.url}/healthz", timeout=20)


def test_faults_are_for_the_paths_they_name(stash_server):
    stash_server.faults = Faults(only_paths="/graphql", status=500)

    assert ask(stash_server, "{ jobQueue { id } }").status_code == 500
    assert get(stash_server, "/image/1/image").status_code == 200


def test_statuses_are_used_up(stash_server):
    stash_server.faults.statuses = [503, 502]

    answers = [get(stash_server, "/healthz").status_code for _ in range(3)]

    assert answers == [503, 502, 200]


def test_a_proxy_can_answer_with_a_page(stash_server):
    stash_server.faults = Faults(html="<h1>Bad gateway</h1>", status=502)

    answer = ask(stash_server, "{ jobQueue { id } }")

    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")


def test_silence_lasts_until_the_client_gives_up(stash_server):
    stash_server.faults.hang = True

    with pytest.raises(requests.ReadTimeout):
        get(stash_server, "/healthz", timeout=0.3)


def test_a_silent_stand_in_can_be_stopped(stash_server):
    stash_server.faults.hang = True
    with socket.create_connection(("127.0.0.1", int(stash_server.url[-5:]))) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 10
        while not stash_server.requests and time.monotonic() < deadline:
            time.sleep(0.01)

        stash_server.stop()

        line.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(100) == b""


def test_a_stream_is_dropped_where_it_should_be_and_once(stash_server):
    stash_server.faults = Faults(only_paths="/scene", drop_after_bytes=[5000])

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(stash_server, "/scene/1/stream")

    assert stash_server.requests[0].sent_bytes == 5000
    assert get(stash_server, "/scene/1/stream").ok


def test_a_slow_line_takes_its_time(stash_server):
    size = len(get(stash_server, "/image/1/image").content)
    stash_server.faults.bytes_per_second = 2 * size

    began = time.monotonic()
    answer = get(stash_server, "/image/1/image")

    assert len(answer.content) == size
    assert time.monotonic() - began > 0.4


def test_a_damaged_video_loses_frames_and_says_nothing_of_it(stash_server):
    before = stash_server.library.files["1"]
    original = stash_server.library.path_of(before).read_bytes()

    stash_server.damage_video("1")

    after = stash_server.library.files["1"]
    assert after.duration == before.duration
    assert get(stash_server, "/scene/1/stream").content != original
    assert stash_server.library.folder.joinpath(before.name).read_bytes() == original
    frames = broken = 0
    with av.open(f"{stash_server.url}/scene/1/stream") as container:
        for packet in container.demux(video=0):
            try:
                frames += len(packet.decode())
            except av.FFmpegError:
                broken += 1
    assert broken > 0
    assert 30 < frames < 80
