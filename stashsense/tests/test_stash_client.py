"""What is asked of Stash, and what its answers become."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from stashsense.integrations import stash
from stashsense.integrations.stash_errors import (
    InvalidStashId,
    StashError,
    StashNotConfigured,
    StashNotFound,
    StashTooOld,
)
from stashsense.integrations.stash_types import (
    StashBoxEndpoint,
    StashId,
    StashVersion,
    SystemStatus,
    TaggedPerformer,
)
from stashsense.tests.stash_server import (
    BOX,
    ID_OF_ANNA,
    KEY,
    data,
    errors,
    image,
    performer,
    running_stash,
    scene,
    video,
)


@pytest.fixture
def server():
    with running_stash() as server:
        yield server


def test_a_scene_has_its_files_its_performers_and_addresses_that_lead_there(server):
    server.replies["Scene"] = data(findScene=scene())

    found = server.client().get_scene("12")

    assert (found.id, found.title) == (12, "A film")
    assert found.stream_url == f"{server.url}/scene/12/stream"
    assert found.screenshot_url == f"{server.url}/scene/12/screenshot?t=1767319445"
    assert found.vtt_url == f"{server.url}/scene/abc_thumbs.vtt"
    assert found.sprite_url == f"{server.url}/scene/abc_sprite.jpg"
    assert found.updated_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    (file,) = found.files
    assert (file.width, file.height, file.frame_rate) == (1920, 1080, 25.0)
    assert (file.duration_seconds, file.size_bytes) == (600.04, 5_000_000_000)
    assert file.fingerprint("oshash") == "0123456789abcdef"
    assert file.fingerprint("md5") is None
    (tagged,) = found.performers
    assert tagged.universal_ids == {f"stashdb.org:{ID_OF_ANNA}"}
    assert tagged.stash_ids[0].updated_at == datetime(2025, 3, 1, 10, tzinfo=UTC)


def test_the_id_goes_as_a_variable(server):
    server.replies["Scene"] = data(findScene=scene())

    server.client().get_scene(12)

    asked = server.requests[-1]
    assert asked.variables == {"id": "12"}
    assert "12" not in asked.body["query"]


def test_a_scene_without_title_files_and_addresses_is_still_one(server):
    paths = {"screenshot": None, "stream": "", "vtt": None, "sprite": None}
    server.replies["Scene"] = data(
        findScene=scene(title=None, files=[], paths=paths, performers=[])
    )

    found = server.client().get_scene(12)

    assert (found.title, found.files, found.performers) == ("", (), ())
    assert found.stream_url is found.screenshot_url is None


def test_an_image_has_the_size_of_its_file(server):
    server.replies["Image"] = data(findImage=image())

    found = server.client().get_image(5)

    assert (found.id, found.title, found.clip) == (5, "", None)
    assert (found.width, found.height) == (4000, 3000)
    assert found.image_url == f"{server.url}/image/5/image?t=1"
    assert found.thumbnail_url == f"{server.url}/image/5/thumbnail?t=1"


def test_an_image_that_moves_is_told_apart(server):
    server.replies["Image"] = data(findImage=image(visual_files=[video()]))

    found = server.client().get_image(5)

    assert found.clip is not None
    assert found.clip.duration_seconds == 600.04
    assert (found.width, found.height) == (1920, 1080)


def test_an_image_may_have_neither_files_nor_an_address(server):
    nowhere = {"image": None, "thumbnail": None}
    server.replies["Image"] = data(findImage=image(visual_files=[], paths=nowhere))

    found = server.client().get_image(5)

    assert (found.image_url, found.width, found.height) == (None, 0, 0)


def test_a_gallery_has_its_count_and_performers(server):
    server.replies["Gallery"] = data(
        findGallery={
            "id": "3",
            "title": "Summer",
            "image_count": 250,
            "performers": [performer()],
        }
    )

    found = server.client().get_gallery(3)

    assert (found.id, found.title, found.image_count) == (3, "Summer", 250)
    assert found.performers[0].id == 7


@pytest.mark.parametrize(
    ("operation", "method", "message"),
    [
        ("Scene", "get_scene", "Scene 12 not found."),
        ("Image", "get_image", "Image 12 not found."),
        ("Gallery", "get_gallery", "Gallery 12 not found."),
    ],
)
def test_what_stash_does_not_have_is_not_found(server, operation, method, message):
    server.replies[operation] = data(**{f"find{operation}": None})

    with pytest.raises(StashNotFound) as error:
        getattr(server.client(), method)(12)

    assert str(error.value) == message


@pytest.mark.parametrize("method", ["get_scene", "get_image", "get_gallery"])
@pytest.mark.parametrize(
    "id", ["", "abc", "1 OR 1=1", '1") { id }', "-1", "1.5", "0", "١٢", "9" * 19, True]
)
def test_an_id_that_is_no_number_is_refused_before_anything_is_sent(server, method, id):
    with pytest.raises(InvalidStashId):
        getattr(server.client(), method)(id)

    assert server.requests == []


def pages_of(make, name, ids):
    """Answer as Stash does what is asked page by page."""

    def answer(seen):
        asked = seen.variables["items"]["id"]
        assert asked["modifier"] == "GREATER_THAN"
        found = [id for id in ids if id > asked["value"]]
        wanted = found[: seen.variables["page"]["per_page"]]
        return data(**{f"find{seen.operation}": {name: [make(id) for id in wanted]}})

    return answer


def test_all_scenes_come_page_by_page_each_once(server):
    ids = [*range(1, 151), *range(300, 420)]
    server.replies["Scenes"] = pages_of(scene, "scenes", ids)

    found = [found.id for found in server.client().iter_scenes()]

    assert found == ids
    assert server.operations == ["Version", *["Scenes"] * 3]
    assert server.requests[-1].variables["page"] == {
        "page": 1,
        "per_page": 100,
        "sort": "id",
        "direction": "ASC",
    }


def test_scenes_deleted_meanwhile_push_no_other_out(server):
    ids = list(range(1, 251))
    server.replies["Scenes"] = pages_of(scene, "scenes", ids)
    scenes = server.client().iter_scenes()

    first = [next(scenes).id for _ in range(100)]
    del ids[:50]
    rest = [found.id for found in scenes]

    assert [*first, *rest] == list(range(1, 251))


def test_a_walk_can_go_on_where_it_ended(server):
    server.replies["Scenes"] = pages_of(scene, "scenes", range(1, 11))

    found = [found.id for found in server.client().iter_scenes(after_id=7)]

    assert found == [8, 9, 10]


def test_only_scenes_updated_after_the_moment_come_whatever_stash_thinks(server):
    times = {
        1: "2026-05-01T12:00:00Z",
        2: "2026-05-01T14:00:00+03:00",  # an hour before
        3: "2026-05-01T09:00:01-03:00",  # a second after
    }
    server.replies["Scenes"] = pages_of(
        lambda id: scene(id, updated_at=times[id]), "scenes", [1, 2, 3]
    )

    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    found = [s.id for s in server.client().iter_scenes(updated_after=moment)]

    assert found == [3]
    assert server.requests[-1].variables["items"]["updated_at"] == {
        "value": "2026-04-30T10:00:00+00:00",
        "modifier": "GREATER_THAN",
    }


def test_a_gallerys_images_come_page_by_page_each_once(server):
    ids = sorted([*range(1, 131), 55])
    server.replies["Images"] = pages_of(image, "images", ids)

    found = [found.id for found in server.client().iter_gallery_images("3")]

    assert found == list(range(1, 131))
    assert server.requests[-1].variables["items"]["galleries"] == {
        "value": ["3"],
        "modifier": "INCLUDES",
    }


def test_a_server_that_does_not_turn_the_page_is_an_error_and_no_endless_walk(server):
    page = [image(id) for id in range(1, 101)]
    server.replies["Images"] = data(findImages={"images": page})

    with pytest.raises(StashError, match="out of order"):
        list(server.client().iter_gallery_images("3"))


def test_scenes_are_counted(server):
    server.replies["SceneCount"] = data(findScenes={"count": 20_001})

    assert server.client().count_scenes() == 20_001


def test_performers_are_found_by_many_ids_at_once(server):
    other_box = performer(8, endpoint="https://other.example/graphql")
    server.replies["PerformersByStashIds"] = lambda seen: data(
        **{
            f"found{name.removeprefix('id')}": {
                "performers": [performer(), other_box] if id == ID_OF_ANNA else []
            }
            for name, id in seen.variables.items()
        }
    )
    many = [f"stashdb.org:{n:032d}" for n in range(60)]

    found = server.client().find_performers_by_stash_ids(
        [*many, StashId(BOX, ID_OF_ANNA), f"stashdb.org:{ID_OF_ANNA}"]
    )

    # Whom another stash-box gives the same id is somebody else.
    assert found == [TaggedPerformer(7, "Anna", (StashId(BOX, ID_OF_ANNA),))]
    assert server.operations == ["Version", *["PerformersByStashIds"] * 2]
    assert [len(seen.variables) for seen in server.requests[1:]] == [40, 21]


@pytest.mark.parametrize("ids", [[], ["stashdb.org:%"], ["stashdb.org"], ["x:a'--"]])
def test_what_can_be_no_stash_id_is_nobodys_and_nothing_is_asked(server, ids):
    assert server.client().find_performers_by_stash_ids(ids) == []
    assert server.requests == []


def test_performers_are_searched_by_name(server):
    base = "http://elsewhere:9999/performer"
    server.replies["SearchPerformers"] = data(
        findPerformers={
            "performers": [
                performer(
                    disambiguation=None,
                    alias_list=["Ann"],
                    image_path=f"{base}/7/image?t=1",
                ),
                performer(
                    8,
                    disambiguation="the other",
                    alias_list=[],
                    image_path=f"{base}/8/image?t=1&default=true",
                ),
            ]
        }
    )

    anna, other = server.client().search_performers('an"na')

    assert (anna.id, anna.disambiguation, anna.alias_list) == (7, "", ("Ann",))
    assert anna.image_url == f"{server.url}/performer/7/image?t=1"
    assert (anna.has_own_image, other.has_own_image) == (True, False)
    assert server.requests[-1].variables["page"] == {
        "q": 'an"na',
        "page": 1,
        "per_page": 10,
        "sort": "name",
        "direction": "ASC",
    }


def test_the_configured_stash_boxes_are_told_without_their_keys(server):
    server.replies["StashBoxes"] = data(
        configuration={
            "general": {
                "stashBoxes": [
                    {"endpoint": BOX, "name": "StashDB", "max_requests_per_minute": 0}
                ]
            }
        }
    )

    boxes = server.client().get_stash_box_endpoints()

    assert boxes == [StashBoxEndpoint(BOX, "StashDB", 0)]
    assert boxes[0].domain == "stashdb.org"
    assert "api_key" not in server.requests[-1].body["query"]


def test_the_status_is_told_of_a_stash_that_waits_for_its_migration(server):
    server.replies["SystemStatus"] = data(
        systemStatus={
            "status": "NEEDS_MIGRATION",
            "databaseSchema": 60,
            "appSchema": 75,
        }
    )

    status = server.client().get_system_status()

    assert status == SystemStatus("NEEDS_MIGRATION", 60, 75)
    assert not status.is_ready


# Versions


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v0.25.0", (0, 25, 0)),
        ("v0.30.1-42-gcf3489ef", (0, 30, 1)),
        ("0.31", (0, 31, 0)),
        ("v1.2.3", (1, 2, 3)),
        (None, (0, 25, 0)),
        ("latest", (0, 25, 0)),
    ],
)
def test_the_version_is_read_as_far_as_it_is_told(server, text, version):
    server.replies["Version"] = data(version={"version": text})

    assert server.client().get_version() == StashVersion(*version)


def test_a_stash_below_the_floor_is_refused_and_asked_nothing_else(server):
    server.replies["Version"] = data(version={"version": "v0.24.3"})

    with pytest.raises(StashTooOld, match=r"version 0\.24\.3.*0\.25 and newer"):
        server.client().get_scene(12)

    assert server.operations == ["Version"]


@pytest.mark.parametrize(("text", "is_asked"), [("v0.27.2", False), ("v0.28.0", True)])
def test_newer_fields_are_asked_of_newer_servers_only(server, text, is_asked):
    server.replies["Version"] = data(version={"version": text})
    tagged = performer()
    if not is_asked:
        del tagged["stash_ids"][0]["updated_at"]
    server.replies["Scene"] = data(findScene=scene(performers=[tagged]))

    found = server.client().get_scene(12)

    fields = "stash_id updated_at" in server.requests[-1].body["query"]
    assert fields is is_asked
    assert (found.performers[0].stash_ids[0].updated_at is not None) is is_asked


def test_the_version_is_asked_once_and_again_after_a_failure(server):
    server.replies["Scene"] = [
        data(findScene=scene()),
        data(findScene=scene()),
        errors("Cannot query field", status=422),
        data(findScene=scene()),
    ]
    client = server.client()

    client.get_scene(12)
    client.get_scene(12)
    with pytest.raises(StashError, match="Cannot query field"):
        client.get_scene(12)
    client.get_scene(12)

    assert server.operations == ["Version", *["Scene"] * 3, "Version", "Scene"]


# Threads and connections


def test_one_connection_is_used_again_and_again(server):
    server.replies["Scene"] = data(findScene=scene())
    server.replies["/scene/12/screenshot"] = data()
    client = server.client()

    for _ in range(5):
        client.get_scene(12)
        client.fetch_media("/scene/12/screenshot", max_bytes=99, timeout_seconds=9)

    assert len(server.requests) == 11
    assert server.connection_count == 1


def test_threads_share_a_client(server):
    meeting = threading.Barrier(8, timeout=20)

    def answer(seen):
        meeting.wait()  # all are under way at once
        return data(findScene=scene(int(seen.variables["id"])))

    server.replies["Scene"] = answer
    client = server.client()
    client.get_version()

    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(client.get_scene, range(1, 17))]

    assert [scene.id for scene in found] == list(range(1, 17))
    assert server.connection_count <= 8


# The settings' client


def test_without_an_address_it_says_what_to_set(settings):
    settings.STASH_URL = ""

    with pytest.raises(StashNotConfigured, match="STASH_URL is not set"):
        stash.configured_client()


def test_a_process_has_one_client_by_its_settings(server, settings):
    settings.STASH_URL, settings.STASH_API_KEY = server.url, None
    server.replies["Scene"] = data(findScene=scene())

    with ThreadPoolExecutor(8) as threads:
        clients = {*threads.map(lambda _: stash.process_client(), range(32))}

    (client,) = clients
    client.get_scene(12)
    assert all("Apikey" not in seen.headers for seen in server.requests)
    assert client.rate_limiter_figures().total_requests == 2
    assert client.rate_limiter_figures().requests_per_second == 5.0
    settings.STASH_API_KEY = KEY
    assert stash.process_client() is not client


FORKING = """
import os, sys
from django.conf import settings
settings.configure(STASH_URL="http://stash:9999", STASH_API_KEY="")
from stashsense.integrations import stash
parents = stash.process_client()
with stash._lock:
    child = os.fork()
if child == 0:
    os._exit(int(stash.process_client() is parents))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_makes_its_own_client():
    done = subprocess.run([sys.executable, "-c", FORKING], timeout=60, check=False)

    assert done.returncode == 0
