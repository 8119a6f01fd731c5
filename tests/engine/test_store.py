"""The store between processes: what one keeps, the others see."""

import subprocess
import sys

from runners.config.home import Home
from runners.store.writer import Writer

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
