"""The backend's half of what both sides sign with."""

import re

from plugin.stash_sense.signing import Secret
from stashsense.data_folder import ROOT

EXAMPLE = ("GET", "/settings/num_frames", "", b"", 1700000000, "abcdefghijklmnopqrstuv")


def test_the_documented_request_has_the_documented_signature():
    page = (ROOT / "docs" / "api.md").read_text()
    (documented,) = re.findall(r"^([0-9a-f]{64})$", page, re.MULTILINE)

    header = Secret("stash", "a-key-of-stash").authorization(*EXAMPLE)

    assert header == (
        "StashSense key=stash, date=1700000000, nonce=abcdefghijklmnopqrstuv, "
        f"signature={documented}"
    )


def test_no_two_requests_are_signed_the_same():
    secret = Secret("plugin", "a-key")

    headers = {secret.authorization("GET", "/a", "", b"") for _ in range(20)}

    assert len(headers) == 20


def test_a_secret_does_not_show_what_it_is_made_of():
    secret = Secret("plugin", "a-key")

    assert repr(secret) == "Secret('plugin')"
    assert "a-key" not in str(vars(secret))
