"""What is needed to read zips that nobody vouches for; what is in them is not judged.

zipfile and zlib raise `BROKEN` for archives that are not what they say.
"""

import os
import zipfile
import zlib
from typing import IO

from stashsense.files import CHUNK_BYTES

ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
)


class BoundedReads:
    """A file that refuses to return much at once.

    zipfile reads a central directory of any size in one piece and makes an object of
    each entry before anybody can count them.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(CHUNK_BYTES + 1 if size < 0 else size)
        if len(content) > CHUNK_BYTES:
            raise zipfile.BadZipFile("its directory is too large")
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("a member begins before the file does")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
