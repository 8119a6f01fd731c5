"""Running the real `runyard`, as a script or a person would."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

RUNYARD = str(Path(sys.executable).with_name("runyard"))

LIMIT_S = 60.0


def runyard(*words: str, code: int | None = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run it and return what it printed; *code* is the exit code it must have, None any."""
    options = {
        "capture_output": True,
        "text": True,
        "timeout": LIMIT_S,
        "stdin": subprocess.DEVNULL,
        **options,
    }
    if "input" in options:
        del options["stdin"]
    done = subprocess.run([RUNYARD, *words], check=False, **options)
    assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def answer(*words: str, **options: Any) -> Any:
    """The JSON it prints."""
    return json.loads(runyard(*words, **options).stdout)


def refusal(*words: str, code: int = 2, **options: Any) -> str:
    """The one sentence with which it refuses."""
    done = runyard(*words, code=code, **options)
    assert done.stdout == ""
    assert done.stderr.startswith("runyard: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("runyard: ").rstrip("\n")


def on_terminal(*words: str, columns: int = 80) -> str:
    """What it prints on a terminal of that width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen([RUNYARD, *words], stdin=its, stdout=its, stderr=its, env=environ)
    os.close(its)
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
