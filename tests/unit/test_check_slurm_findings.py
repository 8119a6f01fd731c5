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
from runners.checking.slurm.reservations import read_reservations
from runners.checking.slurm.sets import OF_SET, look_at
from runners.checking.slurm.site import command, queue
from runners.checking.slurm.trial import Trial, Trials, Word
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample
from runners.slurm.cluster_settings import SlurmSettings, read_settings
from runners.transport.base import Command, Exchange, Piece, Reply, Transport, TransportError
from tests.unit.test_check_slurm_reading import (
    CONFIG,
    PARTITIONS_20,
    account,
    association,
    configuration,
    quality,
    row,
    script,
)

OK, WARNING, FAILURE, UNTOLD = FindingState
TAKEN = Trial(Word.TAKEN, "Job 1 to start at 2026-11-28T17:27:56 using 4 processors", "at 17:27 with 4 CPUs")
REFUSED = Trial(Word.REFUSED, "Requested node configuration is not available")

PARTITIONS = PARTITIONS_20.replace("DenyAccounts=lab,x", "AllowAccounts=ALL")
NODES = row("main", "idle", "4", "8", "16000", "(null)", "intel", "c[1-4]")
ACCOUNTS = [
    association(qos="high,normal", defaultqos="normal"),
    "alice|lab|None\nops|root|Operator\n",
    quality() + quality("high"),
    account("root", ""),
]


def settings(release: str = "22.05.8", **changes: str) -> SlurmSettings:
    found = read_settings(CONFIG.replace("22.05.8", release).replace("max_script_size=5000,", ""))
    assert found is not None
    return replace(found, values={**found.values, **changes})


def facts(
    partitions: str = PARTITIONS, nodes: str = NODES, release: str = "22.05.8", accounts: str = ""
) -> Facts:
    below = account("root", "") + account("lab") + account("sub", "lab")
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


def bad(found: Sequence[Finding]) -> list[tuple[str, FindingState]]:
    return [(one.check, one.state) for one in found if one.state is not OK]


def amiss(given: Asked, told: Facts, trial: Trial = TAKEN) -> list[tuple[str, FindingState]]:
    return bad(look_at(given, told, Trials(trial)).findings)


def test_all_is_well() -> None:
    found = look_at(asked(), facts(), Trials(TAKEN))
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
    enforced = settings("24.11.5", EnforcePartLimits="ANY")
    for told in (unknown, facts(closed)):
        assert amiss(asked(), replace(told, settings=enforced)) == []


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
        accounts=association("sub", qos="normal", defaultqos="normal"),
    )
    expected = [("partition access", FAILURE)] if bad else []
    assert amiss(asked(account=account), told) == expected


def test_accounts_that_are_hidden_from_us() -> None:
    hidden = replace(facts(), accounts=read_accounts(["", "", quality(), ""], "alice", "lab-000"))
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
    free = read_accounts([*ACCOUNTS[:2], quality(flags="PartitionTimeLimit"), ""], "alice", "lab-000")
    assert amiss(asked(), replace(told, accounts=free)) == []


def test_the_time_of_an_account_and_of_a_qos() -> None:
    wall = association(qos="high,normal", defaultqos="normal", maxwall="00:30:00")
    told = read_accounts([wall, *ACCOUNTS[1:]], "alice", "lab-000")
    assert amiss(asked(), replace(facts(), accounts=told)) == [("time limit", FAILURE)]
    # That of the QOS goes before it.
    free = quality(maxwall="1-00:00:00")
    told = read_accounts([wall, ACCOUNTS[1], free, ""], "alice", "lab-000")
    assert amiss(asked(), replace(facts(), accounts=told)) == []


# What can't be read


@pytest.mark.parametrize("trial", [TAKEN, Trial(Word.NONE, "")])
def test_what_can_not_be_read_is_no_failure(trial: Trial) -> None:
    blind = replace(facts(), groups=None)
    states = {state for _, state in amiss(asked(constraint="[a|b]*2", gres="x"), blind, trial)}
    assert states == {UNTOLD}


def test_partitions_that_are_not_shown_to_us() -> None:
    """What the scheduler looks at itself is told by its trial, and the rest is not."""
    nobody = replace(facts(), partitions=None, groups=None)
    found = look_at(asked(), nobody, Trials(Trial(Word.NONE, "")))
    assert [(one.check, one.state) for one in found.findings] == [("partition", UNTOLD), ("trial", UNTOLD)]
    assert {why and why.check for _, why in found.left} == {"partition"}
    largest = dict.fromkeys(asked().largest, TAKEN)
    found = look_at(asked(), nobody, Trials(TAKEN, largest))
    assert bad(found.findings) == [("partition access", UNTOLD)]
    assert [(word, why and why.check) for word, why in found.left] == [("time limit", "partition access")]
    enforced = replace(nobody, settings=settings(EnforcePartLimits="ALL"))
    found = look_at(asked(), enforced, Trials(TAKEN, largest))
    assert [one.check for one in found.findings] == list(OF_SET)
    assert (bad(found.findings), found.left) == ([], [])
    # Nobody says whether larger jobs would do.
    silent = {what: Trial(Word.NONE, "") for what in largest}
    found = look_at(asked(), enforced, Trials(TAKEN, silent))
    assert bad(found.findings) == [("batching", UNTOLD)]
    refused = Trial(Word.REFUSED, "Invalid partition name specified")
    found = look_at(asked(), enforced, Trials(refused))
    assert bad(found.findings) == [("trial", FAILURE)]
    assert [word for word, _ in found.left] == list(OF_SET[:-1])
    found = look_at(asked(account="nope"), enforced, Trials(refused))
    assert bad(found.findings) == [("account", FAILURE)]


def test_all_partitions_have_to_do_where_the_site_says_so() -> None:
    short = PARTITIONS.replace("=main", "=more").replace("MaxTime=UNLIMITED", "MaxTime=01:00:00")
    closed = PARTITIONS.replace("=main", "=more").replace("AllowAccounts=ALL", "AllowAccounts=others")
    nodes = NODES + NODES.replace("main", "more")
    two = asked(partition="main,more")
    for more, check in ((short, "time limit"), (closed, "partition access")):
        told = facts(PARTITIONS + more, nodes)
        assert amiss(two, told) == []
        told = replace(told, settings=settings(EnforcePartLimits="ANY"))
        assert amiss(two, told) == []
        told = replace(told, settings=settings(EnforcePartLimits="ALL"))
        assert amiss(two, told, REFUSED) == [(check, FAILURE)]


def test_nodes_that_are_not_shown_to_us() -> None:
    """SLURM takes the job of the sample; nobody tells whether it takes larger ones."""
    found = look_at(asked(), replace(facts(), groups=()), Trials(TAKEN))
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
        (found,) = (one for one in look_at(given, facts(), Trials(refused)).findings if one.state is not OK)
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
    found = look_at(asked("#SBATCH -M other"), facts(), Trials(nothing))
    assert [(one.check, one.state) for one in found.findings] == [("trial", FAILURE)]
    assert [word for word, _ in found.left] == list(OF_SET[:-1])
    # It is no other one.
    own = look_at(asked("#SBATCH -M lab-000"), facts(), Trials(TAKEN))
    assert [one.check for one in own.findings] == list(OF_SET)


# What lines of people's own do


def test_jobs_that_are_held_back() -> None:
    for line in ("#SBATCH --hold", "#SBATCH -H", "#SBATCH --hold --mem=1G"):
        found = look_at(asked(line), facts(), Trials(TAKEN)).findings
        (held,) = (one for one in found if one.state is not OK)
        assert (held.check, held.state) == ("trial", WARNING)
        assert held.field == "jobs_runner_config.default_slurm_config.extra_lines"
    begins = "#SBATCH --begin=2035-01-01"
    late = look_at(asked(begins), facts(), Trials(replace(TAKEN, never=True))).findings[-1]
    assert late.detail == "A line of extra_lines has jobs begin only at 2035-01-01: they wait until then."
    assert late.fix == f"Leave out --begin in the line “{begins}” of extra_lines."
    assert amiss(asked(begins), facts()) == []


def test_lines_that_say_nothing_or_too_much() -> None:
    (none,) = look_at(asked("#SBATCH --partition="), facts(), Trials(REFUSED)).findings
    assert (none.check, none.state) == ("partition", FAILURE)
    assert none.detail == "A line of extra_lines names no partition."
    rule = Trial(Word.REFUSED, "You must name a project; Unspecified error")
    first = look_at(asked(), facts(), Trials(rule)).findings
    assert first[-1].detail == (
        "SLURM refuses a job of the sample: “You must name a project; Unspecified error”."
    )
    # In another partition, that is no news.
    more = facts(PARTITIONS.replace("=main", "=more"), NODES.replace("main", "more"))
    assert bad(look_at(asked(partition="more"), more, Trials(rule), first).findings) == []
    late = Trial(Word.REFUSED, "Requested time limit is invalid (missing or exceeds some limit)")
    given = asked("#SBATCH --deadline=2020-01-01", time=None)
    assert look_at(given, facts(), Trials(late)).findings[-1].fix == (
        "Correct --deadline in the line “#SBATCH --deadline=2020-01-01” of extra_lines."
    )
    said = "--cpus-per-gpu is mutually exclusive with --cpus-per-task; Invalid generic resource (gres)"
    both = Trial(Word.REFUSED, said)
    found = look_at(asked("#SBATCH --cpus-per-gpu=2"), facts(), Trials(both)).findings[-1]
    assert (found.check, found.state) == ("trial", FAILURE)
    assert found.detail.endswith("It does not go together with --cpus-per-task, which jobs ask for already.")
    assert found.fix == "Leave out --cpus-per-gpu in the line “#SBATCH --cpus-per-gpu=2” of extra_lines."


# What is in the way of nodes


def test_nodes_whose_power_is_being_switched() -> None:
    moving = NODES.replace("idle", "idle%")
    assert amiss(asked(), facts(nodes=moving), REFUSED) == [("trial", UNTOLD)]
    assert amiss(asked(), facts(nodes=moving)) == []


def test_nodes_of_several_partitions_count_once() -> None:
    shared = NODES + row("urgent", "idle", "3", "8", "16000", "(null)", "intel", "c[3-5]")
    shared += row("urgent", "down*", "1", "8", "16000", "(null)", "intel", "c6")
    other = PARTITIONS.replace("PartitionName=main", "PartitionName=urgent")
    found = look_at(asked(partition="main,urgent"), facts(PARTITIONS + other, shared), Trials(TAKEN))
    (nodes,) = [one for one in found.findings if one.check == "nodes"]
    assert nodes.detail == "5 of 6 nodes of main, urgent can take jobs."


RESERVED = (
    "ReservationName=theirs StartTime=2026-11-29T00:00:00 EndTime=2027-11-29T00:00:00 Nodes=c[1-3] "
    "Users=root,bob Accounts=(null) State=INACTIVE\n"
)


def test_nodes_that_are_reserved() -> None:
    some = replace(facts(), reservations=read_reservations(RESERVED))
    assert amiss(asked(), some, REFUSED) == [("trial", FAILURE)]
    every = replace(facts(), reservations=read_reservations(RESERVED.replace("c[1-3]", "c[1-2],c[03-4],c3")))
    assert amiss(asked(), every, REFUSED) == [("trial", FAILURE)]
    every = replace(facts(), reservations=read_reservations(RESERVED + RESERVED.replace("c[1-3]", "c[4-9]")))
    assert amiss(asked(), every, REFUSED) == [("trial", WARNING)]
    assert amiss(asked(), every) == []
    # Jobs that name one of them are not kept from its nodes.
    assert amiss(asked("#SBATCH --reservation=theirs"), every, REFUSED) == [("nodes", WARNING)]


def test_nodes_that_keep_some_for_themselves() -> None:
    large = {"memory": REFUSED, "cpus": TAKEN}
    (found,) = (
        one for one in look_at(asked(), facts(), Trials(TAKEN, large)).findings if one.state is not OK
    )
    assert (found.check, found.state) == ("batching", WARNING)
    assert found.field == "jobs_runner_config.batching_config.max_mem_per_job"
    assert found.fix.endswith("(CoreSpecCount, MemSpecLimit): scontrol show node 'c[1-4]'")
    # It may be another cause: jobs have to have several nodes, or some can't be had now.
    several = facts(PARTITIONS.replace("MinNodes=0", "MinNodes=2"))
    some = facts(nodes=NODES + row("main", "reserved", "1", "8", "16000", "(null)", "intel", "c5"))
    for told in (several, some):
        assert bad(look_at(asked(), told, Trials(TAKEN, large)).findings) == []


def test_nodes_of_which_no_memory_is_known() -> None:
    none = facts(nodes=NODES.replace("16000", "1"))
    refused = Trial(Word.REFUSED, "Memory specification can not be satisfied")
    (found,) = (one for one in look_at(asked(), none, Trials(refused)).findings if one.state is not OK)
    assert (found.check, found.state, found.field) == ("memory", FAILURE, "")
    assert "RealMemory" in found.fix


# What accounts and QOS allow


def limited(qos: str = "", user: str = "", **changes: str) -> Facts:
    """A site that enforces limits."""
    given = dict(pair.split("=", 1) for pair in qos.split() if pair)
    mine = dict(pair.split("=", 1) for pair in user.split() if pair)
    answers = [
        association(qos="normal", defaultqos="normal", **mine),
        ACCOUNTS[1],
        quality(**given),
        account("lab") + account("root", ""),
    ]
    told = read_accounts(answers, "alice", "lab-000")
    return replace(facts(), accounts=told, settings=settings(**changes))


def size_of(told: Facts, **default: object) -> Finding | None:
    found = look_at(asked(**default), told, Trials(TAKEN)).findings
    wrong = [one for one in found if one.state is not OK]
    assert [one.check for one in wrong] in ([], ["job limits"])
    return wrong[0] if wrong else None


SAFE = {"AccountingStorageEnforce": "associations,limits,safe"}


def test_what_all_may_have_used_ever() -> None:
    """It is what others have used that counts, unless SLURM sees to it that a job can end within it."""
    told = limited(qos="grptresmins=cpu=100 grpwall=0-10:00:00")
    assert size_of(told, time="2:00:00") is None
    safe = limited(qos="grptresmins=cpu=100", **SAFE)
    found = size_of(safe, time="2:00:00")
    assert found is not None
    assert "for 2:00:00, and the QOS normal allows 100 minutes of CPUs (GrpTRESMins cpu)" in found.detail
    assert found.fix.startswith("Set time to 0:")
    wall = size_of(limited(qos="grpwall=01:00:00", **SAFE), time="2:00:00")
    assert wall is not None
    assert "asks for 2:00:00" not in wall.detail
    assert "for 2:00:00, and the QOS normal allows 60 minutes (GrpWall)" in wall.detail
    assert size_of(limited(qos="grpwall=02:00:00", **SAFE), time="2:00:00") is None


def test_jobs_that_name_no_time() -> None:
    short = PARTITIONS.replace("MaxTime=UNLIMITED", "MaxTime=01:00:00").replace("=00:30:00", "=NONE")
    for release, wrong in (("22.05.8", True), ("24.11.5", False)):
        told = replace(limited(user="maxtresmins=cpu=1000"), partitions=read_partitions(short))
        told = replace(told, settings=settings(release))
        assert (size_of(told, time=None) is not None) is wrong
    # Where there is something usual, that counts.
    usual = limited(user="maxtresmins=cpu=100")
    assert size_of(usual, time=None) is not None
    assert size_of(limited(user="maxtresmins=cpu=1000"), time=None) is None


def test_gpus_of_jobs_and_limits_on_them() -> None:
    gpus = NODES.replace("(null)", "gpu:v100:2")
    least = replace(limited(qos="mintresperjob=gres/gpu=1,gres/gpu:a100=1"), groups=read_nodes(gpus, "m"))
    found = size_of(least)
    assert found is not None
    assert "asks for 0 GPUs, and the QOS normal wants 1 or more (MinTRESPerJob gres/gpu)" in found.detail
    # Of types that are not asked for it is not known what a job would have.
    assert size_of(least, gres="gpu:v100:1") is None
    most = replace(limited(qos="maxtresperjob=gres/gpu:v100=1"), groups=read_nodes(gpus, "m"))
    assert size_of(most, gres="gpu:v100:1") is None
    found = size_of(most, gres="gpu:v100:2")
    assert found is not None
    assert "asks for 2 GPUs" in found.detail
    assert found.field.endswith("default_slurm_config.gres")


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
