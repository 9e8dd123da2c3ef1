"""Videos over TLS: whoever cannot prove to be the host never sees the key."""

import os
from pathlib import Path

import pytest

from recognition.exceptions import MediaRefused
from recognition.runtime.video import VideoSource, iter_frames
from recognition.runtime.video_trust import trust_file
from recognition.tests.videos import RATE, numbered_video, video_server

# Signed by itself: one for 127.0.0.1, one for a name that nothing here has.
LOOPBACK = Path(__file__).parent / "tls" / "loopback.pem"
ANOTHER = Path(__file__).parent / "tls" / "stash.example.pem"


@pytest.fixture(scope="module")
def video():
    return numbered_video(4 * RATE)


def frames_of(server):
    source = VideoSource(server.url, {"ApiKey": "tiptoe"})
    return [*iter_frames(source, [0.5, 2.5])]


def test_a_certificate_of_nobody_we_trust_is_not_accepted(video):
    with (
        video_server(video, certificate=LOOPBACK) as server,
        pytest.raises(MediaRefused, match="cannot prove by TLS"),
    ):
        frames_of(server)

    assert server.requests == []


def test_a_certificate_for_another_name_is_not_accepted(video, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(ANOTHER))

    with (
        video_server(video, certificate=ANOTHER) as server,
        pytest.raises(MediaRefused, match="cannot prove by TLS"),
    ):
        frames_of(server)

    assert server.requests == []


def test_a_certificate_that_the_operator_trusts_is_accepted(video, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))

    with video_server(video, certificate=LOOPBACK) as server:
        frames = frames_of(server)

    assert len(frames) == 2
    assert {headers["ApiKey"] for _, headers in server.requests} == {"tiptoe"}


def test_every_connection_is_verified(video, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))

    with video_server(
        video,
        certificate=LOOPBACK,
        breaks_at_byte=len(video) // 2,
        status_after_break=0,
    ) as server:
        server.stop_listening = lambda: server.tls.load_cert_chain(ANOTHER)
        with pytest.raises(MediaRefused, match="cannot prove by TLS"):
            frames_of(server)

    assert len(server.requests) == 1


def test_certificates_in_the_operators_folder_count(video, monkeypatch, tmp_path):
    (tmp_path / "0a1b2c3d.0").symlink_to(LOOPBACK)
    (tmp_path / "dead.0").symlink_to(tmp_path / "gone")
    (tmp_path / "deadbeef.0").symlink_to(tmp_path / "gone")
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere{os.pathsep}{tmp_path}")

    with video_server(video, certificate=LOOPBACK) as server:
        assert len(frames_of(server)) == 2


def test_the_file_is_made_again_where_it_was_cleaned_away(video, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))
    trust_file().unlink()

    with video_server(video, certificate=LOOPBACK) as server:
        assert len(frames_of(server)) == 2


def test_no_private_key_is_copied_with_the_certificates(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))

    text = trust_file().read_text()

    assert "PRIVATE" not in text
    assert text.count("BEGIN CERTIFICATE") > 100
