"""Short texts for what a finding is caused by. PURE."""

import hashlib
import json


def cause_of(*parts: object) -> str:
    """Return 64 hexadecimal characters that are the same for the same parts.

    Parts are anything that JSON has; of what has no order, hand in sorted lists.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
