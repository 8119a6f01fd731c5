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
"""The environment variable that every daemon of a lab carries, with the lab's name. An sshd writes its title
over the environment that it shows; it carries both as an argument."""


def end_processes(lab: str, uids: Collection[int], timeout_s: float = 20.0) -> None:
    """Kill all that a lab runs: what carries its mark, what runs as one of its users, and all descendants.

    Raises:
        LabError: something is still there after *timeout_s* seconds.
    """
    until = time.monotonic() + timeout_s
    while found := lab_processes(lab, uids):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            raise LabError(f"Processes of {lab} do not end: {sorted(found)}.")
        time.sleep(0.02)


def lab_processes(lab: str, uids: Collection[int]) -> set[int]:
    """The process ids of what a lab runs; see :func:`end_processes`."""
    found = set()
    for pid in _processes():
        # It may have ended meanwhile.
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid in uids or carries(pid, lab):
                found.add(pid)
    return (found | descendants(found)) - {os.getpid()}


def carries(pid: int, lab: str) -> bool:
    """Whether a process carries the mark of a lab."""
    mark = f"{MARK}={lab}".encode()
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        return mark in environment.split(b"\0") or mark in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def descendants(pids: Collection[int]) -> set[int]:
    """The process ids of all that these processes have started, and what that has started."""
    parents = {pid: int(fields[1]) for pid, fields in _processes().items()}
    found: set[int] = set()
    fresh = set(pids)
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def start_of(pid: int) -> int | None:
    """When a process started, in clock ticks from the boot; None where it is not there, or is a zombie."""
    fields = _fields(pid)
    return int(fields[19]) if fields else None


def _processes() -> dict[int, list[str]]:
    """The processes that are there and no zombies, with the fields of their state."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return {pid: fields for pid in pids if (fields := _fields(pid))}


def _fields(pid: int) -> list[str] | None:
    """The fields of proc(5)'s stat from the state on: state, parent ..."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields
