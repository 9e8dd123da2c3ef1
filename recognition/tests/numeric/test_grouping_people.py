"""Who is the same person in a library, by made templates."""

import numpy as np
import pytest

from recognition.numeric import grouping_people as grouping
from recognition.numeric.grouping_people import KnownGroups

PEOPLE, MEDIA = 40, 300


def random_rows(rng, count, size=512):
    rows = rng.standard_normal((count, size))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def made_library(seed=1, *, people=PEOPLE, media=MEDIA, noise=0.6):
    """Return who is who, the medium and the template of each: two people a medium.

    All faces have a part in common, as those of real embedders do.
    """
    rng = np.random.default_rng(seed)
    who = np.concatenate(
        [rng.choice(people, size=2, replace=False) for _ in range(media)]
    )
    templates = []
    for _ in range(2):
        faces = random_rows(rng, people)[who] + noise * random_rows(rng, len(who))
        templates.append(faces + 0.5 * random_rows(rng, 1))
    facenet, arcface = templates
    rows = [
        grouping.person_template(one[None], other[None], [1.0])
        for one, other in zip(facenet, arcface, strict=True)
    ]
    return who, np.repeat(np.arange(media), 2), np.stack(rows)


def regrouped(templates, media):
    marks = [{int(each)} for each in media]
    counts = np.ones(len(templates), dtype=np.int64)
    return labels(grouping.group_people(templates, counts, marks, marks))


def labels(groups):
    found = np.empty(sum(map(len, groups)), dtype=int)
    for number, members in enumerate(groups):
        found[members] = number
    return found


def added_one_by_one(templates, media, order):
    """Return the groups that people come to whose media come in this order."""
    found = np.full(len(media), -1)
    for each in order:
        arrived = found >= 0
        count = found.max() + 1
        means = [templates[found == group].mean(axis=0) for group in range(count)]
        known = KnownGroups(
            np.array(means, dtype=np.float32).reshape(-1, grouping.TEMPLATE_SIZE),
            np.bincount(found[arrived], minlength=count),
        )
        members = np.flatnonzero(media == each)
        found[members] = grouping.join_groups(
            templates[members].astype(np.float32), [each] * len(members), known
        )
    return found


def rand_index(one, other):
    """Return the adjusted Rand index of two partitions: 1 is the same, 0 is chance."""
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)

    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    both = pairs(table)
    rows, columns = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = rows * columns / pairs(np.array([len(one)]))
    return (both - chance) / ((rows + columns) / 2 - chance)


def test_people_are_grouped_as_they_are():
    who, media, templates = made_library()

    assert rand_index(who, regrouped(templates, media)) > 0.99


def test_the_order_they_come_in_does_not_change_a_grouping_anew():
    _, media, templates = made_library(noise=0.9)
    before = regrouped(templates, media)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(media))

        after = regrouped(templates[order], media[order])

        assert rand_index(before[order], after) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_people_who_come_one_by_one_are_grouped_nearly_as_all_at_once(seed):
    _, media, templates = made_library()
    order = np.random.default_rng(seed).permutation(MEDIA)

    found = added_one_by_one(templates, media, order)

    assert rand_index(regrouped(templates, media), found) > 0.95


def test_two_people_of_a_medium_are_never_one_though_they_are_twins():
    _, _, templates = made_library(people=2, media=1)
    twins = np.repeat(templates[:1], 4, axis=0)
    media = np.array([0, 0, 1, 1])

    found = regrouped(twins, media)

    assert found[0] != found[1]
    assert found[2] != found[3]
    assert len({*found}) == 2
    joined = added_one_by_one(twins, media, [0, 1])
    assert joined[0] != joined[1]
    assert {*joined[:2]} == {*joined[2:]}


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_who_has_no_embedding_resembles_nobody(bad):
    who, media, templates = made_library(people=3, media=60)
    nothing = np.full((1, 512), bad, dtype=np.float32)
    lost = grouping.person_template(nothing, nothing, [0.9])
    assert not lost.any()
    library = np.concatenate([templates, [lost, lost]])

    found = regrouped(library, np.array([*media, 1000, 1001]))

    assert rand_index(who, found[:-2]) > 0.99
    assert (found == found[-1]).sum() == (found == found[-2]).sum() == 1


def test_a_face_without_embeddings_does_not_count_among_others():
    _, _, templates = made_library(people=2, media=1)
    facenet, arcface = templates[:1, :512], templates[:1, 512:]
    nothing = np.full((1, 512), np.nan, dtype=np.float32)

    template = grouping.person_template(
        np.concatenate([facenet, nothing]), np.concatenate([arcface, nothing]), [0.5, 1]
    )

    np.testing.assert_allclose(template, templates[0], atol=1e-6)


def test_one_embedder_alone_will_do():
    _, _, templates = made_library(people=2, media=2)
    half = templates.copy()
    half[:, 512:] = 0

    found = regrouped(half, np.array([0, 1, 2, 3]))

    assert rand_index(regrouped(templates, np.array([0, 1, 2, 3])), found) == 1


def test_the_clearer_faces_say_who_it_is():
    _, _, templates = made_library(people=2, media=1)
    clear, blurred = templates[:1], templates[1:]

    both = grouping.person_template(
        np.concatenate([clear[:, :512], blurred[:, :512]]),
        np.concatenate([clear[:, 512:], blurred[:, 512:]]),
        [0.9, 0.1],
    )

    assert both @ clear[0] > both @ blurred[0]


def test_nobody_makes_no_group():
    nobody = np.zeros((0, grouping.TEMPLATE_SIZE), dtype=np.float32)

    assert regrouped(nobody, []).tolist() == []
    known = KnownGroups(nobody, np.zeros(0, dtype=np.int64))
    assert grouping.join_groups(nobody, [], known) == []


def test_few_people_are_told_apart_and_put_together():
    """The mean of so few is who they are, and must not be taken off."""
    _, _, templates = made_library(people=2, media=2)

    found = regrouped(templates, np.array([0, 0, 1, 1]))

    assert len({*found}) == 2


def test_more_alike_people_than_are_compared_are_one():
    rng = np.random.default_rng(5)
    base = random_rows(rng, 1, 1024)
    alike = base + 0.3 * random_rows(rng, 4 * grouping.MAX_NEIGHBOURS, 1024)

    found = regrouped(alike.astype(np.float32), np.arange(len(alike)))

    assert len({*found}) == 1


def test_the_same_faces_find_a_person_again():
    pairs = grouping.overlapping_pairs(
        [[0, 1, 2], [3, 4], [5, 6, 7, 8]], [[3, 4, 9], [0, 1], [8, 10]]
    )

    assert dict(pairs) == {0: 1, 1: 0, 2: 2}
    assert grouping.overlapping_pairs([[1, 2, 3, 4]], [[4, 5, 6, 7]]) == []
    assert grouping.overlapping_pairs([[]], [[]]) == []
