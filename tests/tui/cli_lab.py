"""Running `runyard`: in this process, which is quick, and as a script or a person would."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.cli import main

RUNYARD = str(Path(sys.executable).with_name("runyard"))

LIMIT_S = 60.0


@dataclass(frozen=True)
class Printed:
    """What a command has printed, and its exit code."""

    code: int
    raw: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.raw.decode()


def runyard(*words: str, code: int | None = 0, stdin: bytes = b"") -> Printed:
    """Carry it out in this process; *code* is the exit code it must have, None any."""
    ours = (sys.stdin, sys.stdout, sys.stderr)
    given, out, err = (io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="") for data in (stdin, b"", b""))
    sys.stdin, sys.stdout, sys.stderr = given, out, err
    try:
        returned = main(words)
    finally:
        sys.stdin, sys.stdout, sys.stderr = ours
        for stream in (out, err):
            stream.flush()
    raw, told = (stream.buffer.getvalue() for stream in (out, err))
    assert code is None or returned == code, (returned, raw, told)
    return Printed(returned, raw, told.decode())


def answer(*words: str, code: int | None = 0, stdin: bytes = b"") -> Any:
    """The JSON it prints."""
    return json.loads(runyard(*words, code=code, stdin=stdin).stdout)


def refusal(*words: str, code: int = 2) -> str:
    """The one sentence with which it refuses."""
    done = runyard(*words, code=code)
    assert done.stdout == ""
    assert done.stderr.startswith("runyard: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("runyard: ").rstrip("\n")


def on_pipes(*words: str) -> subprocess.CompletedProcess[str]:
    """What it does as a process of its own."""
    return subprocess.run(
        [RUNYARD, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def on_terminal(*words: str, columns: int = 80, typed: bytes = b"") -> str:
    """What it prints on a terminal of that width, in which somebody has typed that."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen([RUNYARD, *words], stdin=its, stdout=its, stderr=its, env=environ)
    os.close(its)
    os.write(ours, typed)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux tells so that the other side is closed.
            break
        if not piece:
            break
        printed += piece
    os.close(ours)
    process.wait(timeout=LIMIT_S)
    return printed.decode().replace("\r\n", "\n")
