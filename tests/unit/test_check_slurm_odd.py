"""No cluster is too odd to be looked at: whatever it answers, findings are sentences, and say what to do."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from runners.checking.slurm.accounts import account_commands, read_accounts
from runners.checking.slurm.asked import Asked
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import read_nodes, read_partitions
from runners.checking.slurm.reservations import read_reservations
from runners.checking.slurm.sets import look_at
from runners.checking.slurm.trial import Trial, Trials, Word
from runners.config.errors import ConfigError
from tests.unit.checked_cluster import (
    ACCOUNTS,
    NODES,
    OK,
    PARTITIONS,
    account,
    asked,
    association,
    facts,
    quality,
    row,
    settings,
)

VALUES = (
    " 0 1 -1 99999999999999999999 18446744073709551615 1e9 1K UNLIMITED INFINITE n/a (null) ALL NONE YES NO "
    "1-00:00:00 00:00:00 abc cpu=0 cpu=4,mem=1T gres/gpu=1 c[1-4] c[ {} {0} a,b lab LAB normal idle* down "
    "reserved idle% DenyOnLimit,OverPartQOS,Relative PartitionTimeLimit,RequiresReservation \x1b[31m é"
).split(" ")
LINES = (
    *("--partition=", "-p x,main", "--nodes=2-4", "--nodes=0", "--gpus=v100:2", "--gres=gpu:x:y:z"),
    *("--mem=0", "--mem-per-cpu=2G", "--mem=1.5G", "--ntasks=0", "--ntasks=99999", "-n", "--time=x"),
    *("-t UNLIMITED", "--time=0:00:00", "--qos=High", "--qos=", "--reservation=theirs", "-M other"),
    *("--constraint=a|b&(c*2)", "--constraint=[", "-w c1", "-x c[1-4]", "--exclude=/tmp/f", "--hold"),
    *("--begin=now+1", "-c 0"),
    *("--deadline=2020-01-01", "--cpus-per-task=x", "--gpus-per-task=1", "--tres-per-task=gres/gpu:1"),
)
DEFAULT: Mapping[str, Sequence[object]] = {
    "partition": ["main,more", "nope", "MAIN"],
    "account": ["lab", "LAB", "x"],
    "constraint": ["intel", "!intel", "a&b", "[x*2]", "(("],
    "gres": ["gpu:1", "gpu:v100:2", "x", "none", "::"],
    "gpus": ["1", "v100:1", "z:z:z"],
    "nodes": [-1, 0, 1, 99],
    "nodelist": ["c1", "c[1-2]", "zz"],
    "exclude": ["c1", "c[1-4]"],
    "time": ["1", "0", "x", "UNLIMITED", None],
    "cpus_per_task": [1, 9],
    "use_mem_per_cpu": [True],
}
SAID = (
    "Requested node configuration is not available",
    "Memory specification can not be satisfied",
    "Invalid account or account/partition combination specified",
    "--a is mutually exclusive with --b",
    "Invalid generic resource (gres) specification",
    "User's group not permitted to use this partition",
    "QOSMaxCpuPerJobLimit; Job violates accounting/QOS policy",
    "strange",
    "",
)
RESERVED = "ReservationName=theirs StartTime=2026-11-29T00:00:00 Nodes=c[1-4] Users=root State=INACTIVE\n"


def odd(text: str, draw: random.Random) -> str:
    """Some of its values are others."""
    for _ in range(draw.randint(0, 4)):
        value = draw.choice([*re.finditer(r"(?<=[=|])[^ |\n]*", text)])
        text = text[: value.start()] + draw.choice(VALUES) + text[value.end() :]
    return text


def some(question: int, draw: random.Random) -> dict[str, str]:
    """Odd cells for a row about accounts or QOS."""
    columns = account_commands("alice", "", "c")[question][-1].removeprefix("format=").split(",")
    free = [name for name in columns if name not in ("account", "user", "name", "parentname")]
    return {name: draw.choice(VALUES) for name in draw.sample(free, 4)}


def job(draw: random.Random) -> Asked:
    default = {name: draw.choice(values) for name, values in DEFAULT.items() if draw.random() < 0.25}
    return asked(*(f"#SBATCH {line}" for line in draw.sample(LINES, draw.randint(0, 3))), **default)


def cluster(draw: random.Random) -> Facts:
    limits = ("EnforcePartLimits", "MaxMemPerCPU", "MaxMemPerNode", "MaxTasksPerNode", "MaxStepCount")
    changes = {name: draw.choice([*VALUES, "ANY"]) for name in limits if draw.random() < 0.4}
    partitions = odd(PARTITIONS, draw) + odd(PARTITIONS.replace("=main", "=more"), draw)
    nodes = odd(NODES, draw) + odd(NODES.replace("main", "more"), draw)
    nodes += row("main", draw.choice(VALUES), "1", "8", "500", "gpu:v100:2", "a,b", "g1")
    answers = [
        association(**{"qos": "high,normal", "defaultqos": "normal"} | some(0, draw)),
        ACCOUNTS[1],
        quality(**some(2, draw)) + quality("high", **some(2, draw)),
        account("root", "") + account("lab", **some(3, draw)),
    ]
    return replace(
        facts(),
        settings=settings(draw.choice(["20.11.4", "23.02.1", "24.11.5", "x"]), **changes),
        partitions=draw.choice([read_partitions(partitions)] * 4 + [None]),
        groups=draw.choice([read_nodes(nodes, "m")] * 4 + [None, ()]),
        user_groups=draw.choice([frozenset({"users"}), None]),
        accounts=draw.choice([read_accounts(answers, "alice", "c")] * 4 + [None]),
        reservations=read_reservations(odd(RESERVED, draw)),
        places={"c1": ["c1"], "c[1-2]": ["c1", "c2"], "zz": ["zz"], "c[1-4]": ["c1", "c2", "c3", "c4"]},
        homes=draw.choice([{"c1": frozenset({"main"}), "c2": frozenset({"more"})}, None]),
        states={"c1": draw.choice(VALUES)},
    )


def trial(draw: random.Random) -> Trial:
    never = draw.random() < 0.1
    return Trial(draw.choice([*Word]), draw.choice(SAID), draw.choice(["", "at 17:27 with 4 CPUs"]), never)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_cluster_answers(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(25):
        try:
            given = job(draw)
        except ConfigError:
            # No script can be made of it.
            continue
        trials = Trials(trial(draw), {what: trial(draw) for what in given.largest})
        found = look_at(given, cluster(draw), trials)
        assert found.findings
        for one in found.findings:
            assert one.detail
            assert one.fix or one.state is OK, one
            assert (one.detail + one.fix).isprintable(), one
            assert not re.search(r"\b(inf|nan|None)\b(?! of| are)", one.detail + one.fix), one
