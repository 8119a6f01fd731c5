"""Submission scripts of batches, kept on this machine, and the marks of those that were handed to sbatch.

All functions touch the disk: they are for threads.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_SCRIPT = "submit.sh"
_MARK = "submitted"
_PARTS = 4
"""Of a batch's folder, from the run on: run, step, `batches` and token."""


class Scripts:
    """The scripts below one folder of this machine, by the folders that their batches have on the cluster."""

    def __init__(self, root: str) -> None:
        self._root = root

    def write(self, scripts: Mapping[str, bytes]) -> None:
        """Keep scripts, readable by us only: they hold the environment of tasks.

        Raises:
            OSError: one can't be written.
        """
        for folder, script in scripts.items():
            here = self._here(folder)
            # mkdir itself would give those above the mode of the umask.
            for path in (*reversed(here.parents), here):
                if not path.is_dir():
                    path.mkdir(mode=0o700, exist_ok=True)
            draft = here / f".{_SCRIPT}"
            draft.write_bytes(b"")
            draft.chmod(0o600)
            draft.write_bytes(script)
            draft.replace(here / _SCRIPT)

    def read(self, folder: str) -> bytes | None:
        """The script of a batch; None where there is none."""
        try:
            return (self._here(folder) / _SCRIPT).read_bytes()
        except FileNotFoundError:
            return None

    def mark(self, folders: Iterable[str]) -> None:
        """Note, before it happens, that these are handed to sbatch; it is on the disk when this returns.

        Raises:
            OSError: it can't be noted.
        """
        for folder in folders:
            here = self._here(folder)
            with (here / _MARK).open("wb") as file:
                os.fsync(file.fileno())
            opened = os.open(here, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def unmark(self, folders: Iterable[str]) -> None:
        """They were not handed over, for certain.

        Raises:
            OSError: a mark can't be removed.
        """
        for folder in folders:
            (self._here(folder) / _MARK).unlink(missing_ok=True)

    def marked_at(self, folder: str) -> float | None:
        """When a batch was handed to sbatch, in seconds since 1970; None where it was not."""
        try:
            return (self._here(folder) / _MARK).stat().st_mtime
        except FileNotFoundError:
            return None

    def withdraw(self, folder: str) -> bool:
        """Have a batch never handed to sbatch; False where it may have been."""
        if self.marked_at(folder) is not None:
            return False
        (self._here(folder) / _SCRIPT).unlink(missing_ok=True)
        return True

    def remove(self, run_folder: str) -> None:
        """Remove all that is kept of a run.

        Raises:
            OSError: it can't be removed.
        """
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._below(run_folder, 1))

    def _here(self, folder: str) -> Path:
        return self._below(folder, _PARTS)

    def _below(self, folder: str, parts: int) -> Path:
        names: Sequence[str] = posixpath.normpath(folder).lstrip("/").split("/")
        return Path(self._root, *names[-parts:])
