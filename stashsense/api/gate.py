"""What is refused before anything of a request is read, whatever it asks for."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain
from rest_framework.permissions import SAFE_METHODS

from stashsense.api.exceptions import refuse
from stashsense.api.requests import is_of_the_api

# Nobody can have a name below these in the DNS that everybody asks (RFC 6762, RFC 8375,
# ICANN's resolution of July 2024 on .internal; .lan is what routers made of it).
LOCAL_SUFFIXES = (".local", ".lan", ".home.arpa", ".internal")

GetResponse = Callable[[HttpRequest], HttpResponse]


class BodyLimitMiddleware:
    """Refuses bodies that are too large, or do not say how large they are.

    Django counts the fields of a form, and writes its files to disk, before anybody is
    asked who sends them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the refusal, or what the others answer."""
        if "Transfer-Encoding" in request.headers:
            detail = "Send the body with a Content-Length: nothing else is read."
            return refuse(411, "length_required", detail)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.strip("0"):
            most = _most_bytes(request)
            # Of more digits than these nobody needs the number.
            if not length.isdecimal() or len(length) > 15 or int(length) > most:
                detail = f"The request body is larger than {most / 1_000_000:g} MB."
                return refuse(413, "body_too_large", detail)
        return self._get_response(request)


def _most_bytes(request: HttpRequest) -> int:
    if is_of_the_api(request):
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return int(settings.FORM_MAX_BYTES)


class NulMiddleware:
    """Refuses the character NUL in addresses and cookies: PostgreSQL looks up none.

    What is sent to the API in queries and bodies its fields refuse, by their names.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the refusal, or what the others answer."""
        is_held = any(
            "\0" in text for text in (request.path, *request.COOKIES.values())
        )
        is_asked = not is_of_the_api(request) and "%00" in request.META["QUERY_STRING"]
        if is_held or is_asked:
            return refuse(400, "bad_request", "The request holds the character NUL.")
        return self._get_response(request)


class LocalNamesMiddleware:
    """Without authentication, answers under no name that others could own.

    A page of theirs, whose name is made to lead here, would be taken for one of ours.
    Where names are given, Django sees to it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the refusal, or what the others answer."""
        is_open = settings.AUTHENTICATION == "off" and not settings.ARE_HOSTS_GIVEN
        if is_open and not _is_local(request.get_host()):
            detail = (
                "Authentication is off, and a name like this one may be anybody's: "
                "name it in STASH_SENSE_ALLOWED_HOSTS if it is yours, as that of a "
                "proxy. Addresses, names without a dot, and those below "
                f"{', '.join(LOCAL_SUFFIXES)} need not be named."
            )
            return refuse(400, "wrong_host", detail)
        return self._get_response(request)


def _is_local(host: str) -> bool:
    name, _ = split_domain_port(host)
    # What we listen on may be a name as well.
    if validate_host(name, [own for own in settings.ALLOWED_HOSTS if own != "*"]):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith(LOCAL_SUFFIXES)
    return True


class CrossSiteMiddleware:
    """Without authentication, keeps pages of others from changing anything.

    With it, their requests bring neither the key nor a CSRF token. Who is no browser
    sends none of the headers that are looked at.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the refusal, or what the others answer."""
        is_unsafe = request.method not in SAFE_METHODS
        if settings.AUTHENTICATION == "off" and is_unsafe and _is_cross_site(request):
            detail = (
                "A page of another site asked for this. If it is yours, name its "
                "origin in STASH_SENSE_TRUSTED_ORIGINS."
            )
            return refuse(403, "cross_site", detail)
        return self._get_response(request)


def _is_cross_site(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "cross-site"
    try:
        parsed = urlsplit(origin)
    except ValueError:
        return True
    if any(_is_of(parsed, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS):
        return False
    # Not by the scheme: a proxy that speaks HTTPS need not be one that we trust.
    is_here = parsed.netloc.lower() == request.get_host().lower()
    return not is_here or request.headers.get("Sec-Fetch-Site") == "cross-site"


def _is_of(origin: SplitResult, trusted: str) -> bool:
    """Return whether the origin is a trusted one, which may begin with `*.`."""
    scheme, _, host = trusted.partition("://")
    return origin.scheme == scheme and is_same_domain(
        origin.netloc.lower(), host.removeprefix("*")
    )
