"""Check has nothing against what is right, however unusual it is, and sees what hardly differs from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runners.findings import REST, Finding, FindingState
from runners.sample import Sample
from tests.lab.lab import Lab
from tests.lab.login import key_file, known_hosts_line
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import changed
from tests.slurm.runners import ssh_cluster as over_ssh
from tests.slurm.runners import sudo_cluster

pytestmark = pytest.mark.usefixtures("no_jobs_folder")

FAILURE = FindingState.FAILURE


@dataclass(frozen=True, slots=True)
class Variant:
    """A configuration, and a site that it is for."""

    name: str
    default: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Changes to the default set; so with the next two."""
    gpu: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batching: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    site: Callable[[Lab], object] = lambda _: None
    """What is done to the cluster."""
    check: str = ""
    """The word of the one finding that is not OK; empty: there is none."""
    says: str = ""


def cluster_of(lab: Lab, **changes: object) -> Cluster:
    """Through sudo where that can be, which is as good as any way for what SLURM says."""
    return over_ssh(lab, **changes) if lab.spec.root else sudo_cluster(lab, **changes)  # type: ignore[arg-type]


async def amiss(cluster: Cluster) -> list[Finding]:
    """All findings that are not OK, of the whole check; labs are in memory on some machines."""
    try:
        found = [one async for one in cluster.runner.check(Sample())]
    finally:
        await cluster.runner.close()
    assert len(found) > 30
    return [
        one
        for one in found
        if one.state is not FindingState.OK and not (one.check.endswith("space") and "memory" in one.detail)
    ]


async def assert_told(lab: Lab, variant: Variant) -> None:
    variant.site(lab)
    found = await amiss(cluster_of(lab, jobs_runner_config=changed(lab, variant)))
    bad = [one for one in found if one.check != REST]
    expected = [(variant.check, FAILURE)] if variant.check else []
    assert [(one.check, one.state) for one in bad] == expected, bad
    assert bool(found) is bool(variant.check)
    if bad:
        assert variant.says in bad[0].detail
        assert bad[0].fix


def partition(name: str = "main", **options: str) -> Callable[[Lab], object]:
    return lambda lab: lab.policy.partition(name, **options)


WHOLE = {"target_mem_per_job": "16000M", "max_mem_per_job": "16000M", "target_cpus_per_job": 8}
NOT_FOR_GPUS = {"constraint": None, "nodelist": None, "exclude": None, "nodes": None}

RIGHT = [
    Variant("all of a node", default={"mem": "16000M", "cpus_per_task": 8}, batching=WHOLE),
    Variant("two features", default={"constraint": "intel&intel"}, gpu=NOT_FOR_GPUS),
    Variant("one of features", default={"constraint": "(intel|intel)&intel"}, gpu=NOT_FOR_GPUS),
    Variant("counted features", default={"constraint": "[intel*2]", "nodes": 2}, gpu=NOT_FOR_GPUS),
    Variant("range of nodes", default={"nodelist": "c[1-2]"}, gpu=NOT_FOR_GPUS),
    Variant("all but one left out", default={"exclude": "c[1,3-4],g1"}, gpu=NOT_FOR_GPUS),
    Variant("GPUs by number", default={"time": "0"}, gpu={"gres": None, "gpus": "1", "time": "60"}),
    Variant("GPUs by type", default={"time": "2-12:30"}, gpu={"gres": None, "gpus": "v100", "time": "1h"}),
    Variant("GPUs of any number", default={"time": "UNLIMITED"}, gpu={"gres": "gpu", "time": "90s"}),
    Variant(
        "own lines",
        default={
            "account": "any",
            "shebang_line": "#!/bin/bash -l",
            "extra_lines": [
                "#SBATCH --comment='a b' # c",
                "#SBATCH --mail-type=END --mail-user=a@b.c --nice=10",
                "##SBATCH --no-such-option",
                "#SBATCH -q normal",
                "module load x 2>/dev/null",
                "#SBATCH --exclusive",
            ],
        },
    ),
    Variant("hidden", site=partition(hidden="yes")),
    Variant(
        "one's own group", site=lambda lab: lab.policy.partition("main", allowgroups=f"root,{lab.spec.user}")
    ),
    Variant("one is down", {"partition": "urgent,main"}, site=lambda lab: lab.partition("urgent", "down")),
    Variant("one is for others", {"partition": "main,urgent"}, site=partition("urgent", allowgroups="root")),
    Variant("one of two fits", {"partition": "main,gpu"}),
]

WRONG = [
    Variant("all left out", {"exclude": "c[1-4]"}, NOT_FOR_GPUS, check="nodes", says="leaves jobs none"),
    Variant("licence", {"extra_lines": ["#SBATCH -L no"]}, check="trial", says="no such licence"),
    Variant(
        "options against each other",
        gpu={"extra_lines": ["#SBATCH --mem-per-gpu=1G"]},
        check="trial, GPU set",
        says="mutually exclusive",
    ),
]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The commands of SLURM find the cluster."""
    name = "accounting_lab" if "accounting_lab" in request.fixturenames else "lab"
    monkeypatch.setenv("SLURM_CONF", request.getfixturevalue(name).spec.conf)


@pytest.mark.parametrize("variant", [*RIGHT, *WRONG], ids=lambda variant: variant.name)
async def test_variants(lab: Lab, variant: Variant) -> None:
    await assert_told(lab, variant)


# Several who limit the same, of whom SLURM takes one


def limits(kind: str, *settings: str) -> Callable[[Lab], object]:
    return lambda lab: lab.policy.limits(kind, lab.spec.user if kind == "user" else "lab", *settings)


def of_partition(*settings: str, job: tuple[str, ...] = ()) -> Callable[[Lab], object]:
    """A QOS of the partition with *settings*, and one of the jobs."""

    def site(lab: Lab) -> None:
        lab.policy.qos("part", *settings)
        lab.policy.partition("main", qos="part")
        if job:
            lab.policy.qos("jobs", *job)
            lab.policy.limits("user", lab.spec.user, "qos+=jobs")

    return site


WITH_QOS = {"extra_lines": ["#SBATCH --qos=jobs"]}
HALF = {"time": "30"}

LIMITS = [
    Variant(
        "wide", site=limits("user", "maxsubmitjobs=25", "maxjobs=1", "maxwall=2-0", "maxtres=cpu=8,mem=8000")
    ),
    Variant("a job's CPUs", site=limits("user", "maxtres=cpu=7"), check="job limits", says="7 (MaxTRES cpu)"),
    Variant("all CPUs", site=limits("account", "grptres=cpu=7"), check="job limits", says="7 (GrpTRES cpu)"),
    Variant("memory", site=limits("user", "maxtres=mem=99"), check="job limits", says="99 (MaxTRES mem)"),
    Variant("none may run", site=limits("account", "grpjobs=0"), check="job limits", says="no job to run"),
    Variant("partition's", HALF, site=of_partition("maxwall=10"), check="time limit", says="the QOS part"),
    Variant("its CPUs", site=of_partition("maxtresperjob=cpu=2"), check="job limits", says="the QOS part"),
    Variant(
        "within all",
        HALF,
        site=lambda lab: (
            limits("user", "maxtrespernode=cpu=8", "maxtresmins=cpu=240")(lab),
            limits("account", "grptresrunmins=cpu=240", "grptresmins=cpu=1", "grpwall=1")(lab),
            of_partition("mintresperjob=cpu=1,mem=100,node=1", "maxtresperaccount=cpu=8")(lab),
        ),
    ),
    Variant(
        "least CPUs",
        site=of_partition("mintresperjob=cpu=9"),
        check="job limits",
        says="the QOS part wants 9",
    ),
    Variant(
        "least memory",
        site=of_partition("mintresperjob=mem=900"),
        check="job limits",
        says="asks for 800 MB, and the QOS part wants 900 or more (MinTRESPerJob mem)",
    ),
    Variant(
        "least nodes",
        site=of_partition("mintresperjob=node=2"),
        check="job limits",
        says="asks for 1 node, and the QOS part wants 2 or more",
    ),
    Variant(
        "CPUs of a node",
        site=limits("user", "maxtrespernode=cpu=3"),
        check="job limits",
        says="allows 3 on each node (MaxTRESPerNode cpu): such jobs wait for ever",
    ),
    Variant(
        "CPUs of a node by QOS",
        site=of_partition("maxtrespernode=cpu=3"),
        check="job limits",
        says="the QOS part allows 3 on each node",
    ),
    Variant(
        "CPUs of the account",
        site=of_partition("maxtresperaccount=cpu=3"),
        check="job limits",
        says="3 (MaxTRESPerAccount cpu)",
    ),
    Variant(
        "none of the account",
        site=of_partition("maxjobsperaccount=0"),
        check="job limits",
        says="no job to run (MaxJobsPerAccount)",
    ),
    Variant(
        "CPU minutes",
        HALF,
        site=limits("user", "maxtresmins=cpu=239"),
        check="job limits",
        says="8 CPUs for 0:30:00, and the account lab of ",
    ),
    Variant(
        "CPU minutes by QOS",
        HALF,
        site=of_partition("maxtresminsperjob=cpu=239"),
        check="job limits",
        says="the QOS part allows 239 minutes of CPUs (MaxTRESMinsPerJob cpu)",
    ),
    Variant(
        "CPU minutes without a time",
        site=limits("user", "maxtresmins=cpu=100000"),
        check="job limits",
        says="8 CPUs without a time limit, and ",
    ),
    Variant("short enough", site=limits("user", "maxtresmins=cpu=240", "maxwall=30")),
    Variant(
        "CPU minutes of all that run",
        HALF,
        site=limits("account", "grptresrunmins=cpu=239"),
        check="job limits",
        says="the account lab allows 239 minutes of CPUs (GrpTRESRunMins cpu)",
    ),
    Variant(
        "nothing left",
        HALF,
        site=limits("account", "grptresmins=cpu=0"),
        check="job limits",
        says="The account lab allows nothing at all (GrpTRESMins cpu)",
    ),
    Variant(
        "no time left",
        HALF,
        site=limits("account", "grpwall=0"),
        check="job limits",
        says="allows nothing at all (GrpWall)",
    ),
    Variant(
        "refused over a limit",
        site=of_partition("maxtresperjob=cpu=3", "flags=DenyOnLimit"),
        check="job limits",
        says="SLURM refuses such jobs",
    ),
    Variant(
        "partition's first",
        HALF | WITH_QOS,
        {"extra_lines": []},
        site=of_partition(
            "maxwall=60", "maxsubmitjobsperuser=30", job=("maxwall=10", "maxsubmitjobsperuser=3")
        ),
    ),
    Variant(
        "job's first",
        HALF | WITH_QOS,
        {"extra_lines": []},
        site=of_partition(
            "maxwall=10",
            "maxsubmitjobsperuser=3",
            job=("maxwall=60", "maxsubmitjobsperuser=30", "flags=OverPartQOS"),
        ),
    ),
    Variant(
        "QOS before the account",
        HALF | WITH_QOS,
        site=lambda lab: (
            of_partition(job=("maxsubmitjobsperuser=30", "maxwall=60"))(lab),
            limits("user", "maxsubmitjobs=3", "maxwall=10")(lab),
        ),
    ),
]


@pytest.mark.parametrize("variant", LIMITS, ids=lambda variant: variant.name)
async def test_limits(accounting_lab: Lab, variant: Variant) -> None:
    await assert_told(accounting_lab, variant)


# The way there


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for SSH settings, and nobody's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WAYS = {
    "alias": "Host it\n HostName 127.0.0.1\n Port {port}\n User somebody\n",
    "other name of the key": "Host it\n HostName 127.0.0.1\n Port {port}\n HostKeyAlias known\n",
    "through another": (
        "Host it jump\n HostName 127.0.0.1\n Port {port}\n"
        "Host jump\n User {other}\n IdentityFile {key}\nHost it\n ProxyJump jump\n"
    ),
    "through itself": "Host it\n HostName 127.0.0.1\n Port {port}\n ProxyJump {user}@127.0.0.1:{port}\n",
}


@pytest.mark.parametrize("way", list(WAYS))
async def test_ways_over_ssh(lab: Lab, config: Path, way: str) -> None:
    spec = lab.spec
    names = {"port": spec.ssh_port, "user": spec.user, "other": spec.other_user, "key": key_file(spec)}
    (config / "ssh_config").write_text(WAYS[way].format(**names))
    key = known_hosts_line(spec).split(" ", 1)[1]
    (config / "known_hosts").write_text(f"{known_hosts_line(spec)}known {key}")
    before = files(config)
    assert await amiss(over_ssh(lab, config=config, host="it")) == []
    assert files(config) == before


@pytest.mark.parametrize("kind", ["ssh", "sudo"])
async def test_links(lab: Lab, tmp_path: Path, kind: str) -> None:
    """A folder behind a link is one; behind a link that leads nowhere there is none, and none can be made."""
    home = lab.spec.home_of(lab.spec.user)
    if kind == "sudo":
        if lab.spec.root:
            pytest.skip("a cluster in another system can't be reached through sudo")
        assert lab.run("ln", "-s", "/no/where", f"{home}/runyard", user=lab.spec.user).returncode == 0
        try:
            found = await amiss(sudo_cluster(lab))
        finally:
            lab.here(f"{home}/runyard").unlink()
    else:
        for target, name in ((home, "good"), ("/no/where", "bad")):
            assert lab.run("ln", "-s", target, f"{home}/{name}", user=lab.spec.user).returncode == 0
        try:
            good = over_ssh(lab, profile_changes={"jobs_remote_dir": f"{home}/good/new/er"})
            assert await amiss(good) == []
            found = await amiss(over_ssh(lab, profile_changes={"jobs_remote_dir": f"{home}/bad/new"}))
        finally:
            for name in ("good", "bad"):
                lab.here(f"{home}/{name}").unlink()
    assert [(one.check, one.state) for one in found] == [("jobs folder", FAILURE)]
    assert "is a link that leads nowhere" in found[0].detail
    (tmp_path / "link").symlink_to(tmp_path / "none")
    found = await amiss(cluster_of(lab, jobs_local_dir=str(tmp_path / "link" / "jobs")))
    assert [(one.check, one.state) for one in found] == [("local folder", FAILURE)]
    assert "is a link that leads nowhere" in found[0].detail


async def test_settings_of_shells_over_there(lab: Lab) -> None:
    """What start-up files say to programs changes none of their answers."""
    file = lab.here(f"{lab.spec.home_of(lab.spec.user)}/.bashrc")
    settings = {
        "POSIXLY_CORRECT": "1",
        "LC_ALL": "de_DE.UTF-8",
        "TZ": "Asia/Tokyo",
        "BLOCKSIZE": "1M",
        "DF_BLOCK_SIZE": "M",
        "SINFO_FORMAT": "%n",
        "SLURM_TIME_FORMAT": "relative",
    }
    file.write_text("".join(f"export {name}={value!r}\n" for name, value in settings.items()))
    try:
        assert await amiss(over_ssh(lab)) == []
    finally:
        file.unlink()
