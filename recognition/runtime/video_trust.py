"""By which certificates the source of a video may prove itself: a file for FFmpeg.

FFmpeg verifies nothing unless told to, and its TLS library takes one file. That holds
what the client for Stash trusts: what browsers do, and what the operator added.
"""

import atexit
import os
import re
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

import certifi

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
# In OpenSSL's folders a certificate counts under a name made of its subject.
_NAME_IN_FOLDER: Final = re.compile(r"[0-9a-f]{8}\.\d+")

_lock = Lock()
_written_files: dict[tuple[str | None, str], Path] = {}


def trust_file() -> Path:
    """Return the file of all certificates trusted, which this process keeps.

    It is made again where somebody cleaned it away.
    """
    paths = ssl.get_default_verify_paths()
    folders = os.environ.get(paths.openssl_capath_env, paths.openssl_capath)
    with _lock:
        path = _written_files.get((paths.cafile, folders))
        if path is None or not path.exists():
            path = _written(_certificates(paths.cafile, folders))
            _written_files[paths.cafile, folders] = path
        return path


def _certificates(file_path: str | None, folders: str) -> list[bytes]:
    """Return each certificate once, as text."""
    files = [Path(certifi.where())]
    if file_path is not None:
        files.append(Path(file_path))
    for folder in filter(None, folders.split(os.pathsep)):
        with suppress(OSError):
            files += [
                each
                for each in sorted(Path(folder).iterdir())
                if _NAME_IN_FOLDER.fullmatch(each.name)
            ]
    found: dict[bytes, None] = {}
    for file in files:
        # OpenSSL passes over what it cannot read, too.
        with suppress(OSError):
            found |= dict.fromkeys(_CERTIFICATE.findall(file.read_bytes()))
    return [*found]


def _written(certificates: list[bytes]) -> Path:
    with tempfile.NamedTemporaryFile(
        prefix="stash-sense-trust-", suffix=".pem", delete=False
    ) as file:
        file.write(b"\n".join(certificates) + b"\n")
    path = Path(file.name)
    atexit.register(path.unlink, missing_ok=True)
    return path
