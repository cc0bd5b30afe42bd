"""What a workspace holds of what people say, and its key, is the desk's alone, and no link.

Whoever may write into the folder itself may put anything there, so the folder has to be the
desk's alone too; these checks stop what was put there before, or through a folder too open.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from core.model.errors import StorageError


def ensure_private_folder(folder: Path) -> None:
    """Make a folder that only this user may enter; one that stands is left as it is.

    Raises:
        StorageError: `workspace.exposed` for a folder in which anybody may replace files.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise StorageError(
            "workspace.exposed",
            "Anybody on this machine may replace files in the workspace; set mode 700 on it.",
            place=folder.name,
        )


def open_private(path: Path, flags: int = os.O_RDONLY) -> int:
    """Return a handle of a plain file that is this user's own; `flags` may create it, mode 0600.

    Raises:
        FileNotFoundError: there is none, and `flags` do not create it.
        StorageError: `workspace.not_ours` for a link, for what is no plain file, and for a file
            of another user.
    """
    try:
        # Not to wait for whoever writes into a pipe that somebody put there.
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:
        raise
    except OSError:
        raise _not_ours(path) from None
    told = os.fstat(handle)
    if not stat.S_ISREG(told.st_mode) or told.st_uid != os.geteuid():
        os.close(handle)
        raise _not_ours(path)
    return handle


def ensure_private_file(path: Path) -> None:
    """Make a file of this user's alone, or take from others what they may do with one that stands.

    Raises:
        StorageError: as `open_private` does.
    """
    handle = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def _not_ours(path: Path) -> StorageError:
    return StorageError(
        "workspace.not_ours",
        "A file of the workspace is a link, no plain file, or another user's; find out who put it "
        "there, and remove it.",
        place=path.name,
    )
