"""Every setting, from the environment or with the default a fresh checkout runs with.

What an operator may change is read here, through `env`; what a user may change while
the service runs is a row in the database and not here.
"""

import os
from datetime import timedelta

# Before anything imports ONNX Runtime, which would report to its maker otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from pathlib import Path
from urllib.parse import urlsplit

from stashsense import __version__, engines, env, keys

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "data")
MODELS_DIR = DATA_DIR / "models"

# What we talk to

STASH_URL = env.text("STASH_URL", "")
STASH_API_KEY = env.secret("STASH_API_KEY")

# Where we listen; `scripts/serve` takes both as options too.
HOST = env.text("STASH_SENSE_HOST", "0.0.0.0")
PORT = env.integer("PORT", default=5000, minimum=1, maximum=65535)

# Who may talk to us

AUTHENTICATION = env.choice("STASH_SENSE_AUTH", default="on", choices={"on", "off"})
API_KEY_PATH = DATA_DIR / "api_key"
API_KEY = env.secret("STASH_SENSE_API_KEY")
# Of the user made at the first start; without it one is made up and shown once.
ADMIN_PASSWORD = env.secret("STASH_SENSE_ADMIN_PASSWORD")
_given_secret_key = env.secret("STASH_SENSE_SECRET_KEY")
IS_SECRET_KEY_SHARED = _given_secret_key is not None
SECRET_KEY = _given_secret_key or keys.read_or_create(DATA_DIR / "secret_key")
# The addresses of a machine at home are not known beforehand; every route but /health
# wants a key or a session, which a rebound host name does not bring along. Without
# authentication `LocalNamesMiddleware` looks on where none are given. The service asks
# itself by the last ones: is it well, and who is in a scene.
_given_hosts = env.words("STASH_SENSE_ALLOWED_HOSTS")
ARE_HOSTS_GIVEN = bool(_given_hosts)
ALLOWED_HOSTS = [
    *(_given_hosts or ["*"]),
    *(f"[{host}]" if ":" in host else host for host in {HOST} - {"0.0.0.0", "::"}),
    *["127.0.0.1", "localhost", "[::1]"],
]
CSRF_TRUSTED_ORIGINS = env.words("STASH_SENSE_TRUSTED_ORIGINS")

# Proxies in front of us

# From nobody else is it believed who asks, and whether that was by HTTPS; what others
# say of it is dropped by `stashsense.proxies`, which Django's setting relies on.
TRUSTED_PROXIES = env.networks("STASH_SENSE_TRUSTED_PROXIES")
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)
# The path below which the proxy shows us, such as /sense; it may cut it off or not.
FORCE_SCRIPT_NAME = env.path_prefix("STASH_SENSE_PATH") or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = FORCE_SCRIPT_NAME or "/"

# Releases

# What GitHub answers about releases: a list of them, or one.
RELEASE_FEED = env.text(
    "STASH_SENSE_RELEASE_FEED",
    "https://api.github.com/repos/carrotwaxr/stash-sense-data/releases?per_page=100",
)
# How a process changes to another release: beside the one it serves, which takes the
# memory of both; or after letting go of that one, refusing pictures meanwhile.
SWAP = env.choice(
    "STASH_SENSE_SWAP", default="auto", choices={"auto", "beside", "unload-first"}
)

# Model files

# Where the files of each maker lie; a mirror keeps the rest of their paths.
MODEL_SOURCES = {
    "stash_sense": env.address(
        "STASH_SENSE_MODEL_SOURCE",
        "https://github.com/carrotwaxr/stash-sense/releases/download/models",
    ),
    "insightface": env.address(
        "STASH_SENSE_MODEL_SOURCE_INSIGHTFACE",
        "https://github.com/deepinsight/insightface/releases/download/v0.7",
    ),
    "mediapipe": env.address(
        "STASH_SENSE_MODEL_SOURCE_MEDIAPIPE",
        "https://storage.googleapis.com/mediapipe-models",
    ),
}

# Recognition

# Pictures are fetched from public addresses, from Stash and from these hosts.
ALLOWED_IMAGE_HOSTS = frozenset(
    host.lower() for host in env.words("STASH_SENSE_ALLOWED_IMAGE_HOSTS")
) | ({urlsplit(STASH_URL).netloc.rpartition("@")[2].lower()} if STASH_URL else set())
DEVICE = env.choice(
    "STASH_SENSE_DEVICE", default="auto", choices={"auto", "cpu", "cuda"}
)
# 0: as many as the process may use cores.
INFERENCE_THREADS = env.integer(
    "STASH_SENSE_INFERENCE_THREADS", default=0, minimum=0, maximum=256
)
# Two pictures at once keep the device busy while one of them is decoded.
INFERENCE_SLOTS = env.integer(
    "STASH_SENSE_INFERENCE_SLOTS", default=2, minimum=1, maximum=64
)
# Requests that wait for a slot. At a second each the last one waits well under the
# minute after which clients give up.
INFERENCE_QUEUE = env.integer(
    "STASH_SENSE_INFERENCE_QUEUE", default=16, minimum=0, maximum=1000
)
# Scenes and galleries at the same time, in turn with each other and with pictures.
SCENE_SLOTS = env.integer("STASH_SENSE_SCENE_SLOTS", default=2, minimum=1, maximum=16)
# Requests that wait for such a place; a scene takes seconds to minutes.
SCENE_QUEUE = env.integer("STASH_SENSE_SCENE_QUEUE", default=4, minimum=0, maximum=100)
# What of a scene was decoded by then is what it is judged by.
SCENE_SECONDS = env.integer(
    "STASH_SENSE_SCENE_SECONDS", default=600, minimum=10, maximum=86_400
)
# Who identifies, for what runs in the background: this service, or one elsewhere.
RECOGNITION_URL = env.text("RECOGNITION_URL", "").rstrip("/")
RECOGNITION_API_KEY = env.secret("RECOGNITION_API_KEY")
# What these say is the default of settings that users may change, in place of what the
# hardware suggests. The pyramid of the detector halves the square five times.
DETECTION_SIZE_PX = env.optional_integer(
    "STASH_SENSE_DETECTION_SIZE", minimum=160, maximum=1280, multiple_of=32
)
EMBEDDING_BATCH_SIZE = env.optional_integer(
    "STASH_SENSE_EMBEDDING_BATCH_SIZE", minimum=1, maximum=128
)
# What these say is stored at the first start, as if a user had chosen it; `auto` is not
# stored, but makes the default "on where the files are there".
FIRST_STASH_API_RATE = env.optional_number("STASH_RATE_LIMIT", minimum=0.5, maximum=50)
FIRST_FACE_CANDIDATES = env.optional_integer("FACE_CANDIDATES", minimum=5, maximum=100)
FIRST_BODY_SIGNAL = env.switch("ENABLE_BODY_SIGNAL")
FIRST_TATTOO_SIGNAL = env.switch("ENABLE_TATTOO_SIGNAL")

# Processes

# Each worker holds its own copy of the networks and of about 1.6 GB of indices.
WEB_WORKERS = env.integer("WEB_WORKERS", default=1, minimum=1, maximum=64)
# 8 more than may be in work or waiting, so that /health finds a thread unless so many
# send bodies slowly; whoever sends no headers has none.
WEB_THREADS = env.integer(
    "WEB_THREADS",
    default=INFERENCE_SLOTS + INFERENCE_QUEUE + SCENE_SLOTS + SCENE_QUEUE + 8,
    minimum=2,
    maximum=2000,
)

# Django

DEBUG = False
ROOT_URLCONF = "stashsense.urls"
WSGI_APPLICATION = "stashsense.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TZ", "UTC")
USE_TZ = True

INSTALLED_APPS = [
    "stashsense.apps.StashSenseAdminConfig",
    "axes",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "stashsense.apps.StashSenseConfig",
    "dbupdates.apps.DbUpdatesConfig",
    "recognition.apps.RecognitionConfig",
    "recommendations.apps.RecommendationsConfig",
    "demo.apps.DemoConfig",
]

MIDDLEWARE = [
    "stashsense.observability.middleware.RequestLogMiddleware",
    "stashsense.api.headers.BrowserHeadersMiddleware",
    "stashsense.api.gate.BodyLimitMiddleware",
    "stashsense.api.gate.NulMiddleware",
    "stashsense.api.gate.LocalNamesMiddleware",
    "stashsense.api.gate.CrossSiteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": engines.database(
        env.secret("DATABASE_URL"), sqlite_path=DATA_DIR / "stash_sense.db"
    )
}
CACHES = {"default": engines.cache(env.secret("REDIS_URL"))}

Q_CLUSTER = {
    "name": "default",
    "orm": "default",
    "workers": 1,
    # A prefetched task's lock runs while it waits, so nothing is prefetched.
    "queue_limit": 1,
    # Longest task: a download of a release over a slow line.
    "timeout": 6 * 3600,
    # Over the timeout, or a running task would be started a second time.
    "retry": 7 * 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1,
    "label": "Background tasks",
}

AUTHENTICATION_BACKENDS = [
    # Refuses whoever failed too often; who signs in is for the next one to say.
    "stashsense.api.sign_in.LimitedSignIn",
    "django.contrib.auth.backends.ModelBackend",
]
# A person who tries all passwords of theirs stays below; a program does not.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
# By name and address together, so that nobody can lock the owner out from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# Of an address in the same time, whatever the names: each takes a second of a core.
SIGN_IN_FAILURE_LIMIT = 30
# Trying on does not prolong it: it ends even where somebody keeps trying.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "stashsense.api.callers.client_address"
AXES_LOCKOUT_CALLABLE = "stashsense.api.sign_in.answer_lockout"
# Every sign-in would be kept for good, and the admin has its own history.
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "home"

STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
# Served from the packages they lie in: no copy to keep in step with the code.
WHITENOISE_USE_FINDERS = True

SECURE_REFERRER_POLICY = "same-origin"
# Everything comes from here; pictures may come from the person's own disk as well.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
# Plain HTTP at home has no origin to isolate; browsers would only warn.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
SESSION_COOKIE_NAME = "stash_sense_session"
CSRF_COOKIE_NAME = "stash_sense_csrf"
CSRF_FAILURE_VIEW = "stashsense.api.exceptions.answer_without_token"
SESSION_COOKIE_SAMESITE = "Lax"

# 32 MB of picture as base64 in JSON, and some fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 45_000_000
# Of all pages, whose forms have no files: Django would read those of anybody.
FORM_MAX_BYTES = 500_000
# A form of the admin has dozens of fields; a page of a list has 100 rows to tick.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "stashsense.api.authentication.ApiKeyAuthentication",
        "stashsense.api.authentication.SignatureAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["stashsense.api.authentication.IsAllowed"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["stashsense.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "stashsense.api.exceptions.answer_exception",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Stash Sense",
    "DESCRIPTION": "Who is in this picture? Face recognition beside Stash.",
    "VERSION": __version__,
    "SERVERS": [{"url": FORCE_SCRIPT_NAME}] if FORCE_SCRIPT_NAME else [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "stashsense.api.description.declare_shared_answers",
    ],
    # Fields of one name with different words need a name for each set of words.
    "ENUM_NAME_OVERRIDES": {
        "CancellingEnum": "recognition.api.model_files.CANCELLING",
        "KindEnum": "dbupdates.models.UpdateRun.Kind",
        "MediaKindEnum": "recognition.models.Fingerprint.Kind",
        "MatchingModeEnum": "recognition.api.evaluation_serializers.MODES",
        "UpdateStatusEnum": "dbupdates.api.serializers.STATUSES",
        "ModelFileStatusEnum": "recognition.model_files.Status",
        "ModelDownloadStatusEnum": "recognition.api.model_files.STATUSES",
        "ModelDownloadStartedEnum": "recognition.api.model_files.STARTED",
        "CorrectionVerdictEnum": "recognition.api.correction_serializers.VERDICTS",
        "ReviewVerdictEnum": "recognition.models.ReviewedName.Verdict",
        "EntityKindEnum": "recommendations.api.action_serializers.KINDS",
        "LinkedKindEnum": "recommendations.api.action_serializers.LINKED_KINDS",
        "AnalysisRunStatusEnum": "recommendations.models.AnalysisRun.State",
        "RecommendationStatusEnum": "recommendations.models.Recommendation.Status",
        "LibraryRunStatusEnum": "recognition.models.LibraryRun.State",
        "LibraryRunKindEnum": "recognition.models.LibraryRun.Kind",
        "UnknownPersonStateEnum": "recognition.models.groups.PeopleGroup.State",
    },
    "SERVE_PERMISSIONS": ["stashsense.api.authentication.IsAllowed"],
}

LOG_LEVEL = env.choice(
    "LOG_LEVEL", default="info", choices={"debug", "info", "warning", "error"}
).upper()
LOG_FORMAT = env.choice(
    "STASH_SENSE_LOG_FORMAT", default="text", choices={"text", "json"}
)
# What takes so long is logged with its stages. Scenes take longer as a rule.
SLOW_REQUEST_SECONDS = env.number(
    "STASH_SENSE_SLOW_REQUEST_SECONDS", default=2, minimum=0, maximum=3600
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "stashsense.observability.logs.TextFormatter",
            "format": "{asctime} {levelname:<7} {name}[{process}] {request_id}: "
            "{message}",
            "style": "{",
        },
        "json": {"()": "stashsense.observability.logs.JsonFormatter"},
    },
    "filters": {
        "request_id": {"()": "stashsense.observability.logs.RequestIdFilter"},
        "has_traceback": {"()": "stashsense.observability.logs.HasTracebackFilter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Our own line tells of every refusal; tracebacks of mistakes come beside it.
        "django.request": {"filters": ["has_traceback"]},
        # It repeats the Host header, whatever somebody put there.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # It masks the address; our own line of a failed sign-in has it.
        "axes": {"level": "ERROR"},
        "gunicorn.error": {
            "level": "INFO",
            "handlers": ["console"],
            "propagate": False,
        },
    }
    | {
        name: {"level": LOG_LEVEL}
        for name in (
            "stashsense",
            "recognition",
            "dbupdates",
            "recommendations",
            "demo",
        )
    },
}
