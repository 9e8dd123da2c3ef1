"""The readers of environment variables."""

import contextlib
import os
import tempfile
import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from stashsense import env

NOBODY = 65534


@pytest.fixture
def variable(monkeypatch):
    """Set the variable NAME, or unset it with None."""

    def set_variable(value, name="NAME"):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    set_variable(None)
    return set_variable


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "d"), ("", "d"), ("  ", "d"), (" a b ", "a b")]
)
def test_text_is_trimmed_and_blank_is_unset(variable, value, expected):
    variable(value)

    assert env.text("NAME", "d") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("FALSE", False), (None, True), ("", True)]
)
def test_a_boolean_is_true_or_false_in_any_letter_case(variable, value, expected):
    variable(value)

    assert env.boolean("NAME", default=True) is expected


@pytest.mark.parametrize("value", ["1", "yes", "on", "tru"])
def test_any_other_boolean_is_refused(variable, value):
    variable(value)

    with pytest.raises(ImproperlyConfigured, match=f"NAME .*true or false.*{value}"):
        env.boolean("NAME", default=False)


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("9", 9), (None, 5)])
def test_a_number_may_be_either_bound(variable, value, expected):
    variable(value)

    assert env.integer("NAME", default=5, minimum=1, maximum=9) == expected


@pytest.mark.parametrize("value", ["0", "10", "1.5", "five", "-1", "1e3"])
def test_a_number_out_of_bounds_or_no_number_is_refused(variable, value):
    variable(value)

    with pytest.raises(ImproperlyConfigured, match="NAME must be"):
        env.integer("NAME", default=5, minimum=1, maximum=9)


def test_a_choice_is_made_in_any_letter_case(variable):
    variable("CPU")

    assert env.choice("NAME", default="auto", choices={"auto", "cpu"}) == "cpu"


def test_a_choice_not_offered_is_refused_with_the_offer(variable):
    variable("tpu")

    with pytest.raises(ImproperlyConfigured, match=r"NAME .* auto, cpu, not 'tpu'"):
        env.choice("NAME", default="auto", choices={"auto", "cpu"})


def test_words_are_parted_by_commas_and_blank_ones_left_out(variable):
    variable("a, b,,c ,")

    assert env.words("NAME") == ["a", "b", "c"]


def test_a_directory_is_absolute_and_knows_home(variable, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    variable("~/data")
    assert env.directory("NAME", Path("/d")) == tmp_path / "data"
    variable("data")
    assert env.directory("NAME", Path("/d")) == tmp_path / "data"


def test_a_secret_comes_from_the_variable_or_from_its_file(variable, tmp_path):
    assert env.secret("NAME") is None
    variable("in the open")
    assert env.secret("NAME") == "in the open"

    variable(None)
    path = tmp_path / "secret"
    path.write_text("in the file\n")
    variable(str(path), "NAME_FILE")
    assert env.secret("NAME") == "in the file"


def test_a_secret_given_twice_or_in_no_file_is_refused(variable, tmp_path):
    variable("hidden")
    variable(str(tmp_path / "absent"), "NAME_FILE")
    with pytest.raises(ImproperlyConfigured, match="not both") as refusal:
        env.secret("NAME")
    assert "hidden" not in str(refusal.value)

    variable(None)
    with pytest.raises(ImproperlyConfigured, match="names no file"):
        env.secret("NAME")

    (tmp_path / "absent").touch()
    with pytest.raises(ImproperlyConfigured, match="empty file"):
        env.secret("NAME")


def test_a_secret_in_what_is_no_text_is_refused_without_showing_it(variable, tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"hidden\xff")
    variable(str(path), "NAME_FILE")

    with pytest.raises(ImproperlyConfigured, match=r"NAME_FILE .*UTF-8") as refusal:
        env.secret("NAME")

    assert str(path) in str(refusal.value)
    assert "hidden" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_secret_that_this_user_may_not_read_is_refused(variable, closed):
    # Not below pytest's own folder, which is closed to others as a whole.
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "secret"
        path.write_text("hidden")
        variable(str(path), "NAME_FILE")
        path.chmod(0o600 if closed == "folder" else 0)
        folder.chmod(0o755 if closed == "file" else 0o600)
        with as_ordinary_user(), pytest.raises(ImproperlyConfigured) as refusal:
            env.secret("NAME")
        folder.chmod(0o700)

    assert str(refusal.value) == (
        f"NAME_FILE names a file that cannot be read: {path} (Permission denied)."
    )


@pytest.mark.parametrize(
    ("file_name", "told"),
    [("/proc", "names no file"), ("/proc/self/mem", "cannot be read")],
)
def test_a_secret_in_what_cannot_be_read_at_all_is_refused(variable, file_name, told):
    variable(file_name, "NAME_FILE")

    with pytest.raises(ImproperlyConfigured, match=f"NAME_FILE .*{told}: {file_name}"):
        env.secret("NAME")


@contextlib.contextmanager
def as_ordinary_user():
    """Be somebody whom modes of files bind; root is not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "https://a.example/models"),
        ("http://mirror:8080/", "http://mirror:8080"),
        ("https://mirror/a/b//", "https://mirror/a/b"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_an_address_has_no_slash_at_its_end(variable, value, expected):
    variable(value)

    assert env.address("NAME", "https://a.example/models") == expected


@pytest.mark.parametrize(
    "value",
    ["mirror", "ftp://a", "file:///etc", "http://", "http://a?b=c", "http://a#b",
     "http://me:secret@a", "http://[::1"],
)  # fmt: skip
def test_any_other_address_is_refused_without_repeating_it(variable, value):
    variable(value)

    with pytest.raises(ImproperlyConfigured, match="NAME") as told:
        env.address("NAME", "https://a.example")

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("64", 64)])
def test_a_number_may_be_left_out(variable, value, expected):
    variable(value)

    assert env.optional_integer("NAME", minimum=32, maximum=96) == expected


@pytest.mark.parametrize("value", ["31", "97", "50", "many"])
def test_a_number_that_is_given_is_within_bounds_and_on_a_step(variable, value):
    variable(value)

    with pytest.raises(ImproperlyConfigured, match="NAME must be"):
        env.optional_integer("NAME", minimum=32, maximum=96, multiple_of=32)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("0.5", 0.5), ("50", 50.0), ("1e1", 10.0)]
)
def test_a_fraction_may_be_left_out(variable, value, expected):
    variable(value)

    assert env.optional_number("NAME", minimum=0.5, maximum=50) == expected


@pytest.mark.parametrize("value", ["0.4", "51", "nan", "inf", "fast"])
def test_a_fraction_that_is_given_is_within_bounds(variable, value):
    variable(value)

    with pytest.raises(ImproperlyConfigured, match="NAME must be"):
        env.optional_number("NAME", minimum=0.5, maximum=50)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("", None), ("True", True), ("false", False), ("AUTO", "auto")],
)
def test_a_switch_may_be_left_out_or_to_the_files(variable, value, expected):
    variable(value)

    assert env.switch("NAME") == expected


def test_a_switch_knows_no_other_word(variable):
    variable("yes")

    with pytest.raises(ImproperlyConfigured, match="auto, false, true, not 'yes'"):
        env.switch("NAME")
