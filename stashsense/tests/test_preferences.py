"""Settings: what each may be, where a value comes from, and who sees a change."""

import json
import selectors
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.db import connection

from stashsense.preferences import services, values
from stashsense.preferences.definitions import (
    Applies,
    Category,
    Definition,
    InvalidPreference,
    Kind,
    UnknownPreference,
    all_definitions,
    get_definition,
)
from stashsense.preferences.models import Preference
from stashsense.tests import databases

CATEGORY = Category("tests", "Tests", order=9)
# A process looks again after half a second; starting one takes longer when it is busy.
BOUND_SECONDS = 20


def definition(**facts):
    defaults: dict[str, Any] = {
        "key": "limit",
        "kind": Kind.INT,
        "category": CATEGORY,
        "label": "Limit",
        "description": "",
        "applies": Applies.LIVE,
        "fallback": 4,
        "minimum": 2,
        "maximum": 64,
    }
    return Definition(**(defaults | facts))


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Kind.INT, 2, 2),
        (Kind.INT, 64, 64),
        (Kind.INT, 5.0, 5),
        (Kind.INT, " 5 ", 5),
        (Kind.FLOAT, 2, 2.0),
        (Kind.FLOAT, "2.5", 2.5),
        (Kind.BOOL, True, True),
        (Kind.BOOL, False, False),
        (Kind.BOOL, "Yes", True),
        (Kind.BOOL, "true", True),
        (Kind.BOOL, "1", True),
        (Kind.BOOL, 0, False),
        (Kind.BOOL, "no", False),
    ],
)
def test_what_spells_a_value_is_taken_as_that(kind, raw, value):
    parsed = definition(kind=kind).parse(raw)

    assert parsed == value
    assert type(parsed) is type(value)


NO_NUMBERS: list[Any] = [
    None, [], [5], {}, "", "five", True, float("nan"), float("inf"), "nan", "-inf",
    10**400, "1e999", b"5",
]  # fmt: skip


@pytest.mark.parametrize("raw", [*NO_NUMBERS, 1, 65, -5, 10**30, 2.5, "2.5"], ids=repr)
def test_what_is_no_whole_number_within_bounds_is_refused(raw):
    with pytest.raises(InvalidPreference, match="limit must be"):
        definition().parse(raw)


@pytest.mark.parametrize("raw", [*NO_NUMBERS, 1.9, 64.5], ids=repr)
def test_what_is_no_number_within_bounds_is_refused(raw):
    with pytest.raises(InvalidPreference, match="limit must be"):
        definition(kind=Kind.FLOAT).parse(raw)


@pytest.mark.parametrize("raw", [None, [], {}, "", "on", 2, 1.0, "maybe"], ids=repr)
def test_what_is_neither_true_nor_false_is_refused(raw):
    with pytest.raises(InvalidPreference, match="true or false"):
        definition(kind=Kind.BOOL).parse(raw)


def test_a_number_between_two_steps_is_refused():
    assert definition(multiple_of=32).parse(64) == 64
    with pytest.raises(InvalidPreference, match="multiple of 32, not 50"):
        definition(multiple_of=32).parse(50)


@pytest.fixture
def tier(monkeypatch):
    """Have this machine be of a tier."""
    told = ["cpu"]
    monkeypatch.setattr(values, "_find_tier", lambda: told[0])
    return told


def test_a_default_is_the_operators_else_the_tiers_else_the_last_resort(tier):
    by_tier = {"tier_defaults": {"cpu": 8}}
    assert values.default_of(definition()) == 4
    assert values.default_of(definition(**by_tier)) == 8
    tier[0] = "gpu-high"
    assert values.default_of(definition(**by_tier)) == 4
    assert values.default_of(definition(**by_tier, operator_default=lambda: 16)) == 16
    off = definition(kind=Kind.BOOL, fallback=True, operator_default=lambda: False)
    assert values.default_of(off) is False


def test_the_tier_is_not_found_out_for_what_does_not_depend_on_it(monkeypatch):
    monkeypatch.setattr(values, "_find_tier", pytest.fail)

    assert values.default_of(definition()) == 4


@pytest.mark.django_db
def test_a_stored_value_comes_first_until_it_is_set_back(tier):
    assert values.value_of("num_frames") == 30

    assert services.store_settings({"num_frames": "45"}, user=None) == {
        "num_frames": 45
    }

    found = values.setting("num_frames")
    assert (found.value, found.default, found.is_override) == (45, 30, True)

    services.reset_setting("num_frames", user=None)

    found = values.setting("num_frames")
    assert (found.value, found.default, found.is_override) == (30, 30, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"num_frames": 45, "stash_api_rate": None}, InvalidPreference),
        ({"num_frames": 45, "no_such": 1}, UnknownPreference),
    ],
)
def test_one_that_is_refused_leaves_all_as_they_were(chosen, error):
    with pytest.raises(error):
        services.store_settings(chosen, user=None)

    assert not Preference.objects.exists()
    assert not values.setting("num_frames").is_override


@pytest.mark.django_db
def test_a_stored_value_that_is_not_allowed_any_more_does_not_count():
    Preference.objects.create(key="num_frames", value=201)

    assert not values.setting("num_frames").is_override


@pytest.mark.django_db
def test_who_changed_what_is_logged(django_user_model):
    user = django_user_model.objects.create_superuser("somebody", password="hers")

    services.store_settings({"gpu_enabled": False}, user=user)
    services.reset_setting("gpu_enabled", user=user)
    services.store_settings({"num_frames": 50}, user=None)

    logged = LogEntry.objects.order_by("pk")
    assert [(e.user, e.object_repr, e.get_change_message()) for e in logged] == [
        (user, "gpu_enabled", "Set to false."),
        (user, "gpu_enabled", "Set back to its default."),
    ]
    assert Preference.objects.get(key="gpu_enabled").updated_by == user


@pytest.mark.django_db
def test_asking_often_asks_the_database_once(django_assert_max_num_queries):
    values.forget()

    with django_assert_max_num_queries(1):
        for _ in range(50):
            values.value_of("face_candidates")


WATCHER = """
import sys, time, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from recognition import preferences
last = None
while True:
    value = preferences.face_candidates()
    if value != last:
        print(value, flush=True)
        last = value
    time.sleep(0.01)
"""


def next_line(process):
    """Return the next line the process prints, if it prints one in time."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(BOUND_SECONDS) else None


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_a_change_soon():
    database = connection.settings_dict["NAME"]
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(database)],
        env={
            "DJANGO_SETTINGS_MODULE": "stashsense.settings",
            "DATA_DIR": str(django_settings.DATA_DIR),
            **databases.own_environment(),
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert next_line(process) == "20\n"

            services.store_settings({"face_candidates": 77}, user=None)

            assert next_line(process) == "77\n"
            services.reset_setting("face_candidates", user=None)
            assert next_line(process) == "20\n"
        finally:
            process.kill()
    assert values.MAX_AGE_SECONDS <= 1


@pytest.mark.django_db
def test_the_environments_first_values_are_stored_once(settings):
    settings.FIRST_STASH_API_RATE = 2.5
    settings.FIRST_TATTOO_SIGNAL = True
    settings.FIRST_BODY_SIGNAL = "auto"
    assert sorted(services.take_over_environment()) == [
        "stash_api_rate",
        "tattoo_signal_enabled",
    ]
    assert values.value_of("stash_api_rate") == 2.5
    services.store_settings({"stash_api_rate": 7}, user=None)
    services.reset_setting("tattoo_signal_enabled", user=None)

    # The next start, with the same environment.
    assert services.take_over_environment() == []

    assert values.value_of("stash_api_rate") == 7
    assert values.value_of("tattoo_signal_enabled") is False


@pytest.mark.django_db
def test_what_a_user_chose_before_is_not_overridden_by_the_environment(settings):
    services.store_settings({"face_candidates": 30}, user=None)
    settings.FIRST_FACE_CANDIDATES = 50

    assert services.take_over_environment() == []

    assert values.value_of("face_candidates") == 30


def test_every_setting_can_be_what_it_is_by_default():
    for found in all_definitions():
        for default in [found.fallback, *found.tier_defaults.values()]:
            assert found.parse(default) == default
            assert found.parse(json.loads(json.dumps(default))) == default
    assert get_definition("detection_size").applies == "live"
