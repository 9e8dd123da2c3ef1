"""A release feed, its archives and model files on the loopback, to try updates on.

It speaks real HTTP, in the manner of GitHub's releases, and everything about it may
be changed between two requests: what is published, and what goes wrong.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import quote

from demo.publication import Archive, Publication
from demo.release_host import Faults, ReleaseHost, Request

__all__ = ["Faults", "ReleaseSimulator", "Request"]


class ReleaseSimulator:
    """A feed and the archives it lists, until `stop` or the end of its `with`."""

    def __init__(self, port: int = 0) -> None:
        self._host = ReleaseHost(port)
        self._publication_count = 0
        self._address = f"http://127.0.0.1:{self._host.server_port}"
        self.feed_url = f"{self._address}/releases"
        self.files_url = f"{self._address}/files"

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be edited and replaced."""
        return self._host.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._host.faults = faults

    def start(self) -> Self:
        self._host.start()
        return self

    def stop(self) -> None:
        """End every connection, whatever it was doing."""
        self._host.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def publish(
        self,
        version: str,
        archive: Path | bytes | None,
        *,
        tag: str | None = None,
        name: str | None = None,
        notes: str = "",
        is_prerelease: bool = False,
        is_draft: bool = False,
        published_at: str | None = None,
        has_digest: bool = True,
        asset_name: str | None = None,
    ) -> None:
        """Publish a release, in place of one of the same version; None has no zip."""
        file_name = asset_name or f"stash-sense-data-{version}.zip"
        self._publication_count += 1
        publication = Publication(
            version=version,
            serial=self._publication_count,
            archive=None if archive is None else Archive(archive, file_name),
            archive_url=f"{self._address}/archives/{version}/{quote(file_name)}",
            has_digest=has_digest,
            entry={
                "tag_name": tag or version,
                "name": name or version,
                "body": notes,
                "draft": is_draft,
                "prerelease": is_prerelease,
                "published_at": published_at
                or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "html_url": f"{self.feed_url}/tag/{tag or version}",
            },
        )
        with self._host.lock:
            self._host.publications[version] = publication

    def serve_file(self, path: str, content: Path | bytes) -> None:
        """Serve a file that no feed lists at `files_url`/path, in place of another."""
        self._publication_count += 1
        publication = Publication(
            version=path,
            serial=self._publication_count,
            archive=Archive(content, path.rpartition("/")[2]),
            archive_url=f"{self.files_url}/{quote(path)}",
            has_digest=False,
            entry={},
        )
        with self._host.lock:
            self._host.files[path] = publication

    def withdraw_file(self, path: str) -> None:
        with self._host.lock:
            del self._host.files[path]

    def spoil_file(self, path: str, offset: int) -> None:
        """Flip a byte; ETag and the given content stay as they are."""
        archive = self._host.files[path].archive
        assert archive is not None
        archive.flipped_offsets.add(offset)

    def versions(self) -> list[str]:
        """Return the versions that are published."""
        with self._host.lock:
            return list(self._host.publications)

    def withdraw(self, version: str) -> None:
        with self._host.lock:
            del self._host.publications[version]

    def corrupt(self, version: str, member: str) -> None:
        """Flip a byte of a member; digest, ETag and the given file stay as they are."""
        self._archive(version).flip_byte_of(member)

    def archive_url(self, version: str) -> str:
        self._archive(version)
        return self._host.publications[version].archive_url

    @property
    def requests(self) -> list[Request]:
        """What was asked, oldest first."""
        return self._host.requests()

    def feed_requests(self) -> list[Request]:
        return [r for r in self.requests if r.path.startswith("/releases")]

    def archive_requests(self) -> list[Request]:
        """What was asked of archives, redirected requests and their targets alike."""
        return [r for r in self.requests if r.path.startswith(("/archives", "/moved"))]

    def file_requests(self) -> list[Request]:
        return [r for r in self.requests if r.path.startswith("/files")]

    @property
    def sent_archive_bytes(self) -> int:
        return sum(request.sent_bytes for request in self.archive_requests())

    def _archive(self, version: str) -> Archive:
        archive = self._host.publications[version].archive
        if archive is None:
            raise ValueError(f"{version} has no archive")
        return archive
