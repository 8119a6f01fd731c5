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


def test_a_path_too_long_for_sqlite_is_named_as_the_reason(tmp_path: Path) -> None:
    for length, fits in ((504, True), (505, False)):
        folder = tmp_path / "a" / ("b" * 200)
        folder /= "c" * (length - len(str(folder)) - len("//runyard.db"))
        folder.mkdir(parents=True)
        path = folder / "runyard.db"
        assert len(str(path)) == length
        if fits:
            connect(path).close()
        else:
            with pytest.raises(
                StoreError, match=r"its path is longer than the 504 bytes that SQLite takes\.$"
            ):
                connect(path)


def test_a_folder_that_can_only_be_read_is_named_as_the_reason(small_disk: Path) -> None:
    connect(small_disk / "runyard.db").close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match=r"its folder can't be written, which even a reader must\.$"):
        connect(small_disk / "runyard.db")


def test_a_file_that_is_no_store_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "runyard.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"file is not a database; move it away, and a new one is made\.$"):
        connect(path)
