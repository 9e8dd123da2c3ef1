"""The container's entry: become the user of PUID and PGID, then the service.

    python -m stashsense.container [OPTIONS OF stashsense.serve]
    python -m stashsense.container manage [ARGUMENTS OF manage.py]

Begun as root it takes the data folder over and lets go of root for good. Begun as
somebody else, as with `docker run --user`, it stays who it is.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from stashsense import data_folder
from stashsense.data_folder import ROOT

# unRAID's nobody and users, which own the shares there.
DEFAULT_USER_ID, DEFAULT_GROUP_ID = 99, 100
AS_ROOT = (
    "PUID is 0: the service stays root, with the rights that the container was given. "
    "That is for engines whose root is an ordinary user; otherwise choose another.\n"
)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# The highest but one: the highest stands for "no change".
MAX_ID = 2**32 - 2


class CannotBecomeUser(Exception):
    """PUID, PGID or the folder is not one to be taken; nothing was changed."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by the service, or by manage.py."""
    # The first process of a container is sent only what it handles, and taking over a
    # large folder takes longer than an engine waits. No handler outlives exec.
    for number in STOP_SIGNALS:
        signal.signal(number, _end)
    if os.geteuid() == 0:
        try:
            user_id = _id("PUID", DEFAULT_USER_ID)
            group_id = _id("PGID", DEFAULT_GROUP_ID)
            folder = Path(os.environ.get("DATA_DIR") or "/data")
            take_over(folder, user_id, group_id)
        except CannotBecomeUser as error:
            sys.exit(str(error))
        if user_id == 0:
            sys.stderr.write(AS_ROOT)
        become(user_id, group_id)
    command = ["-m", "stashsense.serve", *arguments]
    if arguments[:1] == ["manage"]:
        command = ["manage.py", *arguments[1:]]
    else:
        # Kept for the service, which lets them in once it handles them.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, *command])


def _end(number: int, frame: object) -> NoReturn:
    """End with the status that shells give to what a signal has ended."""
    sys.exit(128 + number)


def take_over(folder: Path, user_id: int, group_id: int) -> None:
    """Give the folder and all below it to the user; what is theirs is only looked at.

    Raises CannotBecomeUser for a folder that holds other things than the service's.
    What cannot be given, as on a share, is left: the service says what it lacks.
    """
    left: list[OSError] = []
    # fwalk follows no link, not even the one that it is given.
    folder = folder.resolve()
    try:
        if foreign := data_folder.find_foreign(folder):
            raise CannotBecomeUser(
                f"{folder} holds {foreign!r} and nothing of Stash Sense's, so it is "
                f"not given to PUID {user_id} and PGID {group_id}: mount an empty "
                "folder there, or one of Stash Sense or its predecessor."
            )
        # By descriptors, so that a link put in a folder's place leads nowhere.
        for path, folders, files, parent in os.fwalk(folder, onerror=left.append):
            for name in (*files, *folders):
                _give(name, user_id, group_id, f"{path}/{name}", left, parent=parent)
        _give(str(folder), user_id, group_id, str(folder), left)
    except OSError as error:
        left.append(error)
    if left:
        first = left[0]
        sys.stderr.write(
            f"{folder} could not be given to PUID {user_id} and PGID {group_id} as a "
            f"whole: {len(left)} times it failed, first at {first.filename} "
            f"({first.strerror}).\n"
        )


def _give(
    name: str,
    user_id: int,
    group_id: int,
    shown_as: str,
    left: list[OSError],
    *,
    parent: int | None = None,
) -> None:
    """Change the owner if it is another one, never of what a link leads to."""
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=parent is None)
        if (found.st_uid, found.st_gid) != (user_id, group_id):
            os.chown(
                name,
                user_id,
                group_id,
                dir_fd=parent,
                follow_symlinks=parent is None,
            )
    except OSError as error:
        error.filename = shown_as
        left.append(error)


def become(user_id: int, group_id: int) -> None:
    """Let go of root, its groups included; what sets ids cannot bring it back."""
    os.setgroups([group_id])
    os.setresgid(group_id, group_id, group_id)
    os.setresuid(user_id, user_id, user_id)


def _id(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdecimal()) or int(value) > MAX_ID:
        raise CannotBecomeUser(f"{name} must be a number of a user or group: {value!r}")
    return int(value)


if __name__ == "__main__":
    main(sys.argv[1:])
