"""Body proportions of the performers of a release, from its performers.db."""

import sqlite3
from pathlib import Path
from urllib.parse import quote, urlsplit

from recognition.exceptions import DatabaseNotLoaded

PERFORMERS_DB = "performers.db"

# performers.db has short names where a universal id has a domain.
ENDPOINT_DOMAINS = {
    "stashdb": "stashdb.org",
    "theporndb": "theporndb.net",
    "fansdb": "fansdb.cc",
    "pmvstash": "pmvstash.org",
    "javstash": "javstash.org",
}

# The surest row last: it is the one that stays.
_SHOULDER_HIP_RATIOS = """
SELECT ids.endpoint, ids.stashbox_performer_id, body.shoulder_hip_ratio
FROM body_proportions AS body
JOIN stashbox_ids AS ids ON ids.performer_id = body.performer_id
WHERE typeof(body.shoulder_hip_ratio) IN ('real', 'integer')
  AND body.shoulder_hip_ratio > 0
  AND typeof(ids.endpoint) = 'text' AND typeof(ids.stashbox_performer_id) = 'text'
ORDER BY COALESCE(body.confidence, 0)
"""


def load_shoulder_hip_ratios(release_dir: Path) -> dict[str, float]:
    """Return the ratio of each performer that has one, by universal id.

    A performer of several stash-boxes is there under each of their ids. Raises
    DatabaseNotLoaded.
    """
    path = release_dir / PERFORMERS_DB
    # immutable: no journal or lock file may appear beside a release's files.
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(address, uri=True)
        try:
            return {
                f"{domain_of(endpoint)}:{bare_id}": float(ratio)
                for endpoint, bare_id, ratio in connection.execute(_SHOULDER_HIP_RATIOS)
            }
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DatabaseNotLoaded(f"{path.name} cannot be read: {error}") from error


def domain_of(endpoint: str) -> str:
    """Return the domain of a universal id for a short name, an address or a domain."""
    if endpoint in ENDPOINT_DOMAINS:
        return ENDPOINT_DOMAINS[endpoint]
    return urlsplit(endpoint).hostname or endpoint
