"""Lines that are cut at any byte of what goes over them: what is answered is true, and the rest is said."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runners.transport.base import Command, Exchange, Piece, TransportError, UnreachableError
from runners.transport.ssh import SSHTransport
from tests.lab.proxy import Proxy, Way
from tests.transport.far import Far

BATCHES = 12

Work = Callable[[], Awaitable[object]]


@pytest.fixture
async def proxy(far: Far) -> AsyncIterator[Proxy]:
    async with Proxy(far.sshd.port) as proxy:
        far.trust(proxy)
        yield proxy


class Trial:
    """One way of using a line, that can be tried again and again."""

    def __init__(self, far: Far, transport: SSHTransport) -> None:
        self.far = far
        self.transport = transport
        self.number = 0
        self.data = [os.urandom(3000) for _ in range(20)]
        for number, data in enumerate(self.data):
            (far.home / f"file.{number}").write_bytes(data)
        self.files = [f"{far.home}/file.{number}" for number in range(20)]

    async def submit(self) -> None:
        """As batches are submitted: a folder, and a command with a script for each of them."""
        self.number += 1
        folder = self.far.home / f"run.{self.number}"
        append = ("sh", "-c", f"cat >>{folder}/$1 && echo $1", "sh")
        commands = [Command(("mkdir", str(folder)))]
        scripts = [f"#!/bin/sh\n# {self.number} {index}\n".encode() * 50 for index in range(BATCHES)]
        commands += [Command((*append, f"{index:02d}"), script) for index, script in enumerate(scripts)]
        before = set(self.far.home.glob("run.*"))
        try:
            exchange = await self.transport.exchange(commands, timeout_s=5, stop=True)
        except UnreachableError:
            assert set(self.far.home.glob("run.*")) == before
            raise
        finally:
            # Whatever was done was done in order, and never twice.
            done = sorted(folder.iterdir()) if folder.exists() else []
            assert [file.name for file in done] == [f"{index:02d}" for index in range(len(done))]
            for file, script in list(zip(done, scripts, strict=False))[:-1]:
                assert file.read_bytes() == script
        assert [reply.out for reply in exchange.replies[1:]] == [b"%02d\n" % n for n in range(BATCHES)]

    async def poll(self) -> None:
        """As batches are looked at."""
        pieces = [Piece(path, 1000 + number, 1 << 20) for number, path in enumerate(self.files)]
        exchange: Exchange = await self.transport.exchange(
            [Command(("head", "-c", "50000", "/dev/zero"))], pieces, timeout_s=5
        )
        assert exchange.replies[0].out == bytes(50_000)
        assert [part.data for part in exchange.parts if part] == [
            data[1000 + number :] for number, data in enumerate(self.data)
        ]

    async def fetch(self) -> None:
        """As results are fetched."""
        fetched: Sequence[bytes | None] = await self.transport.fetch(self.files, 1 << 20)
        assert fetched == self.data


@pytest.fixture
def trial(far: Far, proxy: Proxy) -> Trial:
    return Trial(far, far.open(far.login(proxy)))


@pytest.mark.parametrize("kind", ["submit", "poll", "fetch"])
@settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(after=st.integers(1, 5000), way=st.sampled_from(["up", "down"]))
async def test_a_line_that_is_cut_anywhere(
    kind: str, trial: Trial, proxy: Proxy, after: int, way: Way
) -> None:
    work: Work = getattr(trial, kind)
    # There is a line, and a shell: what is sent goes out.
    await trial.transport.run(["true"], timeout_s=5)
    proxy.cut_after(after, way)
    async with asyncio.timeout(10):
        try:
            await work()
        except TransportError as error:
            assert not isinstance(error, UnreachableError), "something was sent"
            assert trial.transport.line.up is False
            assert "line was lost" in trial.transport.line.trouble
    # Where less went over it, it is not cut later on.
    proxy.cut_after(1 << 40, way)
    await work()
    assert trial.transport.line.up is True


async def test_a_line_that_is_cut_while_one_logs_in(trial: Trial, proxy: Proxy) -> None:
    await trial.transport.connect()
    login = proxy.bytes["down"]
    for after in (1, 30, login // 3, login // 2, login - 20):
        proxy.cut()
        # It takes a moment until it is known to be gone.
        await asyncio.sleep(0.1)
        proxy.cut_after(after, "down")
        with pytest.raises(UnreachableError):
            await trial.submit()
        # After a success there is no pause: what failed before it is over.
        await trial.transport.connect()
        await trial.submit()
