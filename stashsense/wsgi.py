"""What gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from stashsense.proxies import BehindProxies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stashsense.settings")

application = BehindProxies(
    get_wsgi_application(),
    trusted=settings.TRUSTED_PROXIES,
    path=settings.FORCE_SCRIPT_NAME or "",
)
