"""The lock on the state folder: there is one engine for it, on whichever host."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_TRIES = 5
_PAUSE_S = 0.02
"""Someone who only looks whether the lock is held holds it for a moment."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The engine that holds the lock."""

    pid: int
    host: str
    started: float
    """Seconds since the epoch."""


class HeldError(Exception):
    """Another engine holds the lock; the text is a sentence that says who."""


class Lock:
    """The lock, held from :meth:`take` until :meth:`release` or the end of the process."""

    def __init__(self, path: Path, descriptor: int, holder: Holder) -> None:
        self._path = path
        self._descriptor = descriptor
        self.holder = holder

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock at *path*.

        Raises:
            HeldError: another engine has it.
            OSError: the file can't be made or locked.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for tried in range(_TRIES):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if tried < _TRIES - 1:
                    time.sleep(_PAUSE_S)
            else:
                raise HeldError(_words(_read(path), path))
            mine = Holder(os.getpid(), os.uname().nodename, time.time())
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(mine)).encode() + b"\n", 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, mine)

    def in_place(self) -> bool:
        """Whether the file is still the one that others would lock: someone may have removed the folder."""
        found = os.fstat(self._descriptor)
        return file_at(self._path) == (found.st_dev, found.st_ino)

    def release(self) -> None:
        """Let it go. The file stays: removing it would let two engines hold two locks of one name."""
        os.close(self._descriptor)


def held(path: Path) -> bool:
    """Whether an engine holds the lock at *path*. Some microseconds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def file_at(path: Path) -> tuple[int, int] | None:
    """Which file *path* names at the moment, as device and inode; None where there is none.

    Raises:
        OSError: that can't be told.
    """
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _words(holder: Holder | None, path: Path) -> str:
    who = f"pid {holder.pid} on {holder.host}" if holder else f"the holder of {str(path)!r}"
    return f"Another engine is running already: {who}."
