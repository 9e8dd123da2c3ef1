"""One table of spellings; parsing, order and round trip are read off it."""

from itertools import pairwise

import pytest

from dbupdates.manifest import is_flat_name
from dbupdates.versions import Version, parse_version

# Oldest first; the spellings of one line mean the same version.
SPELLINGS = [
    ["2025.12.31", "v2025.12.31"],
    ["2026.02.09", "v2026.02.09", "2026.2.9", "V2026.2.09", "2026.2.9.0"],
    ["2026.02.18-dev0", "2026.02.18.dev"],
    ["2026.02.18-alpha1", "2026.02.18a1", "v2026.2.18-alpha.1"],
    ["2026.02.18-beta2", "2026.02.18b2", "2026.02.18_BETA_2"],
    ["2026.02.18-rc1", "2026.02.18rc1", "2026.02.18.pre.1"],
    ["2026.02.18-rc10", "2026.02.18rc10"],
    ["2026.02.18", "v2026.2.18"],
    ["2026.02.18.1", "v2026.02.18.01"],
    ["2026.02.18.2-rc1"],
    ["2026.02.18.2"],
    ["2026.02.18.10"],
    ["2026.10.01", "2026.10.1"],
    ["9999.12.31.9999"],
]
CANONICAL = [line[0] for line in SPELLINGS]


@pytest.mark.parametrize("line", SPELLINGS, ids=CANONICAL)
def test_every_spelling_of_a_version_means_the_same(line):
    assert {parse_version(text) for text in line} == {parse_version(line[0])}
    assert {str(parse_version(text)) for text in line} == {line[0]}


def test_versions_and_their_keys_are_ordered_by_numbers():
    versions = [parse_version(text) for text in CANONICAL]

    assert all(older < newer for older, newer in pairwise(versions))
    assert all(older.sort_key < newer.sort_key for older, newer in pairwise(versions))
    # SQL keeps the key in 64 bits.
    assert versions[-1].sort_key < 2**63


@pytest.mark.parametrize("text", CANONICAL)
def test_a_canonical_version_is_a_safe_folder_name(text):
    assert is_flat_name(text)
    assert len(text) <= 64


@pytest.mark.parametrize("text", CANONICAL)
def test_prereleases_are_known_by_their_suffix(text):
    assert parse_version(text).is_prerelease == ("-" in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "2026",
        "2026.02",
        "2026.13.01",
        "2026.02.32",
        "2026.00.01",
        "26.02.18",
        "2026.02.18.",
        "2026.02.18.1.1",
        "2026.02.18-final",
        "2026.02.18\n",
        " 2026.02.18",
        "../2026.02.18",
        "2026.02.18/..",
        "\uff12\uff10\uff12\uff16.02.18",
        "2026.02.18.99999",
        "v" * 100_000,
    ],
)
def test_anything_else_is_no_version(text):
    with pytest.raises(ValueError, match=r"is no (version|date)"):
        parse_version(text)


def test_a_version_is_a_value():
    assert parse_version("2026.2.9") == Version(2026, 2, 9)
