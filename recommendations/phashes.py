"""Perceptual hashes as numbers. PURE."""

_BITS = 64


def parse_phash(text: str | None) -> int | None:
    """Return the 64 bits of a hash in hexadecimal; None where it is none.

    Stash leaves leading zeros out, stash-boxes do not.
    """
    try:
        number = int(text or "", 16)
    except ValueError:
        return None
    return number if 0 <= number < 1 << _BITS else None
