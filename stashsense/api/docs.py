"""The page that shows the API and lets people try it."""

from django.contrib.auth.views import redirect_to_login
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response


class DocsView(SpectacularSwaggerView):
    """Swagger UI from local files; sends strangers to the sign-in page."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NotAuthenticated):
            sign_in = redirect_to_login(self.request.get_full_path())
            return Response(status=302, headers={"Location": sign_in.url})
        return super().handle_exception(exc)
