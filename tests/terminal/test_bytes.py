"""What the widgets cost in bytes to the terminal. Times are measured by `make bench`, not here.

The budgets are those of issue 2 and of the notes on Textual; the real programs are in table_app and log_app.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.session import TerminalSession

pytestmark = pytest.mark.terminal

ROOT = Path(__file__).parents[2]
SIZES = {"80x24": (80, 24), "160x45": (160, 45)}


def run(app: str, size: str = "160x45", **environment: str) -> TerminalSession:
    columns, rows = SIZES[size]
    command = [sys.executable, "-m", f"tests.terminal.{app}"]
    return TerminalSession(command, columns=columns, rows=rows, environment=environment, folder=ROOT)


@pytest.fixture(params=SIZES)
def table(request: pytest.FixtureRequest) -> Iterator[TerminalSession]:
    with run("table_app", request.param) as terminal:
        terminal.wait_for("well_00020")
        terminal.settle()
        yield terminal


def cost(terminal: TerminalSession, key: str) -> int:
    terminal.press(key)
    return terminal.settle()


def test_a_table_of_20000_rows(table: TerminalSession) -> None:
    assert 0 < cost(table, "1") < 300, "one row in view changed"
    assert cost(table, "2") == 0, "a row out of view changed"
    assert 0 < cost(table, "3") < 6000, "twenty rows in view changed"
    assert 0 < cost(table, "down") < 1200, "the cursor moved"
    assert 0 < cost(table, "pagedown") < 12_000
    assert 0 < cost(table, "end") < 12_500
    assert "well_19999" in table.lines[-1]
    assert table.pump(2.0) == 0, "nothing happened"


def test_a_log_that_is_written_fast_is_drawn_seldom() -> None:
    with run("log_app") as terminal:
        terminal.wait_for("epoch 100 ")
        terminal.settle()
        assert "100 lines" in terminal.lines[-1]
        assert cost(terminal, "1") < 3000
        assert cost(terminal, "2") < 8000
        assert "epoch 2101 loss 0.0005 ok" in terminal.lines[-2]
        assert 0 < cost(terminal, "3") < 1000, "three slots went on"
        assert 0 < cost(terminal, "up") < 5000
        assert cost(terminal, "1") < 300, "scrolled back: only the number of lines below changes"
        assert "end follows again" in terminal.lines[-1]
        assert terminal.pump(1.0) == 0


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TEXTUAL_THEME": "ansi-dark"}], ids=str)
def test_the_cursor_needs_no_colour(environment: dict[str, str]) -> None:
    with run("table_app", "80x24", **environment) as terminal:
        terminal.wait_for("well_00020")
        terminal.press("down", "down")
        terminal.settle()
        assert [y for y in range(24) if terminal.screen.buffer[y][10].reverse] == [3]


def test_plain_ascii_where_the_locale_is_not_utf_8() -> None:
    with run("table_app", "80x24", RUNYARD_ASCII="1") as terminal:
        terminal.wait_for("well_00020")
        terminal.settle()
        assert terminal.text.isascii()
        assert re.search(r"x failed +~?[/a-z]", terminal.text)
