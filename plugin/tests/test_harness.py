"""The harness gives plugins what Stash gives them, shown with one that echoes."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from plugin.tests.harness.host import graphql_of
from plugin.tests.harness.manifests import BadManifest, load_plugin
from plugin.tests.harness.server import HarnessServer
from plugin.tests.pages import StashPage
from stashsense.tests.waiting import wait_until

ECHO_PATH = Path(__file__).parent / "echo_plugin" / "echo.yaml"
KEY = "key-of-stash"
RUN = 'mutation($a: Map) { runPluginOperation(plugin_id: "echo", args: $a) }'


@pytest.fixture
def echo(stash_server):
    """The harness with the echoing plugin, around a tiny Stash with a key."""
    stash_server.api_key = KEY
    with HarnessServer(stash_server, [ECHO_PATH]) as server:
        yield server


@pytest.fixture
def page(bundle, echo, browser):
    page = StashPage(browser, echo)
    page.console_errors()
    yield page
    assert page.console_errors() == []


def get(server, path, **headers):
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def own_backends():
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "echo_backend.py" in " ".join(child.cmdline())
    ]


# The server


def test_an_operation_starts_the_backend_with_a_session_of_its_own(echo):
    said = echo.run_operation("echo", word="hello")

    assert said["args"] == {"word": "hello"}
    assert said["connection"] == [
        "Dir", "Host", "PluginDir", "Port", "Scheme", "SessionCookie",
    ]  # fmt: skip
    assert echo.asked == [{"word": "hello"}]


def test_the_backend_reads_key_and_settings_with_its_session(echo):
    echo.configure("echo", word="loud")

    said = echo.run_operation(
        "echo", mode="ask", query="{ configuration { general { apiKey } plugins } }"
    )

    assert said["data"]["configuration"] == {
        "general": {"apiKey": KEY},
        "plugins": {"echo": {"word": "loud"}},
    }


def test_another_session_than_those_given_out_is_refused(echo):
    said = echo.run_operation("echo", mode="ask", query="{ x }", cookie="made-up")

    assert said == {"status": 401}
    assert get(echo, "/plugin/echo/javascript")[0].status == 401
    assert get(echo, "/scene/1/screenshot")[0].status == 401


def test_what_a_backend_reports_is_an_error_of_graphql(echo):
    with pytest.raises(RuntimeError, match="it went wrong"):
        echo.run_operation("echo", mode="fail")


def test_a_backend_is_killed_when_whoever_asked_is_gone(echo, tmp_path):
    mark = tmp_path / "begun"
    address = urlsplit(echo.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    asked = {"query": RUN, "variables": {"a": {"mode": "count", "mark": str(mark)}}}
    connection.request("POST", "/graphql", json.dumps(asked), {"ApiKey": KEY})
    wait_until(mark.exists)
    [backend] = own_backends()

    connection.close()

    wait_until(lambda: not backend.is_running())


def test_a_task_is_a_job_with_progress_and_stopping_kills_it(echo, tmp_path):
    mark = tmp_path / "begun"
    job_id = echo.graphql(
        'mutation($a: Map) { runPluginTask(plugin_id: "echo", task_name: "Count", '
        "args_map: $a) }",
        a={"mark": str(mark)},
    )["runPluginTask"]
    find = f'{{ findJob(input: {{ id: "{job_id}" }}) {{ status progress }} }}'
    wait_until(mark.exists)
    [backend] = own_backends()
    wait_until(lambda: echo.graphql(find)["findJob"]["progress"])

    running = echo.graphql(find)["findJob"]
    queue = echo.graphql("{ jobQueue { description } }")["jobQueue"]
    echo.graphql(f'mutation {{ stopJob(job_id: "{job_id}") }}')
    wait_until(lambda: echo.graphql(find)["findJob"]["status"] == "CANCELLED")

    assert running == {"status": "RUNNING", "progress": 0.25}
    assert queue == [{"description": "Running plugin task: Count"}]
    assert not backend.is_running()
    assert [(line.level, line.text) for line in echo.log] == [("info", "counting")]


def test_a_hook_is_told_what_it_is_about(echo):
    [said] = echo.fire_hook("Scene.Create.Post", 7)

    assert said["args"]["hookContext"] == {
        "id": 7, "type": "Scene.Create.Post", "input": None, "inputFields": None,
    }  # fmt: skip
    assert echo.fire_hook("Scene.Update.Post", 7) == []


def test_settings_are_replaced_as_a_whole(echo):
    save = (
        'mutation($input: Map!) { configurePlugin(plugin_id: "echo", input: $input) }'
    )
    echo.graphql(save, input={"word": "one", "isLoud": True})

    echo.graphql(save, input={"word": "two"})

    assert echo.settings_of("echo") == {"word": "two"}


def test_all_else_goes_to_the_demo_stash_and_names_the_harness(echo):
    data = echo.graphql('{ findScene(id: "1") { paths { screenshot } } }')

    address = data["findScene"]["paths"]["screenshot"]
    assert address.startswith(f"{echo.url}/scene/1/screenshot")
    answer, picture = get(echo, urlsplit(address).path, ApiKey=KEY)
    assert (answer.status, picture[:2]) == (200, b"\xff\xd8")
    answer, part = get(echo, "/scene/1/stream", ApiKey=KEY, Range="bytes=0-99")
    assert (answer.status, len(part)) == (206, 100)


def test_an_operation_may_ask_for_plugins_and_for_the_rest_at_once(echo):
    data = echo.graphql(
        "{ plugins { id tasks { plugin { id } } } version { version } }"
    )

    tasks = [{"plugin": {"id": "echo"}}]
    assert data["plugins"] == [{"id": "echo", "tasks": tasks}]
    assert data["version"] == {"version": "v0.30.1"}
    with pytest.raises(RuntimeError, match="'nothing'"):
        echo.graphql("{ plugins { nothing } }")


def test_a_page_hands_out_a_session_and_allows_what_stash_allows(echo):
    answer, _ = get(echo, "/scenes")

    policy = answer.headers["Content-Security-Policy"]
    assert "connect-src data: 'self' ws: wss: http://*:5000;" in policy
    assert "child-src 'none'" in policy
    session = answer.headers["Set-Cookie"].partition(";")[0]
    assert get(echo, "/plugin/echo/javascript", Cookie=session)[0].status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plugin/echo/assets/1.2.3/panel.js", 200),
        ("/plugin/echo/assets/panel.js", 404),
        ("/plugin/echo/assets/1.2.3/../echo.yaml", 404),
        ("/plugin/echo/assets/1.2.3/%2e%2e/echo.yaml", 404),
        ("/plugin/other/javascript", 404),
        ("/plugin/echo", 404),
    ],
)
def test_of_a_plugin_only_what_it_names_is_served(echo, path, status):
    assert get(echo, path, ApiKey=KEY)[0].status == status


def test_a_key_that_stash_does_not_know_makes_a_manifest_useless(tmp_path):
    path = tmp_path / "plain.yml"
    path.write_text("name: Plain\nid: plain\n")

    with pytest.raises(BadManifest, match=r"\['id'\]"):
        load_plugin(path)


def test_without_a_key_everybody_is_let_in(echo, stash_server):
    stash_server.api_key = ""

    data = graphql_of(echo.url, "{ configuration { general { apiKey } } }")

    assert data["configuration"]["general"]["apiKey"] == ""


# The page


@pytest.mark.browser
def test_a_tab_of_the_scene_page_asks_the_backend_and_moves_the_player(page):
    page.open("/scenes/1")

    page.click("#echo-tab")
    page.click("#echo-ask")
    page.wait_for_text("scene 1", within="#echo-said")
    page.wait_for_text("Said it", within=".toast")
    page.click("#echo-jump")
    video = "document.querySelector('video')"
    page.wait(lambda: page.run(f"return {video}.currentTime") == 3)

    page.wait(lambda: page.run(f"return {video}.readyState") >= 2)
    assert page.harness.asked == [{"word": "scene 1"}]


@pytest.mark.browser
def test_a_route_of_a_plugin_survives_a_hard_load(page):
    page.open("/plugins/echo")

    page.wait_for_text("function", within="#echo-card")
    assert page.run("return window.echo.componentsAtStart") == [
        "Icon", "LoadingIndicator", "MainNavBar.MenuItems", "MainNavBar.UtilityItems",
    ]  # fmt: skip
    page.press("Scenes")
    page.wait(lambda: page.path() == "/scenes")
    page.click("#echo-nav")
    page.find("#echo-ask")
    locations = page.run("return window.echo.locations")
    assert locations == ["/plugins/echo", "/scenes", "/plugins/echo"]


@pytest.mark.browser
def test_patches_chain_and_an_after_sees_what_became_of_it(page):
    page.open("/images/1")

    page.find("#echo-image .echo-b .echo-a .details")


@pytest.mark.browser
def test_an_older_stash_lacks_the_tab_and_shows_its_page_all_the_same(page):
    page.open("/scenes/1?stash_version=0.27.2")

    page.find(".video-js")
    assert page.has("#echo-nav")
    assert not page.has("#echo-tab")
    assert page.run("return 'ReactSelect' in PluginApi.libraries") is False
    assert page.run("return 'InteractiveUtils' in PluginApi.utils") is False


@pytest.mark.browser
def test_settings_are_shown_and_saved(page):
    page.harness.configure("echo", word="old")
    page.open("/settings?tab=plugins")

    page.fill("Word", "new\t", within="#echo-settings-of-echo")
    page.wait(lambda: page.harness.settings_of("echo") == {"word": "new"})
    page.run("document.getElementById('plugin-echo-isLoud').click()")

    loud = {"word": "new", "isLoud": True}
    page.wait(lambda: page.harness.settings_of("echo") == loud)


@pytest.mark.browser
def test_a_task_is_begun_and_stopped_in_the_settings(page):
    page.open("/settings?tab=tasks")

    page.press("Count")
    page.wait_for_text("25 %", within=".job")
    page.press("Stop Running plugin task: Count")

    page.wait_for_text("No jobs", within=".job-table")
    wait_until(lambda: own_backends() == [])


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/scenes", ".scene-card"),
        ("/images", ".image-card"),
        ("/galleries", ".gallery-card"),
        ("/galleries/1", ".gallery-container .image-card"),
        ("/performers", ".performer-card"),
        ("/performers/1", ".performer-name"),
    ],
)
def test_every_page_is_shown(page, path, shown):
    page.open(path)

    page.find(shown)
