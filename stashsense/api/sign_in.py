"""What people are told who cannot sign in for a while."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from stashsense.observability import metrics


def answer_lockout(
    request: HttpRequest, response: HttpResponse, credentials: object
) -> HttpResponse:
    """Return a page that says how long; nothing prolongs that."""
    metrics.REFUSED_CREDENTIALS.labels("locked_out").inc()
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = TemplateResponse(
        request,
        "stashsense/locked_out.html",
        {"minutes": seconds // 60},
        status=429,
        headers={"Retry-After": str(seconds)},
    )
    return page.render()
