"""What accounts and QOS allow a job, on sites that the lab can't be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.checking.slurm.accounts import read_accounts
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import read_nodes, read_partitions
from runners.checking.slurm.sets import look_at
from runners.checking.slurm.trial import Trials
from runners.findings import Finding
from tests.unit.checked_cluster import (
    ACCOUNTS,
    NODES,
    OK,
    PARTITIONS,
    TAKEN,
    account,
    asked,
    association,
    facts,
    quality,
    settings,
)


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


@pytest.mark.parametrize(
    ("user", "qos", "says"),
    [
        ("maxsubmitjobs=3 grpsubmitjobs=9", "", "alice may have 3 in the queue with the account lab (MaxSub"),
        ("maxsubmitjobs=9 grpsubmitjobs=3", "", "alice may have 3 in the queue with the account lab (GrpSub"),
        ("maxsubmitjobs=3", "maxsubmitjobsperuser=5", "QOS normal allows 5 in the queue to one user"),
        ("grpsubmitjobs=3", "grpsubmitjobs=5", "QOS normal allows 5 in the queue to all together"),
        ("maxsubmitjobs=25 grpsubmitjobs=25", "", ""),
    ],
)
def test_how_many_jobs_there_may_be(user: str, qos: str, says: str) -> None:
    found = size_of(limited(user=user, qos=qos))
    assert (found is None) is (says == "")
    assert found is None or says in found.detail


def test_limits_that_are_shares() -> None:
    """Those of a QOS with the flag Relative, from 23.11 on, are percentages; numbers of jobs are none."""
    for limit in ("grptres=cpu=1,mem=1", "maxtresperjob=mem=50", "maxtresperuser=node=0"):
        assert size_of(limited(qos=limit)) is not None
        assert size_of(limited(qos=f"{limit} flags=Relative")) is None
    # It goes before the account all the same.
    assert size_of(limited(qos="grptres=cpu=1 flags=Relative", user="grptres=cpu=1")) is None
    assert size_of(limited(qos="grptres=cpu=90 grpjobs=0 flags=Relative")) is not None


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
