"""How figures are printed and when a goal counts as missed."""

import math

from benchmarks.figures import Figure, print_figures


def test_a_figure_is_a_line_with_its_value_unit_and_goal():
    assert str(Figure("health_p99", 41.237, "ms", 100)) == (
        "health_p99 = 41.24 ms (goal <= 100)"
    )
    assert str(Figure("overhead", 1.0413, "of bare", 1.10)) == (
        "overhead = 1.041 of bare (goal <= 1.1)"
    )


def test_a_figure_without_a_goal_says_none():
    assert str(Figure("time_per_face", 1234.56, "ms")) == "time_per_face = 1235 ms"


def test_a_value_just_over_its_goal_does_not_look_like_a_reached_one():
    assert str(Figure("overhead", 1.104, "of bare", 1.10)) == (
        "overhead = 1.104 of bare (goal <= 1.1)"
    )


def test_reached_goals_end_with_status_0(capsys):
    figures = [Figure("at_goal", 3.0, "s", 3), Figure("no_goal", 9.0, "s")]

    status = print_figures(figures)

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "at_goal = 3 s (goal <= 3)",
        "no_goal = 9 s",
    ]


def test_a_missed_goal_ends_with_status_1_and_is_named_apart(capsys):
    figures = [Figure("slow", 3.2, "s", 3), Figure("quick", 1.0, "s", 3)]

    status = print_figures(figures)

    assert status == 1
    captured = capsys.readouterr()
    # The figures stay the last lines of the output proper.
    assert captured.out.splitlines()[-1] == "quick = 1 s (goal <= 3)"
    assert captured.err == "Missed: slow\n"


def test_a_value_that_is_no_number_misses_its_goal():
    assert Figure("overhead", math.nan, "of bare", 1.10).is_missed
