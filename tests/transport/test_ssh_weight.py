"""What looks at many files cost, with paths and events as they are; and they miss nothing of what grows."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest

from runners.transport.base import Command, Piece
from tests.lab.proxy import Proxy
from tests.transport.far import Far

BATCHES = 50


def events_of(folder: Path, batches: int = BATCHES) -> Sequence[Path]:
    """Event files, where and how runs have them."""
    files = []
    for number in range(batches):
        token = f"ry-1f2e3d4c-{number:03d}-{secrets.token_hex(4)}"
        file = folder / "runyard/20261123-101500-1f2e3d4c/0_segmentation" / token / "events.0.jsonl"
        file.parent.mkdir(parents=True)
        events = ({"s": s, "t": 1.7e9 + s, "e": "end", "i": s * number, "state": "done"} for s in range(20))
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        files.append(file)
    return files


@pytest.mark.parametrize("compression", ["delayed", "no"])
async def test_a_look_at_50_batches_is_light(far: Far, compression: str) -> None:
    far.sshd.stop()
    far.sshd.options = (f"Compression {compression}",)
    far.sshd.start()
    files = events_of(far.home)
    rows = [f"{n}|RUNNING|{file.parent.name}|None|1:02:03|UNLIMITED|c{n}" for n, file in enumerate(files)]
    (far.home / "squeue").write_text("\n".join(rows))
    async with Proxy(far.sshd.port, round_trip_s=0.05) as proxy:
        far.trust(proxy)
        transport = far.open(far.login(proxy))
        await transport.run(["true"], timeout_s=5)
        # Every fifth has news.
        pieces = [
            Piece(str(file), file.stat().st_size - (100 if number % 5 == 0 else 0), 1 << 16)
            for number, file in enumerate(files)
        ]
        proxy.reset()
        exchange = await transport.exchange([Command(("cat", f"{far.home}/squeue"))], pieces, timeout_s=5)
        assert exchange.replies[0].out.count(b"RUNNING") == BATCHES
        assert sum(len(part.data) for part in exchange.parts if part) == 1000
        assert proxy.round_trips == 1
        assert sum(proxy.bytes.values()) < (20_000 if compression == "no" else 5_000)
        await far.close()


async def test_nothing_of_files_that_grow_is_missed_or_read_twice(far: Far) -> None:
    files = [far.home / f"growing.{number}" for number in range(3)]
    for file in files:
        file.touch()
    lines = [f"{number} {'x' * (number % 97)}\n".encode() for number in range(3000)]

    async def grow() -> None:
        for first in range(0, len(lines), 20):
            for file in files:
                with file.open("ab") as end:
                    end.write(b"".join(lines[first : first + 20]))
            await asyncio.sleep(0.001)

    read = [b""] * len(files)
    transport = far.open()
    growing = asyncio.create_task(grow())
    looks = 0
    while not growing.done() or any(len(data) < len(b"".join(lines)) for data in read):
        pieces = [Piece(str(file), len(data), 10_000) for file, data in zip(files, read, strict=True)]
        parts = await transport.read(pieces)
        for number, part in enumerate(parts):
            assert part is not None
            assert part.offset == len(read[number])
            assert part.size >= part.offset + len(part.data)
            read[number] += part.data
        looks += 1
    await growing
    assert looks > 1
    assert read == [b"".join(lines)] * len(files)
