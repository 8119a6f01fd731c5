"""`runyard demo` in a real terminal: it opens on real work and leaves nothing behind, however it is left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.terminal.session import TerminalSession
from tests.tui.cli_lab import RUNYARD

pytestmark = pytest.mark.terminal


@pytest.mark.parametrize(("way", "code"), [("q", 0), (signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_the_demo_opens_and_clears_away(tmp_path: Path, way: str | signal.Signals, code: int) -> None:
    with TerminalSession([RUNYARD, "demo"], environment={"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("compress-stdlib")
        terminal.wait_for("checksum-stdlib")
        assert list(tmp_path.glob("runyard-demo-*"))
        if isinstance(way, str):
            terminal.press(way)
        else:
            terminal.process.send_signal(way)
        assert terminal.wait_for_exit(30) == code
        assert "Traceback" not in terminal.text
        assert ("its work was ended and its folder" in terminal.text) == (way == "q")
    assert list(tmp_path.iterdir()) == []


def test_the_demo_clears_away_when_it_is_interrupted_before_it_opens(tmp_path: Path) -> None:
    with TerminalSession([RUNYARD, "demo"], environment={"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("launching the demo's runs")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait_for_exit(30) == 130
        assert "Traceback" not in terminal.text
    assert list(tmp_path.iterdir()) == []
