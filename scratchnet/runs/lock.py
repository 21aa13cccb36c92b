"""Keeping two trainings off one folder."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from scratchnet.errors import DataError

UNABLE = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What a file system says that cannot lock a folder."""


class RunInUseError(DataError):
    """Another process is training in the folder."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run's folder for this process alone; a process that dies, however, lets go of it.

    The folder itself is locked (``flock``), so that nothing is left behind.  Windows, and file
    systems that cannot do it, know no such lock.

    Raises
    ------
    RunInUseError
        If another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunInUseError(
                f"{folder}: expected a run that nobody is training, got one that another process "
                "is. Wait for it or stop it, or name another folder with --out."
            ) from None
        except OSError as error:
            if error.errno not in UNABLE:
                raise
        yield
    finally:
        os.close(held)
