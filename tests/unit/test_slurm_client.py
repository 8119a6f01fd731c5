"""The commands that are run on a cluster, and what is made of their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.batches import Line
from runners.slurm.client import NativeId, SlurmClient, SlurmError
from runners.slurm.replies import Answer
from runners.transport.base import NOT_RUN, TOO_LATE, Command, Exchange, Piece, Reply, Transport, make_folder

Answering = Callable[[Command], Reply]


class Scripted(Transport):
    """Answers with what a function says, and keeps what was asked."""

    def __init__(self, answer: Answering = lambda _: Reply(0, b"", b"")) -> None:
        self.answer = answer
        self.commands: list[Command] = []

    @property
    def line(self) -> Line:
        return Line(up=True)

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        self.commands += commands
        replies: list[Reply] = []
        for command in commands:
            failed = stop and replies and replies[-1].code
            replies.append(Reply(NOT_RUN, b"", b"") if failed else self.answer(command))
        return Exchange(replies, [None] * len(pieces))

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        return [None] * len(paths)

    async def close(self) -> None:
        pass


def failing(code: int, err: str) -> Answering:
    return lambda _: Reply(code, b"", err.encode())


TEXT = st.text(min_size=1, max_size=12)


@given(TEXT, TEXT, TEXT)
async def test_no_value_becomes_an_argument(user: str, name: str, cluster: str) -> None:
    plain, nasty = Scripted(), Scripted()
    for transport, values in ((plain, ("u", "n", "c")), (nasty, (user, name, cluster))):
        as_whom, called, where = values
        client = SlurmClient(transport, as_whom)
        await client.look({where: [called]}, [])
        await client.cancel(
            [
                client.cancel_waiting(called, where),
                client.cancel_job(NativeId(7, where)),
                client.wake_worker(NativeId(7, where)),
            ]
        )
        await client.account([NativeId(7, where)], timeout_s=1)
        await client.account_by_name([called], 2, timeout_s=1)
    assert [len(command.argv) for command in nasty.commands] == [
        len(command.argv) for command in plain.commands
    ]
    for here, there in zip(plain.commands, nasty.commands, strict=True):
        for word, other in zip(here.argv, there.argv, strict=True):
            assert word.split("=")[0] == other.split("=")[0]
    asked = nasty.commands[0].argv
    assert f"--user={user}" in asked
    assert f"--name={name}" in asked
    assert f"--clusters={cluster}" in asked


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_no_folder_becomes_an_option(names: list[str]) -> None:
    paths = ["/" + name.replace("\0", "") for name in names]
    *options, end = make_folder(*paths).argv[: make_folder(*paths).argv.index("--") + 1]
    assert (options, end) == (["mkdir", "-p", "-m", "700"], "--")
    assert set(paths) <= set(make_folder(*paths).argv[len(options) + 1 :])
    assert all(word.startswith("/") for word in make_folder(*paths).argv[len(options) + 1 :])


async def test_scripts_go_to_standard_input_up_to_the_first_that_is_not_taken() -> None:
    def answer(command: Command) -> Reply:
        if command.argv[0] == "mkdir":
            return Reply(0, b"", b"")
        number = command.stdin.decode()
        return (
            Reply(0, number.encode(), b"") if number != "3" else Reply(1, b"", b"Invalid qos specification")
        )

    transport = Scripted(answer)
    told = await SlurmClient(transport, "u").submit(["/a", "/b"], [b"1", b"2", b"3", b"4"])
    assert [reply and reply.answer for reply in told] == [
        Answer.ACCEPTED,
        Answer.ACCEPTED,
        Answer.REFUSED,
        None,
    ]
    assert [command.argv for command in transport.commands[1:]] == [("sbatch", "--parsable")] * 4


async def test_without_folders_nothing_is_handed_over() -> None:
    transport = Scripted(failing(1, "mkdir: cannot create directory '/a': No space left on device"))
    with pytest.raises(SlurmError, match=r"its folders can't be made: mkdir: .* No space left on device"):
        await SlurmClient(transport, "u").submit(["/a"], [b"1"])


async def test_a_queue_that_can_not_be_seen_or_read() -> None:
    silent = Scripted(failing(1, "slurm_load_jobs error: Unable to contact slurm controller"))
    queue = (await SlurmClient(silent, "u").look({"": ["n"]}, [])).queue
    assert queue.trouble == (
        "squeue gives no answer: slurm_load_jobs error: Unable to contact slurm controller"
    )

    def garbled(command: Command) -> Reply:
        mark = next(word for word in command.argv if word.startswith("--format=")).partition("@")[2][:8]
        return Reply(0, f"@{mark}|what is this\n@{mark}|and this".encode(), b"")

    queue = (await SlurmClient(Scripted(garbled), "u").look({"": ["n"]}, [])).queue
    assert (queue.rows, queue.trouble) == ((), "2 rows of squeue's answer can't be read")


async def test_commands_before_a_look_are_answered_apart() -> None:
    transport = Scripted(lambda command: Reply(len(command.argv), b"", b""))
    client = SlurmClient(transport, "u")
    seen = await client.look({}, [Piece("/x", 0, 1)], Command(("a",)), Command(("b", "c")))
    assert ([reply.code for reply in seen.replies], seen.parts) == ([1, 2], [None])
    assert seen.queue.trouble == ""


@pytest.mark.parametrize(
    "err",
    [
        "scancel: error: Kill job error on job id 9: Invalid job id specified",
        "scancel: error: Kill job error on job id 9: Job/step already completing or completed",
    ],
)
async def test_a_job_that_is_over_needs_no_cancelling(err: str) -> None:
    client = SlurmClient(Scripted(failing(1, err)), "u")
    await client.cancel([client.cancel_job(NativeId(9))])


async def test_a_cancel_that_did_nothing() -> None:
    client = SlurmClient(Scripted(failing(1, "scancel: error: Unable to contact slurm controller")), "u")
    with pytest.raises(SlurmError, match=r"scancel did nothing: .*Unable to contact"):
        await client.cancel([client.cancel_job(NativeId(9))])


@pytest.mark.parametrize(
    ("settings", "accounting", "hides"),
    [
        ("AccountingStorageType = accounting_storage/slurmdbd\nPrivateData = none", True, False),
        ("AccountingStorageType   = accounting_storage/none\nPrivateData = accounts,jobs", False, True),
        ("AccountingStorageType = (null)\n", False, False),
    ],
)
async def test_what_matters_of_a_site_is_asked_once(settings: str, accounting: bool, hides: bool) -> None:
    transport = Scripted(lambda _: Reply(0, settings.encode(), b""))
    client = SlurmClient(transport, "u")
    for _ in range(2):
        site = await client.site()
        assert (site.accounting, site.hides_jobs) == (accounting, hides)
    assert len(transport.commands) == 1


@pytest.mark.parametrize(
    "reply", [Reply(1, b"", b"no"), Reply(TOO_LATE, b"", b"late"), Reply(0, b"hello", b"")]
)
async def test_a_site_that_does_not_tell_is_asked_again(reply: Reply) -> None:
    client = SlurmClient(Scripted(lambda _: reply), "u")
    with pytest.raises(SlurmError, match="scontrol does not show the configuration"):
        await client.site()


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("12", NativeId(12)),
        ("12;uzh-2", NativeId(12, "uzh-2")),
        ("", None),
        ("12.5", None),
        ("x;y", None),
        ("²", None),
    ],
)
def test_native_ids(text: str, native: NativeId | None) -> None:
    assert NativeId.parse(text) == native
    if native:
        assert str(native) == text
