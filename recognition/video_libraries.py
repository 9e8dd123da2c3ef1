"""Which FFmpeg libraries the service carries, inside PyAV."""

import functools


@functools.cache
def video_library_versions() -> dict[str, str]:
    """Return library name → version, such as `{"libavcodec": "61.19.100"}`.

    PyAV is loaded at the first call: a process that never looks at videos keeps the
    memory.
    """
    import av

    return {
        name: ".".join(str(part) for part in version)
        for name, version in sorted(av.library_versions.items())
    }
