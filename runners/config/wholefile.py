"""Small files that are read and written whole, so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.config.errors import ConfigError, shown

_PREFIX, _SUFFIX = ".runyard-", ".tmp"

TEMPORARY = f"{_PREFIX}*{_SUFFIX}"
"""What the names of unfinished files and folders match: those of a process that was killed stay behind."""


def fingerprint(data: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(data).hexdigest()


def write_whole(path: Path, data: bytes, read: str | None) -> None:
    """Put `data` in place of the file in one step, and keep what was there as one backup, `<name>~`.

    `read` is the fingerprint of the content that the change was made to, None for a file that must be new.
    Raises `ConfigError` when the file is another one by now, or cannot be written; then it stays as it was,
    and the backup too. A symbolic link is followed, not replaced. Two writers at the same moment are kept
    apart by whoever calls this.
    """
    path = Path(os.path.realpath(path))
    try:
        try:
            current = path.read_bytes()
        except FileNotFoundError:
            current = None
        if (None if current is None else fingerprint(current)) != read:
            raise ConfigError(_changed(path, current is None, read is None))
        rights = (0o600, -1) if current is None else rights_of(path)
        # All that may find no room comes first.
        with unfinished_file(path, data, *rights) as new:
            if current is not None:
                with unfinished_file(path, current, *rights) as backup:
                    os.replace(backup, backup_beside(path))
            os.replace(new, path)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(f"Cannot write {shown(path)} ({error.strerror or error}).") from error


def backup_beside(path: Path) -> Path:
    """Where `write_whole` keeps what the file `path`, which is no link, held before."""
    return path.with_name(path.name + "~")


def rights_of(path: Path) -> tuple[int, int]:
    """The mode and the group of a file, for one that is to be put in its place."""
    found = path.stat()
    return found.st_mode & 0o777, found.st_gid


@contextmanager
def unfinished_file(path: Path, data: bytes, mode: int, group: int = -1) -> Iterator[str]:
    """A file with `data` beside `path`, on the disk; gone at the end, unless it was given another name.

    It gets `mode`, and if we are in that `group`, or root, it is of that one: colleagues still may read it.
    """
    handle, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(OSError):
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def unfinished_folder(folder: Path) -> Path:
    """A new folder in `folder`, for its owner only, which nobody lists: to be renamed, or removed."""
    return Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=folder))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut, as far as the file system lets us."""
    # Not every one can do it, nor may all who write to a folder read it. What was done is done all the same:
    # told as a failure, it would be done again, or taken for a change of somebody else's.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _changed(path: Path, gone: bool, is_new: bool) -> str:
    if is_new:
        return f"{shown(path)} exists already; nothing was written."
    what = "removed" if gone else "changed"
    return (
        f"{shown(path)} was {what} elsewhere since it was read, so nothing was written; read it again first."
    )
