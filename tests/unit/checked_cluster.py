"""A cluster to check where there is none: what SLURM answers there, and a configuration for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runners.checking.slurm.accounts import account_commands, read_accounts
from runners.checking.slurm.asked import Asked, read_asked
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import read_nodes, read_partitions
from runners.checking.slurm.sets import look_at
from runners.checking.slurm.trial import Trial, Trials, Word
from runners.config.resource import SlurmSSHResource
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import Finding, FindingState
from runners.sample import Sample, sample_script
from runners.slurm.cluster_settings import SlurmSettings, read_settings

OK, WARNING, FAILURE, UNTOLD = FindingState

# What SLURM answers

CONFIG = """\
Configuration data as of 2026-11-28T17:27:54
AccountingStorageEnforce = associations,limits
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = lab-000
MaxJobCount             = 10000
MaxMemPerNode           = UNLIMITED
PrivateData             = jobs,usage
SchedulerParameters     = batch_sched_delay=0,max_script_size=5000,bf_interval=1
SlurmUser               = slurm(64030)
SlurmctldHost[0]        = vm(localhost)
SLURM_VERSION           = 22.05.8

Slurmctld(primary) at head1 is DOWN
Slurmctld(backup) at head2 is UP
"""

PARTITIONS_20 = (
    "PartitionName=main AllowGroups=ALL DenyAccounts=lab,x AllowQos=ALL AllocNodes=ALL Default=YES QoS=N/A "
    "DefaultTime=00:30:00 DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED "
    "MaxTime=UNLIMITED MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED Nodes=c[1-4] PriorityTier=1 RootOnly=NO "
    "State=UP TotalCPUs=32 TotalNodes=4 JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED\n"
)


def row(*cells: str) -> str:
    """A row of sinfo about nodes."""
    return f"@m|{'|'.join(cells)}@m.\n"


def rows_of(question: int, **given: str) -> str:
    """A row of an answer to one of the questions."""
    columns = account_commands("alice", "", "c")[question][-1].removeprefix("format=").split(",")
    assert given.keys() <= set(columns)
    return "|".join(given.get(name, "") for name in columns) + "\n"


def association(account: str = "lab", user: str = "alice", **given: str) -> str:
    """A row about a user."""
    return rows_of(0, account=account, user=user, **given)


def quality(name: str = "normal", **given: str) -> str:
    """A row about a QOS."""
    return rows_of(2, name=name, **given)


def account(account: str, parentname: str = "root", **given: str) -> str:
    """A row about an account."""
    return rows_of(3, account=account, parentname=parentname, **given)


# What is configured

CONFIGURATION: dict[str, dict[str, object]] = {
    "default_slurm_config": {"partition": "main", "cpus_per_task": 2, "mem": "1G", "time": "90m"},
    "gpu_slurm_config": {"partition": "gpu", "gres": "gpu:1", "mem": None},
    "batching_config": {
        "target_num_jobs": 4,
        "max_num_jobs": 25,
        "target_cpus_per_job": 4,
        "max_cpus_per_job": 8,
        "target_mem_per_job": "2G",
        "max_mem_per_job": "8G",
    },
}
WHOLE = {
    "type": "slurm_ssh",
    "name": "x",
    "host": "h",
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3"}},
    "tasks_pixi_config": {},
    "tasks_local_dir": "/t",
    "jobs_local_dir": "/j",
    "jobs_slurm_python_worker": "/usr/bin/python3",
}


def script(config: SlurmRunnerConfig, sample: Sample) -> bytes:
    """The script of a job of the sample."""
    whole = SlurmSSHResource.model_validate(
        {**WHOLE, "jobs_runner_config": config.model_dump(exclude_unset=True)}
    )
    return sample_script(whole, sample, jobs_folder="/home/alice/runyard")


def configuration(*lines: str, **default: object) -> SlurmRunnerConfig:
    """A configuration with these lines and changes in its default set."""
    changed = {**CONFIGURATION["default_slurm_config"], **default, "extra_lines": list(lines)}
    return SlurmRunnerConfig.model_validate({**CONFIGURATION, "default_slurm_config": changed})


# What is told of a set of the configuration

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
    """The settings of a cluster, with changes."""
    found = read_settings(CONFIG.replace("22.05.8", release).replace("max_script_size=5000,", ""))
    assert found is not None
    return replace(found, values={**found.values, **changes})


def facts(
    partitions: str = PARTITIONS, nodes: str = NODES, release: str = "22.05.8", accounts: str = ""
) -> Facts:
    """All that is known of a cluster."""
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
    """What a job of the default set asks for, with these lines and changes."""
    config = configuration(*lines, **default)
    return read_asked(config, script(config, Sample()), gpu=False)


def bad(found: Sequence[Finding]) -> list[tuple[str, FindingState]]:
    """Checks and states of the findings that are not OK."""
    return [(one.check, one.state) for one in found if one.state is not OK]


def amiss(given: Asked, told: Facts, trial: Trial = TAKEN) -> list[tuple[str, FindingState]]:
    """The same of what is found of a set."""
    return bad(look_at(given, told, Trials(trial)).findings)
