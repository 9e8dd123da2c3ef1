"""The commands: what they print, how they end, and never a traceback."""

import pytest
from django.core.management import CommandError, call_command

from dbupdates import store
from dbupdates.execution import execute_run
from dbupdates.management import terminal
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.services import activate_release, import_release
from dbupdates.tests.factories import DatabaseReleaseFactory


@pytest.fixture
def staged(world, builder, inbox):
    return import_release(builder.write_zip(inbox))


def active_version():
    active = store.active_release()
    return active and active.version


def test_import_release_says_what_it_does(world, builder, inbox, capsys):
    call_command("import_release", str(builder.write_zip(inbox)))

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "Extracting",
        "Verifying",
        "Release",
    ]
    assert lines[-1] == "Release 2026.02.18 is staged: 25 faces of 12 performers."
    assert active_version() == "2026.01.01"


def test_import_release_draws_a_bar_on_a_terminal(
    world, builder, inbox, capsys, monkeypatch
):
    path = builder.write_zip(inbox)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    call_command("import_release", str(path))

    captured = capsys.readouterr()
    assert captured.out == "Release 2026.02.18 is staged: 25 faces of 12 performers.\n"
    assert "Extracting" in captured.err
    assert "Verifying" in captured.err
    assert "%|" in captured.err


def test_import_release_can_activate(world, builder, inbox, capsys):
    call_command("import_release", str(builder.write_folder(inbox)), "--activate")

    assert "Release 2026.02.18 is active" in capsys.readouterr().out
    assert active_version() == "2026.02.18"


def test_import_release_refuses_with_a_sentence(world, builder, inbox):
    builder.checksums["faces.json"] = "sha256:" + "0" * 64
    path = builder.write_zip(inbox)

    with pytest.raises(CommandError, match=r"^faces\.json: expected sha256") as raised:
        call_command("import_release", str(path), "--activate")

    assert raised.value.returncode == 1
    world.assert_unchanged()


def test_import_release_of_nothing_is_a_sentence(world, inbox):
    with pytest.raises(CommandError, match="is neither a zip nor a folder"):
        call_command("import_release", str(inbox / "nothing.zip"))

    world.assert_unchanged()


def test_activate_release_goes_forth_and_back(staged, capsys):
    call_command("activate_release", "v2026.2.18")
    assert active_version() == "2026.02.18"

    call_command("activate_release", "2026.01.01")
    assert active_version() == "2026.01.01"
    assert capsys.readouterr().out == (
        "Release 2026.02.18 is active.\nRelease 2026.01.01 is active.\n"
    )


def test_activate_release_of_an_unknown_version_is_a_sentence(world):
    with pytest.raises(CommandError, match=r"There is no release 2027\.01\.01"):
        call_command("activate_release", "2027.01.01")

    world.assert_unchanged()


def test_verify_release_finds_it_intact(staged, capsys):
    activate_release(staged)

    call_command("verify_release")

    assert capsys.readouterr().out.endswith("Release 2026.02.18 is intact.\n")


def test_verify_release_names_what_differs(staged):
    folder = store.release_path(staged.version)
    for name in ("faces.json", "prepared/performers.jsonl"):
        (folder / name).chmod(0o644)
    (folder / "faces.json").write_bytes(b"[]")
    with (folder / "prepared/performers.jsonl").open("ab") as lines:
        lines.write(b"more")
    (folder / "performers.json").unlink()
    (folder / "notes.txt").write_text("added")

    with pytest.raises(CommandError) as raised:
        call_command("verify_release", "2026.02.18")

    message = str(raised.value)
    assert "Release 2026.02.18 is damaged" in message
    assert "faces.json: expected sha256" in message
    assert "prepared/performers.jsonl: expected sha256" in message
    assert "performers.json: is missing" in message
    assert "notes.txt: does not belong there" in message
    assert "face_facenet.voy" not in message
    assert raised.value.returncode == 1


def test_verify_release_needs_a_release(db, data_dir):
    with pytest.raises(CommandError, match="No release is active; name one"):
        call_command("verify_release")
    with pytest.raises(CommandError, match="There is no release"):
        call_command("verify_release", "2026.02.18")


def test_list_releases_shows_the_newest_first(world, capsys):
    DatabaseReleaseFactory(
        version="2026.02.18",
        face_count=366_794,
        performer_count=108_001,
        size_bytes=1_900_000_000,
        status=DatabaseRelease.Status.STAGED,
    )

    call_command("list_releases")

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["VERSION", "STATE", "FACES", "PERFORMERS", "MB", "NETWORKS"]
    assert lines[1] == [
        "2026.02.18",
        "staged",
        "366,794",
        "108,001",
        "1,900.0",
        "test-1",
    ]
    assert lines[2][:2] == ["2026.01.01", "active"]


def test_list_releases_of_an_empty_service_says_what_to_do(db, data_dir, capsys):
    call_command("list_releases")

    assert "import_release" in capsys.readouterr().out


# update_database


def test_update_database_checks_and_changes_nothing(world, published, capsys):
    call_command("update_database", "--check")

    told = capsys.readouterr().out
    assert told.startswith("Active: 2026.01.01. Newest published: 2026.02.18; ")
    assert told.endswith(" MB to download.\n")
    assert not UpdateRun.objects.exists()


def test_update_database_checks_a_feed_that_is_not_there(world, settings, capsys):
    settings.RELEASE_FEED = "http://127.0.0.1:9/"

    call_command("update_database", "--check")

    told = capsys.readouterr()
    assert "no connection" in told.err
    assert "No published release is known" in told.out


def test_update_database_asks_the_background(world, published, capsys):
    call_command("update_database")

    assert "Asked for release 2026.02.18" in capsys.readouterr().out
    run = UpdateRun.objects.get()
    assert (run.phase, run.asked_by) == ("queued", "command")
    assert active_version() == "2026.01.01"


def test_update_database_works_without_a_background_when_it_waits(
    world, published, capsys, monkeypatch
):
    monkeypatch.setattr(terminal, "PATIENCE_SECONDS", 0)

    call_command("update_database", "--wait", "--version", "v2026.2.18")

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "No background process takes it: working at it here."
    assert [line.split(" ")[0] for line in lines[2:]] == [
        "Downloading",
        "Extracting",
        "Verifying",
        "Release",
    ]
    assert lines[-1] == "Release 2026.02.18 is active."
    assert active_version() == "2026.02.18"


def test_update_database_follows_what_the_background_does(
    world, published, capsys, monkeypatch
):
    def background(seconds):
        run = UpdateRun.objects.get()
        if run.is_in_progress:
            execute_run(run.pk)

    monkeypatch.setattr("time.sleep", background)

    call_command("update_database", "--wait")

    told = capsys.readouterr().out
    assert "working at it here" not in told
    assert told.endswith("Release 2026.02.18 is active.\n")


def test_update_database_ends_with_the_reason(world, published, monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE_SECONDS", 0)
    published.corrupt("2026.02.18", "faces.json")

    with pytest.raises(CommandError, match="expected sha256"):
        call_command("update_database", "--wait")

    assert active_version() == "2026.01.01"


def test_update_database_cancels(world, published, capsys):
    call_command("update_database")

    call_command("update_database", "--cancel")

    assert UpdateRun.objects.get().phase == "cancelled"
    with pytest.raises(CommandError, match="No update is in progress"):
        call_command("update_database", "--cancel")


@pytest.mark.parametrize("arguments", [[], ["--wait"]])
def test_update_database_refuses_with_a_sentence(world, simulator, arguments):
    with pytest.raises(CommandError, match="lists no release"):
        call_command("update_database", *arguments)


# Runs of the other commands


def test_imports_and_activations_are_runs_like_any_other(staged, capsys, builder):
    call_command("activate_release", "2026.02.18")
    call_command("activate_release", "2026.01.01")

    assert [(run.kind, run.phase, run.asked_by) for run in UpdateRun.objects.all()] == [
        ("activation", "complete", "command"),
        ("activation", "complete", "command"),
    ]


def test_an_import_leaves_a_run_with_its_version_and_log(world, builder, inbox):
    call_command("import_release", str(builder.write_zip(inbox)), "--activate")

    run = UpdateRun.objects.get()
    assert (run.kind, run.version, run.phase) == ("import", "2026.02.18", "complete")
    assert set(run.phase_seconds) == {
        "extracting",
        "verifying",
        "swapping",
        "reloading",
    }


def test_a_refused_import_leaves_a_run_that_says_why(world, builder, inbox):
    builder.checksums["faces.json"] = "sha256:" + "0" * 64

    with pytest.raises(CommandError):
        call_command("import_release", str(builder.write_zip(inbox)))

    run = UpdateRun.objects.get()
    assert (run.phase, run.error_code) == ("failed", "checksum_mismatch")


# purge_releases


def test_purge_releases_deletes_what_nobody_goes_back_to(staged, capsys):
    activate_release(staged)
    call_command("purge_releases")
    assert "nothing to delete" in capsys.readouterr().out

    call_command("purge_releases", "--keep", "0")

    assert "Deleted the files of release 2026.01.01" in capsys.readouterr().out
    assert not store.has_release("2026.01.01")
    assert DatabaseRelease.objects.get(version="2026.01.01").status == "purged"


def test_purge_releases_never_deletes_the_active_one(staged):
    with pytest.raises(CommandError, match="active one: activate another first"):
        call_command("purge_releases", "2026.01.01")

    assert store.has_release("2026.01.01")
    assert active_version() == "2026.01.01"


def test_purge_releases_deletes_just_the_one_that_is_named(staged):
    call_command("purge_releases", "2026.02.18")

    assert not store.has_release("2026.02.18")
    with pytest.raises(CommandError, match="is purged: no files"):
        call_command("purge_releases", "2026.02.18")


# reconcile_releases


def test_reconcile_releases_has_nothing_to_say_when_all_is_well(staged, capsys):
    call_command("reconcile_releases")

    assert capsys.readouterr().out == ""
