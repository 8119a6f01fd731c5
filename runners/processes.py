"""Processes of this machine: whether a worker still lives, and ending what it left behind."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

_SWEEP_S = 5.0
"""How long a sweep goes on; a process that can't be killed (hung in the kernel) must not hold it for ever."""


class Owner(NamedTuple):
    """The process that claimed a batch, as its claim tells."""

    pid: int
    start: int
    """Clock ticks from the boot to its start: a pid alone may be used again."""
    boot: str
    host: str

    @classmethod
    def of(cls, claim: dict[str, Any]) -> Self:
        """The owner that a claim names.

        Raises:
            ValueError: it is no claim.
        """
        try:
            return cls(int(claim["pid"]), int(claim["start"]), str(claim["boot"]), str(claim["host"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no claim: {error}") from error

    def lives(self) -> bool | None:
        """Whether it lives; None where that can't be told from this host. A zombie is dead."""
        if self.host != os.uname().nodename:
            return None
        return self.boot == boot_id() and _start_of(self.pid) == self.start

    def signal(self, number: int) -> bool:
        """Send it a signal; False where it is not there (any more)."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # Verified while the handle is held: the pid can't change hands between here and the signal.
            if not self.lives():
                return False
            signal.pidfd_send_signal(handle, number)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True


def boot_id() -> str:
    """Which boot of this machine it is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def sweep(token: str) -> int:
    """Kill every process of this user that belongs to the batch *token*, and return how many there were.

    Tasks, and what they start, carry the token in their environment wherever they hide. Goes on until none
    is left, because they may start others meanwhile.
    """
    mark = f"RUNYARD_BATCH={token}".encode()
    killed: set[int] = set()
    until = time.monotonic() + _SWEEP_S
    while found := [pid for pid in _others() if _kill_marked(pid, mark)]:
        killed.update(found)
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return len(killed)


def _start_of(pid: int) -> int | None:
    """Clock ticks at which a process started; None where it is not there or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])


def _others() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            yield int(name)


def _kill_marked(pid: int, mark: bytes) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # The environment of another user's process, or of one that has just ended, can't be read.
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if mark not in environment or os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
