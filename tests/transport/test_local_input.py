"""What a command reads is there whole before it starts, whatever becomes of whoever started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_KILLED = """
import asyncio, sys
from runners.transport.base import Command
from runners.transport.local import LocalTransport

async def main():
    script = "echo started; read go < $1; cat > $2; mv $2 $3"
    argv = ("sh", "-c", script, "sh", *sys.argv[1:])
    await LocalTransport().exchange([Command(argv, b"x" * 300_000)], timeout_s=60)

asyncio.run(main())
"""


def test_a_command_gets_its_whole_input_though_we_are_killed(tmp_path: Path) -> None:

    gate, draft, taken = (tmp_path / name for name in ("gate", "draft", "taken"))
    os.mkfifo(gate)
    ours = subprocess.Popen([sys.executable, "-c", _KILLED, str(gate), str(draft), str(taken)])
    with gate.open("w") as go:  # opens when the command does
        ours.send_signal(signal.SIGKILL)
        ours.wait(10)
        go.write("\n")
    for _ in range(100):
        if taken.exists():
            break
        time.sleep(0.05)
    assert taken.stat().st_size == 300_000
