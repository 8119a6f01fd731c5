"""Which labs are on this machine: each has a number, and what follows from it is its own."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.processes import lab_processes
from tests.lab.spec import LARGEST_NUMBER, LabSpec

_CLAIMS = Path("/run/runyard-lab")
"""One file for each lab, called like its number, holding its folder."""

_YOUNG_S = 120
"""So long a lab may take until its first process runs."""


def claim_number(spec: LabSpec) -> LabSpec:
    """Give *spec* a number that no other lab has, and whose ports are free.

    Raises:
        LabError: there is none left.
    """
    for number in range(LARGEST_NUMBER + 1):
        numbered = replace(spec, number=number)
        _CLAIMS.mkdir(exist_ok=True)
        try:
            with (_CLAIMS / str(number)).open("x") as claim:
                claim.write(spec.folder)
        except FileExistsError:
            continue
        except FileNotFoundError:
            # The last lab has left, and taken the folder with it.
            continue
        if all(_is_free(port) for port in numbered.ports):
            return numbered
        release_number(number)
    raise LabError(f"All {LARGEST_NUMBER + 1} places for labs are taken; see {_CLAIMS}.")


def release_number(number: int) -> None:
    """Let another lab have this number."""
    (_CLAIMS / str(number)).unlink(missing_ok=True)
    # Others are still there.
    with contextlib.suppress(OSError):
        _CLAIMS.rmdir()


def abandoned() -> Iterator[tuple[int, str]]:
    """Number and folder of the labs whose processes were killed without a word."""
    with contextlib.suppress(FileNotFoundError):
        for claim in list(_CLAIMS.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                young = time.time() - claim.stat().st_mtime < _YOUNG_S
                folder = claim.read_text()
                if not young and not lab_processes(folder):
                    yield int(claim.name), folder


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait until *condition* is true.

    Raises:
        LabError: it is not, after *timeout_s* seconds; *what* says in words what was waited for.
    """
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            raise LabError(f"Waited {timeout_s:g} s for {what}, in vain.")
        time.sleep(0.05)


def listening(port: int) -> bool:
    """Whether somebody answers at a port of this machine."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as line:
        # As the daemons do: a line that was closed a moment ago does not count.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def reachable_for_all(folder: Path) -> Path | None:
    """The first folder on the way that users other than its owner can't pass; None: they reach it."""
    for part in (*reversed(folder.parents), folder):
        if part.exists() and not os.stat(part).st_mode & 0o001:
            return part
    return None
