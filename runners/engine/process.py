"""The engine as a process of its own."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from runners.config.errors import ConfigError
from runners.config.home import Home
from runners.engine.engine import IDLE_S, Engine
from runners.engine.lock import HeldError
from runners.store.database import StoreError
from runners.transport.local import words

log = logging.getLogger(__name__)

_LOG_BYTES = 1_000_000


def run(arguments: list[str]) -> int:
    """Be the engine of the home with these folders, or of the environment's; returns the exit code.

    Why it can't is one sentence on standard output, where whoever started it reads it, and in the log.
    """
    try:
        home = Home(*map(Path, arguments)) if arguments else Home.from_environment()
        home.make()
    except ConfigError as error:
        return _refuse(str(error))
    try:
        handler = EngineLog(home.engine_log, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler]
        )
        asyncio.run(_run(home))
    except HeldError as error:
        log.info("%s", error)
    except (ConfigError, StoreError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"The engine can't use {error.filename or str(home.state)!r}: {words(error)}.")
    except Exception:
        log.exception("The engine has ended because of a fault of its own.")
        return 1
    return 0


class EngineLog(RotatingFileHandler):
    """A log that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return open(descriptor, "a", encoding=self.encoding)


def _refuse(why: str) -> int:
    log.error("%s", why)
    # Nobody may be there any more to read it.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{why}\n".encode())
    return 1


async def _run(home: Home) -> None:
    engine = Engine(home, idle_s=_idle_s())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, engine.stop)
    await engine.run()


def _idle_s() -> float:
    try:
        return float(os.environ["RUNYARD_ENGINE_IDLE"])
    except (KeyError, ValueError):
        return IDLE_S
