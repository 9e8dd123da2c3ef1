"""Secrets the service makes for itself and keeps in files only it can read."""

import os
import secrets
from pathlib import Path

# 256 bits: 43 characters in URL-safe base64.
KEY_BYTES = 32


def read_or_create(path: Path) -> str:
    """Return the secret in the file, made at first use and readable by its owner only.

    Of several processes that start together, one writes and all read the same.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as sink:
            sink.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
        try:
            # Unlike a rename, a link never replaces what another process made first.
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        except OSError:
            # A share or a stick may have no links. The supervisor makes the keys before
            # it starts anybody else.
            if not path.exists():
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return path.read_text().strip()
