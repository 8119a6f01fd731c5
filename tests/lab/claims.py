"""Which labs are on this machine: each has a number, and what follows from that is its own."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.processes import lab_processes, start_of
from tests.lab.spec import LARGEST_NUMBER, LabSpec

_CLAIMS = Path("/run/runyard-lab")
"""One file for each lab, called like its number: its folder, and the process that it must not outlive."""


def claim_number(spec: LabSpec) -> LabSpec:
    """Give *spec* a number that no other lab has, and whose ports are free.

    The lab is this process's: once that has ended, :func:`abandoned` names it, unless it was kept.

    Raises:
        LabError: there is none left.
    """
    for number in range(LARGEST_NUMBER + 1):
        numbered = replace(spec, number=number)
        draft = _CLAIMS / f".{os.getpid()}"
        try:
            _CLAIMS.mkdir(exist_ok=True)
            draft.write_text(f"{spec.folder}\n{os.getpid()} {start_of(os.getpid())}")
            # Whole, or not at all: others read it.
            os.link(draft, _CLAIMS / str(number))
        except (FileExistsError, FileNotFoundError):
            # Another lab has it; or the last one has left, and taken the folder with it.
            continue
        finally:
            draft.unlink(missing_ok=True)
        if all(_is_free(port) for port in numbered.ports):
            return numbered
        release_number(number)
    raise LabError(f"All {LARGEST_NUMBER + 1} places for labs are taken; see {_CLAIMS}.")


def keep(spec: LabSpec) -> None:
    """Let the lab outlive the process that brought it up."""
    (_CLAIMS / str(spec.number)).write_text(f"{spec.folder}\n")


def release_number(number: int) -> None:
    """Let another lab have this number."""
    (_CLAIMS / str(number)).unlink(missing_ok=True)
    # Others are still there.
    with contextlib.suppress(OSError):
        _CLAIMS.rmdir()


def abandoned() -> Iterator[LabSpec]:
    """The labs that nobody will take down: of processes that were killed, or with nothing left of them."""
    claims = [claim for claim in _CLAIMS.glob("*") if claim.name.isdecimal()]
    for claim in claims:
        try:
            folder, owner = claim.read_text().split("\n")
        except FileNotFoundError:
            # It has been taken down meanwhile.
            continue
        spec = LabSpec(folder=folder, number=int(claim.name))
        if owner:
            pid, start = map(int, owner.split())
            left = start_of(pid) != start
        else:
            left = not lab_processes(spec.name, ())
        if left:
            yield spec


def _is_free(port: int) -> bool:
    with socket.socket() as line:
        # As the daemons do: a line that was closed a moment ago does not count.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
