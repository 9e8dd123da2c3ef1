"""What the release simulator publishes: an archive's bytes and the feed's words."""

import hashlib
import os
import socket
import threading
import zipfile
from dataclasses import dataclass
from email.utils import formatdate
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from stashsense.files import sha256_of

# 1 January 2026; each publication is a minute later, so that none shares its time.
_FIRST_MODIFIED = 1_767_225_600


class Archive:
    """The bytes of one zip, in memory or in a file that is never modified."""

    def __init__(self, content: Path | bytes, name: str) -> None:
        self.content = content
        self.name = name
        self.size_bytes = (
            content.stat().st_size if isinstance(content, Path) else len(content)
        )
        self.flipped_offsets: set[int] = set()
        self._digest = ""
        self._lock = threading.Lock()

    @property
    def digest(self) -> str:
        """The SHA-256 of what was published; flipped bytes are not in it."""
        with self._lock:
            if not self._digest:
                if isinstance(self.content, Path):
                    self._digest = sha256_of(self.content)
                else:
                    self._digest = hashlib.sha256(self.content).hexdigest()
        return self._digest

    def open(self) -> IO[bytes]:
        if isinstance(self.content, Path):
            return self.content.open("rb")
        return BytesIO(self.content)

    def flip_byte_of(self, member: str) -> None:
        """Spoil the middle of a member's data, as a bad disk would."""
        with self.open() as file, zipfile.ZipFile(file) as archive:
            entry = archive.getinfo(member)
            if not entry.compress_size:
                raise ValueError(f"{member} has no data")
            file.seek(entry.header_offset + 26)
            lengths = file.read(4)
        name_bytes = int.from_bytes(lengths[:2], "little")
        extra_bytes = int.from_bytes(lengths[2:], "little")
        data_offset = entry.header_offset + 30 + name_bytes + extra_bytes
        self.flipped_offsets.add(data_offset + entry.compress_size // 2)

    def send(self, sock: socket.socket, file: IO[bytes], start: int, stop: int) -> None:
        """Send the range; `file` is what `open` gave, for this connection alone."""
        if isinstance(self.content, Path) and not self.flipped_offsets:
            while start < stop:
                sent = os.sendfile(sock.fileno(), file.fileno(), start, stop - start)
                if not sent:
                    raise ConnectionError("the file has become shorter")
                start += sent
            return
        file.seek(start)
        data = bytearray(file.read(stop - start))
        for offset in self.flipped_offsets:
            if start <= offset < stop:
                data[offset - start] ^= 0xFF
        sock.sendall(data)


@dataclass(frozen=True)
class Publication:
    """A release as published; `serial` counts publications, also of one version.

    `entry` is what the feed says but for the archive, at `archive_url` if there is one.
    """

    version: str
    serial: int
    archive: Archive | None
    archive_url: str
    has_digest: bool
    entry: dict[str, Any]

    @property
    def modified(self) -> str:
        return formatdate(_FIRST_MODIFIED + 60 * self.serial, usegmt=True)

    def feed_entry(self) -> dict[str, Any]:
        """Return the release as GitHub's API describes one."""
        if self.archive is None:
            return {**self.entry, "assets": []}
        digest = f"sha256:{self.archive.digest}" if self.has_digest else None
        asset = {
            "name": self.archive.name,
            "size": self.archive.size_bytes,
            "browser_download_url": self.archive_url,
            "digest": digest,
            "content_type": "application/zip",
            "state": "uploaded",
        }
        return {**self.entry, "assets": [asset]}
