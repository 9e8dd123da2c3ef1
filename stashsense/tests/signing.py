"""Signing requests as Stash's plugin does, by docs/api.md alone."""

import hashlib
import hmac
import http.client
import json
import secrets
import time
from urllib.parse import unquote, urlsplit

from django.test import Client
from django.utils.encoding import force_bytes

from stashsense.api.authentication import api_key

LIMIT_SECONDS = 60


def signed(key, method, target, body=b"", *, name="stash", date=None, nonce=None):
    """Return the header for a request for `target`, which is spelled as it is sent."""
    date = str(int(time.time()) if date is None else date)
    nonce = nonce or secrets.token_urlsafe(16)
    path, _, query = target.partition("?")
    lines = [method, unquote(path), query, date, nonce]
    text = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
    secret = hmac.new(key.encode(), b"stash-sense plugin v1", hashlib.sha256).digest()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    return {
        "Authorization": f"StashSense key={name}, date={date}, nonce={nonce}, "
        f"signature={signature}"
    }


def send(server_url, method, target, body=b"", headers=None):
    """Send exactly this; return the status and what the JSON of the answer says."""
    address = urlsplit(server_url)
    connection = http.client.HTTPConnection(
        address.hostname, address.port, timeout=LIMIT_SECONDS
    )
    try:
        connection.request(method, target, body or None, headers or {})
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


class SigningClient(Client):
    """Django's client, which signs what it sends with the service's own key."""

    def generic(self, method, path, data="", *args, headers=None, **how):
        query = how.get("QUERY_STRING", "")
        target = f"{path}?{query}" if query else path
        signature = signed(api_key(), method, target, force_bytes(data), name="plugin")
        headers = {**(headers or {}), **signature}
        return super().generic(method, path, data, *args, headers=headers, **how)
