"""Writing to the folder of resources: one at a time, and without remains of those who were killed at it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.config.errors import ConfigError, shown
from runners.config.inner_name import PREPARED, prepared_beside, prepared_for, settle
from runners.config.json_text import read_file
from runners.config.wholefile import TEMPORARY

_PATIENCE_S = 10.0
"""A write takes milliseconds; one that takes longer hangs, on a disk or in a debugger."""
_PAUSE_S = 0.02
_BELOW = ("*", "*/profiles")
"""Where documents are."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a file system answers that has no locks."""


class _Here(threading.local):
    """What this thread is writing to."""

    def __init__(self) -> None:
        self.held: dict[Path, list[Path]] = {}


_here = _Here()


@contextmanager
def writing(folder: Path) -> Iterator[list[Path]]:
    """Until it ends, no other Runyard writes to the folder of resources, which is made if it is missing.

    So what was looked at inside (a fingerprint, a free name) still holds when it is acted on. Waits some
    seconds for another one; inside another block of the same thread it is a part of that one. Raises
    `ConfigError` when the other one does not end, and `OSError` when the folder cannot be made or written.

    Yields a list for folders that are out of sight: they are removed when the outermost block ends.
    """
    held = _here.held
    if folder in held:
        yield held[folder]
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The file stays: removing it would let two hold two locks of one name.
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        alone = _locked(lock, folder)
        _settle(folder)
        if alone:
            _clear(folder)
        held[folder] = []
        yield held[folder]
    finally:
        for hidden in held.pop(folder, []):
            # What stays goes with the next write.
            shutil.rmtree(hidden, ignore_errors=True)
        os.close(lock)


def read_settled(folder: Path, path: Path, name: str) -> bytes:
    """The content of the document `path`, which goes by `name`, after a renaming that is under way, if any.

    One that was killed in the middle is brought to its end. Raises `ConfigError` when the document can't be
    read.
    """
    # Looked for first: a renaming that is not seen here has ended, or the document has no such name as yet.
    if os.path.lexists(prepared_beside(path, name)):
        # Where nothing can be written, what can be read is as good as any.
        with contextlib.suppress(ConfigError, OSError), writing(folder):
            pass
    return read_file(path)


@contextmanager
def told(cannot: str) -> Iterator[None]:
    """What the system refuses inside is a `ConfigError`: `cannot`, which begins a sentence, and why."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{cannot} ({error.strerror or error}).") from error


def _locked(lock: int, folder: Path) -> bool:
    """Wait for the lock; False where there can be none, which leaves the fingerprints to tell of others."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise ConfigError(
                    f"Another Runyard is writing to {shown(folder)} and does not come to an end, so nothing "
                    "was written; try again, or end it."
                ) from error
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            raise
        time.sleep(_PAUSE_S)


def _settle(folder: Path) -> None:
    """Bring renamings to their end whose processes were killed in the middle."""
    for waiting in folder.glob(f"*/{PREPARED}"):
        settle(waiting.with_name("resource.json"), waiting.parent.name)
    for waiting in folder.glob(f"*/profiles/{PREPARED}"):
        name = prepared_for(waiting)
        settle(waiting.with_name(f"{name}.json"), name)


def _clear(folder: Path) -> None:
    """Remove what processes that were killed have left: whoever lives and writes would hold the lock."""
    for pattern in (TEMPORARY, *(f"{below}/{left}" for below in _BELOW for left in (TEMPORARY, PREPARED))):
        for left in folder.glob(pattern):
            # What stays is hidden, and in nobody's way.
            with contextlib.suppress(OSError):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left)
                else:
                    left.unlink()
