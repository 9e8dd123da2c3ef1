"""The nonces of signed requests, each of which counts once for all processes."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db import IntegrityError, models, transaction

# Longer than signatures count, so that a clock that is set back opens no gap.
KEPT = timedelta(hours=1)


class UsedNonceQuerySet(models.QuerySet["UsedNonce"]):
    def spend(self, nonce: str, *, signed_at: float) -> bool:
        """Keep the nonce and return True; False where it was spent before.

        Those that can no longer be repeated are forgotten.
        """
        moment = datetime.fromtimestamp(signed_at, UTC)
        try:
            with transaction.atomic():
                self.filter(signed_at__lt=datetime.now(UTC) - KEPT).delete()
                self.create(nonce=nonce, signed_at=moment)
        except IntegrityError:
            return False
        return True


class UsedNonce(models.Model):
    """A signed request that changed something, or tried to: never to be repeated."""

    nonce = models.CharField(max_length=64, unique=True)
    signed_at = models.DateTimeField(db_index=True)

    objects: ClassVar[UsedNonceQuerySet] = UsedNonceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "used nonce"

    def __str__(self) -> str:
        return f"{self.nonce[:8]}…"
