"""The demo: every state is there, and nothing is left behind."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from runners.engine.lock import held
from runners.states import State
from runners.store.reader import Reader
from tui.demo import demo_home, fill


def of_demo(root: Path) -> list[str]:
    """The processes that know the demo's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(root) in told and process.name != str(os.getpid()):
            found.append(process.name)
    return found


def test_the_demo_shows_every_state_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with demo_home() as home:
        before = time.monotonic()
        fill(home)
        taken = time.monotonic() - before
        wanted = {
            "checksum-stdlib": State.DONE,
            "cancelled-early": State.CANCELLED,
            "compile-odd-ones": State.FAILED,
            "count-and-report": State.RUNNING,
            "compress-stdlib": State.RUNNING,
        }
        with closing(Reader.open(home.database)) as store:
            until = time.monotonic() + 60
            while {run.name: run.state for run in store.runs()} != wanted and time.monotonic() < until:
                time.sleep(0.05)
            assert {run.name: run.state for run in store.runs()} == wanted
            watched = store.find_run("compress-stdlib")
            while store.run(watched.id).counts.failed < 3 and time.monotonic() < until:
                time.sleep(0.1)
            reasons = {task.reason for task in store.tasks(watched.id, states=[State.FAILED])}
            cancelled = store.find_run("cancelled-early").counts
        assert {"exit code 1", "killed by SIGXFSZ"} <= reasons
        assert cancelled.done
        assert cancelled.cancelled
        assert of_demo(tmp_path)
        assert taken < 60
    assert list(tmp_path.iterdir()) == []
    assert not held(home.lock)
    until = time.monotonic() + 20
    while of_demo(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert of_demo(tmp_path) == []
