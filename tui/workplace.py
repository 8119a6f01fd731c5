"""Where a text is edited: a folder that is locked while somebody edits there, and found again where all of
them were killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runners.config.documents import Document

_PREFIX = "edit-"
_BEGUN = ".begun"
"""Holds the text that the edit began with, and the lock. What resources go by begins with no dot."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """The folder of one edit, which is ours until it is dropped or kept."""

    folder: Path
    file: Path
    """That is edited. It need not be there."""
    begun: str
    """The text that the edit began with."""
    lock: int
    """The descriptor that holds the lock. An editor that inherits it goes on holding it without us."""
    left: float | None = None
    """Where it was found: when something was last written there, in seconds since the epoch."""

    def drop(self) -> None:
        """Remove it: what was typed is saved, or not wanted."""
        # The editor may have removed it.
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)

    def keep(self) -> None:
        """Leave it to the next edit."""
        # Said, since a process that the editor has left in the background may have the descriptor too.
        with contextlib.suppress(OSError):
            fcntl.flock(self.lock, fcntl.LOCK_UN)
        os.close(self.lock)

    def beside(self) -> list[str]:
        """What else the editor has left: its own rescue of what was typed, say."""
        with contextlib.suppress(OSError):
            names = os.listdir(self.file.parent)
            return sorted(name for name in names if name not in (_BEGUN, self.file.name))
        return []


def new_workplace(state: Path, read: Document, begun: str) -> Workplace:
    """A new one in the state folder, for its owner only.

    Raises:
        OSError: it can't be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=state))
    lock = os.open(folder / _BEGUN, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    file = _file(folder, read.resource, read.profile)
    made = Workplace(folder, file, begun, lock)
    try:
        # Before the file is there that others look for.
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(lock, "wb", closefd=False) as opened:
            opened.write(begun.encode())
        file.parent.mkdir(mode=0o700, exist_ok=True)
    except BaseException:
        made.drop()
        raise
    return made


def left_behind(
    state: Path, read: Document, differs: Callable[[Path, str], bool]
) -> tuple[list[Workplace], list[Path]]:
    """Those that nobody edits in any more, the newest first, and the files of those where somebody does.

    One in which nothing was typed, as *differs* of its file and the text that it began with says, and beside
    whose file the editor has left nothing, is removed. What can't be read stays as it is.
    """
    left: list[Workplace] = []
    under_way: list[Path] = []
    for folder in state.glob(f"{_PREFIX}*"):
        file = _file(folder, read.resource, read.profile)
        with contextlib.suppress(OSError):
            if not file.is_file():
                continue
            found = _found(folder, file)
            if found is None:
                under_way.append(file)
            elif not file.is_file():
                # Removed by the one who edited there, while we looked.
                found.keep()
            elif differs(file, found.begun) or found.beside():
                left.append(found)
            else:
                found.drop()
    return sorted(left, key=lambda found: found.left or 0.0, reverse=True), under_way


def forget_edits(state: Path, resource: str, profile: str | None) -> None:
    """What an edit of it left is not wanted any more; with a resource goes what edits of its profiles left.

    Blocks, briefly. Where somebody edits is left alone.
    """
    for found in _left_of(state, resource, profile):
        found.drop()


def move_edits(state: Path, resource: str, profile: str | None, name: str) -> None:
    """It is called *name* from now on, and so is what edits of it left; as `forget_edits` otherwise."""
    new = (name, None) if profile is None else (resource, name)
    for found in _left_of(state, resource, profile):
        # What is not there can't be moved.
        with contextlib.suppress(OSError):
            _file(found.folder, resource, profile).rename(_file(found.folder, *new))
        if profile is None:
            with contextlib.suppress(OSError):
                (found.folder / resource).rename(found.folder / name)
        found.keep()


def _left_of(state: Path, resource: str, profile: str | None) -> list[Workplace]:
    """Those of it that nobody edits in any more; of a resource, those of its profiles too."""
    left = []
    for folder in state.glob(f"{_PREFIX}*"):
        file = _file(folder, resource, profile)
        with contextlib.suppress(OSError):
            if file.is_file() or (profile is None and (folder / resource).is_dir()):
                left.append(_found(folder, file))
    return [found for found in left if found is not None]


def _found(folder: Path, file: Path) -> Workplace | None:
    """The one at *folder*, locked; None where somebody edits there."""
    lock = os.open(folder / _BEGUN, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        begun = (folder / _BEGUN).read_bytes().decode("utf-8", "replace")
        times = (each.lstat().st_mtime for each in file.parent.iterdir() if each.name != _BEGUN)
        written = max(times, default=0.0)
    except BlockingIOError:
        os.close(lock)
        return None
    except BaseException:
        os.close(lock)
        raise
    return Workplace(folder, file, begun, lock, written)


def _file(folder: Path, resource: str, profile: str | None) -> Path:
    return folder / f"{resource}.json" if profile is None else folder / resource / f"{profile}.json"
