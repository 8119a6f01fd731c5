"""Small files that are read and written whole, so that a reader never sees half of one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from runners.config.errors import ConfigError, shown


def fingerprint(data: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(data).hexdigest()


def write_whole(path: Path, data: bytes, read: str | None) -> None:
    """Put `data` in place of the file in one step, and keep what was there as one backup, `<name>~`.

    `read` is the fingerprint of the content that the change was made to, None for a file that must be new.
    Raises `ConfigError` when the file is another one by now, or cannot be written; then it stays as it was.
    A symbolic link is followed, not replaced.
    """
    path = Path(os.path.realpath(path))
    try:
        try:
            current = path.read_bytes()
        except FileNotFoundError:
            current = None
        if (None if current is None else fingerprint(current)) != read:
            raise ConfigError(_changed(path, current is None, read is None))
        if current is None:
            _replace(path, data, 0o600)
        else:
            mode = path.stat().st_mode & 0o777
            _replace(path.with_name(path.name + "~"), current, mode)
            _replace(path, data, mode)
    except OSError as error:
        raise ConfigError(f"Cannot write {shown(path)} ({error.strerror or error}).") from error


def _changed(path: Path, gone: bool, is_new: bool) -> str:
    if is_new:
        return f"{shown(path)} exists already; nothing was written."
    what = "removed" if gone else "changed"
    return (
        f"{shown(path)} was {what} elsewhere since it was read, so nothing was written; read it again first."
    )


def _replace(path: Path, data: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
