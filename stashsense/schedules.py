"""What the background does again and again."""

from django_q.models import Schedule


def ensure(task: str, name: str, *, minutes: int) -> None:
    """Have the background call the task every so many minutes, if it does not yet."""
    kind = {"schedule_type": Schedule.MINUTES, "minutes": minutes}
    Schedule.objects.get_or_create(func=task, defaults={"name": name, **kind})
