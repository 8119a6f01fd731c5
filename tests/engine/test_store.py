"""The store between processes: what one keeps, the others see."""

import subprocess
import sys
from pathlib import Path

import pytest

from runners.config.home import Home
from runners.store.database import StoreError, connect
from runners.store.writer import Writer
from tests.engine.lab import fill

_ADD = """
import sys
from pathlib import Path
from runners.store.writer import Writer
writer = Writer.open(Path(sys.argv[1]))
writer.add_request("launch", "{}")
writer.close()
"""


def test_a_second_connection_that_is_closed_does_not_cut_off_the_first(home: Home) -> None:
    first = Writer.open(home.database)
    Writer.open(home.database).close()
    for expected in (1, 2):
        subprocess.run([sys.executable, "-c", _ADD, str(home.database)], check=True)
        assert len(first.waiting_requests()) == expected
    first.close()


def test_a_store_that_finds_no_room_says_so_and_is_made_once_there_is_some(small_disk: Path) -> None:
    path = small_disk / "runyard.db"
    filling = small_disk / "filling"
    fill(filling)
    with filling.open("rb+") as file:
        # Enough for a beginning, not for all of its tables.
        file.truncate(filling.stat().st_size - 80_000)
    with pytest.raises(StoreError, match=r"can't be used: database or disk is full\.$"):
        connect(path)
    filling.unlink()
    connect(path).close()
