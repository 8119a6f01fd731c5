"""The dashboard's tests see the same terminal everywhere."""

from __future__ import annotations

import os

import pytest

from tui import text


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the terminal that the tests happen to be started in."""
    for name in list(os.environ):
        if name.startswith(("TEXTUAL_", "RUNYARD_")) or name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(text, "ascii_only", lambda: False)
