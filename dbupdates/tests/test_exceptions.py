"""Every error's status and code, pinned: clients switch on them."""

import pytest

from dbupdates import exceptions
from dbupdates.exceptions import DatabaseUpdateError
from stashsense.exceptions import StashSenseError

EXPECTED = {
    "DatabaseUpdateError": (500, "database_update_failed"),
    "FeedError": (503, "feed_unavailable"),
    "InvalidRelease": (422, "invalid_release"),
    "InvalidManifest": (422, "invalid_manifest"),
    "ChecksumMismatch": (422, "checksum_mismatch"),
    "UnsafeArchive": (422, "unsafe_archive"),
    "UnloadableIndex": (422, "unloadable_index"),
    "InsufficientMemory": (503, "insufficient_memory"),
    "UpdateInProgress": (409, "update_in_progress"),
    "UpdateRefused": (409, "update_refused"),
    "AlreadyLatest": (400, "already_latest"),
    "NothingToDownload": (503, "nothing_to_download"),
    "TooLateToCancel": (409, "too_late_to_cancel"),
    "UpdateStopped": (409, "update_stopped"),
    "UpdateCancelled": (409, "update_cancelled"),
    "UpdateInterrupted": (409, "update_interrupted"),
    "SwapFailed": (503, "swap_failed"),
    "RunNotFound": (404, "run_not_found"),
    "ReleaseNotFound": (404, "release_not_found"),
    "WrongNetworks": (409, "wrong_networks"),
}


def walk(root):
    yield root
    for child in root.__subclasses__():
        yield from walk(child)


def test_the_tree_is_what_it_is_said_to_be():
    assert {error.__name__ for error in walk(DatabaseUpdateError)} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_error_has_its_status_code_and_docstring(name):
    error = getattr(exceptions, name)

    assert issubclass(error, StashSenseError)
    assert (error.status, error.code) == EXPECTED[name]
    assert error.__doc__
    assert name in (exceptions.__doc__ or "")
