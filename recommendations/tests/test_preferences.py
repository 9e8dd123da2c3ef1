"""The settings of recommendations, for whoever asks."""

import pytest

from recommendations import preferences
from stashsense.preferences.definitions import InvalidPreference
from stashsense.preferences.services import store_settings

pytestmark = pytest.mark.django_db


def test_a_scene_is_sure_by_the_predecessors_numbers_until_somebody_chooses():
    assert preferences.scene_fp_min_count() == 2
    assert preferences.scene_fp_min_percentage() == 66.0

    store_settings({"scene_fp_min_count": 3, "scene_fp_min_percentage": 80}, user=None)

    assert preferences.scene_fp_min_count() == 3
    assert preferences.scene_fp_min_percentage() == 80.0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scene_fp_min_count", 0),
        ("scene_fp_min_count", 101),
        ("scene_fp_min_count", 2.5),
        ("scene_fp_min_percentage", -1),
        ("scene_fp_min_percentage", 100.5),
    ],
)
def test_numbers_that_make_no_sense_are_refused(key, value):
    with pytest.raises(InvalidPreference):
        store_settings({key: value}, user=None)
