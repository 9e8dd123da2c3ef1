"""Serves one file over HTTP, whole or from any byte on, as Stash serves a video."""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CHUNK_BYTES = 256 * 1024


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    path_served: Path

    def do_GET(self) -> None:
        total = self.path_served.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = min(int(asked[1]), total) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - first))
        self.end_headers()
        with self.path_served.open("rb") as file:
            file.seek(first)
            while chunk := file.read(_CHUNK_BYTES):
                self.wfile.write(chunk)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # Who seeks goes away in the middle of the answer.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(path: Path) -> None:
    """Serve until ended; print the address first."""
    _Handler.path_served = path
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/scene/1/stream", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
