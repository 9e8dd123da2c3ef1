"""What FFmpeg's errors mean, in words that name neither address nor header."""

from typing import Final

import av.error

from recognition.exceptions import (
    MediaInterrupted,
    MediaMissing,
    MediaRefused,
    MediaUnavailable,
    MediaUnreachable,
    UnreadableVideo,
)

# A disk that has to spin up takes about 10 s.
IO_TIMEOUT_SECONDS = 15


def opening_error(exc: av.error.FFmpegError) -> MediaUnavailable | UnreadableVideo:
    """Return our error for what a source answered when it was opened."""
    if isinstance(exc, _NO_VIDEO):
        return UnreadableVideo(
            "What the source of the video sends is no video in a format that is read."
        )
    for kinds, error, text in _ANSWERS:
        if isinstance(exc, kinds):
            return error(f"The source of the video {text}.")
    return MediaInterrupted(f"The source of the video failed: {exc.strerror}.")


def reading_error(exc: av.error.FFmpegError) -> MediaUnavailable | UnreadableVideo:
    """Return our error for what became of a source that had been opened.

    What FFmpeg calls an input/output error is then a connection that broke.
    """
    if isinstance(exc, _NO_VIDEO):
        return opening_error(exc)
    return MediaInterrupted(
        "The source of the video broke the connection or fell silent, again and again."
    )


def is_connection_error(exc: av.error.FFmpegError) -> bool:
    """Whether another connection to the same source could do better."""
    return not isinstance(exc, _NO_VIDEO)


# A format or protocol that is not on our lists is an invalid argument to FFmpeg.
_NO_VIDEO: Final = (
    av.error.InvalidDataError,
    av.error.ArgumentError,
    av.error.DemuxerNotFoundError,
    av.error.DecoderNotFoundError,
    av.error.PatchWelcomeError,
)
_Answer = tuple[tuple[type[Exception], ...], type[MediaUnavailable], str]
_ANSWERS: Final[tuple[_Answer, ...]] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        MediaRefused,
        "refuses us (401 or 403): check the API key",
    ),
    ((av.error.HTTPNotFoundError,), MediaMissing, "does not have it (404)"),
    (
        (av.error.HTTPTooManyRequestsError,),
        MediaInterrupted,
        "wants to be asked later (429)",
    ),
    ((av.error.HTTPClientError,), MediaRefused, "refuses the request (4xx)"),
    ((av.error.HTTPServerError,), MediaRefused, "failed to send it (5xx)"),
    (
        (av.error.ConnectionRefusedError,),
        MediaUnreachable,
        "does not accept connections: check that it runs",
    ),
    (
        (av.error.TimeoutError, av.error.ExitError),
        MediaInterrupted,
        f"sent nothing for {IO_TIMEOUT_SECONDS} seconds",
    ),
    (
        (av.error.EOFError, av.error.ConnectionResetError),
        MediaInterrupted,
        "broke the connection",
    ),
    # FFmpeg tells these apart in its log alone, which holds the headers.
    (
        (av.error.OSError,),
        MediaRefused,
        "cannot be reached by its name, cannot prove by TLS that it is that host, or "
        "answered with a redirect, which is not followed (Stash redirects to its login "
        "page: check the API key)",
    ),
)
