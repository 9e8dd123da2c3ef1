"""Every error raised on purpose, through the one handler."""

import pytest
from django.http import Http404
from rest_framework import exceptions as drf

import recognition.api.views
import recognition.runtime.pose
import recognition.runtime.providers
import recognition.runtime.signals
import stashsense.integrations.safe_fetch
from dbupdates import exceptions as dbupdates
from recognition import exceptions as recognition_errors
from recommendations import exceptions as recommendation_errors
from stashsense.api.authentication import api_key
from stashsense.api.exceptions import answer_exception
from stashsense.api.parsers import BodyTooLarge
from stashsense.downloads import exceptions as downloads
from stashsense.exceptions import StashSenseError
from stashsense.integrations import stash_errors, stashbox_errors
from stashsense.preferences import definitions

STATUS_AND_CODE = {
    dbupdates.DatabaseUpdateError: (500, "database_update_failed"),
    dbupdates.FeedError: (503, "feed_unavailable"),
    downloads.DownloadError: (502, "download_failed"),
    dbupdates.InvalidRelease: (422, "invalid_release"),
    dbupdates.InvalidManifest: (422, "invalid_manifest"),
    dbupdates.ChecksumMismatch: (422, "checksum_mismatch"),
    dbupdates.UnsafeArchive: (422, "unsafe_archive"),
    dbupdates.UnloadableIndex: (422, "unloadable_index"),
    downloads.InsufficientDiskSpace: (503, "insufficient_disk_space"),
    dbupdates.InsufficientMemory: (503, "insufficient_memory"),
    dbupdates.UpdateInProgress: (409, "update_in_progress"),
    dbupdates.UpdateRefused: (409, "update_refused"),
    dbupdates.AlreadyLatest: (400, "already_latest"),
    dbupdates.NothingToDownload: (503, "nothing_to_download"),
    dbupdates.TooLateToCancel: (409, "too_late_to_cancel"),
    dbupdates.UpdateStopped: (409, "update_stopped"),
    dbupdates.UpdateCancelled: (409, "update_cancelled"),
    dbupdates.UpdateInterrupted: (409, "update_interrupted"),
    dbupdates.SwapFailed: (503, "swap_failed"),
    dbupdates.RunNotFound: (404, "run_not_found"),
    dbupdates.ReleaseNotFound: (404, "release_not_found"),
    dbupdates.WrongNetworks: (409, "wrong_networks"),
    recognition_errors.RecognitionError: (500, "recognition_error"),
    recognition_errors.DatabaseNotLoaded: (503, "database_not_loaded"),
    recognition_errors.DatabaseUpdating: (503, "database_updating"),
    recognition_errors.ModelsNotInstalled: (503, "models_not_installed"),
    recognition_errors.ModelNotFound: (404, "model_not_found"),
    recognition_errors.InvalidModelFile: (502, "invalid_model_file"),
    recognition_errors.DownloadInProgress: (409, "download_in_progress"),
    recognition_errors.NoDownload: (404, "no_download"),
    recognition_errors.DownloadStopped: (409, "download_stopped"),
    recognition_errors.DownloadCancelled: (409, "download_cancelled"),
    recognition_errors.DownloadInterrupted: (409, "download_interrupted"),
    recognition_errors.UnreadableImage: (400, "unreadable_image"),
    recognition_errors.MediaUnavailable: (400, "media_unavailable"),
    recognition_errors.MediaUnreachable: (503, "media_unreachable"),
    recognition_errors.MediaInterrupted: (503, "media_interrupted"),
    recognition_errors.MediaRefused: (502, "media_refused"),
    recognition_errors.MediaMissing: (404, "media_missing"),
    recognition_errors.UnreadableVideo: (422, "unreadable_video"),
    recognition_errors.NoSprites: (422, "no_sprites"),
    recognition_errors.Busy: (503, "busy"),
    recognition_errors.SceneWithoutFiles: (404, "scene_without_files"),
    recognition_errors.JobNotFound: (404, "job_not_found"),
    recognition_errors.IdentificationStopped: (503, "identification_stopped"),
    recognition_errors.LibraryRunInProgress: (409, "library_run_in_progress"),
    recognition_errors.LibraryRunNotFound: (404, "library_run_not_found"),
    recognition_errors.FingerprintNotFound: (404, "fingerprint_not_found"),
    recognition_errors.RecognitionServiceAway: (503, "recognition_service_away"),
    recognition_errors.RecognitionServiceRefused: (502, "recognition_service_refused"),
    recognition_errors.LibraryRunStuck: (503, "library_run_stuck"),
    recognition_errors.PersonNotFound: (404, "person_not_found"),
    recognition_errors.PerformerNotFound: (404, "performer_not_found"),
    recognition_errors.InvalidCorrection: (422, "invalid_correction"),
    recognition_errors.CorrectionNotFound: (404, "correction_not_found"),
    recognition_errors.CorrectionUndone: (409, "correction_undone"),
    recognition_errors.LocalPerformerNotFound: (404, "local_performer_not_found"),
    recognition_errors.LocalPerformersDisabled: (409, "local_performers_disabled"),
    recognition_errors.PeopleGroupNotFound: (404, "people_group_not_found"),
    recognition_errors.GroupDecisionRefused: (409, "group_decision_refused"),
    recognition_errors.CropUnavailable: (404, "crop_unavailable"),
    recognition_errors.NothingToEvaluate: (409, "nothing_to_evaluate"),
    recognition_errors.EvaluationNotFound: (404, "evaluation_not_found"),
    recognition_errors.NothingToAdopt: (409, "nothing_to_adopt"),
    recognition.api.views.NoPicture: (400, "no_picture"),
    recognition.runtime.providers.GpuUnusable: (503, "gpu_unusable"),
    recognition.runtime.pose.PoseUnreadable: (500, "pose_unreadable"),
    recognition.runtime.signals.SignalUnavailable: (503, "signal_unavailable"),
    definitions.UnknownPreference: (404, "unknown_setting"),
    definitions.InvalidPreference: (422, "invalid_setting"),
    stashsense.integrations.safe_fetch.FetchRefused: (400, "address_refused"),
    stashsense.integrations.safe_fetch.FetchFailed: (400, "fetch_failed"),
    stash_errors.StashError: (502, "stash_error"),
    stash_errors.StashNotConfigured: (400, "stash_not_configured"),
    stash_errors.InvalidStashId: (422, "invalid_stash_id"),
    stash_errors.StashUnreachable: (503, "stash_unreachable"),
    stash_errors.StashUnauthorized: (502, "stash_unauthorized"),
    stash_errors.StashTooOld: (502, "stash_too_old"),
    stash_errors.StashNotFound: (404, "stash_not_found"),
    stash_errors.StashNameTaken: (409, "stash_name_taken"),
    stash_errors.StashMediaTooLarge: (422, "stash_media_too_large"),
    recommendation_errors.RecommendationError: (400, "recommendation_error"),
    recommendation_errors.UnknownAnalysis: (400, "unknown_analysis"),
    recommendation_errors.UnknownSchedule: (404, "unknown_schedule"),
    recommendation_errors.InvalidSchedule: (422, "invalid_schedule"),
    recommendation_errors.AnalysisInProgress: (409, "analysis_in_progress"),
    recommendation_errors.AnalysisRunNotFound: (404, "analysis_run_not_found"),
    recommendation_errors.AnalysisNotEnded: (400, "analysis_not_ended"),
    recommendation_errors.AnalysisStuck: (500, "analysis_stuck"),
    recommendation_errors.AnalysisIncomplete: (502, "analysis_incomplete"),
    recommendation_errors.RecommendationNotFound: (404, "recommendation_not_found"),
    recommendation_errors.RecommendationClosed: (409, "recommendation_closed"),
    recommendation_errors.RecommendationClaimed: (409, "recommendation_claimed"),
    recommendation_errors.RecommendationChanged: (409, "recommendation_changed"),
    recommendation_errors.WrongRecommendation: (409, "wrong_recommendation"),
    recommendation_errors.TargetGone: (409, "target_gone"),
    recommendation_errors.ConfirmationRequired: (400, "confirmation_required"),
    recommendation_errors.PlanChanged: (409, "plan_changed"),
    recommendation_errors.ActionRefused: (409, "action_refused"),
    recommendation_errors.NameCollision: (409, "name_collision"),
    recommendation_errors.UnknownField: (422, "unknown_field"),
    recommendation_errors.InvalidEndpointName: (422, "invalid_endpoint_name"),
    recommendation_errors.InvalidFieldValue: (422, "invalid_field_value"),
    stashbox_errors.StashBoxError: (502, "stashbox_error"),
    stashbox_errors.UnknownStashBox: (400, "unknown_stashbox"),
    stashbox_errors.StashBoxUnauthorized: (502, "stashbox_unauthorized"),
    stashbox_errors.StashBoxUnreachable: (503, "stashbox_unreachable"),
    stashbox_errors.StashBoxBusy: (503, "stashbox_busy"),
    stashbox_errors.StashBoxNotFound: (404, "stashbox_not_found"),
    recommendation_errors.PredecessorUnreadable: (422, "predecessor_unreadable"),
}


def descendants(root):
    for child in root.__subclasses__():
        yield child
        yield from descendants(child)


def test_the_table_lists_every_error():
    assert set(STATUS_AND_CODE) == set(descendants(StashSenseError))


@pytest.mark.parametrize(
    ("error_class", "status", "code"),
    [(error, *expected) for error, expected in STATUS_AND_CODE.items()],
    ids=[error.__name__ for error in STATUS_AND_CODE],
)
def test_an_error_is_answered_with_its_status_code_and_sentence(
    error_class, status, code
):
    response = answer_exception(error_class("What happened."), {})

    assert response is not None
    assert response.status_code == status
    assert response.data == {"detail": "What happened.", "code": code}
    retry_after = error_class.retry_after_seconds
    assert response.headers.get("Retry-After") == (
        None if retry_after is None else str(retry_after)
    )


def test_a_busy_stash_box_says_when_to_come_again():
    error = stashbox_errors.StashBoxBusy("Busy.", retry_after_seconds=90)

    response = answer_exception(error, {})

    assert response is not None
    assert response.headers["Retry-After"] == "90"


@pytest.mark.parametrize("error_class", STATUS_AND_CODE, ids=lambda e: e.__name__)
def test_a_docstring_says_what_is_true_afterwards(error_class):
    assert error_class.__doc__


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.ParseError(), 400, "parse_error"),
        (BodyTooLarge(), 413, "body_too_large"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_framework_errors_have_the_same_shape(error, status, code):
    response = answer_exception(error, {})

    assert response is not None
    assert response.status_code == status
    assert response.data["code"] == code
    assert isinstance(response.data["detail"], str)


def test_validation_errors_name_the_place_as_clients_of_the_predecessor_expect():
    error = drf.ValidationError({"top_k": ["Too many."], "box": {"x": ["Missing."]}})

    response = answer_exception(error, {})

    assert response is not None
    assert response.status_code == 422
    assert response.data["detail"] == [
        {"loc": ["body", "top_k"], "msg": "Too many."},
        {"loc": ["body", "box", "x"], "msg": "Missing."},
    ]


def test_a_mistake_of_ours_is_left_to_django():
    assert answer_exception(ZeroDivisionError(), {}) is None


def test_a_path_without_a_route_is_answered_in_the_same_shape(client):
    response = client.get("/nothing/here")

    assert response.status_code == 404
    # Other than of a row there is not: a client tells an older service by it.
    assert response.json()["code"] == "no_route"


def test_a_mistake_of_ours_is_answered_without_its_text(client, monkeypatch):
    def fail():
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr("recognition.registry.state", fail)
    client.raise_request_exception = False

    response = client.get("/health")

    assert response.status_code == 500
    assert response.json()["code"] == "error"
    assert b"secret" not in response.content


class Silent:
    """A body that does not go on, as sockets say it when their time is up."""

    def read(self, *_):
        raise BlockingIOError("Resource temporarily unavailable")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x"]
)
def test_a_body_that_does_not_go_on_is_told_so(client, kind):
    response = client.generic(
        "POST",
        "/identify",
        headers={"X-Api-Key": api_key()},
        CONTENT_TYPE=kind,
        CONTENT_LENGTH="1000",
        **{"wsgi.input": Silent()},
    )

    assert response.status_code == 408
    assert response.json()["code"] == "body_incomplete"
