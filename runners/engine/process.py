"""The engine as a process of its own."""

import asyncio
import logging
import os
import signal
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from runners.config.errors import ConfigError
from runners.config.home import Home
from runners.engine.engine import IDLE_S, Engine
from runners.engine.lock import HeldError
from runners.store.database import StoreError

log = logging.getLogger(__name__)

_LOG_BYTES = 1_000_000


def run(arguments: list[str]) -> int:
    """Be the engine of the home with these folders, or of the environment's; returns the exit code."""
    try:
        home = Home(*map(Path, arguments)) if arguments else Home.from_environment()
        home.make()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    handler = RotatingFileHandler(home.engine_log, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler]
    )
    try:
        asyncio.run(_run(home))
    except HeldError as error:
        log.info("%s", error)
    except (ConfigError, StoreError, OSError) as error:
        log.error("The engine can't run: %s", error)
        return 1
    except Exception:
        log.exception("The engine has ended because of a fault of its own.")
        return 1
    return 0


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
