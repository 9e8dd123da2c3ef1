"""The settings under test: the defaults, whatever the calling shell has set.

But for DATABASE_URL and REDIS_URL: with them the suite runs on that PostgreSQL server,
whose user may create databases, and on that Redis (scripts/test_postgresql).

Named in pyproject.toml, because nothing of a conftest.py runs early enough.
"""

import atexit
import os
import secrets
import shutil
import tempfile

KEPT = {
    "STASH_SENSE_PLUGIN_PICTURES", "STASH_SENSE_REQUIRE_BROWSER",
    "STASH_SENSE_REQUIRE_NGINX",
}  # fmt: skip
OURS = {"DATA_DIR", "FACE_CANDIDATES", "LOG_LEVEL", "PORT", "TZ"}

for _name in {*os.environ} - KEPT:
    if _name.startswith(("STASH_", "ENABLE_")) or _name in OURS:
        del os.environ[_name]

# Keys are made in the data folder while settings are read.
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="stash-sense-tests-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

from stashsense.settings import *  # noqa: E402, F403
from stashsense.settings import CACHES, DATA_DIR, DATABASES  # noqa: E402

# No test fetches from anybody but its own servers; nobody listens at this port.
MODEL_SOURCES = dict.fromkeys(
    ("stash_sense", "insightface", "mediapipe"), "http://127.0.0.1:9"
)

# Tests of settings begin with none, and processes that tests start are given a database
# of their own by `stashsense.tests.databases`.
POSTGRESQL_URL = os.environ.pop("DATABASE_URL", "")
if POSTGRESQL_URL:
    # A run beside this one has its own.
    DATABASES["default"]["TEST"] = {"NAME": f"test_{secrets.token_hex(6)}"}
else:
    # In a file, as in earnest: SQLite's shared memory database knows no waiting for
    # locks.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.db"}
REDIS_SERVER_URL = os.environ.pop("REDIS_URL", "")
if REDIS_SERVER_URL:
    CACHES["default"]["KEY_PREFIX"] = f"test-{secrets.token_hex(6)}"
