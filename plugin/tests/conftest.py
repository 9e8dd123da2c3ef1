"""Fixtures: a Stash with a key, the service that knows it, the backend between; the
running service, the harness around the demo Stash, and a browser."""

import pytest

from demo.http_host import LoopbackHandler, LoopbackHost
from demo.stash.library import StashId
from demo.stashbox.joining import STASHDB
from plugin.tests.backend import Backend
from plugin.tests.harness.bundle import NoPackages, ensure_bundle
from plugin.tests.harness.server import PLUGIN_PATH, HarnessServer
from plugin.tests.pages import StashPage
from plugin.tests.sense import prepare_folder, running_sense
from plugin.tests.tidying import Tidying
from stashsense import env
from stashsense.api.authentication import api_key
from stashsense.integrations import stashbox_connections

PLUGIN_ID = "stash-sense"
STASH_KEY = "eyJhbGciOiJIUzI1NiJ9.of-a-stash.0123456789"
OWN_KEY = "the-service's-own-key"
SESSION = "MTcwMDAwMDAwMHxTZXNzaW9uLW9mLWEtdXNlcg=="


@pytest.fixture
def stash(stash_server):
    """A Stash with a key, and somebody signed in to it."""
    stash_server.api_key = STASH_KEY
    stash_server.session = SESSION
    return stash_server


@pytest.fixture
def backend(stash):
    """The backend, as that Stash starts it; nothing is set."""
    return Backend(stash)


@pytest.fixture
def sidecar(transactional_db, live_server, settings, stash, backend):
    """The service, which knows the Stash and its key; the plugin is set to it."""
    settings.STASH_URL, settings.STASH_API_KEY = stash.url, STASH_KEY
    settings.API_KEY = OWN_KEY
    api_key.cache_clear()
    stashbox_connections.forget()
    backend.set(sidecarUrl=live_server.url)
    yield live_server
    api_key.cache_clear()
    stashbox_connections.forget()


class Stranger(LoopbackHost):
    """Answers every request in the same way, and keeps what was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        super().__init__(0, _Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(LoopbackHandler):
    server: Stranger

    def do_GET(self):
        body = self.read_body()
        self.server.asked.append((self.command, self.path, self.lower_headers(), body))
        self.server.answer(self)

    do_POST = do_PUT = do_DELETE = do_GET


@pytest.fixture
def stranger(backend):
    """Starts a server at the sidecar's address that answers as the test says."""
    started = []

    def start(answer):
        host = Stranger(answer)
        host.start()
        started.append(host)
        backend.set(sidecarUrl=host.url)
        return host

    yield start
    for host in started:
        host.stop()


def hang_up(handler):
    """Read the request, and say nothing to it."""
    handler.close_connection = True


def answering(body, status=200, **headers):
    """Return what answers with these bytes."""

    def answer(handler):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send_head(status, {"Content-Length": str(len(body)), **named})
        handler.wfile.write(body)

    return answer


@pytest.fixture(scope="session")
def running(tmp_path_factory, pytestconfig):
    """The service with all its processes, once for the whole run."""
    folder = tmp_path_factory.mktemp("sense")
    # Kept from run to run in .pytest_cache: making it takes half a minute.
    cache_dir = pytestconfig.cache.mkdir("stash-sense-plugin")
    prepare_folder(folder, cache_dir=cache_dir)
    with running_sense(folder) as running:
        yield running


@pytest.fixture
def sense(running):
    """The running service and its stand-ins, as they were at first."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def bundle():
    """The harness's page, bundled; skips where its packages are not installed."""
    try:
        ensure_bundle()
    except NoPackages as error:
        if env.boolean("STASH_SENSE_REQUIRE_BROWSER", default=False):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def harness(sense):
    """A Stash with the plugin, connected to the running service."""
    with HarnessServer(sense.stash, [PLUGIN_PATH]) as server:
        server.configure(PLUGIN_ID, sidecarUrl=sense.url)
        yield server


@pytest.fixture
def stash_page(bundle, harness, browser):
    """A browser on that Stash; a complaint of the browser fails the test.

    A test that provokes complaints takes them with `console_errors()`.
    """
    page = StashPage(browser, harness)
    page.console_errors()
    yield page
    assert page.console_errors() == []


@pytest.fixture
def library(sense):
    """The rows of the demo Stash, with the ids that the release knows people by."""
    rows = sense.library
    for performer in rows.performers.values():
        performer.stash_ids += [
            StashId(STASHDB, each.stash_id, each.updated_at)
            for each in performer.stash_ids
            if each.endpoint == sense.box.endpoint
        ]
    return rows


@pytest.fixture
def seen_scene(sense, library):
    """The first scene, which the service has looked at."""
    status, _ = sense.service.ask("POST", "/identify/scene", {"scene_id": "1"})
    assert status == 200
    return library.scenes["1"]


@pytest.fixture
def boxed_scene(sense, seen_scene):
    """The same, its people known by ids of the stash-box that Stash has a key for.

    The demo's release names boxes that nobody may ask; so what is kept is changed.
    """
    rename = "REPLACE({0}, 'stashdb.org:', '127.0.0.1:')"
    changes = ", ".join(
        f"{name} = {rename.format(name)}" for name in ("universal_id", "candidates")
    )
    sense.service.change_rows(f"UPDATE recognition_fingerprintperson SET {changes}")
    return seen_scene


@pytest.fixture
def tidying(sense):
    return Tidying(sense)
