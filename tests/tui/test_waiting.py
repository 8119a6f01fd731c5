"""Waiting for a run whose cluster goes out of reach: that is said once, and once that it is back."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from runners.batches import Line
from runners.store.writer import Writer
from tests.tui import slurm_story
from tests.tui.cli_lab import LIMIT_S
from tests.tui.slurm_story import ETNA, LOST, NO_ROUTE
from tests.tui.stage import make_home
from tui.verbs.wait import wait_for


def test_who_waits_is_told_that_the_cluster_is_out_of_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path / "home", slurm_story.clusters)
    # The store is written here.
    monkeypatch.setattr("tui.verbs.watching.attend", lambda home: None)
    told = ""
    codes: list[int] = []

    def read() -> str:
        nonlocal told
        told += capsys.readouterr().err
        return told

    def hears(*lines: str) -> None:
        end = time.monotonic() + LIMIT_S
        while len(read().splitlines()) < len(lines):
            assert time.monotonic() < end, told
            time.sleep(0.02)
        assert told.splitlines() == [f"runyard: {line}" for line in lines]

    def reach(up: bool, trouble: str = "") -> None:
        with closing(Writer.open(home.database)) as store, store.change() as change:
            change.keep_place("etna", "mira", ETNA, Line(up, 0.02, trouble), now=time.time())

    waiting = threading.Thread(target=lambda: codes.append(wait_for(home, LOST, as_json=False)), daemon=True)
    waiting.start()
    away, back = f"waiting: etna can't be reached: {NO_ROUTE}", "etna can be reached again."
    hears(away)
    # Another cause is no news: it is still away.
    reach(up=False, trouble="The line broke.")
    reach(up=True)
    hears(away, back)
    reach(up=False, trouble="The line broke again")
    hears(away, back, "waiting: etna can't be reached: The line broke again.")
    with closing(Writer.open(home.database)) as store, store.change() as change:
        change.execute("UPDATE runs SET state = 'cancelled' WHERE id = ?", (LOST,))
    waiting.join(LIMIT_S)
    assert codes == [1]
    assert len(read().splitlines()) == 3
