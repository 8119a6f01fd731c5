"""What all tests share: a throw-away home, and nothing left running when a test is over."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.config.files import ensure_local_resource, read_resource, write_resource
from runners.config.home import Home
from runners.engine.lock import held
from runners.processes import Owner, sweep

pytest_plugins = ["tests.lab.fixtures"]

SLOTS = 2
"""Slots of the resource `local` in a test's home, whatever the machine."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home of its own, with the resource `local`; RUNYARD_HOME names it. What it starts is ended."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "home"))
    # Also where a test forgets its engine, and is killed before it can end it.
    monkeypatch.setenv("RUNYARD_ENGINE_IDLE", "30")
    yield from throwaway_home(tmp_path / "home")


def throwaway_home(root: Path) -> Iterator[Home]:
    """A home at *root* with two local slots, and the end of all that was started for it."""
    home = Home.at(root)
    home.make()
    ensure_local_resource(home.resources, home.jobs.parent)
    set_slots(home, SLOTS)
    yield home
    end_engine(home)
    end_workers(home)


def set_slots(home: Home, slots: int | None) -> None:
    """Give the resource `local` so many slots; None: as many as there are tasks."""
    stored = read_resource(home.resources, "local")
    config = stored.value.jobs_runner_config.model_copy(update={"parallel_tasks_per_job": slots})
    changed = stored.value.model_copy(update={"jobs_runner_config": config})
    write_resource(home.resources, "local", changed, stored.fingerprint)


def end_engine(home: Home) -> None:
    """End the engine of *home*, gently at first; it is known by its lock."""
    number = signal.SIGTERM
    until = time.monotonic() + 5
    while held(home.lock):
        pid = int(json.loads(home.lock.read_bytes())["pid"])
        if pid == os.getpid():
            raise AssertionError("The test has left its own engine running.")
        os.kill(pid, number)
        if time.monotonic() > until:
            number = signal.SIGKILL
        time.sleep(0.02)


def end_workers(home: Home) -> None:
    """End the workers of *home*, known by their claims, and what they run."""
    for claim in home.jobs.glob("*/*/batches/*/claim"):
        Owner.of(json.loads(claim.read_bytes())).signal(signal.SIGKILL)
        sweep(claim.parent.name)
