"""What SLURM's words for why a job waits, or has ended, mean, and what to do then.

The words are those of `job_state_reason_string` in SLURM 20.11 to 24.11. Most name a limit: they are in
:mod:`runners.slurm.limits`. In place of a word, or behind one, slurmctld may give a text of its own. Where
the meaning has ``{partition}``, the partition is named, if it is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runners.explanation import BATCHING, SLURM_SET, Need
from runners.slurm.limits import Meaning


def _turn(words: str, when: str = "its turn comes") -> Meaning:
    text = f"Nothing to do, it starts when {when}. SLURM's own estimate"
    return Meaning(words, Need.WAITS, text, ("squeue --start -j {job}",))


def _soon(words: str) -> Meaning:
    text = "Nothing to do, it starts soon; if it does not, ask your administrators"
    return Meaning(words, Need.WAITS, text, ("scontrol show job {job}",))


def _site(words: str, text: str, *commands: str) -> Meaning:
    return Meaning(words, Need.ACTION, text, commands)


def _never(words: str, text: str, field: str = "", value: str = "") -> Meaning:
    return Meaning(words, Need.NEVER, text, ("scontrol show job {job}",), field, value)


# Unlike scontrol, it takes several.
_PARTITION = ("sinfo --summarize --partition={partition}", "sinfo --summarize")
_AGAIN = "runyard retry {run}"
_ASSOC = "sacctmgr show assoc where user=$USER"
_QOS = "sacctmgr show qos"

REASONS: Final[Mapping[str, Meaning]] = {
    # Its turn will come.
    "Priority": _turn("waiting for jobs with higher priority"),
    "Resources": _turn("waiting for free nodes"),
    "Dependency": Meaning(
        "waiting for a job that it depends on",
        Need.WAITS,
        "Nothing to do, it starts when that job has ended. Which one it is",
        ("scontrol show job {job}",),
    ),
    "BeginTime": _turn(
        "waiting for the time at which it may begin",
        "that time has come (after a failed start SLURM sets one some minutes ahead)",
    ),
    "Licenses": Meaning(
        "waiting for a licence",
        Need.WAITS,
        "Nothing to do, it starts when one is free. How many there are",
        ("scontrol show licenses",),
    ),
    "Reservation": Meaning(
        "waiting for its reservation to begin",
        Need.WAITS,
        "Nothing to do, it starts with the reservation. When that is",
        ("scontrol show reservation",),
    ),
    "Cleaning": _soon("waiting for its last attempt to be cleaned up"),
    "Prolog": _soon("waiting for the cluster's own preparations"),
    "JobArrayTaskLimit": _turn("waiting for other tasks of its array", "one of them has ended"),
    "BurstBufferResources": _turn("waiting for room in the burst buffer", "there is room"),
    "BurstBufferStageIn": _turn("waiting for its files in the burst buffer", "they are there"),
    "PowerNotAvail": _turn("waiting for electric power", "there is enough"),
    "PowerReserved": _turn("waiting for electric power that is reserved", "there is enough"),
    "MaxPoweredUpNodes": _turn("waiting: no more nodes may be switched on", "others end"),
    "MpiPortsBusy": _turn("waiting for free MPI ports", "some are free"),
    "SchedDefer": _turn("waiting: the scheduler puts off jobs that want to start at once"),
    "FedJobLock": _soon("waiting for the other clusters of the federation"),
    "WaitingForScheduling": _soon("waiting: the scheduler has not looked at it yet"),
    "BlockMaxError": _site(
        "waiting: too many errors of the machine's blocks", "Ask your administrators when it goes on"
    ),
    "BlockFreeAction": _soon("waiting for a block to be freed"),
    # Somebody has to do something about the cluster.
    "PartitionDown": _site(
        "waiting: {partition} is down",
        "It starts when the administrators have put the partition up again; ask them when that is. "
        "How it stands",
        *_PARTITION,
    ),
    "PartitionInactive": _site(
        "waiting: {partition} starts no jobs at the moment",
        "It starts when the administrators have put the partition up again; ask them when that is. "
        "How it stands",
        *_PARTITION,
    ),
    "NodeDown": _site(
        "waiting: a node that it needs is down",
        "It starts when the node is back; ask your administrators when that is. Why it is down",
        "sinfo --list-reasons --nodes={hosts}",
        "sinfo --list-reasons",
    ),
    "ReqNodeNotAvail": _site(
        "waiting: a node that it needs is not available",
        "It starts when nodes are back or free. Before a maintenance only jobs start that end in time: "
        "a shorter time limit helps. What is wrong with nodes",
        "sinfo --list-reasons --nodes={hosts}",
        "sinfo --list-reasons",
    ),
    "FrontEndDown": _site(
        "waiting: no front-end node is up", "Ask your administrators when there is one", "sinfo --summarize"
    ),
    "JobHeldAdmin": _site(
        "held by an administrator",
        "Only the administrators can let it go, so ask them. What is known of it",
        "scontrol show job {job}",
    ),
    "JobHeldUser": _site("held by its owner", "Let it go", "scontrol release {job}"),
    "JobHoldMaxRequeue": _site(
        "held: it was put back into the queue too often",
        "Ask your administrators about the nodes that it failed on, then let it go",
        "scontrol release {job}",
    ),
    # Limits whose words follow no rule.
    "AssociationJobLimit": _turn("waiting: you run as many jobs as your account allows", "one has ended"),
    "AssociationResourceLimit": _turn(
        "waiting: you use as much as your account allows", "others of your jobs have ended"
    ),
    "AssociationTimeLimit": _site(
        "waiting: the time of your account is used up",
        "Wait until the period is over, or ask your administrators for more. What is allowed",
        _ASSOC,
    ),
    "QOSJobLimit": _turn("waiting: as many jobs run as the QOS allows", "one of them has ended"),
    "QOSResourceLimit": _turn("waiting: as much is in use as the QOS allows", "others have ended"),
    "QOSTimeLimit": _site(
        "waiting: the time of the QOS is used up",
        "Wait until the period is over, or ask your administrators for more. What is allowed",
        _QOS,
    ),
    "QOSUsageThreshold": _site(
        "waiting: your share is used up below what the QOS demands",
        "Wait until your use counts less, or use another QOS. What you have used",
        "sshare -U",
    ),
    "AccountingPolicy": _site(
        "waiting: a limit of your account or QOS is reached",
        "Ask your administrators which one, if it does not start when other jobs of yours end. "
        "What is allowed",
        _ASSOC,
    ),
    # As it was asked for it can't run.
    "PartitionNodeLimit": _never(
        "can't start: it asks for more nodes than {partition} has up or allows",
        "Cancel it, ask for fewer nodes, and retry",
        f"{SLURM_SET}.nodes",
        "NODES",
    ),
    "PartitionTimeLimit": _never(
        "can't start: its time limit is longer than {partition} allows",
        "Cancel it, ask for less time or put fewer tasks into a job, and retry",
        f"{SLURM_SET}.time",
        "TIME",
    ),
    "PartitionConfig": _never(
        "can't start: it asks for more than {partition} allows",
        "Cancel it, ask for less or for another partition, and retry",
        f"{SLURM_SET}.partition",
        "PARTITION",
    ),
    "MaxMemPerLimit": _never(
        "can't start: it asks for more memory for each CPU or node than is allowed",
        "Cancel it, ask for less memory, and retry",
        f"{BATCHING}.max_mem_per_job",
        "MEMORY",
    ),
    "BadConstraints": _never(
        "can't start: no nodes are as it wants them",
        "Cancel it, ask for what nodes have (sinfo -N -o '%N %c %m %f %G' tells), and retry",
        f"{SLURM_SET}.constraint",
        "FEATURES",
    ),
    "Constraints": _turn("waiting for nodes that are as it wants them", "there are such"),
    "DependencyNeverSatisfied": _never(
        "can't start: a job that it depends on did not end well", "Cancel it, and retry without that job"
    ),
    "InvalidAccount": _never(
        "can't start: its account is not valid",
        f"Cancel it, name an account that you have ({_ASSOC} tells), and retry",
        f"{SLURM_SET}.account",
        "ACCOUNT",
    ),
    "InvalidQOS": _never(
        "can't start: its QOS is not valid",
        f"Cancel it, name a QOS that you may use ({_ASSOC} tells) in extra_lines, and retry",
    ),
    "QOSNotAllowed": _never(
        "can't start: its QOS is not allowed here",
        "Cancel it, use another partition, or another QOS in extra_lines, and retry",
        f"{SLURM_SET}.partition",
        "PARTITION",
    ),
    "AccountNotAllowed": _never(
        "can't start: its account is not allowed here",
        "Cancel it, use another partition or account, and retry",
        f"{SLURM_SET}.account",
        "ACCOUNT",
    ),
    "ReservationDeleted": _never(
        "can't start: its reservation was deleted", "Cancel it, and retry without the reservation"
    ),
    "ReservationInvalid": _never(
        "can't start: its reservation is not valid", "Cancel it, and retry without the reservation"
    ),
    "BurstBufferOperation": _never(
        "can't start: the burst buffer reports an error", "Ask your administrators what is wrong with it"
    ),
    # It has ended.
    "DeadLine": _site(
        "ended: its deadline had passed", "Set a later deadline, or none, in extra_lines, and retry", _AGAIN
    ),
    "TimeLimit": _site(
        "ended: its time limit was reached",
        "Try it with more time for each task",
        f"{_AGAIN} --time TIME",
    ),
    "InactiveLimit": _site("ended: it was idle too long", "Retry", _AGAIN),
    "NonZeroExitCode": _site(
        "ended with an exit code that is not 0", "See what its tasks printed", "runyard logs {run}"
    ),
    "RaisedSignal": _site("ended by a signal", "See what its tasks printed", "runyard logs {run}"),
    "OutOfMemory": _site("ended: out of memory", "Try it with more memory", f"{_AGAIN} --mem MEMORY"),
    "SystemFailure": _site(
        "ended: SLURM, a file system or the network failed",
        "Retry; if it happens again, ask your administrators",
        _AGAIN,
    ),
    "JobLaunchFailure": _site(
        "ended: the node could not start it", "Retry; if it happens again, ask your administrators", _AGAIN
    ),
}
"""By SLURM's word."""

_LET_GO = "If it happens again, ask your administrators about the node. To let the job go"

TEXTS: Final[tuple[tuple[str, Meaning], ...]] = (
    (
        r"launch failed requeued held",
        _site("held: a node could not start it, so it was put back", _LET_GO, "scontrol release {job}"),
    ),
    (
        r"user env retrieval failed requeued held",
        _site("held: a node could not read the user's environment", _LET_GO, "scontrol release {job}"),
    ),
    (
        r"requeued in special exit state|special exit",
        _site("held: it was put back with a special exit", "Let it go", "scontrol release {job}"),
    ),
    (
        r"prolog\w* .*(fail|held)",
        _site("held: the cluster's own preparations failed", _LET_GO, "scontrol release {job}"),
    ),
    (
        r"reserved for maintenance|maintenance",
        Meaning(
            "waiting: the nodes are reserved for a maintenance",
            Need.WAITS,
            "It starts after the maintenance; with a time limit that ends before, sooner. When that is",
            ("scontrol show reservation",),
        ),
    ),
    (
        r"nodes required for job are down, drained or reserved",
        _site(
            "waiting: the nodes that it could use are down, drained or kept for others",
            "It starts when nodes are back or free. What is wrong with nodes",
            "sinfo --list-reasons",
        ),
    ),
    (
        r"may be reserved for other job",
        _turn("waiting: the nodes that it needs may be kept for another job"),
    ),
    (r"job'?s account not (permitted|known)", REASONS["AccountNotAllowed"]),
    (r"job'?s qos not (permitted|known)", REASONS["QOSNotAllowed"]),
    (
        r"user'?s group not permitted",
        _never(
            "can't start: none of the user's groups may use {partition}",
            "Cancel it, use another partition, and retry; or ask your administrators",
            f"{SLURM_SET}.partition",
            "PARTITION",
        ),
    ),
    (r"burst.?buffer", REASONS["BurstBufferOperation"]),
)
"""Texts that slurmctld gives in place of a word, or behind one: patterns for them without their case."""
