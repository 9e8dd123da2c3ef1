"""Matching all that is kept with the release that is active now, slice by slice."""

from recognition.correction_identities import ask_for_further_ids
from recognition.exceptions import RecognitionServiceAway
from recognition.library_runs import outdated_count
from recognition.recognition_service import RecognitionService
from recognition.slice_at_work import LibrarySlice

# Of one question: a stop is seen soon, and pictures are answered in between.
QUESTION_SECONDS = 2.0


def go_on(at_work: LibrarySlice) -> bool:
    """Match for a slice; return whether nothing is left to be matched.

    Raises LibraryRunStuck or RecognitionServiceRefused.
    """
    run = at_work.run
    if not run.total_count:
        # A release may have whom the owner rejected by an id that they got since.
        ask_for_further_ids()
        at_work.write(total_count=outdated_count())
    service = RecognitionService()
    try:
        while not at_work.is_over():
            try:
                answer = service.rematch(seconds=QUESTION_SECONDS)
            except RecognitionServiceAway as away:
                # Down, or it still serves the release before.
                at_work.wait_out(away, at_least_seconds=away.asked_to_wait_seconds)
                continue
            done_count = run.done_count + int(answer["matched"])
            at_work.get_on(
                release_version=str(answer["version"]),
                done_count=done_count,
                succeeded_count=done_count,
                changed_count=run.changed_count + int(answer["changed"]),
                total_count=done_count + int(answer["left"]),
            )
            if not answer["left"]:
                return True
    finally:
        service.close()
    return False
