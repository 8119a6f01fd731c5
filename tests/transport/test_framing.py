"""What is written to a shell, and what is read out of its answers: with the real shells of this machine."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runners.transport.base import NOT_RUN, TOO_LATE, Command, Part, Piece
from runners.transport.framing import Frame, Frames, exchange_script, fetch_script, parts_of, replies_of
from tests.transport.shells import NONCE, exchange_with, tell

SHELLS = [
    pytest.param(("dash",), id="dash"),
    pytest.param(("bash", "--posix"), id="posix"),
    pytest.param(("bash",), id="bash"),
]

words = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)
nasty = st.sampled_from(
    [
        "$(touch /tmp/ry)",
        "`id`",
        "'\"; exit",
        "a\nb\n",
        "\n}\n",
        "-rf",
        "",
        "\\",
        "*",
        "~",
        "\x1b[31m",
        "%s%n",
        "\n@fedcba9876543210 end\n",
        "\udcff\udc80",
    ]
)
inputs = st.one_of(st.binary(max_size=200), st.just(b""), st.just(b"EOF\n$(id)\n`id`\n\\\n"), st.just(b"\n"))


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(words | nasty, max_size=4), inputs), min_size=1, max_size=6))
def test_arguments_and_input_reach_a_command_as_they_are(
    shell: Sequence[str], given_to: list[tuple[list[str], bytes]]
) -> None:
    tells = ("sh", "-c", 'for word; do printf "%s\\0" "$word"; done; cat', "sh")
    commands = [Command((*tells, *arguments), data) for arguments, data in given_to]
    replies = exchange_with(shell, commands).replies
    for (arguments, data), reply in zip(given_to, replies, strict=True):
        expected = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in arguments) + data
        assert (reply.code, reply.out, reply.err) == (0, expected, b"")


def test_an_argument_that_no_program_can_get_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        exchange_script([Command(("a", "b\0c"))], [], NONCE, timeout_s=1, stop=False)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\nmkdir other\n" * 20, b"\0" * 200], ids=["none", "text", "coded"]
)
def test_a_script_that_comes_in_part_does_nothing(shell: Sequence[str], data: bytes, tmp_path: Path) -> None:
    made = tmp_path / "made"
    commands = [Command(("tee", str(made)), data), Command(("mkdir", str(tmp_path / "folder")))]
    script = exchange_script(commands, [], NONCE, timeout_s=5, stop=False)
    # Without its last line break it is still whole.
    for missing in {*range(len(script), 1, -23), 2, 3, 15}:
        tell(shell, script, missing=missing)
        assert list(tmp_path.iterdir()) == [], script[:-missing]
    tell(shell, script)
    assert made.read_bytes() == data


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_files_are_only_names(shell: Sequence[str], tmp_path: Path) -> None:
    names = ["a b", "it's", '"$(id)"', "\\", "*", "[x]", "\x1b[31m", "-n", "é", "%s", "a\\nb", "\udcff", " "]
    for name in names:
        (tmp_path / name).write_bytes(os.fsencode(name) * 3)
    pieces = [Piece(f"{tmp_path}/{name}", 1, 1000) for name in names]
    parts = exchange_with(shell, [], pieces).parts
    for name, part in zip(names, parts, strict=True):
        data = os.fsencode(name) * 3
        assert part == Part(data[1:], 1, len(data))


@pytest.mark.parametrize("shell", SHELLS)
def test_parts_of_files_that_are_there_and_of_others(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\0\xff0123456789\n@x end\n")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    here = str(tmp_path)
    parts = exchange_with(
        shell,
        [],
        [
            Piece(f"{here}/file", 0, 3),
            Piece(f"{here}/none", 0, 3),
            Piece(f"{here}/file", -7, 100),
            Piece(f"{here}/file", -100, 100),
            Piece(f"{here}/file", 100, 3),
            Piece(f"{here}/file/below", 0, 3),
            Piece(f"{here}/empty", 0, 3),
            Piece(f"{here}/link", 2, 2),
            Piece(f"{here}/pipe", 0, 3),
            Piece(here, 0, 3),
            Piece(f"{here}/loop", 0, 3),
            Piece(f"{here}/a\nb", 0, 3),
            Piece("relative", 0, 3),
            Piece(f"{here}/file", 0, 0),
            Piece(f"{here}/none", 0, 3),
            Piece(f"{here}/file", 12, 100),
        ],
    ).parts
    size = (tmp_path / "file").stat().st_size
    whole = (tmp_path / "file").read_bytes()
    troubles = {8: "not a regular file", 9: "not a regular file", 10: "symbolic links", 11: "line break"}
    expected = {
        0: Part(b"\0\xff0", 0, size),
        1: None,
        2: Part(b"@x end\n", size - 7, size),
        3: Part(whole, 0, size),
        4: Part(b"", 100, size),
        5: None,
        6: Part(b"", 0, 0),
        7: Part(b"01", 2, size),
        13: Part(b"", 0, size),
        14: None,
        15: Part(whole[12:], 12, size),
    }
    for index, part in enumerate(parts):
        if index in expected:
            assert part == expected[index], index
        else:
            assert part is not None
            assert troubles.get(index, "absolute") in part.trouble
            assert part.data == b""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_part_is_never_older_than_those_before_it(shell: Sequence[str], tmp_path: Path) -> None:
    events, claim, new = (tmp_path / name for name in ("events", "claim", "new"))
    events.write_bytes(b"old")
    claim.write_bytes(b"claim")
    # Whatever is read first, there is news of the others as soon as it was read.
    (tmp_path / "tail").write_text(
        f"#!/bin/sh\n/usr/bin/tail \"$@\"\nprintf new >>'{events}'\nprintf new >'{new}'\n"
    )
    (tmp_path / "tail").chmod(0o755)
    script = exchange_script(
        [],
        [Piece(str(path), offset, 100) for path, offset in ((claim, 0), (events, 3), (new, 0))],
        NONCE,
        timeout_s=5,
        stop=False,
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = tell(shell, script, environment={**os.environ, "PATH": path})
    assert [frame.content for frame in said.out.found[2:]] == [b"claim", b"new", b"new"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_file_that_has_come_meanwhile_is_read(shell: Sequence[str], tmp_path: Path) -> None:
    none, late = tmp_path / "none", tmp_path / "late"
    # Right after all have been looked at.
    (tmp_path / "stat").write_text(
        f"#!/bin/sh\n/usr/bin/stat \"$@\"\ncode=$?\nprintf new >'{late}'\nexit $code\n"
    )
    (tmp_path / "stat").chmod(0o755)
    pieces = [Piece(str(path), 0, 100) for path in (none, late, none)]
    script = exchange_script([], pieces, NONCE, timeout_s=5, stop=False)
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = tell(shell, script, environment={**os.environ, "PATH": path})
    assert parts_of(pieces, said.out.found[1:]) == [None, Part(b"new", 0, 3), None]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_run_in_order_and_stop_if_they_should(shell: Sequence[str], tmp_path: Path) -> None:
    commands = [
        Command(("mkdir", f"{tmp_path}/one")),
        Command(("sh", "-c", "echo out; echo err >&2; exit 3"), b"input\n"),
        Command(("mkdir", f"{tmp_path}/two")),
        Command(("nonesuch-command",), b"\0"),
    ]
    stopped = exchange_with(shell, commands, stop=True).replies
    assert [reply.code for reply in stopped] == [0, 3, NOT_RUN, NOT_RUN]
    assert (stopped[1].out, stopped[1].err) == (b"out\n", b"err\n")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    went_on = exchange_with(shell, commands[1:]).replies
    assert [reply.code for reply in went_on] == [3, 0, 127]


@pytest.mark.parametrize("stop", [False, True])
def test_a_shell_without_room_for_input_gives_no_answer_to_another_question(
    tmp_path: Path, stop: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, for a disk that is full")
    # bash keeps what is longer than a pipe in a file.
    disk = "mount -t tmpfs -o size=16k lab /tmp && head -c 99999 /dev/zero >/tmp/full 2>/dev/null"
    full = ("unshare", "--mount", "sh", "-c", f'{disk}; exec bash "$@"', "sh")
    long = b"of a batch\n" * 20_000
    commands = [
        Command(("echo", "1")),
        Command(("wc", "-c"), long),
        Command(("echo", "3")),
        Command(("wc", "-c"), long),
    ]
    replies = exchange_with(full, commands, stop=stop).replies
    assert [reply.code for reply in replies] == ([0, 126, NOT_RUN, NOT_RUN] if stop else [0, 126, 0, 126])
    assert [reply.out for reply in replies] == [b"1\n", b"", b"" if stop else b"3\n", b""]
    assert b"No space left on device" in replies[1].err
    said = tell(full, fetch_script([f"{tmp_path}/{number}" for number in range(5000)], 10, NONCE))
    assert [frame.words for frame in said.out.found] == [("begin",), ("126",), ("end",)]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_that_hangs_is_killed(shell: Sequence[str]) -> None:
    commands = [Command(("sleep", "30")), Command(("cat",), b"\0"), Command(("pwd",))]
    late, *others = exchange_with(shell, commands, timeout_s=0.2).replies
    assert late.code == TOO_LATE
    assert late.err == b"sleep gave no answer within 0.2 s"
    assert [reply.out for reply in others] == [b"\0", b"/\n"]


def test_a_command_that_had_to_be_killed_the_hard_way_was_late() -> None:
    def at(seconds: float) -> int:
        out = [Frame(b"", ("begin",), 0.0), Frame(b"", ("137",), seconds)]
        ((reply, _),) = replies_of([Command(("x",))], out, out, 10.0)
        return reply.code

    assert at(15.1) == TOO_LATE
    assert at(9.0) == 137


def test_long_input_costs_no_shell_much_more_than_another() -> None:
    def seconds(shell: str) -> float:
        began = time.monotonic()
        exchange_with([shell], [Command(("wc",), b"a line of a script\n" * 5_000)] * 30)
        return time.monotonic() - began

    # By the byte, bash takes some ten times as long.
    assert min(seconds("bash") for _ in range(3)) < 4 * min(seconds("dash") for _ in range(3))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_of_a_login_changes_no_command(shell: Sequence[str]) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SQUEUE_FORMAT": "%i",
        "SBATCH_PARTITION": "nonesuch",
        "SLURM_JOB_ID": "1",
        "SLURM_CONF": "/etc/slurm.conf",
        "SLURM_TIME_FORMAT": "relative",
        "LC_ALL": "de_DE.UTF-8",
        "MANY": "x\nSBATCH_X=$(exit)\n",
        "_ry_failed": "1",
        "_ry_nonce": "exported",
        "IFS": "/",
        "CDPATH": "/tmp",
    }
    said = tell(
        shell,
        exchange_script([Command(("env",))], [], NONCE, timeout_s=5, stop=True),
        environment=environment,
    )
    seen = set(said.out.found[1].content.decode().splitlines())
    assert {"SLURM_CONF=/etc/slurm.conf", "LC_ALL=C", "SLURM_TIME_FORMAT=standard"} <= seen
    names = {line.partition("=")[0] for line in seen}
    assert not {name for name in names if name.startswith(("SQUEUE_", "SBATCH_P", "SLURM_JOB", "_ry"))}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_is_not_told_how_its_marks_look(shell: Sequence[str]) -> None:
    # What it can see without looking into the memory of the shell.
    sees = "env; cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline; ps -o args= -e; cat"
    replies = exchange_with(shell, [Command(("sh", "-c", sees)), Command(("sh", "-c", sees), b"1\n")]).replies
    for reply in replies:
        assert b"PATH=" in reply.out
        assert NONCE.encode() not in reply.out
    forged = f"\n@{'0' * len(NONCE)} 0\n\n@ 0\n\n@{NONCE[:-1]} end\n"
    assert exchange_with(shell, [Command(("printf", "%s", forged))]).replies[0].out == forged.encode()


@pytest.mark.parametrize("shell", SHELLS)
def test_what_people_have_in_their_path_is_found(shell: Sequence[str], tmp_path: Path) -> None:
    tools, slurm = tmp_path / "tools", tmp_path / "slurm"
    tools.mkdir()
    slurm.mkdir()
    for name in ("env", "sed", "timeout", "sh", "cat", "head"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    (slurm / "squeue").write_text("#!/bin/sh\necho it is me\n")
    (slurm / "squeue").chmod(0o755)
    (tmp_path / ".profile").write_text(f"echo welcome; PATH={slurm}:$PATH\n")
    environment = {"PATH": str(tools), "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    script = exchange_script([Command(("squeue",))], [], NONCE, timeout_s=5, stop=False)
    said = tell([f"/bin/{shell[0]}", *shell[1:]], script, environment=environment)
    assert said.out.found[1] == Frame(b"it is me\n", ("0",), said.out.found[1].arrived)


@pytest.mark.parametrize("shell", SHELLS)
def test_no_files_are_a_small_archive(shell: Sequence[str]) -> None:
    said = tell(shell, fetch_script(["/nonesuch"], 10, NONCE))
    assert said.out.found[1].words == ("0",)
    assert said.out.done
    assert said.err.done


@given(
    st.lists(st.binary(max_size=40).filter(lambda data: NONCE.encode() not in data), max_size=5),
    st.binary(max_size=60).filter(lambda data: NONCE.encode() not in data),
    st.integers(1, 17),
)
def test_marks_are_found_however_the_bytes_arrive(contents: list[bytes], noise: bytes, step: int) -> None:
    def mark(word: str) -> bytes:
        return f"\n@{NONCE} {word}\n".encode()

    stream = noise + mark("begin") + b"".join(content + mark("0 x") for content in contents) + mark("end")
    frames = Frames(NONCE)
    for start in range(0, len(stream), step):
        assert not frames.done
        frames.feed(stream[start : start + step], float(start))
    assert frames.done
    assert [frame.content for frame in frames.found] == [b"", *contents, b""]
    assert {frame.words for frame in frames.found[1:-1]} <= {("0", "x")}


def test_finding_marks_takes_no_time() -> None:
    frames = Frames(NONCE)
    frames.feed(f"\n@{NONCE} begin\n".encode(), 0.0)
    began = time.monotonic()
    for _ in range(1000):
        frames.feed(b"\n@" * 16_000, 0.0)
    assert time.monotonic() - began < 1
    assert frames.waiting == 32_000_000
