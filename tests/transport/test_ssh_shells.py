"""The shells of a connection: shared, few, lost one by one or all together, and never waited for in vain."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Sequence

import pytest

from runners.transport.base import Command, Reply, TransportError, UnreachableError
from runners.transport.shell import LostError
from runners.transport.ssh import SSHTransport
from tests.lab.proxy import Proxy
from tests.transport.far import Far

WHO_RUNS_ME = "ps -o ppid= $PPID"
"""Tells the process id of the shell of ours, from a command's own shell: timeout(1) is between them."""


@pytest.fixture
async def proxy(far: Far) -> AsyncIterator[Proxy]:
    async with Proxy(far.sshd.port) as proxy:
        far.trust(proxy)
        yield proxy


def allow(far: Far, sessions: int) -> None:
    """Have the host allow so many sessions for each connection."""
    far.sshd.stop()
    far.sshd.options = (f"MaxSessions {sessions}",)
    far.sshd.start()


def echo(transport: SSHTransport, word: object) -> Awaitable[Reply]:
    return transport.run(["echo", str(word)], timeout_s=5)


async def outcomes(*asked: Awaitable[Reply]) -> Sequence[object]:
    """What each has brought; nothing may hang."""
    async with asyncio.timeout(10):
        return [
            one.out if isinstance(one, Reply) else type(one)
            for one in await asyncio.gather(*asked, return_exceptions=True)
        ]


def test_the_errors_can_be_told_apart() -> None:
    assert issubclass(LostError, TransportError)
    assert not issubclass(LostError, UnreachableError)


async def test_a_host_that_starts_no_shell_keeps_nobody_waiting(far: Far) -> None:
    allow(far, 0)
    transport = far.open()
    for _ in range(2):
        assert await outcomes(*(echo(transport, n) for n in range(6))) == [UnreachableError] * 6
    assert "MaxSessions" in transport.line.trouble


@pytest.mark.parametrize("sessions", [1, 2])
async def test_the_only_shells_die_while_others_wait(far: Far, sessions: int) -> None:
    allow(far, sessions)
    transport = far.open()
    kill = ["sh", "-c", f"sleep 0.3; kill -9 $({WHO_RUNS_ME})"]
    lost = [transport.run(kill, timeout_s=5) for _ in range(sessions)]
    others = [echo(transport, n) for n in range(5)]
    answers = await outcomes(*lost, *others)
    assert answers == [LostError] * sessions + [b"%d\n" % n for n in range(5)]


async def test_a_cut_ends_all_exchanges_and_one_connection_serves_all_again(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    busy = [asyncio.ensure_future(transport.run(["sleep", "9"], timeout_s=10)) for _ in range(8)]
    await asyncio.sleep(0.4)
    proxy.cut()
    answers = await outcomes(*busy)
    # Those that had a shell may have run; nothing was sent for those that waited for one.
    assert sorted(map(str, answers)) == sorted([str(LostError)] * 4 + [str(UnreachableError)] * 4)
    assert await outcomes(*(echo(transport, n) for n in range(9))) == [b"%d\n" % n for n in range(9)]
    assert proxy.connections == 2


async def test_a_cut_while_shells_are_started_ends_all(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    await transport.connect()
    proxy.stall()
    asked = [asyncio.ensure_future(echo(transport, n)) for n in range(10)]
    await asyncio.sleep(0.1)
    proxy.cut()
    proxy.flow()
    assert await outcomes(*asked) == [UnreachableError] * 10
    assert await outcomes(*(echo(transport, n) for n in range(10))) == [b"%d\n" % n for n in range(10)]
    assert proxy.connections == 2


async def test_a_line_that_is_lost_while_nobody_uses_it_is_made_again_unseen(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    assert await outcomes(*(echo(transport, n) for n in range(3))) == [b"0\n", b"1\n", b"2\n"]
    proxy.cut()
    await asyncio.sleep(0.1)
    assert await outcomes(*(echo(transport, n) for n in range(3))) == [b"0\n", b"1\n", b"2\n"]
    assert proxy.connections == 2


async def test_a_shell_that_is_gone_when_it_is_needed_is_replaced_unseen(far: Far) -> None:
    transport = far.open()
    shell = await transport.run(["sh", "-c", WHO_RUNS_ME], timeout_s=5)
    os.kill(int(shell.out), 9)
    await asyncio.sleep(0.1)
    assert (await echo(transport, "hello")).out == b"hello\n"


async def test_shells_that_nobody_waits_for_any_more_are_not_lost(far: Far) -> None:
    allow(far, 3)
    async with Proxy(far.sshd.port, round_trip_s=0.1) as proxy:
        far.trust(proxy)
        transport = far.open(far.login(proxy))
        await transport.connect()
        for _ in range(6):
            given_up = asyncio.ensure_future(echo(transport, "never"))
            await asyncio.sleep(0.05)
            given_up.cancel()
            await asyncio.wait([given_up])
            assert given_up.cancelled()
        assert await outcomes(*(echo(transport, n) for n in range(5))) == [b"%d\n" % n for n in range(5)]


async def test_those_who_give_up_waiting_leave_their_turn_to_others(far: Far) -> None:
    allow(far, 1)
    transport = far.open()
    first = asyncio.ensure_future(transport.run(["sleep", "0.4"], timeout_s=5))
    await asyncio.sleep(0.2)
    waiting = [asyncio.ensure_future(echo(transport, n)) for n in range(8)]
    await asyncio.sleep(0.05)
    for task in waiting[::2]:
        task.cancel()
    await first
    assert await outcomes(*waiting[1::2]) == [b"1\n", b"3\n", b"5\n", b"7\n"]
    assert all(task.cancelled() for task in waiting[::2])


async def test_what_hangs_over_there_for_ever_is_left_behind(
    far: Far, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.ssh._GRACE_S", 0.1)
    allow(far, 1)
    transport = far.open(far.login(proxy))
    # It stops the shell itself, so that nothing ends it there: the host's only session is taken.
    stop = ["sh", "-c", f"kill -STOP $({WHO_RUNS_ME})"]
    assert await outcomes(transport.run(stop, timeout_s=0.2)) == [LostError]
    answers = [*await outcomes(echo(transport, "one")), *await outcomes(echo(transport, "two"))]
    assert answers[-1] == b"two\n"
    assert answers[0] in (UnreachableError, b"one\n")


async def test_hundreds_of_exchanges_at_once_each_get_their_own_answer(far: Far, proxy: Proxy) -> None:
    (far.home / "file").write_bytes(bytes(range(256)))
    transport = far.open(far.login(proxy))
    began = time.monotonic()
    answers = await outcomes(*(echo(transport, n) for n in range(300)))
    assert answers == [b"%d\n" % n for n in range(300)]
    assert proxy.connections == 1
    assert time.monotonic() - began < 8


async def test_closing_tells_all_who_wait(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    busy = [asyncio.ensure_future(transport.run(["sleep", "9"], timeout_s=10)) for _ in range(6)]
    await asyncio.sleep(0.4)
    await transport.close()
    answers = await outcomes(*busy)
    assert sorted(map(str, answers)) == sorted([str(LostError)] * 4 + [str(UnreachableError)] * 2)
    proxy.stall()
    logging_in = [asyncio.ensure_future(echo(transport, n)) for n in range(3)]
    await asyncio.sleep(0.1)
    await transport.close()
    # Not that they were cancelled: whoever waits would believe that of itself.
    assert await outcomes(*logging_in) == [UnreachableError] * 3


async def test_an_account_that_may_run_nothing_is_told_in_its_own_words(far: Far) -> None:
    far.sshd.stop()
    far.sshd.options = ("ForceCommand echo welcome; echo This account has expired. >&2; exit 1",)
    far.sshd.start()
    transport = far.open()
    with pytest.raises(UnreachableError, match=r"ends at once and says 'This account has expired\.'"):
        await echo(transport, "hello")


async def test_a_shell_that_ends_over_there_is_not_a_line_that_was_lost(far: Far) -> None:
    transport = far.open()
    with pytest.raises(LostError, match="the shell over there has ended"):
        await transport.run(["sh", "-c", f"kill -9 $({WHO_RUNS_ME})"], timeout_s=5)
    assert (await echo(transport, "again")).out == b"again\n"


async def test_answers_that_are_too_few_are_given_to_nobody(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = far.open()
    with monkeypatch.context() as patch:
        # As if a mark had been lost over there, of which nobody knows which.
        patch.setattr("runners.transport.ssh.marks_of", lambda commands, pieces: (len(commands) + 3, 4))
        with pytest.raises(LostError, match="not whole"):
            await transport.exchange([Command(("echo", "1")), Command(("echo", "2"))], timeout_s=5)
    assert [record.code for record in far.records[-2:]] == [None, None]
    assert (await echo(transport, "again")).out == b"again\n"
