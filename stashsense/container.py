"""The container's entry: become the user of PUID and PGID, then the service.

    python -m stashsense.container [OPTIONS OF stashsense.serve]
    python -m stashsense.container manage [ARGUMENTS OF manage.py]

Begun as root it takes the data folder over and lets go of root for good. Begun as
somebody else, as with `docker run --user`, it stays who it is.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from stashsense.data_folder import ROOT

# unRAID's nobody and users, which own the shares there.
DEFAULT_USER_ID, DEFAULT_GROUP_ID = 99, 100
# The highest but one: the highest stands for "no change".
MAX_ID = 2**32 - 2


class CannotBecomeUser(Exception):
    """PUID or PGID is no user or group; nothing was changed."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by the service, or by manage.py."""
    if os.geteuid() == 0:
        try:
            user_id = _id("PUID", DEFAULT_USER_ID)
            group_id = _id("PGID", DEFAULT_GROUP_ID)
        except CannotBecomeUser as error:
            sys.exit(str(error))
        take_over(Path(os.environ.get("DATA_DIR") or "/data"), user_id, group_id)
        become(user_id, group_id)
    command = ["-m", "stashsense.serve", *arguments]
    if arguments[:1] == ["manage"]:
        command = ["manage.py", *arguments[1:]]
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, *command])


def take_over(folder: Path, user_id: int, group_id: int) -> None:
    """Give the folder and all below it to the user, unless it is theirs already.

    The folder itself comes last, so that a start that was interrupted is repeated.
    What cannot be given, as on a share, is left: the service says what it lacks.
    """
    try:
        if _is_owned(folder, user_id, group_id):
            return
        for parent, folders, files in os.walk(folder, topdown=False):
            for name in (*files, *folders):
                os.lchown(Path(parent) / name, user_id, group_id)
        os.chown(folder, user_id, group_id)
    except OSError as error:
        sys.stderr.write(
            f"{folder} could not be given to PUID {user_id} and PGID {group_id}: "
            f"{error.strerror}.\n"
        )


def _is_owned(folder: Path, user_id: int, group_id: int) -> bool:
    found = folder.stat()
    return (found.st_uid, found.st_gid) == (user_id, group_id)


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
