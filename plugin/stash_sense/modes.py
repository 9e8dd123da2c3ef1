"""Every mode: what it asks of the sidecar, with which arguments. A table, no code.

An argument named in the path's braces goes there; of the others, those of GET and
DELETE go into the query and those of POST and PUT into the body, but for those that
say otherwise.
"""

from __future__ import annotations

from .arguments import (
    anything,
    boolean,
    integer,
    list_of,
    mapping,
    may,
    need,
    number,
    one_of,
    or_null,
    row_id,
    stash_id,
    text,
    word,
)
from .mode import DELETE, GET, LONG_SECONDS, PICTURE, POST, PUT, Mode
from .modes_of_recommendations import RECOMMENDATION_MODES

_KINDS = one_of("scene", "image", "gallery")
_MATCHING = one_of("frequency", "cluster", "hybrid", "template")
_PAGE = (may("limit", integer), may("offset", integer))
_SIGNALS = (
    may("use_multi_signal", boolean),
    may("use_body", boolean),
    may("use_tattoo", boolean),
)
_MATCHES = (
    may("top_k", integer),
    may("max_distance", number),
    may("matching_mode", _MATCHING),
    may("min_face_confidence", number),
)
_STASHBOX_PERFORMER = (need("endpoint", text), need("stashdb_id", word))
_ACTED_ON = (
    may("recommendation_id", row_id),
    may("seen_at", text),
    may("dry_run", boolean),
)

_IDENTIFICATION = (
    Mode(
        "identify_scene",
        POST,
        "/identify/scene/jobs",
        need("scene_id", stash_id),
        may("max_frames", integer, sent_as="num_frames"),
        may("num_frames", integer),
        may("start_offset_pct", number),
        may("end_offset_pct", number),
        may("source", one_of("stream", "sprites", "auto")),
        may("min_face_size", integer),
        may("cluster_threshold", number),
        may("scene_performer_stashdb_ids", list_of(text)),
        *_MATCHES,
        *_SIGNALS,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "identify_image",
        POST,
        "/identify/image/jobs",
        need("image_id", stash_id),
        *_MATCHES,
        *_SIGNALS,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "identify_gallery",
        POST,
        "/identify/gallery/jobs",
        need("gallery_id", stash_id),
        *_MATCHES,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "identify_job",
        GET,
        "/identify/jobs/{job_id}",
        need("job_id", word),
        may("include_crops", boolean),
    ),
    Mode(
        "identify_job_cancel",
        POST,
        "/identify/jobs/{job_id}/cancel",
        need("job_id", word),
    ),
    Mode(
        "kept_people",
        GET,
        "/recommendations/fingerprints/{kind}/{stash_id}",
        need("kind", _KINDS),
        need("stash_id", stash_id),
    ),
    Mode(
        "kept_crop",
        GET,
        "/recommendations/fingerprints/{kind}/{stash_id}/people/{person_id}/crop",
        need("kind", _KINDS),
        need("stash_id", stash_id),
        need("person_id", row_id),
        answers=PICTURE,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "corrections_list",
        GET,
        "/identify/corrections",
        may("kind", _KINDS),
        may("stash_id", stash_id),
        *_PAGE,
    ),
    Mode(
        "correct",
        POST,
        "/identify/corrections",
        need("kind", _KINDS),
        need("stash_id", stash_id),
        need("person_id", row_id),
        need("verdict", one_of("reject", "name", "ignore")),
        may("universal_id", text),
        may("local_performer_id", stash_id),
    ),
    Mode(
        "correction_undo",
        POST,
        "/identify/corrections/{correction_id}/undo",
        need("correction_id", row_id),
    ),
)

_UNKNOWN_PEOPLE = (
    Mode(
        "unknown_list",
        GET,
        "/identify/unknown",
        may("state", one_of("open", "named", "ignored")),
        may("include_single", boolean),
        *_PAGE,
    ),
    Mode(
        "unknown_get",
        GET,
        "/identify/unknown/{group_id}",
        need("group_id", row_id),
        *_PAGE,
    ),
    Mode(
        "unknown_crop",
        GET,
        "/identify/unknown/{group_id}/crop",
        need("group_id", row_id),
        may("member", row_id),
        answers=PICTURE,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "unknown_name",
        POST,
        "/identify/unknown/{group_id}/name",
        need("group_id", row_id),
        may("name", text),
        may("universal_id", text),
        may("local_performer_id", stash_id),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "unknown_merge",
        POST,
        "/identify/unknown/{group_id}/merge",
        need("group_id", row_id),
        need("group_ids", list_of(row_id)),
    ),
    Mode(
        "unknown_split",
        POST,
        "/identify/unknown/{group_id}/split",
        need("group_id", row_id),
        need("member_ids", list_of(row_id)),
    ),
    Mode(
        "unknown_ignore",
        POST,
        "/identify/unknown/{group_id}/ignore",
        need("group_id", row_id),
    ),
    Mode(
        "unknown_undo",
        POST,
        "/identify/unknown/{group_id}/undo",
        need("group_id", row_id),
    ),
    Mode("unknown_regroup", POST, "/identify/unknown/regroup"),
)

_EVALUATION = (
    Mode("evaluation", GET, "/identify/evaluation"),
    Mode(
        "evaluation_start",
        POST,
        "/identify/evaluation",
        may("sample", integer),
        may("kinds", list_of(_KINDS)),
        may("decode_missing", boolean),
        may("seed", integer),
    ),
    Mode("evaluation_stop", POST, "/identify/evaluation/stop"),
    Mode(
        "evaluation_adopt",
        POST,
        "/identify/evaluation/adopt",
        need("matching_mode", _MATCHING, sent_as="mode"),
        may("wrong_names", integer),
        need("per_scenes", integer),
    ),
    Mode(
        "evaluation_shipped",
        POST,
        "/identify/evaluation/shipped",
        need("matching_mode", _MATCHING, sent_as="mode"),
    ),
    Mode("evaluation_disagreements", GET, "/identify/evaluation/disagreements", *_PAGE),
    Mode(
        "evaluation_judge",
        POST,
        "/identify/evaluation/disagreements",
        need("kind", _KINDS),
        need("stash_id", stash_id),
        need("universal_id", text),
        need("verdict", or_null(one_of("tag_missing", "name_wrong", "cannot_tell"))),
    ),
    Mode(
        "evaluation_crop",
        GET,
        "/identify/evaluation/crops/{item_id}",
        need("item_id", row_id),
        need("universal_id", text),
        answers=PICTURE,
        seconds=LONG_SECONDS,
    ),
)

_DATABASE_AND_MODELS = (
    Mode("health", GET, "/health"),
    Mode("database_info", GET, "/database/info"),
    Mode("db_check_update", GET, "/database/check-update", seconds=LONG_SECONDS),
    Mode(
        "db_update",
        POST,
        "/database/update",
        may("version", word),
        seconds=LONG_SECONDS,
    ),
    Mode("db_update_cancel", POST, "/database/update/cancel"),
    Mode("db_update_status", GET, "/database/update/status", may("job_id", word)),
    Mode("releases_list", GET, "/database/releases"),
    Mode(
        "release_activate",
        POST,
        "/database/releases/{version}/activate",
        need("version", word),
        seconds=LONG_SECONDS,
    ),
    Mode("models_status", GET, "/models/status"),
    Mode("models_progress", GET, "/models/download-progress"),
    Mode("capabilities", GET, "/capabilities"),
    Mode(
        "models_download",
        POST,
        "/models/download/{model_name}",
        need("model_name", word),
        seconds=LONG_SECONDS,
    ),
    Mode("models_download_all", POST, "/models/download-all", seconds=LONG_SECONDS),
    Mode("models_cancel", POST, "/models/cancel", may("model", word)),
    Mode(
        "models_install_published",
        POST,
        "/models/install-published",
        seconds=LONG_SECONDS,
    ),
    Mode("local_status", GET, "/identify/local"),
    Mode("local_sync", POST, "/identify/local/sync"),
    Mode("local_stop", POST, "/identify/local/stop"),
)

_STASH = (
    Mode(
        "search_performers",
        POST,
        "/stash/search-performers",
        need("query", text),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "create_performer_from_stashbox",
        POST,
        "/stash/create-performer",
        need("scene_id", stash_id),
        *_STASHBOX_PERFORMER,
        *_ACTED_ON,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "link_performer_stashbox",
        POST,
        "/stash/link-performer",
        need("scene_id", stash_id),
        need("performer_id", stash_id),
        may("stash_ids", list_of(mapping)),
        may("update_metadata", boolean),
        *_ACTED_ON,
        seconds=LONG_SECONDS,
    ),
    Mode(
        "stashbox_performer",
        GET,
        "/stashbox/performer/{endpoint}/{stashdb_id}",
        need("endpoint", word),
        need("stashdb_id", word),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "stashbox_connections",
        GET,
        "/system/stashbox-connections",
        seconds=LONG_SECONDS,
    ),
    Mode(
        "stashbox_refresh",
        POST,
        "/system/refresh-stashbox-config",
        seconds=LONG_SECONDS,
    ),
)

_SETTINGS = (
    Mode("settings_get_all", GET, "/settings"),
    Mode("settings_get", GET, "/settings/{key}", need("key", word)),
    Mode(
        "settings_update",
        PUT,
        "/settings/{key}",
        need("key", word),
        need("value", or_null(anything)),
    ),
    Mode("settings_update_bulk", PUT, "/settings", need("settings", mapping)),
    Mode("settings_reset", DELETE, "/settings/{key}", need("key", word)),
    Mode("system_info", GET, "/system/info"),
    # Names that an older UI calls: the settings above are the only ones there are.
    Mode("user_get_all_settings", GET, "/settings"),
    Mode("user_get_setting", GET, "/settings/{key}", need("key", word)),
    Mode(
        "user_set_setting",
        PUT,
        "/settings/{key}",
        need("key", word),
        need("value", or_null(anything)),
    ),
    Mode(
        "endpoint_priorities_get",
        GET,
        "/settings/endpoint-priorities",
        seconds=LONG_SECONDS,
    ),
    Mode(
        "endpoint_priorities_set",
        POST,
        "/settings/endpoint-priorities",
        need("endpoints", list_of(text)),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "endpoint_disable",
        POST,
        "/settings/endpoint-disable",
        need("endpoint", text),
        may("clear_recommendations", boolean),
        seconds=LONG_SECONDS,
    ),
    Mode(
        "endpoint_enable",
        POST,
        "/settings/endpoint-enable",
        need("endpoint", text),
        seconds=LONG_SECONDS,
    ),
)

_QUEUE = (
    Mode(
        "queue_list",
        GET,
        "/queue",
        may("status", one_of("queued", "running", "completed", "failed", "cancelled")),
        may("type", word),
        may("limit", integer),
    ),
    Mode("queue_status", GET, "/queue/status"),
    Mode("queue_types", GET, "/queue/types"),
    Mode("queue_get", GET, "/queue/{job_id}", need("job_id", row_id)),
    Mode(
        "queue_submit",
        POST,
        "/queue",
        need("type", word),
        may("triggered_by", text),
        may("full", boolean),
        may("priority", integer),
    ),
    Mode("queue_cancel", DELETE, "/queue/{job_id}", need("job_id", row_id)),
    Mode("queue_stop", POST, "/queue/{job_id}/stop", need("job_id", row_id)),
    Mode("queue_retry", POST, "/queue/{job_id}/retry", need("job_id", row_id)),
    Mode("queue_clear_history", DELETE, "/queue/history"),
    Mode("queue_schedules", GET, "/queue/schedules"),
    Mode(
        "queue_update_schedule",
        PUT,
        "/queue/schedules/{type}",
        need("type", word),
        need("enabled", boolean),
        need("interval_hours", number),
        may("priority", integer),
    ),
)

_ALL: tuple[Mode, ...] = (
    *_IDENTIFICATION,
    *_UNKNOWN_PEOPLE,
    *_EVALUATION,
    *_DATABASE_AND_MODELS,
    *_STASH,
    *_SETTINGS,
    *_QUEUE,
    *RECOMMENDATION_MODES,
)

MODES: dict[str, Mode] = {each.name: each for each in _ALL}
