"""A store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.store.writer import Writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Writer]:
    """An empty store."""
    opened = Writer.open(tmp_path / "runyard.db")
    yield opened
    opened.close()
