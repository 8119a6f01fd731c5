"""Findings about a set of the configuration, on clusters that the lab can't be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.checking.slurm.accounts import read_accounts
from runners.checking.slurm.asked import Asked, read_asked
from runners.checking.slurm.jobs_ahead import read_jobs
from runners.checking.slurm.reservations import read_reservations
from runners.checking.slurm.sets import OF_SET, look_at
from runners.checking.slurm.trial import Trial, Trials, Word
from runners.findings import Finding, FindingState
from runners.sample import Sample
from tests.unit.checked_cluster import (
    ACCOUNTS,
    FAILURE,
    NODES,
    OK,
    PARTITIONS,
    REFUSED,
    TAKEN,
    UNTOLD,
    WARNING,
    amiss,
    asked,
    association,
    bad,
    configuration,
    facts,
    quality,
    row,
    script,
    settings,
)


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
        # They stand for those below them from 23.02 on, as its NEWS have it, and till then with their case.
        ("AllowAccounts=lab", "22.05.8", "sub", True),
        ("AllowAccounts=lab", "23.02.0", "sub", False),
        ("AllowAccounts=sub", "23.02.0", "lab", True),
        ("AllowAccounts=LAB", "22.05.8", "lab", True),
        ("AllowAccounts=LAB", "23.02.0", "lab", False),
        ("DenyAccounts=lab", "23.02.0", "sub", True),
        ("DenyAccounts=lab", "22.05.8", "sub", False),
        ("DenyAccounts=sub", "23.02.0", "lab", False),
        ("DenyAccounts=LAB", "22.05.8", "lab", False),
        ("DenyAccounts=LAB", "23.02.0", "lab", True),
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


@pytest.mark.parametrize(
    ("partition", "bad"),
    [
        ("AllowQos=ALL", False),
        ("AllowQos=other,NORMAL", False),
        ("AllowQos=other", True),
        ("DenyQos=other", False),
        ("DenyQos=other,Normal", True),
    ],
)
def test_qos_of_a_partition_have_no_case(partition: str, bad: bool) -> None:
    told = facts(PARTITIONS.replace("AllowQos=ALL", partition))
    assert amiss(asked(), told) == ([("partition access", FAILURE)] if bad else [])


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


@pytest.mark.parametrize(
    ("everywhere", "partition", "wrong"),
    [
        ({"MaxMemPerNode": "900"}, "MaxMemPerNode=UNLIMITED", True),
        ({"MaxMemPerCPU": "100"}, "MaxMemPerNode=UNLIMITED", True),
        # Seen in 20.11, 22.05 and 24.11: the one of the partition counts, also where it allows more.
        ({"MaxMemPerNode": "900"}, "MaxMemPerNode=200000", False),
        ({"MaxMemPerNode": "900"}, "MaxMemPerCPU=200000", False),
        ({"MaxMemPerCPU": "100"}, "MaxMemPerNode=200000", False),
    ],
)
def test_memory_that_is_allowed_everywhere_and_in_a_partition(
    everywhere: dict[str, str], partition: str, wrong: bool
) -> None:
    told = facts(PARTITIONS.replace("MaxMemPerNode=UNLIMITED", partition))
    told = replace(told, settings=settings(**everywhere))
    (found,) = (one for one in look_at(asked(), told, Trials(TAKEN)).findings if one.check == "memory")
    assert found.state is (FAILURE if wrong else OK)
    assert all(f"{key} = {value}" in found.evidence for key, value in everywhere.items())


def test_a_qos_that_goes_before_the_partition() -> None:
    short = PARTITIONS.replace("MaxTime=UNLIMITED", "MaxTime=01:00:00")
    assert amiss(asked(), facts(short)) == [("time limit", FAILURE)]
    told = facts(short)
    assert told.accounts is not None
    free = read_accounts([*ACCOUNTS[:2], quality(flags="PartitionTimeLimit"), ""], "alice", "lab-000")
    assert amiss(asked(), replace(told, accounts=free)) == []


@pytest.mark.parametrize(
    ("partition", "nodes", "flag"),
    [("MaxNodes=1 MinNodes=0", 2, "PartitionMaxNodes"), ("MaxNodes=4 MinNodes=2", 1, "PartitionMinNodes")],
)
def test_a_qos_that_goes_before_the_nodes_of_a_partition(partition: str, nodes: int, flag: str) -> None:
    silent = Trial(Word.NONE, "")
    told = facts(f"{PARTITIONS.replace('MaxNodes=UNLIMITED ', '').replace('MinNodes=0', partition)}")
    assert ("nodes", FAILURE) in amiss(asked(nodes=nodes), told, silent)
    qos = read_accounts([*ACCOUNTS[:2], quality(flags=f"DenyOnLimit,{flag}"), ""], "alice", "lab-000")
    assert amiss(asked(nodes=nodes), replace(told, accounts=qos), silent) == [("trial", UNTOLD)]


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


@pytest.mark.parametrize(
    ("queue", "private", "state", "says"),
    [
        ("", "", WARNING, "sees no time"),
        (None, "", UNTOLD, "not shown to us"),
        ("", "jobs", UNTOLD, "not shown to us"),
        ("PENDING|UNLIMITED|UNLIMITED|1|main|Priority", "jobs", OK, "jobs without a time limit"),
        ("PENDING|INVALID|INVALID|1|gpu,main|Priority", "", OK, "jobs without a time limit"),
        ("PENDING|UNLIMITED|UNLIMITED|1|main|JobHeldUser", "", WARNING, "sees no time"),
        ("PENDING|UNLIMITED|UNLIMITED|1|gpu|Priority", "", WARNING, "sees no time"),
        # On the same nodes.
        ("PENDING|UNLIMITED|UNLIMITED|1|more|Priority", "", OK, "jobs without a time limit"),
        # As long as it may run, that explains no thousand days.
        ("RUNNING|365-00:00:00|364-00:00:00|32|main|None", "", WARNING, "sees no time"),
        ("RUNNING|INVALID|INVALID|32|main|None", "", OK, "jobs without a time limit"),
        ("PENDING|7-00:00:00|7-00:00:00|32|main|Priority\n" * 100, "", OK, "are many,"),
        ("PENDING|7-00:00:00|7-00:00:00|32|main|Priority\n" * 10, "", WARNING, "sees no time"),
        ("Welcome | to\nPENDING|what\n", "", WARNING, "sees no time"),
    ],
)
def test_a_job_that_is_not_foreseen_to_start(
    queue: str | None, private: str, state: FindingState, says: str
) -> None:
    nodes = NODES + row("more", "idle", "2", "8", "16000", "(null)", "(null)", "c[4-5]")
    nodes += row("gpu", "idle", "1", "8", "16000", "(null)", "(null)", "g1")
    told = replace(facts(nodes=nodes), jobs=None if queue is None else read_jobs(queue))
    told = replace(told, settings=settings(PrivateData=private))
    last = look_at(asked(), told, Trials(replace(TAKEN, never=True))).findings[-1]
    assert (last.check, last.state) == ("trial", state)
    assert says in last.detail


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
    # They have not what jobs want: it is not because of them.
    for cpus, mb in (("8", "500"), ("1", "16000")):
        others = NODES + row("main", "down", "1", cpus, mb, "(null)", "(null)", "c5")
        assert amiss(asked(), facts(nodes=others), REFUSED) == [("trial", FAILURE)]


def test_only_nodes_that_are_down_have_it() -> None:
    small = NODES.replace("16000", "500") + row(
        "main", "drained", "1", "8", "16000", "(null)", "(null)", "c5"
    )
    assert amiss(asked(), facts(nodes=small), REFUSED) == [("memory", WARNING)]


def test_a_partition_that_only_slurm_knows() -> None:
    """A plugin of the site may give jobs another one, and a federation has those of all its clusters."""
    found = look_at(asked(partition="auto"), facts(), Trials(TAKEN)).findings
    assert [(one.check, one.state) for one in found] == [("partition", OK), ("trial", OK)]
    assert amiss(asked(partition="auto"), facts(), REFUSED) == [("partition", FAILURE)]
    assert amiss(asked(partition="auto,main"), facts()) == []


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


@pytest.mark.parametrize(
    ("state", "command"),
    [("drained", "state=resume"), ("maint", "show reservation"), ("maint*", "show reservation")],
)
def test_nodes_none_of_which_takes_jobs(state: str, command: str) -> None:
    found = look_at(asked(), facts(nodes=NODES.replace("idle", state)), Trials(TAKEN)).findings
    (nodes,) = (one for one in found if one.check == "nodes")
    assert (nodes.state, nodes.detail) == (
        WARNING,
        f"No node of main takes jobs at the moment: 4 {state}.",
    )
    assert nodes.fix.endswith(command)


def test_nodes_of_several_partitions_count_once() -> None:
    shared = NODES + row("urgent", "idle", "3", "8", "16000", "(null)", "intel", "c[3-5]")
    shared += row("urgent", "down*", "1", "8", "16000", "(null)", "intel", "c6")
    other = PARTITIONS.replace("PartitionName=main", "PartitionName=urgent")
    found = look_at(asked(partition="main,urgent"), facts(PARTITIONS + other, shared), Trials(TAKEN))
    (nodes,) = [one for one in found.findings if one.check == "nodes"]
    assert nodes.detail == "5 of 6 nodes of main, urgent can take jobs; the rest: 1 down*."


def test_lists_of_very_many_nodes_stay_readable() -> None:
    """A large cluster is in many states at a time: what is in one of them is a list of single nodes."""
    many = f"n[{','.join(map(str, range(1, 20_000, 2)))}]"
    down = row("main", "down", "10000", "8", "16000", "(null)", "intel", many)
    one = row("main", "idle", "1", "8", "500", "(null)", "intel", "n2")
    for nodes, check in ((down, "nodes"), (one + down, "memory")):
        every = look_at(asked(), facts(nodes=nodes), Trials(TAKEN)).findings
        (found,) = (one for one in every if one.check == check)
        assert found.state is WARNING
        assert len(found.detail) < 200
        assert len(found.fix) < 200
        assert len(found.evidence) < 2000
    kept = RESERVED.replace("c[1-3]", f"c[1-4],{many}")
    reserved = replace(facts(), reservations=read_reservations(kept))
    (found,) = (one for one in look_at(asked(), reserved, Trials(REFUSED)).findings if one.state is not OK)
    assert found.state is WARNING
    assert len(found.detail) < 300


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
    # What has ended before they begin is not kept from them, whatever else it is that SLURM has against it.
    later = RESERVED.replace("2026-11-29", "2026-12-24")
    every = replace(facts(), reservations=read_reservations(RESERVED + later.replace("c[1-3]", "c[4-9]")))
    assert amiss(asked(), every, REFUSED) == [("trial", FAILURE)]
    for time in ("27-00:00:00", "0"):
        assert amiss(asked(time=time), every, REFUSED) == [("trial", WARNING)]
    every = replace(facts(), reservations=read_reservations(RESERVED + RESERVED.replace("c[1-3]", "c[4-9]")))
    # Jobs that name one of them are not kept from its nodes.
    assert amiss(asked("#SBATCH --reservation=theirs"), every, REFUSED) == [("nodes", WARNING)]


def test_nodes_that_keep_some_for_themselves() -> None:
    large = {"memory": REFUSED, "cpus": TAKEN}
    (found,) = (
        one for one in look_at(asked(), facts(), Trials(TAKEN, large)).findings if one.state is not OK
    )
    assert (found.check, found.state) == ("batching", WARNING)
    assert found.field == "jobs_runner_config.batching_config.max_mem_per_job"
    assert found.fix.endswith("(CoreSpecCount, MemSpecLimit): scontrol show node c1")
    # It may be another cause: jobs have to have several nodes, or some can't be had now.
    several = facts(PARTITIONS.replace("MinNodes=0", "MinNodes=2"))
    some = facts(nodes=NODES + row("main", "reserved", "1", "8", "16000", "(null)", "intel", "c5"))
    for told in (several, some):
        assert bad(look_at(asked(), told, Trials(TAKEN, large)).findings) == []


def test_nodes_that_have_the_cpus_and_others_that_have_the_memory() -> None:
    wide = row("main", "idle", "4", "64", "8000", "(null)", "intel", "c[1-4]")
    fat = row("main", "idle", "1", "2", "64000", "(null)", "intel", "f1")
    told = facts(nodes=wide + fat)

    def growing(**most: int) -> Asked:
        config = asked().config
        larger = config.batching_config.model_copy(update=most)
        return replace(asked(), config=config.model_copy(update={"batching_config": larger}))

    def batching(given: Asked, trial: Trial = TAKEN) -> Finding:
        found = look_at(given, told, Trials(trial)).findings
        assert [one.check for one in found if one.state is not OK] in ([], ["batching"])
        return next(one for one in found if one.check == "batching")

    # 4 tasks with 2 CPUs and 1000 MB each: there is room for them.
    small = batching(asked())
    assert small.state is OK
    assert small.detail == "Jobs of up to 8 CPUs and 8,000 MB fit on a node of main."
    large = growing(max_cpus_per_job=24, max_mem_per_job=12_000)
    found = batching(large)
    assert (found.state, found.field) == (WARNING, "jobs_runner_config.batching_config.max_cpus_per_job")
    assert "12 tasks at a time, with 24 CPUs and 12,000 MB, and no node of main has both" in found.detail
    assert "one has room for 8 such tasks at most" in found.detail
    assert found.fix == "Set max_cpus_per_job to 16 or less."
    # Of more CPUs than memory there is no job of such tasks.
    odd = batching(growing(max_cpus_per_job=16, max_mem_per_job=12_000))
    assert odd.state is OK
    assert odd.detail == (
        "Jobs of up to 16 CPUs fit on some nodes of main, those of up to 12,000 MB on others."
    )
    # Of nodes that are off in the cloud and not shown, some may have both.
    hidden = replace(told, partitions=facts(PARTITIONS.replace("TotalNodes=4", "TotalNodes=9")).partitions)
    assert bad(look_at(large, hidden, Trials(TAKEN)).findings) == []
    # What SLURM takes fits.
    twelve = replace(large, options={**large.options, "ntasks": "12", "mem": "12000M"})
    assert batching(twelve).state is OK
    assert batching(twelve, REFUSED).state is FAILURE


def test_nodes_of_which_no_memory_is_known() -> None:
    none = facts(nodes=NODES.replace("16000", "1"))
    refused = Trial(Word.REFUSED, "Memory specification can not be satisfied")
    (found,) = (one for one in look_at(asked(), none, Trials(refused)).findings if one.state is not OK)
    assert (found.check, found.state, found.field) == ("memory", FAILURE, "")
    assert "RealMemory" in found.fix
