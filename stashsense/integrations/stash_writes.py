"""Changes to Stash: the only module that sends mutations.

Only `recommendations.stash_actions` may import it, where every change is audited. No
mutation is sent twice: after StashUnreachable it is not known whether it was made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stashsense.integrations import stash_write_operations as operations
from stashsense.integrations.stash import StashClient, number_of
from stashsense.integrations.stash_answers import Node
from stashsense.integrations.stash_errors import (
    InvalidStashId,
    StashError,
    StashNameTaken,
    StashNotFound,
)
from stashsense.integrations.stash_inputs import Kind, Values, as_ids, fit_input
from stashsense.integrations.stash_operations import Operation
from stashsense.integrations.stash_types import StashVersion

# In Stash's words from 0.25 to 0.31; those of SQLite come where it does not look first,
# as in a merge.
_NAME_TAKEN = re.compile(
    r"(?:performer|tag|studio) with name '.*' already exists"
    r"|name '.*' is used as alias for '.*'"
    r"|UNIQUE constraint failed: (?:index ')?"
    r"(?:performers|tags|studios|tag_aliases|studio_aliases)[._]",
    re.IGNORECASE | re.DOTALL,
)
_NOT_FOUND = re.compile(
    r"\b(?:scene|image|gallery|performer|tag|studio|file)s? with id \d+ not found"
    r"|sql: no rows in result set"
)


@dataclass(frozen=True)
class Written:
    """The rows that Stash changed, and the fields that its version cannot keep."""

    ids: tuple[int, ...]
    left_out: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        return self.ids[0]


def has_native_performer_merge(version: StashVersion) -> bool:
    return version >= operations.PERFORMER_MERGE_SINCE


class StashWrites:
    """Changes the library of the client's Stash.

    Values are Stash's own field names with what they become, as `stash_inputs` takes
    them: absent keeps, None clears, lists replace. Every method raises StashError;
    StashNotFound for a row that is gone, StashTooOld where the version lacks what the
    change is about, and then nothing was changed.
    """

    def __init__(self, client: StashClient) -> None:
        self._client = client

    # Scenes, images, galleries

    def update_scene(self, scene_id: int, values: Values) -> Written:
        return self._update(operations.SCENE_UPDATE, "scene", scene_id, values)

    def bulk_update_scenes(self, ids: Sequence[int], values: Values) -> Written:
        """Add, remove or set performers, tags and galleries, and set other fields."""
        return self._bulk(operations.SCENE_BULK_UPDATE, "scene", ids, values)

    def bulk_update_images(self, ids: Sequence[int], values: Values) -> Written:
        return self._bulk(operations.IMAGE_BULK_UPDATE, "image", ids, values)

    def bulk_update_galleries(self, ids: Sequence[int], values: Values) -> Written:
        return self._bulk(operations.GALLERY_BULK_UPDATE, "gallery", ids, values)

    def merge_scenes(
        self,
        source_ids: Sequence[int],
        destination_id: int,
        *,
        values: Values | None = None,
        play_history: bool,
        o_history: bool,
    ) -> Written:
        """Move the sources' files and markers to the destination; end the sources.

        Of everything else of theirs only `values` arrives, which replaces what the
        destination has. No file is deleted. The destination's primary file stays.
        """
        extra = {"play_history": play_history, "o_history": o_history}
        return self._merge(
            operations.SCENE_MERGE, "scene", source_ids, destination_id, values, extra
        )

    def destroy_scene(
        self, scene_id: int, *, delete_file: bool, delete_generated: bool
    ) -> None:
        """Remove the scene, and with `delete_file` all its files from the disk."""
        fields = {
            "id": str(number_of(scene_id, "scene")),
            "delete_file": delete_file,
            "delete_generated": delete_generated,
        }
        self._confirm(operations.SCENE_DESTROY, {"input": fields})

    def set_primary_file(self, scene_id: int, file_id: int) -> Written:
        """Make a file of the scene its first; Stash refuses the file of another."""
        file_number = number_of(file_id, "file")
        return self.update_scene(scene_id, {"primary_file_id": file_number})

    def delete_files(self, ids: Sequence[int]) -> None:
        """Delete files from disk and library; Stash refuses all for one primary."""
        self._confirm(operations.DELETE_FILES, {"ids": _numbers(ids, "file")})

    # Performers

    def create_performer(self, values: Values) -> Written:
        """Create a performer; raises StashNameTaken for a name that another has."""
        return self._create(operations.PERFORMER_CREATE, "performer", values)

    def update_performer(self, performer_id: int, values: Values) -> Written:
        """Update a performer; raises StashNameTaken for a name that another has."""
        operation = operations.PERFORMER_UPDATE
        return self._update(operation, "performer", performer_id, values)

    def bulk_update_performers(self, ids: Sequence[int], values: Values) -> Written:
        return self._bulk(operations.PERFORMER_BULK_UPDATE, "performer", ids, values)

    def merge_performers(
        self,
        source_ids: Sequence[int],
        destination_id: int,
        *,
        values: Values | None = None,
    ) -> Written:
        """Move scenes, images, galleries and tags to the destination; end the sources.

        From Stash 0.31 on (`has_native_performer_merge`). Aliases, stash ids, urls, the
        image and custom fields arrive by `values` only. A name that a source still has
        is StashNameTaken.
        """
        return self._merge(
            operations.PERFORMER_MERGE,
            "performer",
            source_ids,
            destination_id,
            values,
            {},
        )

    def destroy_performers(self, ids: Sequence[int]) -> None:
        numbers = _numbers(ids, "performer")
        self._confirm(operations.PERFORMERS_DESTROY, {"ids": numbers})

    # Tags, studios

    def create_tag(self, values: Values) -> Written:
        """Create a tag; raises StashNameTaken for another's name or alias."""
        return self._create(operations.TAG_CREATE, "tag", values)

    def update_tag(self, tag_id: int, values: Values) -> Written:
        """Update a tag; raises StashNameTaken for another's name or alias."""
        return self._update(operations.TAG_UPDATE, "tag", tag_id, values)

    def create_studio(self, values: Values) -> Written:
        """Create a studio; raises StashNameTaken for another's name or alias."""
        return self._create(operations.STUDIO_CREATE, "studio", values)

    def update_studio(self, studio_id: int, values: Values) -> Written:
        """Update a studio; raises StashNameTaken for another's name or alias."""
        return self._update(operations.STUDIO_UPDATE, "studio", studio_id, values)

    # Sending

    def _create(self, operation: Operation, kind: Kind, values: Values) -> Written:
        version = self._client.known_version()
        fitted = fit_input(kind, values, version, is_new=True)
        answer = self._changed(operation, fitted.fields)
        return Written((answer.id(),), fitted.left_out)

    def _update(
        self, operation: Operation, kind: Kind, row_id: int, values: Values
    ) -> Written:
        fitted = fit_input(kind, values, self._client.known_version())
        fields = {**fitted.fields, "id": str(number_of(row_id, kind))}
        answer = self._changed(operation, fields)
        return Written((answer.id(),), fitted.left_out)

    def _bulk(
        self, operation: Operation, kind: Kind, ids: Sequence[int], values: Values
    ) -> Written:
        fitted = fit_input(kind, values, self._client.known_version())
        fields = {**fitted.fields, "ids": _numbers(ids, kind)}
        data = self._sent(operation, {"input": fields})
        rows = data.children(_field_of(operation))
        return Written(tuple(row.id() for row in rows), fitted.left_out)

    def _merge(
        self,
        operation: Operation,
        kind: Kind,
        source_ids: Sequence[int],
        destination_id: int,
        values: Values | None,
        extra: Values,
    ) -> Written:
        destination = str(number_of(destination_id, kind))
        sources = _numbers(source_ids, kind)
        if destination in sources:
            raise InvalidStashId(f"A {kind} cannot be merged into itself.")
        fields = {**extra, "source": sources, "destination": destination}
        left_out: tuple[str, ...] = ()
        if values:
            fitted = fit_input(kind, values, self._client.known_version())
            # The input wants the id a second time.
            fields["values"] = {**fitted.fields, "id": destination}
            left_out = fitted.left_out
        return Written((self._changed(operation, fields).id(),), left_out)

    def _changed(self, operation: Operation, fields: Values) -> Node:
        data = self._sent(operation, {"input": fields})
        row = data.optional(_field_of(operation))
        if row is None:
            raise StashNotFound(f"Stash has nothing left of what {operation.name} met.")
        return row

    def _confirm(self, operation: Operation, variables: Values) -> None:
        data = self._sent(operation, variables)
        if not data.flag(_field_of(operation)):
            raise StashError(f"Stash answered {operation.name} with no.")

    def _sent(self, operation: Operation, variables: Values) -> Node:
        try:
            return self._client.execute(operation, variables)
        except StashError as exc:
            if type(exc) is not StashError:
                raise
            if _NAME_TAKEN.search(str(exc)):
                raise StashNameTaken(str(exc)) from exc
            if _NOT_FOUND.search(str(exc)):
                raise StashNotFound(str(exc)) from exc
            raise


def _field_of(operation: Operation) -> str:
    return f"{operation.name[0].lower()}{operation.name[1:]}"


def _numbers(ids: Iterable[int], kind: str) -> list[str]:
    """Return the ids as Stash takes them; none is refused, as it may mean all."""
    numbers = as_ids(number_of(each, kind) for each in ids)
    if not numbers:
        raise InvalidStashId(f"There is no {kind} to change.")
    return numbers
