"""Performers of the library that no release knows, as far as they are to be told.

Nothing here leaves this database but for the files made of it in DATA_DIR/local.
"""

import uuid
from typing import ClassVar

from django.db import models


class LocalPerformer(models.Model):
    """A performer of Stash who is learnt from the library's own pictures.

    LEARNT: some of their faces are kept. NO_FACES: no picture shows them clearly and
    alone. LEFT_OUT: the owner had them forgotten; they are not learnt again by
    themselves.
    """

    class State(models.TextChoices):
        LEARNT = "learnt"
        NO_FACES = "no_faces", "No usable pictures"
        LEFT_OUT = "left_out", "Left out"

    stash_id = models.PositiveBigIntegerField("id in Stash", unique=True)
    name = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=State, default=State.NO_FACES)
    learnt_from = models.CharField(
        max_length=128,
        blank=True,
        help_text=(
            "What Stash told of them, and with which networks, when their pictures "
            "were looked at. Empty: they are looked at by the next run."
        ),
    )
    synced_at = models.DateTimeField("pictures looked at", null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class LocalFace(models.Model):
    """A face of a local performer: what is compared, and where it was learnt from.

    Embeddings are 512 little-endian half-precision numbers, of length one.
    """

    class Source(models.TextChoices):
        PICTURE = "picture", "their picture"
        IMAGE = "image", "an image of them alone"
        PERSON = "person", "somebody named by the owner"

    performer = models.ForeignKey(
        LocalPerformer, on_delete=models.CASCADE, related_name="faces"
    )
    source = models.CharField(max_length=16, choices=Source)
    source_id = models.CharField(max_length=128)
    network_set = models.CharField("networks", max_length=64)
    facenet = models.BinaryField()
    arcface = models.BinaryField()
    quality = models.FloatField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["source", "source_id"]),
            # Whose faces there are is told by this index alone.
            models.Index(fields=["network_set", "performer"]),
        ]

    def __str__(self) -> str:
        return f"a face of {self.performer_id} from {self.source} {self.source_id}"


class LocalIndex(models.Model):
    """Which local faces are compared, of one set of networks.

    `revision` is another one after every change; processes that serve look at it.
    `key` goes with this row for as long as it is there. Without a row there are none.
    """

    network_set = models.CharField("networks", max_length=64, unique=True)
    key = models.UUIDField(default=uuid.uuid4)
    revision = models.CharField(max_length=32)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.network_set} {self.revision}"
