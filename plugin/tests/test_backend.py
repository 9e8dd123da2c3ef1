"""The contract with Stash: one document in, one out, whatever is in it."""

import ast
import json
import signal
import subprocess
import sys
import time
from urllib.parse import quote

import pytest

from plugin.stash_sense import PLUGIN_VERSION
from plugin.stash_sense.modes import MODES
from plugin.stash_sense.refusals import BadArguments
from plugin.tests.backend import PLUGIN_DIR, run, start
from plugin.tests.conftest import OWN_KEY, SESSION, STASH_KEY, answering
from stashsense.preferences.models import Preference

SHIPPED = [
    PLUGIN_DIR / "stash_sense_backend.py",
    *sorted((PLUGIN_DIR / "stash_sense").glob("*.py")),
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_it_runs_where_there_is_nothing_but_an_old_python(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 8))

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        roots = {name.partition(".")[0] for name in names}
        assert roots <= {*sys.stdlib_module_names, "stash_sense"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_annotation_is_looked_at_that_an_old_python_does_not_know(path):
    text = path.read_text()

    is_annotated = any(
        isinstance(node, ast.FunctionDef) and node.returns
        for node in ast.walk(ast.parse(text))
    )
    assert "from __future__ import annotations" in text or not is_annotated


@pytest.mark.parametrize(
    "written",
    [
        b"", b"no JSON", b"[]", b'"health"', b"null", b'{"args": []}', b"\xff\xfe",
        b'{"args": "mode"}', b"[" * 100_000, b'{"args": {"mode": "health"}',
    ],
)  # fmt: skip
def test_what_is_no_document_of_stash_is_told_at_the_top(written):
    ended = run(written)

    assert set(ended.answer) == {"error"}
    assert "for Stash to start" in ended.answer["error"]
    assert ended.stderr == ""


@pytest.mark.parametrize(
    "mode", [None, 7, [], {}, True, "", "no_such", "__class__", "Health", "x" * 9000]
)
def test_a_mode_there_is_not_is_refused(mode):
    output = run(json.dumps({"args": {"mode": mode}}).encode()).output

    assert (output["code"], output["status"]) == ("unknown_mode", None)
    assert len(output["error"]) < 200


def test_arguments_that_stash_leaves_out_name_no_mode():
    assert run(b"{}").output["code"] == "unknown_mode"


def test_health_says_what_both_sides_are(backend, sidecar):
    output = backend.call("health")

    assert (output["status"], output["authentication"]) == ("degraded", "on")
    assert output["plugin_version"] == PLUGIN_VERSION
    assert output["is_compatible"]
    assert output["stash_has_key"]


def test_what_is_changed_is_changed_with_stashs_key(backend, sidecar):
    output = backend.call("settings_update", key="num_frames", value=33)

    assert output["value"] == 33
    assert Preference.objects.get().value == 33


def test_a_stash_without_a_key_has_one_in_the_plugins_setting(backend, sidecar, stash):
    stash.api_key, stash.session = "", ""

    refused = backend.call("settings_get", key="num_frames")
    backend.set(apiKey=f" {OWN_KEY} ")
    answered = backend.call("settings_get", key="num_frames")

    assert refused["code"] == "sidecar_unauthorized"
    assert "has no API key" in refused["error"]
    assert answered["key"] == "num_frames"
    assert not backend.call("health")["stash_has_key"]


def test_a_service_that_knows_another_stashs_key_takes_its_own(
    backend, sidecar, settings
):
    settings.STASH_API_KEY = "of another Stash"

    refused = backend.call("system_info")
    backend.set(apiKey=OWN_KEY)
    answered = backend.call("settings_update", key="num_frames", value=34)

    assert refused["code"] == "sidecar_unauthorized"
    assert refused["facts"] == {"reason": "wrong_signature"}
    assert "STASH_API_KEY" in refused["error"]
    assert answered["value"] == 34


def test_refusals_of_the_service_keep_their_code_and_facts(backend, sidecar):
    missing = backend.call("rec_get", rec_id=7)
    wrong = backend.call("settings_update", key="num_frames", value="many")
    invalid = backend.call("rec_list", limit=-5)

    assert (missing["code"], missing["status"]) == ("recommendation_not_found", 404)
    assert wrong["status"] == 422
    assert invalid["code"] == "invalid"
    assert invalid["facts"]["errors"][0]["loc"] == ["body", "limit"]
    assert "limit" in invalid["error"]


@pytest.mark.parametrize("mode", ["settings_get", "health"])
def test_who_calls_does_not_choose_the_address(backend, sidecar, stranger, mode):
    elsewhere = stranger(answering(b"{}"))
    backend.set(sidecarUrl=sidecar.url)
    given = {"key": "num_frames"} if mode == "settings_get" else {}

    output = backend.call(mode, sidecar_url=elsewhere.url, **given)

    assert "error" not in output
    assert elsewhere.asked == []


HOSTILE = [
    "../../queue/history", "..", ".", "a/b", "a%2Fb", "a?b=c", "a#b", "a\\b", "",
    "a\nHost: elsewhere", "a\r\n\r\nGET / HTTP/1.1", "a\x00b", "'\"<script>", "\u202e",
    "\ud800", "{scene_id}", "a" * 100_000, [], {}, True, 1.5, -1, 10**30, ["1"],
    "1 OR 1=1", "\uff11",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize(
    ("mode", "argument"),
    [
        ("models_download", "model_name"),
        ("identify_job_cancel", "job_id"),
        ("settings_reset", "key"),
        ("rec_get", "rec_id"),
        ("queue_cancel", "job_id"),
        ("rec_get_scene", "scene_id"),
        ("release_activate", "version"),
    ],
)
def test_what_goes_into_a_path_cannot_leave_it(mode, argument, value):
    with pytest.raises(BadArguments) as refused:
        MODES[mode].request({argument: value})

    assert f"{argument} of {mode} must be" in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("value", ["a.b", "a:b", "a+b", "a@b", "..a", "2031.01.01"])
def test_a_strange_name_stays_one_step_of_the_path(value):
    request = MODES["settings_get"].request({"key": value})

    assert request.path == f"/settings/{value}"
    assert request.target == f"/settings/{quote(value, safe='')}"


@pytest.mark.parametrize("value", ["\x00", "\ud800", 7, [], {}, True, "x" * 20_001])
def test_what_is_no_text_is_not_sent(backend, stash, value):
    output = backend.call("search_performers", query=value)

    assert output["code"] == "bad_arguments"
    assert output["error"].startswith("query of search_performers must be a text")
    assert stash.requests == []


@pytest.mark.parametrize(
    "text", ["'\"\n\r\t", "\u202eevil", "😀" * 100, "</script>&a=b"]
)
def test_texts_arrive_as_they_are(backend, stranger, text):
    host = stranger(answering(b"[]"))

    backend.call("search_performers", query=text)

    ((_, path, _, body),) = host.asked
    assert path == "/stash/search-performers"
    assert json.loads(body) == {"query": text}


def test_arguments_the_mode_does_not_take_are_refused_by_name(backend, stash):
    output = backend.call("rec_get", rec_id=7, api_key="k", stash_url="http://a")

    assert output["code"] == "bad_arguments"
    assert "does not take api_key, stash_url; it takes rec_id" in output["error"]
    assert stash.requests == []


def test_all_rows_are_marked_anew_only_by_their_own_mode(backend, stranger):
    host = stranger(answering(b"{}"))

    backend.call("fp_refresh_all")
    backend.call("rec_set_field_config", endpoint="http://b/?/", field_configs={"a": 1})

    paths = [path for _, path, _, _ in host.asked]
    assert paths == [
        "/recommendations/fingerprints/refresh-all?confirm=true",
        "/recommendations/upstream/field-config/aHR0cDovL2IvPy8%3D",
    ]


def test_a_picture_comes_as_an_address_of_itself(backend, stranger):
    stranger(answering(b"\xff\xd8\xff", Content_Type="image/jpeg"))

    output = backend.call("unknown_crop", group_id=3)

    assert output == {"data_url": "data:image/jpeg;base64,/9j/"}


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/json"])
def test_what_is_no_picture_is_not_shown_as_one(backend, stranger, kind):
    stranger(answering(b"<svg onload=alert(1)>", Content_Type=kind))

    assert backend.call("unknown_crop", group_id=3)["code"] == "sidecar_not_ours"


def test_no_secret_is_in_anything_that_is_told(backend, stranger):
    backend.set(apiKey=OWN_KEY)
    host = stranger(answering(b"{}", status=401))

    told = [
        backend.run(mode, **given)
        for mode, given in [
            ("health", {}),
            ("queue_list", {"status": STASH_KEY}),
            ("queue_status", {}),
            ("hook_scene_created", {}),
        ]
    ]

    for ended in told:
        for secret in (STASH_KEY, OWN_KEY, SESSION):
            assert secret not in ended.stdout.decode() + ended.stderr
    sent = str([each[2] for each in host.asked])
    assert "StashSense key=stash" in sent
    for secret in (STASH_KEY, OWN_KEY, SESSION):
        assert secret not in sent


def test_killed_with_the_client_it_leaves_nothing_behind(backend, stranger):
    host = stranger(lambda handler: handler.keep_silent())
    process = start(json.dumps(backend.document("queue_status")).encode())
    deadline = time.monotonic() + 20
    while not host.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    process.send_signal(signal.SIGKILL)

    stdout, _ = process.communicate(timeout=5)
    assert stdout == b""
    assert process.returncode == -signal.SIGKILL


def test_another_process_writes_no_files_into_the_plugins_folder(tmp_path):
    for name in ("stash_sense_backend.py", "stash_sense"):
        subprocess.run(["cp", "-r", PLUGIN_DIR / name, tmp_path], check=True)
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}

    run(b"{}", backend=tmp_path / "stash_sense_backend.py", cwd=tmp_path)

    after = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    assert after == before
