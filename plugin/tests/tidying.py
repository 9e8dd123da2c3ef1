"""What there is to tidy, planted in the stand-ins, and the analyses that find it.

`Tidying` is of a running `Sense`. What recognition would have to see first is written
into the service's database as a recommendation.
"""

import json
from collections.abc import Iterable
from typing import Any

from demo.stash.library import Library
from demo.stashbox.rows import Appearance, Box
from plugin.tests.sense import Sense
from recommendations.tests.box_rows import (
    box_performer,
    box_scene,
    box_studio,
    box_tag,
)
from recommendations.tests.boxes import add_box_scene
from recommendations.tests.libraries import (
    add_file,
    add_performer,
    add_scene,
    add_studio,
    add_tag,
    link,
)

PICTURE = 0x0123456789ABCDEF
# As Django writes it: SQLite compares times as texts.
_NOW = "2026-11-20 12:00:00"
OTHER_BOX = "https://theporndb.net/graphql"


class Tidying:
    """Plants causes, has them found, and tells what became of a recommendation."""

    def __init__(self, sense: Sense) -> None:
        self.sense = sense

    @property
    def library(self) -> Library:
        return self.sense.library

    @property
    def box(self) -> Box:
        return self.sense.box.box

    @property
    def endpoint(self) -> str:
        return self.sense.box.endpoint

    def find(self, type: str) -> list[Any]:
        """Run the analysis to its end; return what is pending, the newest first."""
        service = self.sense.service
        status, started = service.ask("POST", f"/recommendations/analysis/{type}/run")
        assert status == 200, started
        path = f"/recommendations/analysis/runs/{started['run_id']}"

        def is_over() -> bool:
            return service.ask("GET", path)[1]["status"] not in ("queued", "running")

        service.wait_until(is_over, f"{type} to end")
        run = service.ask("GET", path)[1]
        assert run["status"] == "completed", run
        return self.pending(type)

    def pending(self, type: str) -> list[Any]:
        query = f"/recommendations?type={type}&status=pending"
        found: list[Any] = self.sense.service.ask("GET", query)[1]["recommendations"]
        return found

    def get(self, id: int) -> Any:
        """Return the recommendation as it is now."""
        return self.sense.service.ask("GET", f"/recommendations/{id}")[1]

    def write(self, type: str, target_id: Any, **facts: Any) -> int:
        """Write a recommendation into the database; return its id."""
        return self.write_many(type, [(target_id, facts)])[0]

    def write_many(
        self, type: str, rows: Iterable[tuple[Any, dict[str, Any]]]
    ) -> list[int]:
        statements = []
        for target_id, facts in rows:
            values = {
                "type": type,
                "status": "pending",
                "target_type": "scene",
                "target_id": str(target_id),
                "endpoint": "",
                "cause": "written by a test",
                "confidence": 0.9,
                "resolution_action": "",
                "last_pass_id": 0,
                "created_at": _NOW,
                "updated_at": _NOW,
                **facts,
                "details": json.dumps(facts.get("details", {})),
                "resolution_details": "{}",
            }
            names, literals = ", ".join(values), ", ".join(map(_sql, values.values()))
            statements.append(
                f"INSERT INTO recommendations_recommendation ({names}) "
                f"VALUES ({literals})"
            )
        self.sense.service.change_rows(*statements)
        newest = self.sense.service.rows(
            "SELECT id FROM recommendations_recommendation ORDER BY id DESC "
            f"LIMIT {len(statements)}"
        )
        return [id for (id,) in newest][::-1]

    # Causes

    def two_performers_who_are_one(self) -> tuple[Any, Any]:
        """Add two with the same id, each in a scene; return both, the keeper first."""
        keeper = add_performer(
            self.library, "Ada Lux", ids=[(OTHER_BOX, "a")], gender="FEMALE"
        )
        other = add_performer(
            self.library,
            "Ada Z",
            ids=[(OTHER_BOX, "a")],
            urls=["https://z.example"],
            birthdate="1990-01-02",
            gender="NON_BINARY",
        )
        for performers in ([keeper], [keeper], [other]):
            add_scene(self.library, title="With Ada", performers=performers)
        return keeper, other

    def a_scene_of_two_files(self) -> tuple[Any, Any, Any]:
        """Add it; return the scene, its poor file and its good one."""
        poor = add_file(self.library, size=3_000_000_000, phash=7, bit_rate=1_000_000)
        good = add_file(self.library, video_codec="hevc", phash=7)
        scene = add_scene(self.library, title="Twice on Disk", files=[poor, good])
        return scene, poor, good

    def a_scene_twice(self) -> tuple[Any, Any]:
        """Add two scenes of one picture."""
        first, second = (
            add_scene(
                self.library,
                title=name,
                files=[add_file(self.library, phash=PICTURE)],
                studio_id="1",
            )
            for name in ("Once", "Once More")
        )
        return first, second

    def a_performer_changed_upstream(self) -> tuple[Any, Any]:
        """Add a performer who is otherwise there; return both rows."""
        theirs = box_performer(
            self.box,
            "Bea Upstream",
            aliases=["Bea U", "Beatrix"],
            height=170,
            ethnicity="MIDDLE_EASTERN",
            birth_date="1991-05-06",
        )
        ours = add_performer(
            self.library,
            "Bea Upstream",
            alias_list=["Bee", "Bea U"],
            height_cm=160,
            birthdate="1990-01-01",
        )
        link(ours, theirs, self.sense.box)
        return ours, theirs

    def a_performer_changed_on_both_sides(self) -> Any:
        """Write that somebody's height was changed here and there; return our row."""
        ours = add_performer(self.library, "Ida Both", height_cm=165)
        height = {
            "field": "height",
            "field_label": "Height (cm)",
            "merge_type": "simple",
            "local_value": 165,
            "upstream_value": 170,
            "is_conflict": True,
        }
        self._write_upstream("performer", ours, "Ida Both", {"changes": [height]})
        return ours

    def a_scene_that_would_lose_its_studio(self) -> Any:
        """Write that a scene has no studio upstream; return our row, of studio 1."""
        scene = add_scene(self.library, title="With a Studio", studio_id="1")
        studio = {"local": {"id": "1", "name": "Studio"}, "upstream": None}
        self._write_upstream(
            "scene", scene, "With a Studio", {"changes": [], "studio_change": studio}
        )
        return scene

    def _write_upstream(
        self, kind: str, ours: Any, name: str, details: dict[str, Any]
    ) -> int:
        about = {
            f"{kind}_id": ours.id,
            f"{kind}_name": name,
            "endpoint": self.endpoint,
            "stash_box_id": "11111111-1111-1111-1111-111111111111",
        }
        return self.write(
            f"upstream_{kind}_changes",
            ours.id,
            target_type=kind,
            endpoint=self.endpoint,
            details={**about, **details},
        )

    def a_tag_changed_upstream(self) -> tuple[Any, Any]:
        """Add a tag that is called as another one of the library is, upstream."""
        tag = add_tag(self.library, "Seaside", description="old")
        theirs = box_tag(self.box, "outdoors", description="By the sea.")
        link(tag, theirs, self.sense.box)
        return tag, theirs

    def a_studio_changed_upstream(self) -> tuple[Any, Any]:
        """Add a studio whose parent is known by its name alone; return both of ours."""
        mother = box_studio(self.box, "Network of Labels")
        theirs = box_studio(self.box, "Label", parent_id=mother.id)
        parent = add_studio(self.library, "Network of Labels")
        studio = add_studio(self.library, "label 1")
        link(studio, theirs, self.sense.box)
        return studio, parent

    def a_scene_changed_upstream(self) -> tuple[Any, Any]:
        """Add a scene whose cast is known by id, by name, and not at all."""
        linked = box_performer(self.box, "Cora Linked")
        ours = add_performer(self.library, "Cora Linked")
        link(ours, linked, self.sense.box)
        namesake = box_performer(self.box, "Dora Namesake")
        add_performer(self.library, "Dora Namesake")
        unknown = box_performer(self.box, "Edda Unknown", gender="FEMALE")
        cast = [Appearance(each.id) for each in (linked, namesake, unknown)]
        upstream = box_scene(
            self.box,
            "The New Title",
            release_date="2024-02-03",
            details="What it is about.",
            performers=cast,
        )
        stays = add_performer(self.library, "Somebody Without Ids")
        scene = add_scene(self.library, title="Old Title", performers=[stays])
        link(scene, upstream, self.sense.box)
        return scene, upstream

    def a_scene_known_there(self, name: str = "b1") -> tuple[Any, Any]:
        """Add a scene whose fingerprints the stash-box knows."""
        picture = int.from_bytes(name.encode()) << 20
        file = add_file(self.library, oshash=f"{name:0>16}", phash=picture)
        scene = add_scene(self.library, title=f"Unlinked {name}", files=[file])
        upstream = add_box_scene(
            self.sense.box,
            ("OSHASH", f"{name:0>16}", 3600, 5),
            ("PHASH", f"{picture:x}", 3600, 5),
            title=f"Known There {name}",
            release_date="2023-04-05",
        )
        return scene, upstream

    def people_seen_in_a_scene(self) -> tuple[Any, int]:
        """Write that two people are in scene 1: one of the library, one of the box."""
        scene = self.library.scenes["1"]
        scene.performer_ids = []
        here = self.library.performers["1"]
        there = box_performer(self.box, "Fay Elsewhere", gender="FEMALE")

        def person(name: str, stash_box_id: str, local_id: str | None) -> Any:
            return {
                "name": name,
                "universal_id": f"127.0.0.1:{stash_box_id}",
                "endpoint": self.endpoint,
                "stash_box_id": stash_box_id,
                "local_performer_id": local_id,
                "confidence": 0.93,
                "face_count": 4,
                "frame_count": 3,
                "timestamps": [1.5, 3.0],
            }

        details = {
            "scene_id": scene.id,
            "scene_title": scene.title,
            "scene_path": "/media/two at tea.mp4",
            "people": [
                person(here.name, here.stash_ids[0].stash_id, here.id),
                person(there.name, there.id, None),
            ],
            "already_tagged": [],
            "tagged_performers": [],
            "unknown_count": 1,
            "uncertain_count": 0,
        }
        return scene, self.write("unidentified_scenes", scene.id, details=details)

    def a_link_missing(self) -> tuple[Any, int]:
        """Write that somebody without ids has the face of one of the stash-box."""
        performer = self.library.performers["4"]
        theirs = box_performer(self.box, "Gil Linked", aliases=["Gilbert"])
        details = {
            "performer_id": performer.id,
            "performer_name": performer.name,
            "endpoint": self.endpoint,
            "candidate": {
                "name": theirs.name,
                "universal_id": f"127.0.0.1:{theirs.id}",
                "endpoint": self.endpoint,
                "stash_box_id": theirs.id,
            },
            "evidence": {
                "support": 2.0,
                "share": 0.8,
                "certainty": 0.95,
                "rival": 0.1,
                "media_count": 3,
                "alone_count": 2,
                "contradicting_count": 0,
            },
            "scenes": ["1", "2"],
            "images": ["1"],
            "name_agrees": False,
            "confidence": 0.71,
        }
        id = self.write(
            "missing_stash_box_link",
            performer.id,
            target_type="performer",
            endpoint=self.endpoint,
            details=details,
        )
        return performer, id


def _sql(value: Any) -> str:
    """Return a literal; what tests write has quotes in it."""
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
