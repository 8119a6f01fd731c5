"""Commands and files over SSH: with a real sshd, over lines that are slow, break and hang."""

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import AsyncIterator

import pytest

from runners.transport.base import TOO_LATE, Command, Part, Piece, TransportError, UnreachableError
from runners.transport.ssh import SSHTransport
from tests.lab.proxy import Proxy
from tests.transport.far import Far


@pytest.fixture
def transport(far: Far) -> SSHTransport:
    return far.open()


@pytest.fixture
async def proxy(far: Far) -> AsyncIterator[Proxy]:
    async with Proxy(far.sshd.port) as proxy:
        far.trust(proxy)
        yield proxy


def run(*argv: str, data: bytes = b"") -> Command:
    return Command(argv, data)


NOISE = """\
echo "welcome, and read this:"
printf '\\n@0123456789abcdef begin\\n\\n@'
echo "bash: warning: nothing" >&2
printf '\\n@0123456789abcdef 0\\n' >&2
export LC_ALL=C.UTF-8 SQUEUE_FORMAT=%i
"""


async def test_what_a_login_prints_is_no_answer(far: Far) -> None:
    far.sshd.stop()
    (far.home / "banner").write_text("Unauthorized access is forbidden.\n" * 50)
    (far.home / "banner").chmod(0o644)
    far.sshd.options = (f"Banner {far.home}/banner", "PrintMotd yes")
    far.sshd.start()
    (far.home / ".bashrc").write_text(NOISE)
    (far.home / "file").write_bytes(b"content")
    transport = far.open()
    for _ in range(2):
        exchange = await transport.exchange(
            [run("whoami"), run("sh", "-c", "echo err >&2"), run("env")],
            [Piece(f"{far.home}/file", 0, 100), Piece(f"{far.home}/none", 0, 100)],
            timeout_s=5,
        )
        who, err, env = exchange.replies
        assert who.out == f"{far.sshd.user}\n".encode()
        assert who.err == b""
        assert err.err == b"err\n"
        assert b"LC_ALL=C\n" in env.out
        assert b"SQUEUE_FORMAT" not in env.out
        assert exchange.parts == [Part(b"content", 0, 7), None]


async def test_binary_data_and_large_parts_arrive_as_they_are(transport: SSHTransport, far: Far) -> None:
    data = os.urandom(1 << 20) + bytes(1 << 20)
    (far.home / "large").write_bytes(data)
    pieces = [Piece(f"{far.home}/large", offset, 1 << 20) for offset in (0, 1 << 19, -(1 << 20))]
    exchange = await transport.exchange([run("cat", data=data)], pieces, timeout_s=10)
    assert exchange.replies[0].out == data
    assert [part.data for part in exchange.parts if part] == [
        data[: 1 << 20],
        data[1 << 19 : (1 << 19) + (1 << 20)],
        data[1 << 20 :],
    ]


async def test_a_file_that_cannot_be_read_harms_no_other(transport: SSHTransport, far: Far) -> None:
    (far.home / "good").write_bytes(b"good")
    (far.home / "closed").write_bytes(b"secret")
    (far.home / "closed").chmod(0o000)
    (far.home / "locked").mkdir(mode=0o700)
    (far.home / "locked/file").write_bytes(b"secret")
    os.mkfifo(far.home / "pipe")
    names = ["closed", "locked/file", "pipe", "", "none", "good"]
    parts = await transport.read([Piece(f"{far.home}/{name}", 0, 10) for name in names])
    troubles = [part.trouble.partition("can't be read: ")[2] for part in parts if part]
    assert troubles == [*["Permission denied"] * 2, *["it is not a regular file"] * 2, ""]
    assert parts[4:] == [None, Part(b"good", 0, 4)]


async def test_whole_files_are_fetched_in_one_stream(transport: SSHTransport, far: Far) -> None:
    (far.home / "out").mkdir()
    files = [far.home / f"out/{index} it's {'x' * (index % 200)}.json" for index in range(300)]
    for index, file in enumerate(files):
        file.write_text(json.dumps(index))
    names = list(map(str, files))
    os.link(names[1], far.home / "hard")
    (far.home / "soft").symlink_to(names[2])
    os.mkfifo(far.home / "pipe")
    (far.home / "closed").write_bytes(b"secret")
    (far.home / "closed").chmod(0o000)
    (far.home / "big").write_bytes(b"x" * 1001)
    (far.home / "full").write_bytes(b"x" * 1000)
    others = ["hard", "soft", "pipe", "closed", "big", "full", "none", "out"]
    fetched = await transport.fetch([*names, *(f"{far.home}/{name}" for name in others), "relative"], 1000)
    assert fetched[:300] == [b"%d" % index for index in range(300)]
    assert fetched[300:] == [b"1", b"2", None, None, None, b"x" * 1000, None, None, None]
    assert await transport.fetch([], 10) == []


async def test_fifty_commands_and_a_poll_are_one_round_trip_each(far: Far) -> None:
    async with Proxy(far.sshd.port, round_trip_s=0.05) as proxy:
        far.trust(proxy)
        transport = far.open(far.login(proxy))
        await transport.run(["true"], timeout_s=5)
        script = b"#!/bin/sh\n" + b"# one line of many, as scripts have them\n" * 500
        began = time.monotonic()
        exchange = await transport.exchange([run("cat", data=script)] * 50, timeout_s=5)
        assert time.monotonic() - began < 1.0
        assert {reply.out for reply in exchange.replies} == {script}
        pieces = []
        for index in range(50):
            path = far.home / f"events.{index}.jsonl"
            path.write_text('{"kind": "start", "task": 1}\n' * 10)
            pieces.append(Piece(str(path), 100 if index % 10 else 290, 65536))
        proxy.reset()
        began = time.monotonic()
        await transport.exchange([run("echo", "12|RUNNING|x\n" * 50)], pieces, timeout_s=5)
        assert time.monotonic() - began < 1.0
        assert proxy.round_trips == 1
        assert sum(proxy.bytes.values()) < 20_000
        assert transport.line.round_trip_s is not None
        assert 0.05 <= transport.line.round_trip_s < 0.15


async def test_a_command_that_hangs_is_killed_and_holds_up_no_other(transport: SSHTransport) -> None:
    began = time.monotonic()
    hanging, quick = await asyncio.gather(
        transport.exchange([run("sleep", "30"), run("echo", "next")], timeout_s=0.5),
        transport.run(["echo", "other"], timeout_s=5),
    )
    assert [reply.code for reply in hanging.replies] == [TOO_LATE, 0]
    assert quick.out == b"other\n"
    assert time.monotonic() - began < 5
    with pytest.raises(TransportError, match=r"no answer within 0\.2 s"):
        await transport.run(["sleep", "30"], timeout_s=0.2)


async def test_a_shell_that_hangs_is_replaced(
    transport: SSHTransport, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.ssh._GRACE_S", 0.2)
    await transport.run(["true"], timeout_s=5)
    lost, other = await asyncio.gather(
        # Whoever started what started it, which is the shell.
        transport.run(["sh", "-c", "kill -STOP $(ps -o ppid= $PPID)"], timeout_s=0.3),
        transport.run(["echo", "other"], timeout_s=5),
        return_exceptions=True,
    )
    assert isinstance(lost, TransportError)
    assert not isinstance(lost, UnreachableError)
    assert not isinstance(other, BaseException)
    assert transport.line.up is False
    assert "no answer" in transport.line.trouble
    assert far.records[-1].code is None or far.records[-2].code is None
    assert (await transport.run(["echo", "again"], timeout_s=5)).out == b"again\n"
    assert transport.line.up is True


async def test_a_line_that_is_cut_while_it_answers_is_made_again(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    await transport.run(["true"], timeout_s=5)
    proxy.cut_after(3000, "down")
    with pytest.raises(TransportError, match="line was lost") as caught:
        await transport.exchange(
            [run("echo", "first"), run("head", "-c", "100000", "/dev/urandom")], timeout_s=5
        )
    assert not isinstance(caught.value, UnreachableError)
    assert transport.line.up is False
    assert [record.code for record in far.records[-2:]] in ([0, None], [None, None])
    assert (await transport.run(["echo", "again"], timeout_s=5)).out == b"again\n"
    assert transport.line.up is True


@pytest.mark.parametrize("sent", [100, 10_000, 100_000, 390_000])
async def test_a_line_that_is_cut_while_it_is_told_does_nothing(far: Far, proxy: Proxy, sent: int) -> None:
    transport = far.open(far.login(proxy))
    await transport.run(["true"], timeout_s=5)
    script = os.urandom(100_000).hex().encode() + b"\n"
    commands = [run("mkdir", f"{far.home}/one"), run("cat", data=script), run("mkdir", f"{far.home}/two")]
    proxy.cut_after(min(sent, 110_000), "up")
    with pytest.raises(TransportError, match="line was lost"):
        await transport.exchange(commands, timeout_s=5)
    assert (await transport.run(["ls", str(far.home)], timeout_s=5)).out == b""


async def test_a_host_that_is_gone_is_told_and_found_again(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.transport.connecting._FIRST_REST_S", 0.05)
    transport = far.open()
    await transport.run(["true"], timeout_s=5)
    far.sshd.stop()
    with pytest.raises(TransportError, match="line was lost"):
        await transport.run(["true"], timeout_s=5)
    for _ in range(3):
        with pytest.raises(UnreachableError, match="refuses connections"):
            await transport.run(["true"], timeout_s=5)
    assert transport.line.up is False
    assert transport.line.trouble.startswith("'127.0.0.1' refuses connections; ")
    far.sshd.start()
    async with asyncio.timeout(10):
        while transport.line.up is not True:
            with contextlib.suppress(UnreachableError):
                await transport.run(["true"], timeout_s=5)
            await asyncio.sleep(0.02)


async def test_failed_attempts_are_followed_by_growing_pauses(far: Far, proxy: Proxy) -> None:
    far.sshd.stop()
    transport = far.open(far.login(proxy))
    for _ in range(5):
        with pytest.raises(UnreachableError, match="closed the line"):
            await transport.run(["true"], timeout_s=5)
    assert proxy.connections == 1
    with pytest.raises(UnreachableError, match="closed the line"):
        await transport.connect()
    assert proxy.connections == 2


async def test_a_line_that_says_nothing_is_felt_for(
    far: Far, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.logging_in._KEEPALIVE_S", 0.1)
    transport = far.open(far.login(proxy))
    await transport.run(["true"], timeout_s=5)
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(TransportError, match="line was lost"):
        await transport.run(["true"], timeout_s=30)
    assert time.monotonic() - began < 5
    proxy.flow()
    await transport.run(["true"], timeout_s=5)


@pytest.mark.parametrize("sessions", [1, 2, 3])
async def test_a_host_that_allows_few_sessions(far: Far, sessions: int) -> None:
    far.sshd.stop()
    far.sshd.options = (f"MaxSessions {sessions}",)
    far.sshd.start()
    transport = far.open()
    replies = await asyncio.gather(
        *(transport.run(["sh", "-c", f"sleep 0.1; echo {index}"], timeout_s=5) for index in range(8))
    )
    assert [reply.out for reply in replies] == [b"%d\n" % index for index in range(8)]


async def test_one_connection_and_few_shells_serve_all(far: Far, proxy: Proxy) -> None:
    transport = far.open(far.login(proxy))
    # Each tells the shell that it was started by.
    tells = "sleep 0.1; ps -o ppid= $PPID"
    replies = await asyncio.gather(*(transport.run(["sh", "-c", tells], timeout_s=5) for _ in range(12)))
    assert proxy.connections == 1
    assert len({reply.out for reply in replies}) == 4


async def test_control_does_not_wait_behind_work(transport: SSHTransport, far: Far) -> None:
    work = [asyncio.create_task(transport.run(["sleep", "1"], timeout_s=5)) for _ in range(8)]
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await transport.make_folders([f"{far.home}/control/stop"])
    assert time.monotonic() - began < 0.5
    assert not any(task.done() for task in work)
    await asyncio.gather(*work)


async def test_cancelling_one_exchange_harms_no_other(transport: SSHTransport) -> None:
    tasks = [asyncio.create_task(transport.run(["sleep", "0.5"], timeout_s=5)) for _ in range(4)]
    await asyncio.sleep(0.2)
    tasks[0].cancel()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()
    assert [task.result().code for task in tasks[1:]] == [0, 0, 0]
    assert (await transport.run(["echo", "again"], timeout_s=5)).out == b"again\n"


async def test_an_answer_without_end_is_not_awaited(
    transport: SSHTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.ssh._LARGEST", 1_000_000)
    with pytest.raises(TransportError, match="longer than 1,000,000 bytes"):
        await transport.run(["cat", "/dev/zero"], timeout_s=20)
    assert (await transport.run(["echo", "again"], timeout_s=5)).out == b"again\n"


async def test_every_command_is_recorded(transport: SSHTransport, far: Far) -> None:
    await transport.exchange(
        [run("sh", "-c", "sleep 0.2; echo out; exit 3"), run("cat", data=b"TOKEN=hunter2\n")],
        [Piece("/etc/hostname", 0, 1000)],
        timeout_s=5,
    )
    await transport.fetch(["/etc/hostname"], 1000)
    login, first, second, read, fetched = far.records
    assert {record.place for record in far.records} == {transport.login.place}
    assert (login.command, login.code) == (f"ssh -- {far.sshd.user}@127.0.0.1", 0)
    assert (first.command, first.code, first.out) == ("sh -c 'sleep 0.2; echo out; exit 3'", 3, "out\n")
    assert 0.2 <= first.seconds < 0.5
    assert (second.command, second.out) == ("cat < 14 bytes", "TOKEN=[redacted]\n")
    assert second.seconds < 0.1
    assert read.command.startswith("read 1 file, ")
    assert fetched.command == read.command


async def test_the_log_is_not_filled_with_steps(
    transport: SSHTransport, caplog: pytest.LogCaptureFixture
) -> None:
    # As the engine has it.
    with caplog.at_level(logging.INFO):
        await transport.run(["true"], timeout_s=5)
    assert caplog.records == []


async def test_a_closed_transport_may_be_used_again(transport: SSHTransport) -> None:
    await transport.run(["true"], timeout_s=5)
    await transport.close()
    assert (await transport.run(["echo", "again"], timeout_s=5)).out == b"again\n"


async def test_commands_are_run_whatever_the_login_shell_is(far: Far) -> None:
    shell = far.sshd.folder / "shell"
    shell.write_text('#!/bin/sh\necho hello; echo err >&2\n[ "$#" = 2 ] && [ "$1" = -c ] && eval "$2"\n')
    shell.chmod(0o755)
    far.sshd.stop()
    far.sshd.options = (f'ForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"',)
    far.sshd.start()
    assert (await far.open().run(["echo", "$HOME"], timeout_s=5)).out == b"$HOME\n"
