"""Starting an engine, detached. Imports no asyncio: commands that only look at runs do it too."""

import os
import subprocess
import sys

from runners.config.home import Home
from runners.environment import own_environment

_KEPT = ("RUNYARD_HOME", "RUNYARD_ENGINE_IDLE")
"""Variables that are meant for the engine; the others of that name tell a task about itself."""


def open_log(home: Home) -> int:
    """A descriptor of the engine's log, to write at its end. Blocks.

    Raises:
        OSError: it can't be opened.
    """
    return os.open(home.engine_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def spawn(home: Home, stdout: int, log: int) -> "subprocess.Popen[bytes]":
    """Start an engine of *home* that says on *stdout* why it can't run, and all else in *log*.

    It detaches: the process that is returned ends at once. Where one is running already the new one leaves.

    Raises:
        OSError: it can't be started.
    """
    environment = own_environment()
    environment.update((name, os.environ[name]) for name in _KEPT if name in os.environ)
    # -P: the folder we happen to be in must not be where its modules come from.
    folders = (str(home.config), str(home.state), str(home.jobs))
    argv = (sys.executable, "-P", "-m", "runners.engine", "--detach", *folders)
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log, cwd="/", env=environment
    )


def start(home: Home) -> None:
    """Start an engine of *home* and return before it answers.

    Raises:
        OSError: it can't be started.
    """
    log = open_log(home)
    try:
        spawn(home, subprocess.DEVNULL, log).wait()
    finally:
        os.close(log)
