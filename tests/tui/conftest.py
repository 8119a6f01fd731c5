"""The dashboard's tests see the same terminal everywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tui import text


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the terminal, the locale and the zone that the tests happen to be started in."""
    for name in list(os.environ):
        ours = name.startswith(("TEXTUAL_", "RUNYARD_")) and not name.startswith("TEXTUAL_SNAPSHOT")
        if ours or name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RUNYARD_ASCII", "0")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    text.ascii_only.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    text.ascii_only.cache_clear()
