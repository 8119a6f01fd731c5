"""The configuration files of a lab's SLURM. Pure."""

from __future__ import annotations

from tests.lab.spec import LabSpec

CPUS = 8
MEMORY_MB = 16_000
"""Of each node. Declared, not real: jobs that sleep need neither."""


def slurm_conf(spec: LabSpec) -> str:
    """slurm.conf."""
    base = spec.base
    last = spec.node_names[-2]
    ports = f"{spec.node_port('c1')}-{spec.node_port(last)}"
    nodes = f"c[1-{spec.nodes}]"
    lines = [
        f"ClusterName={spec.name}",
        "SlurmctldHost=localhost",
        f"SlurmctldPort={spec.controller_port}",
        "AuthType=auth/munge",
        f"AuthInfo=socket={base}/munge/sock",
        "SlurmUser=root",
        "SlurmdUser=root",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "MpiDefault=none",
        "SwitchType=switch/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "SlurmdParameters=config_overrides",
        "ReturnToService=2",
        "JobAcctGatherType=jobacct_gather/linux",
        "JobAcctGatherFrequency=task=2",
        "JobAcctGatherParams=OverMemoryKill",
        # Jobs of the partition `urgent` push those of `main` out, which go back to the queue.
        "PreemptType=preempt/partition_prio",
        "PreemptMode=REQUEUE",
        "GresTypes=gpu",
        "SchedulerParameters=batch_sched_delay=0,bf_interval=1",
        f"MinJobAge={spec.min_job_age_s}",
        "KillWait=5",
        f"StateSaveLocation={base}/state",
        f"SlurmctldPidFile={base}/pid/slurmctld",
        f"SlurmctldLogFile={base}/log/slurmctld",
        f"SlurmdSpoolDir={base}/spool/%n",
        f"SlurmdPidFile={base}/pid/%n",
        f"SlurmdLogFile={base}/log/%n",
        *_accounting(spec),
        *spec.options,
        _node(nodes, ports, "Features=intel"),
        _node("g1", str(spec.node_port("g1")), "Gres=gpu:v100:2"),
        f"PartitionName=main Nodes={nodes} Default=YES MaxTime=INFINITE PriorityTier=1 State=UP",
        f"PartitionName=urgent Nodes={nodes} MaxTime=INFINITE PriorityTier=9 PreemptMode=OFF State=UP",
        "PartitionName=gpu Nodes=g1 MaxTime=1:00:00 State=UP",
    ]
    return "".join(f"{line}\n" for line in lines)


def gres_conf(spec: LabSpec) -> str:
    """gres.conf; the GPUs' device files are ordinary ones."""
    return f"NodeName=g1 Name=gpu Type=v100 File={spec.base}/gpu[0-1]\n"


def slurmdbd_conf(spec: LabSpec) -> str:
    """slurmdbd.conf."""
    base = spec.base
    return f"""\
AuthType=auth/munge
AuthInfo=socket={base}/munge/sock
DbdHost=localhost
DbdPort={spec.accounting_port}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={spec.database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
PidFile={base}/pid/slurmdbd
LogFile={base}/log/slurmdbd
"""


def _accounting(spec: LabSpec) -> list[str]:
    if not spec.accounting:
        return ["AccountingStorageType=accounting_storage/none"]
    return [
        "AccountingStorageType=accounting_storage/slurmdbd",
        "AccountingStorageHost=localhost",
        f"AccountingStoragePort={spec.accounting_port}",
        f"AccountingStoragePass={spec.base}/munge/sock",
        "AccountingStorageEnforce=associations,limits,qos",
    ]


def _node(names: str, ports: str, more: str) -> str:
    where = f"NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports}"
    return f"NodeName={names} {where} CPUs={CPUS} RealMemory={MEMORY_MB} {more}"
