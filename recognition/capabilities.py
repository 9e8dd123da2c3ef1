"""What this installation can do, and why not."""

from dataclasses import dataclass

from django.apps import apps

from recognition import preferences
from recognition.signal_files import find_missing_file

_NO_RECOMMENDATIONS = "This version proposes no tidying up."


@dataclass(frozen=True)
class Capability:
    """Something the service may be able to do; `problem` is why it cannot."""

    name: str
    problem: str | None

    @property
    def is_there(self) -> bool:
        """Whether it can be used now."""
        return self.problem is None


def signal_problem(signal: str) -> str | None:
    """Return what keeps `body` or `tattoo` from being read, switched on or not."""
    # Every process imports this module; few need ONNX Runtime.
    from recognition import registry
    from recognition.runtime.signals import OFF_BY_SETTING, ON

    serving = registry.state().serving
    if serving is not None:
        status = serving.recognizer.signals.status[signal]
        if status != OFF_BY_SETTING:
            return None if status == ON else status
    return find_missing_file(signal)


def all_capabilities() -> list[Capability]:
    """Return what the service can do and cannot."""
    identification = _identification_problem()
    has_recommendations = apps.is_installed("recommendations")
    tidying = None if has_recommendations else _NO_RECOMMENDATIONS
    return [
        Capability("identification", identification),
        Capability("body_signal", identification or _used_signal_problem("body")),
        Capability("tattoo_signal", identification or _used_signal_problem("tattoo")),
        Capability("upstream_sync", tidying),
        Capability("duplicate_detection_basic", tidying),
    ]


def _used_signal_problem(signal: str) -> str | None:
    is_enabled = {
        "body": preferences.is_body_signal_enabled,
        "tattoo": preferences.is_tattoo_signal_enabled,
    }[signal]
    if not is_enabled():
        return f"It is switched off by the setting {signal}_signal_enabled."
    return signal_problem(signal)


def _identification_problem() -> str | None:
    # Every process imports this module; few need ONNX Runtime.
    from dbupdates.store import active_release
    from recognition import registry
    from recognition.loading import network_set_of

    release = active_release()
    if release is None:
        return registry.NO_ACTIVE_RELEASE
    missing = network_set_of(release).missing_files()
    if missing:
        return f"Networks are not installed: {', '.join(missing)}."
    failure = registry.state().failure
    return None if failure is None else failure.message
