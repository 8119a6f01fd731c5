"""Findings about clusters that the lab can't be: other releases, private data, two installations at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from runners.batches import Line
from runners.checking.slurm.accounts import read_accounts
from runners.checking.slurm.asked import Asked, read_asked
from runners.checking.slurm.check import check_slurm
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import read_nodes, read_partitions
from runners.checking.slurm.sets import OF_SET, look_at
from runners.checking.slurm.site import command, queue
from runners.checking.slurm.trial import Trial, Word
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample
from runners.slurm.cluster_settings import SlurmSettings, read_settings
from runners.transport.base import Command, Exchange, Piece, Reply, Transport, TransportError
from tests.unit.test_check_slurm_reading import CONFIG, PARTITIONS_20, configuration, row, script

OK, WARNING, FAILURE, UNTOLD = FindingState
TAKEN = Trial(Word.TAKEN, "Job 1 to start at 2026-11-28T17:27:56 using 4 processors", "at 17:27 with 4 CPUs")
REFUSED = Trial(Word.REFUSED, "Requested node configuration is not available")

PARTITIONS = PARTITIONS_20.replace("DenyAccounts=lab,x", "AllowAccounts=ALL")
NODES = row("main", "idle", "4", "8", "16000", "(null)", "intel", "c[1-4]")
ACCOUNTS = [
    "lab|alice||high,normal|normal||||||\n",
    "alice|lab|None\nops|root|Operator\n",
    "normal||||||||||\nhigh||||||||||\n",
    "root|||||\n",
]


def settings(release: str = "22.05.8", **changes: str) -> SlurmSettings:
    found = read_settings(CONFIG.replace("22.05.8", release).replace("max_script_size=5000,", ""))
    assert found is not None
    return replace(found, values={**found.values, **changes})


def facts(
    partitions: str = PARTITIONS, nodes: str = NODES, release: str = "22.05.8", accounts: str = ""
) -> Facts:
    below = "root|||||\nlab|root||||\nsub|lab||||\n"
    answers = [ACCOUNTS[0] + accounts, *ACCOUNTS[1:3], below]
    return Facts(
        settings(release),
        "alice",
        read_partitions(partitions),
        read_nodes(nodes, "m"),
        frozenset({"users"}),
        read_accounts(answers, "alice", "lab-000"),
    )


def asked(*lines: str, **default: object) -> Asked:
    config = configuration(*lines, **default)
    return read_asked(config, script(config, Sample()), gpu=False)


def amiss(given: Asked, told: Facts, trial: Trial = TAKEN) -> list[tuple[str, FindingState]]:
    found = look_at(given, told, trial).findings
    return [(one.check, one.state) for one in found if one.state is not OK]


def test_all_is_well() -> None:
    found = look_at(asked(), facts(), TAKEN)
    assert [one.check for one in found.findings] == list(OF_SET)
    assert amiss(asked(), facts()) == []
    assert found.left == []


# Who may use a partition


def test_a_partition_that_is_closed_and_named_first() -> None:
    """Only where SLURM does not take such jobs: there it keeps them from the others for ever."""
    two = PARTITIONS + PARTITIONS.replace("=main", "=more").replace("AllowGroups=ALL", "AllowGroups=staff")
    nodes = NODES + NODES.replace("main", "more")
    assert amiss(asked(partition="more,main"), facts(two, nodes), REFUSED) == [("partition access", WARNING)]
    assert amiss(asked(partition="more,main"), facts(two, nodes)) == []
    assert amiss(asked(partition="main,more"), facts(two, nodes)) == []
    # The refusal has some other cause.
    assert amiss(asked(partition="main,more"), facts(two, nodes), REFUSED) == [("trial", FAILURE)]
    unknown = replace(facts(two, nodes), user_groups=None)
    assert amiss(asked(partition="more,main"), unknown, REFUSED) == [("trial", FAILURE)]


def test_groups_where_the_trial_does_not_look_at_them() -> None:
    closed = PARTITIONS.replace("AllowGroups=ALL", "AllowGroups=staff")
    assert amiss(asked(), facts(closed, release="24.11.5")) == [("partition access", FAILURE)]
    # Where it does, it knows better.
    assert amiss(asked(), facts(closed)) == []
    unknown = replace(facts(closed, release="24.11.5"), user_groups=None)
    assert amiss(asked(), unknown) == [("partition access", UNTOLD)]


@pytest.mark.parametrize(
    ("partition", "release", "account", "bad"),
    [
        ("AllowAccounts=lab", "22.05.8", "sub", False),
        ("AllowAccounts=sub", "22.05.8", "lab", True),
        ("DenyAccounts=lab", "24.11.5", "sub", True),
        ("DenyAccounts=lab", "22.05.8", "sub", False),
        ("DenyAccounts=sub", "24.11.5", "lab", False),
    ],
)
def test_accounts_below_others(partition: str, release: str, account: str, bad: bool) -> None:
    told = facts(
        PARTITIONS.replace("AllowAccounts=ALL", partition),
        release=release,
        accounts="sub|alice||normal|normal||||||\n",
    )
    expected = [("partition access", FAILURE)] if bad else []
    assert amiss(asked(account=account), told) == expected


def test_accounts_that_are_hidden_from_us() -> None:
    hidden = replace(facts(), accounts=read_accounts(["", "", "normal||||||||||\n", ""], "alice", "lab-000"))
    assert amiss(asked(), hidden) == []
    assert amiss(asked(account="secret"), hidden) == []
    refused = Trial(Word.REFUSED, "Invalid account or account/partition combination specified")
    assert amiss(asked(account="secret"), hidden, refused) == [("account", FAILURE)]


# What a partition allows, which no trial looks at


def test_limits_of_a_partition() -> None:
    limited = PARTITIONS.replace("MaxMemPerNode=UNLIMITED", "MaxMemPerNode=900")
    assert amiss(asked(), facts(limited)) == [("memory", FAILURE)]
    for_cpus = PARTITIONS.replace("MaxMemPerNode=UNLIMITED", "MaxMemPerCPU=100")
    assert amiss(asked(), facts(for_cpus)) == [("memory", FAILURE)]


def test_a_qos_that_goes_before_the_partition() -> None:
    short = PARTITIONS.replace("MaxTime=UNLIMITED", "MaxTime=01:00:00")
    assert amiss(asked(), facts(short)) == [("time limit", FAILURE)]
    told = facts(short)
    assert told.accounts is not None
    free = read_accounts(
        [ACCOUNTS[0], ACCOUNTS[1], "normal|PartitionTimeLimit|||||||||\n", ""], "alice", "lab-000"
    )
    assert amiss(asked(), replace(told, accounts=free)) == []


def test_the_time_of_an_account_and_of_a_qos() -> None:
    wall = ACCOUNTS[0].replace("normal||", "normal||00:30:00")
    told = read_accounts([wall, *ACCOUNTS[1:]], "alice", "lab-000")
    assert amiss(asked(), replace(facts(), accounts=told)) == [("time limit", FAILURE)]
    # That of the QOS goes before it.
    free = "normal||1-00:00:00||||||||\n"
    told = read_accounts([wall, ACCOUNTS[1], free, ""], "alice", "lab-000")
    assert amiss(asked(), replace(facts(), accounts=told)) == []


# What can't be read


@pytest.mark.parametrize("trial", [TAKEN, Trial(Word.NONE, "")])
def test_what_can_not_be_read_is_no_failure(trial: Trial) -> None:
    blind = replace(facts(), groups=None)
    states = {state for _, state in amiss(asked(constraint="[a|b]*2", gres="x"), blind, trial)}
    assert states == {UNTOLD}
    nobody = replace(facts(), partitions=None)
    found = look_at(asked(), nobody, trial)
    word = OK if trial.word is Word.TAKEN else UNTOLD
    assert [(one.check, one.state) for one in found.findings] == [("partition", UNTOLD), ("trial", word)]
    assert {why and why.check for _, why in found.left} == {"partition"}


def test_nodes_that_are_not_shown_to_us() -> None:
    """SLURM takes the job of the sample; nobody tells whether it takes larger ones."""
    found = look_at(asked(), replace(facts(), groups=()), TAKEN)
    assert [(one.check, one.state) for one in found.findings if one.state is not OK] == [("batching", UNTOLD)]
    assert found.left == []


def test_a_script_that_is_too_large() -> None:
    small = replace(facts(), settings=settings(SchedulerParameters="max_script_size=5000"))
    too_long = Trial(Word.REFUSED, "Pathname of a file, directory or other parameter too long")
    assert amiss(asked(), small, too_long) == [("batching", FAILURE)]


def test_a_trial_that_says_nothing() -> None:
    assert amiss(asked(), facts(), Trial(Word.NONE, "")) == [("trial", UNTOLD)]
    assert amiss(asked(), facts(), Trial(Word.FULL, "AssocMaxSubmitJobLimit")) == [("trial", UNTOLD)]
    assert amiss(asked(), facts(), replace(TAKEN, never=True)) == [("trial", WARNING)]


def test_a_refusal_blames_what_says_what_is_at_fault() -> None:
    refused = Trial(Word.REFUSED, "Memory required by task is not available")

    def told(given: Asked) -> Finding:
        (found,) = (one for one in look_at(given, facts(), refused).findings if one.state is not OK)
        assert (found.check, found.state) == ("trial", FAILURE)
        return found

    of_set = told(asked())
    assert of_set.field == "jobs_runner_config.default_slurm_config.mem"
    of_line = told(asked("#SBATCH --mem=1G"))
    assert of_line.field == "jobs_runner_config.default_slurm_config.extra_lines"
    assert of_line.fix == "Correct --mem in the line “#SBATCH --mem=1G” of extra_lines."
    config, sample = configuration(), Sample(mem_mb=2000)
    of_sample = told(read_asked(config, script(config, sample), gpu=False, sample=sample))
    assert (of_sample.of, of_sample.field) == ("", "")
    assert of_sample.fix.startswith("The sample itself asks for so much memory (--mem)")


def test_a_refusal_while_nodes_are_down() -> None:
    assert amiss(asked(), facts(), REFUSED) == [("trial", FAILURE)]
    some = NODES + row("main", "down", "1", "8", "16000", "(null)", "(null)", "c5")
    assert amiss(asked(), facts(nodes=some), REFUSED) == [("trial", WARNING)]


def test_only_nodes_that_are_down_have_it() -> None:
    small = NODES.replace("16000", "500") + row(
        "main", "drained", "1", "8", "16000", "(null)", "(null)", "c5"
    )
    assert amiss(asked(), facts(nodes=small), REFUSED) == [("memory", WARNING)]


def test_other_clusters() -> None:
    assert amiss(asked("#SBATCH --clusters=other"), facts()) == []
    nothing = Trial(Word.REFUSED, "Invalid partition name specified")
    found = look_at(asked("#SBATCH -M other"), facts(), nothing)
    assert [(one.check, one.state) for one in found.findings] == [("partition", UNTOLD), ("trial", FAILURE)]
    assert [word for word, _ in found.left] == list(OF_SET[1:-1])


# The cluster as a whole


def version(text: str, code: int = 0) -> Reply:
    return Reply(code, text.encode() if not code else b"", text.encode() if code else b"")


def test_versions_of_commands() -> None:
    new, old = version("slurm 23.11.4\n"), version("slurm 19.05.1\n")
    other, missing = version("slurm 22.05.8\n"), version("squeue: command not found\n", 127)
    assert command("squeue", new, [new, new]).state is OK
    assert command("squeue", other, [new, other]).state is WARNING
    assert command("sbatch", old, [old]).state is WARNING
    gone = command("squeue", missing, [new, missing])
    assert (gone.state, gone.fix != "") == (FAILURE, True)
    assert "command not found" in gone.detail
    assert command("sbatch", version("something\n"), [version("something\n")]).state is OK


def test_private_jobs() -> None:
    told = read_accounts(ACCOUNTS, "alice", "lab-000")
    private, public = settings(), settings(PrivateData="none")
    assert queue(private, told, "nobody", as_user=False).state is WARNING
    assert queue(private, None, "", as_user=False).state is WARNING
    # Operators, root and SLURM's own user see all; and so does the owner of the jobs what is his.
    for name in ("ops", "root", "slurm"):
        assert queue(private, told, name, as_user=False).state is OK
    assert queue(private, told, "alice", as_user=True).state is OK
    assert queue(public, told, "nobody", as_user=False).state is OK


class Missing(Transport):
    """A machine where some commands can't be started, which the lab's always can."""

    def __init__(self, *commands: str) -> None:
        self._missing = commands

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
        for one in commands:
            if one.argv[0] in self._missing:
                raise TransportError(f"{one.argv[0]!r} can't be started: No such file or directory")
        return Exchange([self._answer(one) for one in commands], [])

    def _answer(self, one: Command) -> Reply:
        if one.argv[1:] == ("--version",):
            return version("slurm 22.05.8\n")
        if one.argv[1:] == ("show", "config"):
            return version(CONFIG.replace("accounting_storage/slurmdbd", "accounting_storage/none"))
        return Reply(1, b"", b"no")

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        raise AssertionError

    async def close(self) -> None: ...


async def found(transport: Transport, config: SlurmRunnerConfig) -> list[Finding]:
    given = check_slurm(
        transport,
        config,
        user="alice",
        as_user=True,
        sample=Sample(),
        script=lambda gpu: script(config, Sample(needs_gpu=gpu)),
    )
    return [one async for one in given]


async def test_a_command_is_missing() -> None:
    squeue = await found(Missing("squeue"), configuration())
    assert [(one.check, one.state) for one in squeue][:4] == [
        ("sbatch", OK),
        ("squeue", FAILURE),
        ("scancel", OK),
        ("controller", OK),
    ]
    scontrol = await found(Missing("scontrol", "sacctmgr"), configuration())
    assert [(one.check, one.state) for one in scontrol if one.state is not OK] == [
        ("controller", FAILURE),
        (REST, UNTOLD),
    ]


async def test_nothing_answers_after_the_controller_did() -> None:
    every = await found(Missing(), configuration())
    assert {one.state for one in every if one.check not in ("partition", "trial", REST)} == {OK}
    assert [(one.check, one.state) for one in every if one.state is not OK] == [
        ("partition", UNTOLD),
        ("trial", UNTOLD),
        (REST, UNTOLD),
    ]


async def test_a_script_that_takes_too_long_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.checking.slurm.check.SCRIPT_S", 0.05)
    config, go_on = configuration(), threading.Event()

    def slow(gpu: bool) -> bytes:
        go_on.wait(30.0)
        return script(config, Sample(needs_gpu=gpu))

    given = check_slurm(Missing(), config, user="alice", as_user=True, sample=Sample(), script=slow)
    try:
        every = [one async for one in given]
    finally:
        go_on.set()
    assert [(one.check, one.state) for one in every if one.state is not OK] == [
        ("batching", UNTOLD),
        (REST, UNTOLD),
    ]
    assert every[-1].detail.endswith(" and trial were not looked at, because batching could not be told.")
