"""What was seen in scenes, images and galleries; nothing need be decoded again.

A fingerprint outlives the release it was matched with: the embeddings of its faces are
kept, and matched again when another release is served.
"""

from typing import ClassVar

from django.db import models

from recognition.numeric.people import Decision


class FingerprintQuerySet(models.QuerySet["Fingerprint"]):
    def scenes(self) -> "FingerprintQuerySet":
        """Return the fingerprints of scenes."""
        return self.filter(kind=Fingerprint.Kind.SCENE)

    def complete(self) -> "FingerprintQuerySet":
        """Return those that hold what was seen."""
        return self.filter(state=Fingerprint.State.COMPLETE)

    def matched_with(self, version: str, local_revision: str) -> "FingerprintQuerySet":
        """Return the complete ones whose people are of these very faces."""
        return self.complete().filter(
            release_version=version, local_revision=local_revision
        )

    def matched_before(
        self, version: str, local_revision: str
    ) -> "FingerprintQuerySet":
        """Return the complete ones whose people are not what these faces make them.

        They are of another release, of other local performers, or their owner has
        corrected them since.
        """
        return self.complete().exclude(
            release_version=version,
            local_revision=local_revision,
            is_match_due=False,
        )

    def parked(self) -> "FingerprintQuerySet":
        """Return those that failed so often that they are left alone."""
        return self.filter(attempt_count__gte=Fingerprint.MAX_ATTEMPTS)

    def failed_once(self) -> "FingerprintQuerySet":
        """Return those that failed, and are worth another attempt."""
        return self.filter(
            attempt_count__gt=0, attempt_count__lt=Fingerprint.MAX_ATTEMPTS
        )


class Fingerprint(models.Model):
    """A scene, an image or a gallery: what was seen in it, with which release, and how.

    PENDING: it is to be looked at again, and what is kept is of the last time. FAILED:
    it was never seen. `error` says why the last attempt failed; what has failed
    MAX_ATTEMPTS times since it was seen is parked: left alone.
    """

    class Kind(models.TextChoices):
        SCENE = "scene"
        IMAGE = "image"
        GALLERY = "gallery"

    class State(models.TextChoices):
        COMPLETE = "complete"
        PENDING = "pending"
        FAILED = "failed"

    MAX_ATTEMPTS = 2

    kind = models.CharField(max_length=8, choices=Kind)
    stash_id = models.PositiveBigIntegerField("id in Stash")
    state = models.CharField(max_length=16, choices=State, default=State.COMPLETE)
    attempt_count = models.PositiveSmallIntegerField(
        "failed attempts", default=0, help_text="Since it was seen last."
    )
    attempted_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    release_version = models.CharField("matched with", max_length=64, blank=True)
    local_revision = models.CharField(
        "local performers",
        max_length=32,
        blank=True,
        help_text="Which of them it was matched with; empty: with none.",
    )
    network_set = models.CharField("networks", max_length=64, blank=True)
    options = models.JSONField(default=dict, help_text="How its people are matched.")
    evidence = models.JSONField(
        default=list, help_text="What else was seen of some faces: bodies, tattoos."
    )
    image_ids = models.JSONField(
        default=list,
        help_text="Of a gallery: the images that the frames of its faces number.",
    )
    source = models.CharField(max_length=16, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    frames_requested = models.PositiveIntegerField(default=0)
    frames_analyzed = models.PositiveIntegerField(default=0)
    face_count = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When its pictures were last looked at."
    )
    matched_at = models.DateTimeField(null=True, blank=True)
    is_match_due = models.BooleanField(
        "to be matched again",
        default=False,
        help_text="The owner's corrections are not in its people yet.",
    )

    objects: ClassVar[FingerprintQuerySet] = FingerprintQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "stash_id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "stash_id"], name="recognition_one_fingerprint_each"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "release_version"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stash_id}"

    @property
    def is_parked(self) -> bool:
        return self.attempt_count >= self.MAX_ATTEMPTS


class FingerprintFaces(models.Model):
    """The faces of a fingerprint as records; see `recognition.numeric.packing`.

    A table of its own, or every list of fingerprints would read them.
    """

    fingerprint = models.OneToOneField(
        Fingerprint, on_delete=models.CASCADE, primary_key=True, related_name="packed"
    )
    faces = models.BinaryField()
    near = models.BinaryField()
    health = models.BinaryField()

    def __str__(self) -> str:
        return f"faces of {self.fingerprint_id}"


class FingerprintPerson(models.Model):
    """Somebody seen in a scene or image; without a universal id nobody has a name.

    `faces` are positions among the fingerprint's; `candidates` all who were proposed,
    likeliest first.
    """

    fingerprint = models.ForeignKey(
        Fingerprint, on_delete=models.CASCADE, related_name="people"
    )
    number = models.PositiveIntegerField()
    faces = models.JSONField(default=list)
    frame_count = models.PositiveIntegerField()
    decision = models.CharField(
        max_length=16,
        choices=[(each.value, each.value) for each in Decision],
        default=Decision.UNKNOWN.value,
    )
    universal_id = models.CharField(max_length=128, blank=True, db_index=True)
    name = models.CharField(max_length=255, blank=True)
    distance = models.FloatField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    candidates = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["fingerprint", "number"]

    def __str__(self) -> str:
        return self.name or f"unknown {self.number}"


class FingerprintChange(models.Model):
    """Whom another release saw in a scene or image that the one before did not."""

    fingerprint = models.ForeignKey(
        Fingerprint, on_delete=models.CASCADE, related_name="changes"
    )
    from_version = models.CharField("from", max_length=64)
    to_version = models.CharField("to", max_length=64)
    gained = models.JSONField(default=list, help_text="Universal ids, now seen.")
    lost = models.JSONField(default=list, help_text="Universal ids, no longer seen.")
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.fingerprint}: {self.from_version} to {self.to_version}"
