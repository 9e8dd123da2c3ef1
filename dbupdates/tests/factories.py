"""Rows of releases, for tests that need no files behind them."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from dbupdates.models import DatabaseRelease, ReleaseFile

Status = DatabaseRelease.Status


class DatabaseReleaseFactory(DjangoModelFactory[DatabaseRelease]):
    class Meta:
        model = DatabaseRelease

    class Params:
        active = factory.Trait(
            status=Status.ACTIVE, activated_at=factory.LazyFunction(timezone.now)
        )

    version = factory.Sequence(lambda n: f"2025.01.{n % 28 + 1:02}.{n // 28 + 1}")
    status = Status.STAGED
    performer_count = 12
    face_count = 25
    network_set = "test-1"


class ReleaseFileFactory(DjangoModelFactory[ReleaseFile]):
    class Meta:
        model = ReleaseFile

    release = factory.SubFactory(DatabaseReleaseFactory)
    name = factory.Sequence(lambda n: f"file-{n}.json")
    size_bytes = 2
    sha256 = "0" * 64
