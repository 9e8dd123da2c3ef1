"""Asking the service that identifies: where it is, and what its answers mean."""

import http.server
import json
import threading

import pytest

from recognition.exceptions import RecognitionServiceAway, RecognitionServiceRefused
from recognition.recognition_service import RecognitionService, service_url


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("", "0.0.0.0", "http://127.0.0.1:5000"),
        ("", "127.0.0.1", "http://127.0.0.1:5000"),
        ("", "192.168.1.7", "http://192.168.1.7:5000"),
        ("", "::", "http://[::1]:5000"),
        ("https://gpu.lan:5001", "0.0.0.0", "https://gpu.lan:5001"),
    ],
)
def test_without_an_address_this_service_is_asked(settings, url, host, expected):
    settings.RECOGNITION_URL, settings.HOST, settings.PORT = url, host, 5000

    assert service_url() == expected


class Answers:
    """A service that answers with what a test wants, and remembers what it was sent."""

    def __init__(self):
        self.status, self.body, self.headers = 200, b"{}", {}
        self.seen = []


@pytest.fixture
def answers(settings):
    wanted = Answers()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted.seen.append((self.path, dict(self.headers)))
            self.send_response(wanted.status)
            for name, value in wanted.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(wanted.body)))
            self.end_headers()
            self.wfile.write(wanted.body)

        def log_message(self, *_):
            """Keep the tests' output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        settings.RECOGNITION_URL = f"http://127.0.0.1:{server.server_port}"
        settings.RECOGNITION_API_KEY = "the-key"
        yield wanted
        server.shutdown()
        thread.join()


@pytest.fixture
def service(answers):
    service = RecognitionService()
    yield service
    service.close()


def test_the_key_goes_in_a_header_and_an_id_is_no_path(service, answers):
    answers.body = b'{"state": "running"}'

    assert service.job("a/../b?c") == {"state": "running"}

    ((path, headers),) = answers.seen
    assert path == "/identify/jobs/a%2F..%2Fb%3Fc"
    assert headers["Authorization"] == "Bearer the-key"


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("", 0), ("soon", 0), ("-3", 0)]
)
def test_a_busy_service_says_when_to_ask_again(service, answers, header, seconds):
    answers.status, answers.headers = 503, {"Retry-After": header}
    answers.body = json.dumps({"detail": "Busy.", "code": "busy"}).encode()

    with pytest.raises(RecognitionServiceAway, match="Busy") as caught:
        service.job("a")

    assert caught.value.asked_to_wait_seconds == seconds


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (502, b"<html>Bad gateway</html>", RecognitionServiceAway),
        (500, b"", RecognitionServiceAway),
        (404, b"<html>Not found</html>", RecognitionServiceRefused),
        (200, b"<html>Sign in</html>", RecognitionServiceRefused),
        (200, b"[1]", RecognitionServiceRefused),
        (302, b"{}", RecognitionServiceRefused),
        (404, b'{"detail": "No job.", "code": "job_not_found"}', None),
    ],
)
def test_what_is_no_answer_of_ours_is_told_from_what_is(
    service, answers, status, body, error
):
    answers.status, answers.body = status, body
    answers.headers = {"Location": "http://127.0.0.1:9/"} if status == 302 else {}

    with pytest.raises(error or RecognitionServiceRefused) as caught:
        service.job("a")

    assert "the-key" not in str(caught.value)
    if error is None:
        assert (caught.value.http_status, caught.value.refusal) == (
            404,
            "job_not_found",
        )
    assert len(answers.seen) == 1
