"""`make demo-slurm` in a real terminal: batched work is on it, and nothing stays however it is left."""

import signal
import sys
from pathlib import Path

import pytest

from tests.lab.fixtures import ROOT
from tests.lab.packages import why_no_lab
from tests.terminal.session import TerminalSession

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(ROOT is not None or why_no_lab() is not None, reason=why_no_lab() or "another system"),
]


@pytest.mark.parametrize(("way", "code"), [("q", 0), (signal.SIGHUP, 129)])
def test_the_demo_opens_and_clears_away(way: str | signal.Signals, code: int) -> None:
    with TerminalSession([sys.executable, "-m", "tests.lab.demo"], columns=110) as terminal:
        terminal.wait_for("compress-stdlib")
        terminal.wait_for("lab-sudo as lab")
        folder = _folder_of(terminal.process.pid)
        assert folder.exists()
        if isinstance(way, str):
            terminal.press(way)
        else:
            terminal.process.send_signal(way)
        assert terminal.wait_for_exit(60) == code
        assert "Traceback" not in terminal.text
        assert ("its cluster in" in terminal.text) == (way == "q")
    assert not folder.exists()
    assert str(folder) not in Path("/etc/passwd").read_text()


def _folder_of(owner: int) -> Path:
    """Of the lab of a process."""
    for claim in Path("/run/runyard-lab").iterdir():
        folder, of = claim.read_text().split("\n")
        if of.startswith(f"{owner} "):
            return Path(folder)
    raise AssertionError(f"There is no lab of the process {owner}.")
