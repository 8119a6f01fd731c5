"""A real program in a real terminal of a given size: keys go in, bytes are counted, the screen can be read.

with TerminalSession([sys.executable, "-m", "tui.cli"], columns=80, rows=24) as terminal:
    terminal.wait_for("Runs")
    terminal.press("down")
    assert terminal.settle() < 1200
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}
"""Names of keys, as Textual has them; any other name is typed as it stands."""

FRAME_END = b"\x1b[?2026l"
"""A program that was told of synchronised output ends each of its frames with this."""

_ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronised output: there, and off
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",  # resizes reported in the stream: not there
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
_LONGEST_QUERY = max(map(len, _ANSWERS))
_NOT_KNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")


class TerminalSession:
    """A terminal with a program in it. Leaving the context ends the program."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start `command` in a terminal of that size.

        Its environment is this process's, without what would change its colours, and with `environment`.
        """
        self.received = 0
        """Bytes that came out of the program."""
        self.output = bytearray()
        """Those bytes since the last call of `forget`."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._not_drawn = bytearray()
        self._master, slave = os.openpty()
        self.resize(columns, rows)
        # A session leader that opens a terminal gets it as its own: it is told of resizes and hang-ups.
        opens_it = ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), *command]
        self.process = subprocess.Popen(
            opens_it, start_new_session=True, env=_environment(environment or {}), cwd=folder
        )
        # The program must have opened it before the last other end of it closes.
        self._slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program, kindly at first, and close the terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.wait_for_exit(2.0)
            except TimeoutError:
                self.process.kill()
        self.process.wait()
        for end in (self._master, self._slave):
            os.close(end)
        self._master = self._slave = -1

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal; the program gets a SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def press(self, *keys: str) -> None:
        """Press keys by name (`KEYS`), or type text."""
        for key in keys:
            self.send(KEYS.get(key, key).encode())

    def send(self, data: bytes) -> None:
        """Put bytes into the program's standard input as they are."""
        os.write(self._master, data)

    def forget(self) -> None:
        """Begin `output` anew."""
        self.output.clear()

    def read(self, seconds: float) -> bytes:
        """What the program writes next, waiting for it at most so long; empty if it wrote nothing."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self._master, 1 << 16)
        except OSError as error:
            if error.errno == errno.EIO:  # its last other end is closed
                return b""
            raise
        tail = bytes(self.output[-_LONGEST_QUERY:])
        for query, answer in _ANSWERS.items():
            new = (tail + data).count(query) - tail.count(query)
            if new:
                self.send(answer * new)
        self.received += len(data)
        self.output += data
        self._not_drawn += data
        return data

    def pump(self, seconds: float) -> int:
        """Read for exactly so long. Returns how many bytes came."""
        before, end = self.received, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)
        return self.received - before

    def settle(self, quiet: float = 0.15, timeout: float = 30.0) -> int:
        """Read until nothing came for `quiet` seconds. Returns how many bytes came. Raises TimeoutError."""
        before, end = self.received, time.monotonic() + timeout
        while self.read(quiet):
            if time.monotonic() > end:
                raise TimeoutError(f"the program was still writing after {timeout:g} s")
        return self.received - before

    def wait_for(self, what: str | Callable[[str], bool], timeout: float = 30.0) -> float:
        """Read until the screen has that text, or passes. Returns the seconds taken. Raises TimeoutError."""
        begin = time.monotonic()
        shown = (lambda text: what in text) if isinstance(what, str) else what
        while not shown(self.text):
            if self.process.poll() is not None and not self.read(0):
                raise TimeoutError(f"the program ended first. On the screen:\n{self.text}")
            if time.monotonic() - begin > timeout:
                raise TimeoutError(f"{what!r} did not come within {timeout:g} s. On the screen:\n{self.text}")
            self.read(0.05)
        return time.monotonic() - begin

    def wait_for_exit(self, timeout: float = 30.0) -> int:
        """Read until the program has ended. Returns its exit code. Raises TimeoutError."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError(f"the program was still there after {timeout:g} s")
            self.read(0.02)
        while self.read(0):
            pass
        return self.process.wait()

    def latency(self, key: str, timeout: float = 2.0) -> float:
        """Seconds from the press of a key to the end of the frame that answers it. Raises TimeoutError."""
        begin = time.perf_counter()
        self.press(key)
        got = b""
        while FRAME_END not in got:
            left = begin + timeout - time.perf_counter()
            if left <= 0:
                raise TimeoutError(f"no frame within {timeout:g} s after {key!r}")
            got += self.read(left)
        return time.perf_counter() - begin

    @property
    def screen(self) -> pyte.Screen:
        """The screen as it is after all that was read."""
        if self._not_drawn:
            self._stream.feed(_NOT_KNOWN_TO_PYTE.sub(b"", bytes(self._not_drawn)))
            self._not_drawn.clear()
        return self._screen

    @property
    def lines(self) -> list[str]:
        """The text of each line of the screen."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """All text on the screen."""
        return "\n".join(self.lines)

    def cpu_seconds(self) -> float:
        """CPU time that the program has used, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Memory that the program holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+([0-9]+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 / 1e6 if found else 0.0


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "TERM_PROGRAM", "TMUX")
        and not name.startswith(("TEXTUAL", "RUNYARD"))
    }
    return {**kept, "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor", **given}
