"""Acting for another user through the real sudo, with the five commands and nothing else."""

import asyncio
import contextlib
import json
import os
import time
from pathlib import Path

import pytest

from runners.transport.base import NOT_RUN, TOO_LATE, Command, Part, Piece, TransportError, UnreachableError
from runners.transport.cat import _clear_away
from runners.transport.near import NEAR_BYTES
from runners.transport.records import CommandRecord
from runners.transport.sudo import SudoTransport
from tests.transport.conftest import GRANTED, Acting
from tests.waiting import until


@pytest.fixture
def records() -> list[CommandRecord]:
    return []


@pytest.fixture
def transport(acting: Acting, records: list[CommandRecord]) -> SudoTransport:
    return SudoTransport(
        acting.target, sudo=(*acting.as_operator, "sudo"), own=acting.as_operator, record=records.append
    )


def leftovers() -> set[str]:
    return {name for name in os.listdir("/tmp") if name.startswith("runyard-cat-")}


def running_with(argument: str) -> list[str]:
    """The processes that have *argument* on their command line."""
    found: list[str] = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if argument in line.read_text(errors="replace"):
                found.append(line.parent.name)
    return found


async def test_commands_run_as_the_user_and_files_are_read_as_it(
    transport: SudoTransport, acting: Acting
) -> None:
    folder = acting.home / "a" / "b c'd"
    await transport.make_folders([str(folder)])
    assert folder.owner() == acting.target
    assert folder.stat().st_mode & 0o777 == 0o700
    path = acting.write("a/b c'd/file", b"\0\xff\x1b[31m\r\n" * 3)
    assert await transport.read([Piece(path, 4, 10)]) == [Part((b"\0\xff\x1b[31m\r\n" * 3)[4:14], 4, 27)]
    assert transport.line.up is True


async def test_many_files_are_read_at_once_and_told_apart(
    transport: SudoTransport, acting: Acting, records: list[CommandRecord]
) -> None:
    before = leftovers()
    good = acting.write("good", b"x" * 1000)
    odd = acting.write("o d$d\"'`\\é[/]\x1b", b"odd")
    empty = acting.write("empty", b"")
    closed = acting.write("closed", b"secret", mode=0)
    pieces = [
        Piece(good, 990, 100),
        Piece(str(acting.home / "missing"), 0, 10),
        Piece(closed, 0, 10),
        Piece(empty, 0, 10),
        Piece(f"{good}/below", 0, 10),
        Piece(str(acting.home), 0, 10),
        Piece(odd, -2, 10),
        Piece(f"{good}\n/etc/passwd", 0, 10),
        Piece("relative", 0, 10),
        Piece(good, 5000, 10),
        Piece(good, -3, 2),
    ]
    parts = await transport.read(pieces)
    assert parts[0] == Part(b"x" * 10, 990, 1000)
    assert parts[1] is None
    assert parts[2] == Part(b"", 0, 0, f"{closed!r} can't be read: Permission denied")
    assert parts[3] == Part(b"", 0, 0)
    assert parts[4] is None
    assert parts[5] == Part(b"", 0, 0, f"{str(acting.home)!r} can't be read: Is a directory")
    assert parts[6] == Part(b"dd", 1, 3)
    assert parts[7] is not None
    assert "line break" in parts[7].trouble
    assert parts[8] is not None
    assert "absolute" in parts[8].trouble
    assert parts[9] == Part(b"", 5000, 1000)
    assert parts[10] == Part(b"xx", 997, 1000)
    assert leftovers() == before
    (record,) = records
    assert record.command.startswith("read 11 files, ")
    assert "Permission denied" in record.err


async def test_what_a_killed_process_has_left_is_cleared_away(
    transport: SudoTransport, acting: Acting
) -> None:
    paths = [Path(f"/tmp/runyard-cat-{name}-{os.getpid()}") for name in ("old", "new")]
    for path, age in zip(paths, (7200, 60), strict=True):
        path.write_bytes(b"nonce")
        os.utime(path, (time.time() - age,) * 2)
    try:
        _clear_away.cache_clear()
        await transport.read([Piece(acting.write("file", b"x"), 0, 1)])
        assert [path.exists() for path in paths] == [False, True]
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


async def test_a_file_cannot_pretend_to_be_the_end_of_another(
    transport: SudoTransport, acting: Acting
) -> None:
    guess = b"\n" + b"0" * 32 + b"\n"
    first = acting.write("first", guess * 5)
    second = acting.write("second", b"2")
    parts = await transport.read([Piece(first, 0, 1000), Piece(second, 0, 10)])
    assert [part.data for part in parts if part] == [guess * 5, b"2"]


async def test_a_large_file_is_read_near_its_start_only(transport: SudoTransport, acting: Acting) -> None:
    with (acting.home / "large").open("wb") as file:
        file.truncate(3_000_000_000)
    acting.give(acting.home / "large")
    large, after = str(acting.home / "large"), acting.write("after", b"after")
    pieces = [Piece(large, 100, 10), Piece(after, 0, 10), Piece(large, -10, 10), Piece(large, 1_000_000, 10)]
    began = time.monotonic()
    parts = await transport.read(pieces)
    assert time.monotonic() - began < 2
    assert parts[0] == Part(bytes(10), 100, 3_000_000_000)
    assert parts[1] == Part(b"after", 0, 5)
    assert parts[2] is not None
    assert "only its start" in parts[2].trouble
    assert parts[3] == parts[2]


async def test_the_end_of_a_large_log_comes_from_its_tail(transport: SudoTransport, acting: Acting) -> None:
    log = acting.write("log", b"a" * NEAR_BYTES + b"b" * 100_000)
    first, end = NEAR_BYTES + 40_000, b"b" * 59_990 + b"0123456789"
    acting.write("log.tail", json.dumps({"offset": first}).encode() + b"\n" + end)
    size = first + len(end)
    pieces = [
        Piece(log, 0, 5),
        Piece(log, -10, 100),
        Piece(log, NEAR_BYTES, 10),
        Piece(log, size - 3, 100),
        Piece(log, size, 100),
        Piece(log, -1_000_000, 5),
    ]
    parts = await transport.read(pieces)
    assert parts == [
        Part(b"aaaaa", 0, NEAR_BYTES + 100_000),
        Part(b"0123456789", size - 10, size),
        # What is neither near the start nor in the tail is skipped.
        Part(b"b" * 10, first, size),
        Part(b"789", size - 3, size),
        Part(b"", size, size),
        Part(b"bbbbb", first, size),
    ]


async def test_a_log_that_is_about_to_get_a_tail_is_read_to_its_end(
    transport: SudoTransport, acting: Acting
) -> None:
    log = acting.write("log", b"0123456789")
    acting.write("log.tail", b'{"offset": 12')
    assert await transport.read([Piece(log, -3, 10)]) == [Part(b"789", 7, 10)]


async def test_a_pipe_in_the_place_of_a_file_harms_no_other(
    transport: SudoTransport, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.cat._STALL_S", 0.5)
    os.mkfifo(acting.home / "pipe", 0o600)
    acting.give(acting.home / "pipe")
    pipe, after = str(acting.home / "pipe"), acting.write("after", b"after")
    parts = await transport.read([Piece(after, 0, 3), Piece(pipe, 0, 10), Piece(after, 3, 10)])
    assert parts[0] == Part(b"aft", 0, 5)
    assert parts[1] is not None
    assert "gave nothing" in parts[1].trouble
    assert parts[2] == Part(b"er", 3, 5)
    assert not running_with(pipe)


async def test_whole_files_are_fetched_in_one_stream(transport: SudoTransport, acting: Acting) -> None:
    paths = [acting.write(f"results/{index}.json", json.dumps({"n": index}).encode()) for index in range(200)]
    paths.insert(100, str(acting.home / "missing"))
    big = acting.write("big", b"x" * 100_000)
    fetched = await transport.fetch([*paths, big, paths[0]], 1000)
    assert fetched[100] is None
    assert fetched[201] is None
    assert fetched[202] == fetched[0] == b'{"n": 0}'
    assert fetched[101] == b'{"n": 100}'
    assert await transport.fetch([big], 100_000) == [b"x" * 100_000]


async def test_commands_after_a_failed_one_are_not_run(transport: SudoTransport, acting: Acting) -> None:
    folder = str(acting.home / "new")
    commands = [Command(("mkdir", "/proc/new")), Command(("mkdir", folder))]
    stopped = await transport.exchange(commands, timeout_s=5, stop=True)
    assert [reply.code for reply in stopped.replies] == [1, NOT_RUN]
    went_on = await transport.exchange(commands, timeout_s=5)
    assert [reply.code for reply in went_on.replies] == [1, 0]


async def test_a_command_that_hangs_is_ended(transport: SudoTransport, acting: Acting) -> None:
    os.mkfifo(acting.home / "pipe", 0o600)
    acting.give(acting.home / "pipe")
    hanging = Command(("cat", str(acting.home / "pipe")))
    exchange = await transport.exchange([hanging, Command(("ls", "-d", "/"))], timeout_s=0.3)
    assert [reply.code for reply in exchange.replies] == [TOO_LATE, 0]


async def test_input_reaches_the_command_as_it_is(transport: SudoTransport) -> None:
    data = bytes(range(256)) * 4096
    reply = await transport.run(["cat"], stdin=data, timeout_s=10)
    assert reply.out == data


async def test_only_the_commands_that_a_site_grants_are_run(transport: SudoTransport) -> None:
    for name in ("rm", "sh", "cp", "/usr/bin/cat", "sudo"):
        with pytest.raises(ValueError, match="not a command"):
            await transport.run([name], timeout_s=5)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("", "a password is required"),
        ("{operator} ALL=({target}) PASSWD: {granted}", "NOPASSWD: "),
        ("{operator} ALL=(daemon) NOPASSWD: {granted}", "a password is required"),
        (
            "Defaults:{operator} requiretty\n{operator} ALL=({target}) NOPASSWD: {granted}",
            "!requiretty",
        ),
    ],
)
async def test_a_refusal_of_sudo_says_what_to_do(
    transport: SudoTransport, acting: Acting, records: list[CommandRecord], rules: str, words: str
) -> None:
    acting.allow(rules.format(operator=acting.operator, target=acting.target, granted=GRANTED))
    with pytest.raises(UnreachableError, match=words):
        await transport.make_folders([str(acting.home / "new")])
    with pytest.raises(UnreachableError, match="sudoers file"):
        await transport.read([Piece("/etc/hostname", 0, 1)])
    assert transport.line.up is False
    assert words in transport.line.trouble
    assert records[0].code is None
    assert not (acting.home / "new").exists()
    acting.allow(f"{acting.operator} ALL=({acting.target}) NOPASSWD: {GRANTED}")
    await transport.make_folders([str(acting.home / "new")])
    assert transport.line.up is True


async def test_a_command_that_is_not_granted_is_answered_where_others_were_run(
    transport: SudoTransport, acting: Acting
) -> None:
    acting.allow(f"{acting.operator} ALL=({acting.target}) NOPASSWD: /usr/bin/mkdir")
    commands = [Command(("mkdir", str(acting.home / "new"))), Command(("ls", "/"))]
    made, listed = (await transport.exchange(commands, timeout_s=5)).replies
    assert made.code == 0
    assert listed.code == 1
    assert b"a password is required" in listed.err


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("nobody-like-that", "no user"),
        ("root", "nobody acts as root"),
        ("-i", "name of a user"),
        ("", "name"),
    ],
)
async def test_a_user_that_cannot_be_acted_for(acting: Acting, user: str, words: str) -> None:
    transport = SudoTransport(user, sudo=(*acting.as_operator, "sudo"))
    for attempt in (transport.make_folders(["/nonesuch"]), transport.read([Piece("/nonesuch", 0, 1)])):
        with pytest.raises(UnreachableError, match=words):
            await attempt


async def test_sudo_that_is_not_there() -> None:
    transport = SudoTransport("nobody", sudo=("/nonesuch/sudo",))
    with pytest.raises(UnreachableError, match="can't be started"):
        await transport.run(["ls"], timeout_s=5)
    with pytest.raises(TransportError, match="can't be started"):
        await transport.read([Piece("/etc/hostname", 0, 1)])


@pytest.mark.parametrize("setting", ["log_input, log_output", "use_pty"])
async def test_a_site_that_logs_what_is_typed_or_uses_a_terminal(
    transport: SudoTransport, acting: Acting, setting: str
) -> None:
    grant = f"{acting.operator} ALL=({acting.target}) NOPASSWD: {GRANTED}"
    logs = f"Defaults:{acting.operator} iolog_dir={acting.home}/sudo-io"
    acting.allow(f"{logs}\nDefaults:{acting.operator} {setting}\n{grant}")
    path = acting.write("file", b"content")
    missing, part = await transport.read([Piece(f"{path}.none", 0, 9), Piece(path, 0, 100)])
    assert missing is None
    assert part == Part(b"content", 0, 7)
    data = b"\0\x03\x04\x1a\r\n" * 1000
    assert (await transport.run(["cat"], stdin=data, timeout_s=10)).out == data


async def test_cancelling_ends_what_runs(transport: SudoTransport, acting: Acting) -> None:
    os.mkfifo(acting.home / "pipe", 0o600)
    acting.give(acting.home / "pipe")
    pipe = str(acting.home / "pipe")
    task = asyncio.create_task(transport.read([Piece(pipe, 0, 10)]))
    await until(lambda: running_with(pipe))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running_with(pipe)


async def test_the_environment_of_a_batch_changes_no_command(
    transport: SudoTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/nonesuch/library.so")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    reply = await transport.run(["ls", "/nonesuch"], timeout_s=5)
    assert reply.err == b"/usr/bin/ls: cannot access '/nonesuch': No such file or directory\n"
