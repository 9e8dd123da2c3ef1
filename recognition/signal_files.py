"""Whether files of further evidence are there. None is opened, nothing is served."""

from django.conf import settings

_NOTHING_ACTIVE = "No release is active."


def find_missing_file(signal: str) -> str | None:
    """Return in a sentence which file `body` or `tattoo` lacks, None for none.

    What came of opening them must not count: it follows from what is switched on, and
    this may say what that is.
    """
    # Every process imports this module; few need ONNX Runtime.
    from dbupdates.store import active_release
    from recognition.runtime.signals import missing_for

    release = active_release()
    if release is None:
        return _NOTHING_ACTIVE
    return missing_for(signal, release.path, settings.MODELS_DIR)
