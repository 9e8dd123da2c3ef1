"""The table of modes, and each of them at the running service."""

import json
import re
from typing import Any

import pytest

from plugin.stash_sense.arguments import PATH
from plugin.stash_sense.mode import PICTURE
from plugin.stash_sense.modes import MODES
from stashsense.data_folder import ROOT

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
BOX = "https://stashdb.org/graphql"
UUID = "5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"
# Of the backend itself: whatever has one of these did not reach its route.
OWN_CODES = {
    "bad_arguments", "unknown_mode", "stash_refused", "sidecar_unreachable",
    "sidecar_timeout", "sidecar_unauthorized", "sidecar_too_old", "sidecar_not_ours",
    "sidecar_error", "unexpected",
}  # fmt: skip

# What the predecessor's UI called, with every argument it gave.
PREDECESSORS = {
    "health": "",
    "identify_scene": "scene_id max_frames num_frames top_k max_distance min_face_size "
    "scene_performer_stashdb_ids",
    "identify_image": "image_id",
    "identify_gallery": "gallery_id",
    "database_info": "",
    "db_check_update": "",
    "db_update": "",
    "db_update_status": "",
    "search_performers": "query",
    "create_performer_from_stashbox": "scene_id endpoint stashdb_id",
    "link_performer_stashbox": "scene_id performer_id stash_ids update_metadata",
    "models_status": "",
    "models_progress": "",
    "capabilities": "",
    "models_download": "model_name",
    "models_download_all": "",
    "settings_get_all": "",
    "settings_get": "key",
    "settings_update": "key value",
    "settings_update_bulk": "settings",
    "settings_reset": "key",
    "system_info": "",
    "queue_list": "status",
    "queue_status": "",
    "queue_types": "",
    "queue_submit": "type triggered_by",
    "queue_cancel": "job_id",
    "queue_stop": "job_id",
    "queue_retry": "job_id",
    "queue_clear_history": "",
    "queue_schedules": "",
    "queue_update_schedule": "type enabled interval_hours",
    "rec_counts": "",
    "rec_list": "status type limit offset",
    "rec_get": "rec_id",
    "rec_resolve": "rec_id action details",
    "rec_dismiss": "rec_id reason",
    "rec_dismiss_upstream": "rec_id reason permanent",
    "rec_batch_dismiss": "type permanent",
    "rec_analysis_types": "",
    "rec_run_analysis": "analysis_type",
    "rec_analysis_runs": "analysis_type limit",
    "rec_stash_status": "",
    "rec_merge_performers": "destination_id source_ids",
    "rec_delete_files": "scene_id file_ids_to_delete keep_file_id all_file_ids",
    "rec_merge_scenes": "destination_id source_ids",
    "rec_delete_scene": "scene_id delete_file",
    "rec_get_scene": "scene_id",
    "rec_update_performer": "performer_id fields",
    "rec_update_tag": "tag_id fields",
    "rec_update_studio": "studio_id fields endpoint",
    "rec_update_scene": "scene_id fields performer_ids tag_ids studio_id",
    "rec_search_entities": "entity_type query endpoint",
    "rec_link_entity": "entity_type entity_id endpoint stashbox_id",
    "rec_create_performer": "stashbox_data endpoint stashbox_id",
    "rec_create_tag": "stashbox_data endpoint stashbox_id",
    "rec_create_studio": "stashbox_data endpoint stashbox_id",
    "rec_get_field_config": "endpoint",
    "rec_set_field_config": "endpoint field_configs",
    "rec_accept_fingerprint_match": "recommendation_id scene_id endpoint stash_id",
    "rec_accept_all_fingerprint_matches": "endpoint",
    "user_get_all_settings": "",
    "user_get_setting": "key",
    "user_set_setting": "key value",
    "endpoint_priorities_get": "",
    "endpoint_priorities_set": "endpoints",
    "endpoint_disable": "endpoint clear_recommendations",
    "endpoint_enable": "endpoint",
    "fp_status": "",
    "fp_generate": "refresh_outdated num_frames min_face_size max_distance",
    "fp_progress": "",
    "fp_stop": "",
}

# A value that the service takes, for every argument of every mode.
VALUES = {
    "action": "done", "all_file_ids": ["900", "901"], "add_second": False,
    "analysis_type": "duplicate_scenes",
    "clear_recommendations": False, "clear_studio": False, "cluster_threshold": 0.6,
    "confirm": False, "correction_id": 7, "create_parent": False,
    "decode_missing": False, "delete_file": False, "destination_id": "101",
    "details": {}, "dry_run": True, "enabled": False, "end_offset_pct": 0.9,
    "endpoint": BOX, "endpoints": [BOX], "entity_id": "7", "entity_type": "performer",
    "field_configs": {"name": True}, "fields": {"name": "Ada"},
    "file_ids_to_delete": ["900"], "full": False, "gallery_id": "999",
    "group_id": 7, "group_ids": [8], "ids": [7], "image_id": "999",
    "include_crops": True, "include_single": True, "interval_hours": 24,
    "item_id": 7, "job_id": "7", "keep_file_id": "901", "key": "num_frames",
    "kind": "scene", "kinds": ["scene"], "limit": 5, "local_performer_id": "1",
    "matching_mode": "frequency", "max_distance": 0.5, "max_frames": 20, "member": 1,
    "member_ids": [1], "min_face_confidence": 0.5, "min_face_size": 40,
    "model": "pose_landmarker", "model_name": "no_such_model", "name": "Ada",
    "new_stashbox_id": UUID, "num_frames": 20, "offset": 0,
    "old_stashbox_id": UUID, "parent_id": "1",
    "per_scenes": 100, "performer_id": "1", "performer_ids": ["1"], "permanent": False,
    "person_id": 0, "plan_digest": "a" * 64, "priority": 10, "query": "Ada",
    "reason": "no", "rec_id": 7, "recommendation_id": 7, "refresh_outdated": True,
    "run_id": 7, "sample": 5, "scene_id": "999", "scene_ids": [7],
    "scene_performer_stashdb_ids": [UUID], "seed": 1, "seen_at": "2026-01-01T00:00:00Z",
    "settings": {"num_frames": 30}, "source": "auto", "source_ids": ["102"],
    "start_offset_pct": 0.1, "stash_id": "7", "stash_ids": [], "stashbox_data": {},
    "stashbox_id": UUID, "stashdb_id": UUID, "state": "open", "status": "pending",
    "studio_id": "1", "tag_id": "1", "tag_ids": ["1"], "target_type": "scene",
    "top_k": 3, "triggered_by": "user", "type": "duplicate_scenes",
    "universal_id": f"stashdb.org:{UUID}", "update_metadata": False,
    "use_body": True, "use_multi_signal": True, "use_tattoo": True, "value": 30,
    "verdict": "reject", "version": "2031.01.01", "wrong_names": 1,
    **{f"{verb}_{what}_ids": ["1"]
       for verb in ("add", "remove") for what in ("performer", "tag")},
}  # fmt: skip
OTHERWISE: dict[str, dict[str, Any]] = {
    "queue_list": {"status": "running"},
    "stashbox_performer": {"endpoint": "stashdb.org"},
    "evaluation_judge": {"verdict": "tag_missing"},
    "unknown_name": {"universal_id": None, "local_performer_id": None},
    "correct": {"local_performer_id": None},
    "rec_batch_dismiss": {"ids": None},
    "rec_update_scene": {
        "performer_ids": None, "tag_ids": None, "fields": {"title": "Ada"},
    },
    "rec_update_studio": {"parent_id": None},
    "fp_runs": {"kind": "identify"},
}  # fmt: skip


def arguments_of(mode):
    given = {each.name: VALUES[each.name] for each in mode.arguments if not each.fixed}
    otherwise: dict[str, Any] = OTHERWISE.get(mode.name, {})
    return {name: v for name, v in {**given, **otherwise}.items() if v is not None}


@pytest.mark.parametrize("name", PREDECESSORS)
def test_what_the_predecessors_ui_called_is_a_mode_with_its_arguments(name):
    taken = {each.name for each in MODES[name].arguments}

    assert set(PREDECESSORS[name].split()) <= taken


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_mode_names_a_route_of_the_api_description(mode):
    shape = re.sub(r"{[^}]*}", "{}", mode.route)
    if mode.name == "kept_people":
        shape = shape.replace("/{}", "/scene", 1)
    paths = {re.sub(r"{[^}]*}", "{}", path): path for path in OPENAPI["paths"]}

    described = OPENAPI["paths"][paths[shape]][mode.method.lower()]

    places = {each["name"]: each["in"] for each in described.get("parameters", [])}
    for argument in mode.arguments:
        if mode.place_of(argument) == "query":
            assert places[argument.sent_as] == "query"
    body: dict[str, Any] = next(
        iter(described.get("requestBody", {}).get("content", {}).values()), {}
    )
    reference = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if reference:
        schema = OPENAPI["components"]["schemas"][reference]
        sent = {a.sent_as for a in mode.arguments if mode.place_of(a) == "body"}
        assert sent <= set(schema["properties"])
        assert set(schema.get("required", [])) <= sent


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_slot_of_a_path_is_filled_by_an_argument_that_must_be_there(mode):
    slots = re.findall(r"{([^}]*)}", mode.route)

    needed = [each.name for each in mode.arguments if mode.place_of(each) == PATH]
    assert sorted(slots) == sorted(needed)
    assert all(a.is_required for a in mode.arguments if a.name in slots)


@pytest.mark.parametrize("name", MODES)
def test_the_service_understands_every_mode(backend, sidecar, name):
    ended = backend.run(name, **arguments_of(MODES[name]))

    output = ended.output
    assert ended.seconds < 20
    if isinstance(output, dict) and "error" in output and "code" in output:
        # There is no such row, or nothing is served: the route itself said so.
        assert output["code"] not in OWN_CODES, output
        assert output["status"] in (400, 404, 409, 502, 503), output
    else:
        assert MODES[name].answers != PICTURE
