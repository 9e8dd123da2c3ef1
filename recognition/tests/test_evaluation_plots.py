"""Plots as parts of a page."""

import re
from xml.etree import ElementTree

from recognition.evaluation_plots import _plots, plots_of
from recognition.numeric.evaluation import Case, Item

ITEMS = [Item("stream", 20, is_scene=True), Item("image", 20, is_scene=False)]
SVG = "{http://www.w3.org/2000/svg}"


def cases_of(count):
    return [
        Case(
            item=number % 2,
            score=number / count,
            is_right=number % 3 > 0,
            is_named=True,
            probability=number / count,
            distance=1 - number / count,
            quality=number / count,
            source=ITEMS[number % 2].source,
        )
        for number in range(count)
    ]


def test_plots_stand_in_one_page_in_its_colours_with_words_for_who_cannot_see():
    plots = plots_of(cases_of(3), ITEMS)

    ids = []
    for plot in plots:
        root = ElementTree.fromstring(plot.svg)
        assert root.findtext(f"{SVG}title") == plot.title
        assert root.findtext(f"{SVG}desc") == plot.description
        assert "currentColor" in plot.svg
        assert "<style" not in plot.svg
        assert root.find(f".//{SVG}text") is not None
        ids += [each.get("id") for each in root.iter() if each.get("id")]
        referred = set(re.findall(r'(?:href="|url\()#([^")]+)', plot.svg))
        assert referred <= {*ids}
    assert len(ids) == len({*ids})
    assert len(plots) == 5


def test_the_same_figures_give_the_same_text():
    first = plots_of(cases_of(40), ITEMS)
    _plots.cache_clear()

    assert plots_of(cases_of(40), ITEMS) == first


def test_one_case_is_plotted_and_none_is_not():
    assert len(plots_of(cases_of(1), ITEMS)) == 5
    assert plots_of([], ITEMS) == []
