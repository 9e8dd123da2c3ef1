"""The modes about what to tidy, and about what is kept of the library."""

from __future__ import annotations

import base64
from typing import Any

from .arguments import (
    QUERY,
    WHOLE_BODY,
    Argument,
    anything,
    boolean,
    integer,
    list_of,
    mapping,
    may,
    need,
    number,
    one_of,
    row_id,
    stash_id,
    text,
    word,
)
from .mode import GET, LONG_SECONDS, POST, Mode

_PAGE = (may("limit", integer), may("offset", integer))
_ENTITIES = one_of("performer", "tag", "studio")
_LINKED = one_of("performer", "tag", "studio", "scene")
# What an action is told besides: which recommendation it settles, and as of when.
_ACTED_ON = (
    may("recommendation_id", row_id),
    may("seen_at", text),
    may("dry_run", boolean),
)
_DESTRUCTIVE = (*_ACTED_ON, may("confirm", boolean), may("plan_digest", word))


def _in_base64(value: Any) -> str:
    """Return a URL as the sidecar takes it in a path."""
    return base64.urlsafe_b64encode(text(value).encode("utf-8")).decode("ascii")


def _always(name: str, value: Any) -> Argument:
    """Return what is sent with every request of the mode, whatever was given."""
    return Argument(name, anything, place=QUERY, fixed=value)


def _action(name: str, route: str, *arguments: Argument) -> Mode:
    path = "/recommendations/actions/" + route
    return Mode(name, POST, path, *arguments, seconds=LONG_SECONDS)


_LISTS = (
    Mode("rec_counts", GET, "/recommendations/counts"),
    Mode(
        "rec_list",
        GET,
        "/recommendations",
        may("status", one_of("pending", "resolved", "dismissed")),
        may("type", word),
        may("target_type", word),
        *_PAGE,
    ),
    Mode("rec_get", GET, "/recommendations/{rec_id}", need("rec_id", row_id)),
    Mode(
        "rec_resolve",
        POST,
        "/recommendations/{rec_id}/resolve",
        need("rec_id", row_id),
        need("action", text),
        may("details", mapping),
        may("seen_at", text),
    ),
    Mode(
        "rec_dismiss",
        POST,
        "/recommendations/{rec_id}/dismiss",
        need("rec_id", row_id),
        may("reason", text),
        may("seen_at", text),
    ),
    Mode(
        "rec_dismiss_upstream",
        POST,
        "/recommendations/{rec_id}/dismiss-upstream",
        need("rec_id", row_id),
        may("reason", text),
        may("permanent", boolean),
        may("seen_at", text),
    ),
    Mode(
        "rec_restore",
        POST,
        "/recommendations/{rec_id}/restore",
        need("rec_id", row_id),
    ),
    _action(
        "rec_batch_dismiss",
        "batch-dismiss",
        may("type", word),
        may("ids", list_of(row_id)),
        may("permanent", boolean),
        may("seen_at", text),
    ),
    Mode("rec_analysis_types", GET, "/recommendations/analysis/types"),
    Mode(
        "rec_run_analysis",
        POST,
        "/recommendations/analysis/{analysis_type}/run",
        need("analysis_type", word),
        may("full", boolean, place=QUERY),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "rec_analysis_runs",
        GET,
        "/recommendations/analysis/runs",
        may("analysis_type", word, sent_as="type"),
        may("limit", integer),
    ),
    Mode(
        "rec_analysis_run",
        GET,
        "/recommendations/analysis/runs/{run_id}",
        need("run_id", row_id),
    ),
    Mode(
        "rec_stash_status",
        GET,
        "/recommendations/stash/status",
        seconds=LONG_SECONDS,
    ),
    Mode(
        "rec_get_scene",
        GET,
        "/recommendations/scene/{scene_id}",
        need("scene_id", stash_id),
        seconds=LONG_SECONDS,
    ),
)

_ACTIONS = (
    _action(
        "rec_merge_performers",
        "merge-performers",
        need("destination_id", stash_id),
        need("source_ids", list_of(stash_id)),
        *_DESTRUCTIVE,
    ),
    _action(
        "rec_delete_files",
        "delete-scene-files",
        need("scene_id", stash_id),
        need("file_ids_to_delete", list_of(stash_id)),
        need("keep_file_id", stash_id),
        may("all_file_ids", list_of(stash_id)),
        *_DESTRUCTIVE,
    ),
    _action(
        "rec_merge_scenes",
        "merge-scenes",
        need("destination_id", stash_id),
        need("source_ids", list_of(stash_id)),
        *_DESTRUCTIVE,
    ),
    _action(
        "rec_delete_scene",
        "delete-scene",
        need("scene_id", stash_id),
        may("delete_file", boolean),
        *_DESTRUCTIVE,
    ),
    _action(
        "rec_update_performer",
        "update-performer",
        need("performer_id", stash_id),
        need("fields", mapping),
        *_ACTED_ON,
    ),
    _action(
        "rec_update_tag",
        "update-tag",
        need("tag_id", stash_id),
        need("fields", mapping),
        *_ACTED_ON,
    ),
    _action(
        "rec_update_studio",
        "update-studio",
        need("studio_id", stash_id),
        need("fields", mapping),
        may("endpoint", text),
        may("parent_id", stash_id),
        may("create_parent", boolean),
        *_ACTED_ON,
    ),
    _action(
        "rec_update_scene",
        "update-scene",
        need("scene_id", stash_id),
        may("fields", mapping),
        may("performer_ids", list_of(stash_id)),
        may("add_performer_ids", list_of(stash_id)),
        may("remove_performer_ids", list_of(stash_id)),
        may("tag_ids", list_of(stash_id)),
        may("add_tag_ids", list_of(stash_id)),
        may("remove_tag_ids", list_of(stash_id)),
        may("studio_id", stash_id),
        may("clear_studio", boolean),
        *_ACTED_ON,
    ),
    _action(
        "rec_search_entities",
        "search-entities",
        need("entity_type", _ENTITIES),
        need("query", text),
        may("endpoint", text),
    ),
    _action(
        "rec_link_entity",
        "link-entity",
        need("entity_type", _ENTITIES),
        need("entity_id", stash_id),
        need("endpoint", text),
        need("stashbox_id", text),
        may("add_second", boolean),
        *_ACTED_ON,
    ),
    _action(
        "rec_relink_entity",
        "relink-entity",
        need("entity_type", _LINKED),
        need("entity_id", stash_id),
        need("endpoint", text),
        need("old_stashbox_id", text),
        may("new_stashbox_id", text),
        *_ACTED_ON,
    ),
    _action(
        "rec_create_performer",
        "create-performer",
        may("stashbox_data", mapping),
        need("endpoint", text),
        need("stashbox_id", text),
        may("scene_id", stash_id),
        *_ACTED_ON,
    ),
    _action(
        "rec_create_tag",
        "create-tag",
        may("stashbox_data", mapping),
        need("endpoint", text),
        need("stashbox_id", text),
        *_ACTED_ON,
    ),
    _action(
        "rec_create_studio",
        "create-studio",
        may("stashbox_data", mapping),
        need("endpoint", text),
        need("stashbox_id", text),
        *_ACTED_ON,
    ),
    _action(
        "rec_accept_fingerprint_match",
        "accept-fingerprint-match",
        need("recommendation_id", row_id),
        need("scene_id", stash_id),
        need("endpoint", text),
        need("stash_id", text),
        may("seen_at", text),
        may("dry_run", boolean),
    ),
    _action(
        "rec_accept_all_fingerprint_matches",
        "accept-all-fingerprint-matches",
        may("endpoint", text),
        may("dry_run", boolean),
    ),
    Mode(
        "rec_get_field_config",
        GET,
        "/recommendations/upstream/field-config/{endpoint}",
        need("endpoint", _in_base64),
        may("entity_type", _LINKED),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "rec_set_field_config",
        POST,
        "/recommendations/upstream/field-config/{endpoint}",
        need("endpoint", _in_base64),
        need("field_configs", mapping, place=WHOLE_BODY),
        may("entity_type", _LINKED, place=QUERY),
        seconds=LONG_SECONDS,
    ),
)

_FINGERPRINTS = (
    Mode("fp_status", GET, "/recommendations/fingerprints/status"),
    Mode(
        "fp_generate",
        POST,
        "/recommendations/fingerprints/generate",
        may("refresh_outdated", boolean),
        may("num_frames", integer),
        may("min_face_size", integer),
        may("max_distance", number),
    ),
    Mode("fp_progress", GET, "/recommendations/fingerprints/progress"),
    Mode("fp_stop", POST, "/recommendations/fingerprints/stop"),
    Mode("fp_parked", GET, "/recommendations/fingerprints/parked", *_PAGE),
    Mode(
        "fp_changes",
        GET,
        "/recommendations/fingerprints/changes",
        may("version", word),
        *_PAGE,
    ),
    Mode(
        "fp_refresh",
        POST,
        "/recommendations/fingerprints/refresh",
        need("scene_ids", list_of(row_id), place=WHOLE_BODY),
    ),
    Mode(
        "fp_refresh_all",
        POST,
        "/recommendations/fingerprints/refresh-all",
        _always("confirm", True),
    ),
    Mode("fp_rematch_library", POST, "/recommendations/fingerprints/rematch-library"),
    Mode(
        "fp_runs",
        GET,
        "/recommendations/fingerprints/runs",
        may("kind", one_of("identify", "enqueued", "rematch", "evaluate", "local")),
        *_PAGE,
    ),
    Mode(
        "fp_run",
        GET,
        "/recommendations/fingerprints/runs/{run_id}",
        need("run_id", row_id),
    ),
    Mode(
        "fp_run_stop",
        POST,
        "/recommendations/fingerprints/runs/{run_id}/stop",
        need("run_id", row_id),
    ),
    Mode(
        "fp_enqueue",
        POST,
        "/recommendations/fingerprints/enqueue",
        need("scene_ids", list_of(row_id)),
    ),
)

RECOMMENDATION_MODES: tuple[Mode, ...] = (*_LISTS, *_ACTIONS, *_FINGERPRINTS)
