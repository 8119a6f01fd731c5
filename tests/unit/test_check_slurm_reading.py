"""What SLURM answers, as captured from releases 20.11, 22.05 and 24.11, and what can't be trusted in it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.checking.slurm.accounts import Kind, account_commands, read_accounts
from runners.checking.slurm.features import read_constraint
from runners.checking.slurm.gres import read_gpus_ask, read_gres, read_gres_ask
from runners.checking.slurm.hostlists import brief, first_host, hosts_of
from runners.checking.slurm.partitions import is_working, read_nodes, read_partitions
from runners.checking.slurm.reservations import read_reservations
from runners.checking.slurm.trial import Word, read_trial
from runners.checking.slurm.versions import read_version
from runners.checking.slurm.words import evidence, names, near_first, pasted
from runners.slurm.cluster_settings import read_settings
from runners.transport.base import TOO_LATE, Reply
from tests.unit.checked_cluster import CONFIG, PARTITIONS_20, account, association, quality, row

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


# scontrol show config


def test_settings() -> None:
    settings = read_settings(f"Welcome to the cluster!\n{CONFIG}")
    assert settings is not None
    assert (settings.cluster, settings.today, settings.release) == ("lab-000", "2026-11-28", (22, 5))
    assert settings.accounting
    assert settings.enforced == {"associations", "limits"}
    assert settings.private == {"jobs", "usage"}
    assert settings.slurm_user == "slurm"
    assert (settings.number("MaxJobCount"), settings.number("MaxMemPerNode")) == (10000, None)
    assert settings.script_bytes == 5000
    assert settings.controllers == (("head1", "DOWN"), ("head2", "UP"))


@pytest.mark.parametrize(
    ("enforce", "means"),
    [
        ("none", set()),
        ("(null)", set()),
        ("associations", {"associations"}),
        ("safe", {"safe", "associations", "limits"}),
        ("qos", {"qos", "associations"}),
    ],
)
def test_what_is_enforced(enforce: str, means: set[str]) -> None:
    settings = read_settings(CONFIG.replace("associations,limits", enforce))
    assert settings is not None
    assert settings.enforced == means


@pytest.mark.parametrize("storage", ["accounting_storage/none", "(null)", ""])
def test_no_accounting(storage: str) -> None:
    settings = read_settings(CONFIG.replace("accounting_storage/slurmdbd", storage))
    assert settings is not None
    assert not settings.accounting


def test_no_settings() -> None:
    assert read_settings("slurm_load_ctl_conf error: Unable to contact slurm controller") is None
    assert read_settings("") is None


@pytest.mark.parametrize(
    ("said", "release", "number"),
    [
        (b"slurm-wlm 22.05.8\n", "22.05.8", (22, 5)),
        (b"slurm 23.11.4\n", "23.11.4", (23, 11)),
        (b"hello\nslurm 24.11.0-0rc1\n", "24.11.0-0rc1", (24, 11)),
        (b"pbs 3\n", "pbs 3", None),
    ],
)
def test_versions(said: bytes, release: str, number: tuple[int, int] | None) -> None:
    assert read_version(Reply(0, said, b"")) == (release, number)


PARTITIONS_24 = (
    "PartitionName=gpu AllowGroups=a,b AllowAccounts=ALL AllowQos=high AllocNodes=ALL Default=NO QoS=part "
    "DefaultTime=NONE ExclusiveTopo=NO MaxNodes=2 MaxTime=1-00:00:00 MaxCPUsPerNode=4 "
    "MaxCPUsPerSocket=UNLIMITED Nodes=g1 RootOnly=YES State=DRAIN TotalCPUs=8 TotalNodes=1 "
    "MaxMemPerCPU=2000 TRES=cpu=8,mem=16000M,node=1,billing=8\n"
)


def test_partitions() -> None:
    found = read_partitions(f"banner\n{PARTITIONS_20}{PARTITIONS_24}")
    assert found is not None
    main, gpu = found["main"], found["gpu"]
    assert (main.state, main.nodes, main.qos) == ("UP", 4, "")
    assert (main.most_s, main.usual_s, main.most_nodes, main.most_mb) == (math.inf, 1800.0, None, None)
    assert (main.listed("AllowGroups"), main.listed("DenyAccounts")) == (None, ("lab", "x"))
    assert (main.root_only, gpu.root_only) == (False, True)
    assert (gpu.state, gpu.most_s, gpu.usual_s, gpu.most_nodes) == ("DRAIN", 86_400.0, None, 2)
    assert (gpu.most_cpus, gpu.most_mb_per_cpu, gpu.qos) == (4, 2000, "part")
    assert (gpu.listed("AllowGroups"), gpu.listed("AllowQos")) == (("a", "b"), ("high",))
    odd = read_partitions(PARTITIONS_24.replace("QoS=part", "QoS=Part"))
    assert odd is not None
    assert odd["gpu"].qos == "part"


def test_no_partitions() -> None:
    assert read_partitions("No partitions in the system\n") == {}
    assert read_partitions("slurm_load_partitions error: Socket timed out") is None
    # What is cut off is not guessed.
    found = read_partitions("PartitionName=main State=UP MaxTi")
    assert found is not None
    assert found["main"].most_s is None


# sinfo


def test_nodes() -> None:
    text = (
        "motd\n"
        + row("main", "mixed", "2", "8", "16000", "(null)", "intel,a|b", "c[1-2]")
        + row("main", "idle*", "1", "8", "16000", "gpu:v100:2(S:0-1)", "(null)", "c3")
        + row("empty", "n/a", "0", "0", "0", "(null)", "(null)", "")
        + row("fat", "idle", "1", "1K", "1048576", "(null)", "(null)", "f1")
    )
    found = read_nodes(text, "m")
    assert found is not None
    first, second, fat = found
    assert (fat.cpus, fat.mb) == (1024, 1_048_576)
    assert (first.partition, first.count, first.cpus, first.mb) == ("main", 2, 8, 16000)
    assert first.features == {"intel", "a", "b"}
    assert (first.gres, second.gres) == ({}, {"gpu": {"v100": 2}})
    assert (first.working, second.working) == (True, False)
    assert second.features == set()


def test_nodes_that_can_not_be_read() -> None:
    good = row("main", "idle", "2", "8", "16000", "(null)", "(null)", "c1")
    assert read_nodes(good + "@m|main|idle|2|8|160", "m") is None
    assert read_nodes(good + row("main", "idle", "2", "lots", "1", "", "", "c2"), "m") is None
    assert read_nodes("", "m") == ()


@pytest.mark.parametrize(
    ("state", "works"),
    [
        ("idle", True),
        ("idle~", True),
        ("mixed-", True),
        ("mixed+drain", False),
        ("allocated#", True),
        ("planned", True),
        ("idle*", False),
        ("down$", False),
        ("drained", False),
        ("draining@", False),
        ("inval", False),
        ("maint", False),
        ("", False),
    ],
)
def test_states_of_nodes(state: str, works: bool) -> None:
    assert is_working(state) is works


# scontrol show reservation


def test_reservations() -> None:
    text = (
        "ReservationName=ours StartTime=2026-11-28T22:14:45 EndTime=2027-11-28T22:14:45 "
        "Nodes=c[1-2,04],g1 NodeCnt=4 PartitionName=(null) Flags=SPEC_NODES Users=alice Groups=(null) "
        "Accounts=lab State=ACTIVE\nReservationName=licences Nodes=(null) Users=root State=INACTIVE\n"
    )
    ours, licences = read_reservations(f"motd\n{text}")
    assert (ours.name, ours.active, ours.begins) == ("ours", True, "2026-11-28T22:14:45")
    assert ours.whose == "alice, lab"
    assert ours.nodes == {"c1", "c2", "c04", "g1"}
    assert not licences.nodes
    assert not licences.active
    assert read_reservations("No reservations in the system\n") == ()


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("c1", ["c1"]),
        ("c[1-3],g1", ["c1", "c2", "c3", "g1"]),
        ("n[08-10]x", ["n08x", "n09x", "n10x"]),
        ("r[1-2]n[1,3]", ["r1n1", "r1n3", "r2n1", "r2n3"]),
        ("c[a-b]", []),
        ("", []),
    ],
)
def test_lists_of_nodes(text: str, hosts: list[str]) -> None:
    assert list(hosts_of(text)) == hosts


def test_lists_of_very_many_nodes() -> None:
    many = "n[1-999999999]r[1-999999999]"
    assert len(set(hosts_of(many))) == 100_000
    assert first_host(many) == "n1r1"
    assert first_host("[") == "["
    assert list(hosts_of("n" + "[1]" * 5000)) == []
    scattered = f"n[{','.join(map(str, range(1, 10_000, 2)))}]"
    assert len(list(hosts_of(scattered))) == 5000
    assert len(brief(scattered)) == 80
    assert brief("c[1-4]") == "c[1-4]"


@given(ANY)
def test_no_answer_is_too_odd(text: str) -> None:
    read_settings(text)
    read_partitions(f"PartitionName={text}\n{text}")
    read_nodes(f"@m|{text}@m.{text}", "m")
    read_reservations(f"ReservationName=r Nodes={text}\n{text}")
    read_accounts([text, text, text, text], "alice", "lab")
    read_gres(text)
    read_gres_ask(text)
    read_gpus_ask(text)
    read_constraint(text)
    read_trial(Reply(1, text.encode(), text.encode()), text)
    read_trial(Reply(0, text.encode(), text.encode()), text)
    assert "\n" not in names([text])
    assert "\n" not in pasted(text)


# sacctmgr


def test_accounts() -> None:
    told = read_accounts(
        [
            association(
                qos="high,normal",
                defaultqos="normal",
                maxsubmitjobs="7",
                maxwall="02:00:00",
                maxtres="cpu=4,mem=1.50G",
                maxtrespernode="cpu=2",
                maxtresmins="cpu=60",
                grptres="gres/gpu=2",
                maxjobs="0",
            )
            + association(partition="gpu", qos="normal", maxsubmitjobs="3")
            + "other|alice||||||||||\n",
            "alice|lab|None\nops|root|Operator\n",
            quality()
            + quality(
                "high",
                flags="DenyOnLimit,PartitionTimeLimit",
                maxwall="1-00:00:00",
                maxsubmitjobsperuser="4",
                maxsubmitjobsperaccount="5",
                grpsubmitjobs="6",
                mintresperjob="cpu=2",
                maxtresperjob="cpu=1",
                maxtresperuser="odd,mem=x",
                grptres="node=2",
                grptresmins="cpu=100",
                grpwall="01:30:00",
                maxjobsperuser="7",
                maxjobsperaccount="9",
                grpjobs="8",
            ),
            account("root", "")
            + "root|||||\n"
            + account("lab", grpsubmitjobs="9", grptres="cpu=100")
            + account("lab", user="bob"),
        ],
        "alice",
        "c",
    )
    # A row of another form is none.
    assert [one.account for one in told.associations] == ["lab", "lab"]
    assert told.default_account == "lab"
    assert told.charged(None) == "lab"
    assert told.charged("Other") == "other"
    wide, narrow = told.associations
    assert (wide.qos, wide.default_qos, wide.most_jobs, wide.most_s) == (
        ("high", "normal"),
        "normal",
        7,
        7200.0,
    )
    assert {kind: amounts for kind, amounts in wide.limits.items() if amounts} == {
        Kind.JOB: {"cpu": 4, "mem": 1536},
        Kind.NODE: {"cpu": 2},
        Kind.MINUTES: {"cpu": 60},
        Kind.USER: {"jobs": 0},
        Kind.ALL: {"gres/gpu": 2},
    }
    assert told.of("lab", ["gpu"]) == [narrow, wide]
    assert told.of("lab", ["main"]) == [wide]
    assert told.admins == {"ops"}
    high = told.qos["high"]
    assert high.flags == {"denyonlimit", "partitiontimelimit"}
    assert (high.jobs_of_user, high.jobs_of_account, high.jobs, high.most_s) == (4, 5, 6, 86_400.0)
    assert {kind: amounts for kind, amounts in high.limits.items() if amounts} == {
        Kind.LEAST: {"cpu": 2},
        Kind.JOB: {"cpu": 1},
        Kind.USER: {"jobs": 7},
        Kind.ACCOUNT: {"jobs": 9},
        Kind.ALL: {"node": 2, "jobs": 8},
        Kind.ALL_MINUTES: {"cpu": 100, "wall": 90},
    }
    assert told.accounts["lab"].limits[Kind.ALL] == {"cpu": 100}
    assert [name for name, _ in told.above("lab")] == ["lab", "root"]
    assert told.accounts["lab"].most_jobs == 9


def test_accounts_in_a_circle_end() -> None:
    told = read_accounts(["", "", "", account("a", "b") + account("b", "a")], "alice", "c")
    assert [name for name, _ in told.above("a")] == ["a", "b"]


def test_questions_about_accounts_name_each_user_once() -> None:
    assert "user=alice" in account_commands("alice", "alice", "c")[1]
    assert "user=alice,ops" in account_commands("alice", "ops", "c")[1]


# sbatch --test-only


TAKEN = "sbatch: Job 4 to start at 2026-11-28T17:27:56 using 9 processors on nodes c[1-2] in partition main\n"


def trial(code: int, err: str) -> tuple[Word, str]:
    read = read_trial(Reply(code, b"", err.encode()), "2026-11-28")
    return read.word, read.start


def test_a_job_that_is_taken() -> None:
    assert trial(0, f"Welcome!\n{TAKEN}") == (Word.TAKEN, "at 17:27 with 9 CPUs on c[1-2]")
    federated = TAKEN.replace(" using", " on cluster east using")
    assert trial(0, federated) == (Word.TAKEN, "at 17:27 with 9 CPUs on c[1-2] of the cluster east")
    assert trial(0, TAKEN.replace("11-28", "11-30")) == (
        Word.TAKEN,
        "at 17:27 on 2026-11-30 with 9 CPUs on c[1-2]",
    )
    assert trial(0, "sbatch: job_submit: fine\n") == (Word.TAKEN, "")


def test_a_job_that_never_starts() -> None:
    far = read_trial(Reply(0, b"", TAKEN.replace("2026", "2282").encode()), "2026-11-28")
    assert far.never
    assert not read_trial(Reply(0, b"", TAKEN.encode()), "2026-11-28").never
    assert not read_trial(Reply(0, b"", TAKEN.encode()), "").never


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("allocation failure: Requested node configuration is not available", Word.REFUSED),
        ("sbatch: error: Invalid generic resource (gres) specification", Word.REFUSED),
        ("sbatch: error: Invalid --time specification", Word.REFUSED),
        ("allocation failure: Something of a later release", Word.REFUSED),
        ("allocation failure: Socket timed out on send/recv operation", Word.NONE),
        ("allocation failure: Unable to contact slurm controller (connect failure)", Word.NONE),
        ("allocation failure: AssocMaxSubmitJobLimit", Word.FULL),
        ("", Word.NONE),
    ],
)
def test_a_job_that_is_not_taken(said: str, word: Word) -> None:
    assert trial(1, said)[0] is word


def test_a_refusal_is_explained() -> None:
    read = read_trial(Reply(1, b"", b"allocation failure: Invalid partition name specified\n"), "")
    assert read.said == "Invalid partition name specified"
    explained = read.explained()
    assert explained is not None
    assert (explained.sentence, explained.cause) == ("There is no such partition.", "partition")
    assert read_trial(Reply(TOO_LATE, b"", b"sbatch gave no answer within 60 s"), "").word is Word.NONE


# Words


def test_near_names_come_first() -> None:
    assert near_first("mian", ["gpu", "long", "main"]) == ["main", "gpu", "long"]
    assert names([f"p{number}" for number in range(12)]) == "p0, p1, p2, p3, p4, p5, p6, p7 and 4 more"
    assert names([]) == "none"
    assert names(["\x1b[2J"]) == repr("\x1b[2J")


def test_evidence_is_cut() -> None:
    lines = evidence(("a", "b c"), "\n".join(["x" * 1000, *("y" * 9)])).splitlines()
    assert lines[0] == "$ a 'b c'"
    assert len(lines[1]) == 240
    assert lines[-1] == "(4 more lines)"
