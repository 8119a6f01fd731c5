"""Waiting, in a world of daemons that start and end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tests.lab.errors import LabError


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait until *condition* is true.

    Raises:
        LabError: it is not, after *timeout_s* seconds; *what* says in words what was waited for.
    """
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            raise LabError(f"Waited {timeout_s:g} s for {what}, in vain.")
        time.sleep(0.03)


def listening(port: int) -> bool:
    """Whether somebody answers at a port of this machine."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
