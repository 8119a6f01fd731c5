"""The processes of a lab: found by what they carry, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from tests.lab.errors import LabError

MARK = "RUNYARD_LAB"
"""The environment variable that every daemon of a lab carries: the lab's folder."""


def end_processes(
    folder: str, uids: Collection[int], known: Collection[int], timeout_s: float = 20.0
) -> None:
    """Kill all that a lab runs, with all descendants: what carries its mark or runs as one of its users.

    *known*: further ones, such as an sshd, which overwrites the environment it shows.

    Raises:
        LabError: something is still there after *timeout_s* seconds.
    """
    until = time.monotonic() + timeout_s
    known = set(known)
    while found := lab_processes(folder, uids, known):
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        known &= found
        if time.monotonic() > until:
            raise LabError(f"Processes of the lab in {folder!r} do not end: {sorted(found)}.")
        time.sleep(0.02)


def lab_processes(folder: str, uids: Collection[int] = (), known: Collection[int] = ()) -> set[int]:
    """The process ids of what a lab runs; see :func:`end_processes`."""
    mark = f"{MARK}={folder}".encode()
    found = {pid for pid in known if alive(pid)}
    for pid in _parents():
        # It may have ended meanwhile.
        with contextlib.suppress(OSError):
            ours = os.stat(f"/proc/{pid}").st_uid in uids
            if ours or mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
    return (found | descendants(found)) - {os.getpid()}


def descendants(pids: Collection[int]) -> set[int]:
    """The process ids of all that these processes have started, and what that has started."""
    parents = _parents()
    found: set[int] = set()
    fresh = set(pids)
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def alive(pid: int) -> bool:
    """Whether a process is there, and is no zombie."""
    return pid in _parents()


def _parents() -> dict[int, int]:
    """The processes that are there, with their parents; no zombies."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                after_name = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
                if after_name[0] not in "ZX":
                    parents[int(name)] = int(after_name[1])
    return parents
