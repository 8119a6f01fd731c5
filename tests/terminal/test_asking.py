"""What is typed in a terminal: seen where it may be, and nowhere where it may not."""

import sys
from pathlib import Path

import pytest

from tests.terminal.session import TerminalSession

pytestmark = pytest.mark.terminal

CODE = """
from tui import output
print(output.can_ask(), end=" ")
name = output.asked("Login [/]\\x1b[31m:", echo=True)
print(len(name + output.asked("Code:", echo=False)), "letters")
"""


def test_what_is_typed_unseen_is_nowhere_on_the_terminal() -> None:
    with TerminalSession(
        [sys.executable, "-c", CODE], columns=80, rows=24, folder=Path(__file__).parents[2]
    ) as session:
        session.wait_for("Login [/]␛[31m:")
        session.press("mira\n")
        session.wait_for("Code:")
        session.press("s3same\n")
        session.wait_for("10 letters")
        assert "True" in session.text and "mira" in session.text
        assert b"s3same" not in session.output and b"\x1b[31m" not in session.output
