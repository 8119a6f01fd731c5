"""Why a job is where it is: SLURM's words for it, as a short sentence for a person. Pure.

The words are those of `job_reason_string` in SLURM 20.11, 22.05 and 24.11. Most of them name a limit and are
put together by rules (slurm.schedmd.com/resource_limits.html), so limits of later versions read well too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NOTHING = frozenset({"", "None", "(null)", "N/A"})

_SENTENCES: Final[Mapping[str, str]] = {
    # Its turn will come.
    "Priority": "waiting for jobs with higher priority",
    "Resources": "waiting for free nodes",
    "Dependency": "waiting for a job that it depends on",
    "BeginTime": "waiting for the time at which it may begin",
    "Licenses": "waiting for a licence",
    "Reservation": "waiting for its reservation to begin",
    "Cleaning": "waiting for its last attempt to be cleaned up",
    "Prolog": "waiting for the cluster's own preparations",
    "JobArrayTaskLimit": "waiting for other tasks of its array",
    "BurstBufferResources": "waiting for room in the burst buffer",
    "BurstBufferStageIn": "waiting for its files in the burst buffer",
    "PowerNotAvail": "waiting for electric power",
    "PowerReserved": "waiting for electric power that is reserved",
    "MaxPoweredUpNodes": "waiting: no more nodes may be switched on",
    "MpiPortsBusy": "waiting for free MPI ports",
    "SchedDefer": "waiting: the scheduler puts off jobs that want to start at once",
    "FedJobLock": "waiting for the other clusters of the federation",
    "WaitingForScheduling": "waiting: the scheduler has not looked at it yet",
    "BlockMaxError": "waiting: too many errors of the machine's blocks",
    "BlockFreeAction": "waiting for a block to be freed",
    # Somebody has to do something about the cluster.
    "PartitionDown": "waiting: the partition is down",
    "PartitionInactive": "waiting: the partition starts no jobs at the moment",
    "NodeDown": "waiting: a node that it needs is down",
    "ReqNodeNotAvail": "waiting: a node that it needs is not available",
    "FrontEndDown": "waiting: no front-end node is up",
    "JobHeldAdmin": "held by an administrator",
    "JobHeldUser": "held by its owner: scontrol release lets it go",
    "JobHoldMaxRequeue": "held: it was put back into the queue too often",
    # Limits whose words follow no rule.
    "AssociationJobLimit": "waiting: you run as many jobs as your account allows",
    "AssociationResourceLimit": "waiting: you use as much as your account allows",
    "AssociationTimeLimit": "waiting: the time of your account is used up",
    "QOSJobLimit": "waiting: as many jobs run as the QOS allows",
    "QOSResourceLimit": "waiting: as much is in use as the QOS allows",
    "QOSTimeLimit": "waiting: the time of the QOS is used up",
    "QOSUsageThreshold": "waiting: your share is used up below what the QOS demands",
    "AccountingPolicy": "waiting: a limit of your account or QOS is reached",
    # As it was asked for it can't run.
    "PartitionNodeLimit": "can't start: it asks for more nodes than the partition has up or allows",
    "PartitionTimeLimit": "can't start: its time limit is longer than the partition allows",
    "PartitionConfig": "can't start: it asks for more than the partition allows",
    "MaxMemPerLimit": "can't start: it asks for more memory for each CPU or node than is allowed",
    "BadConstraints": "can't start: no nodes are as it wants them",
    "Constraints": "waiting for nodes that are as it wants them",
    "DependencyNeverSatisfied": "can't start: a job that it depends on did not end well",
    "InvalidAccount": "can't start: its account is not valid",
    "InvalidQOS": "can't start: its QOS is not valid",
    "QOSNotAllowed": "can't start: its QOS is not allowed here",
    "AccountNotAllowed": "can't start: its account is not allowed here",
    "ReservationDeleted": "can't start: its reservation was deleted",
    "ReservationInvalid": "can't start: its reservation is not valid",
    "BurstBufferOperation": "can't start: the burst buffer reports an error",
    # It has ended.
    "DeadLine": "ended: its deadline had passed",
    "TimeLimit": "ended: its time limit was reached",
    "InactiveLimit": "ended: it was idle too long",
    "NonZeroExitCode": "ended with an exit code that is not 0",
    "RaisedSignal": "ended by a signal",
    "OutOfMemory": "ended: out of memory",
    "SystemFailure": "ended: SLURM, a file system or the network failed",
    "JobLaunchFailure": "ended: the node could not start it",
}
"""By SLURM's word. Of what waits the sentence begins with "waiting"."""

_LIMIT = re.compile(
    r"(?P<whose>QOS|Assoc|)(?P<kind>Grp|Max|Min)(?P<thing>[A-Za-z]+?)"
    r"(?P<minutes>RunMinutes|RunMins|Minutes)?(?:Per(?P<each>Job|Node|User|Account))?"
    r"(?:Limit|NotSatisfied)?"
)

_THINGS: Final[Mapping[str, tuple[str, str, str]]] = {
    "cpu": ("many", "CPUs", "CPU minutes"),
    "node": ("many", "nodes", "node minutes"),
    "mem": ("much", "memory", "memory minutes"),
    "memory": ("much", "memory", "memory minutes"),
    "gres": ("many", "GPUs or other devices", "device minutes"),
    "license": ("many", "licences", "licence minutes"),
    "energy": ("much", "energy", "energy minutes"),
    "bb": ("much", "burst buffer", "burst buffer minutes"),
    "billing": ("many", "billing units", "billing minutes"),
    "unknown": ("much", "of a resource", "minutes of a resource"),
    "jobs": ("many", "running jobs", ""),
    "submitjob": ("many", "jobs in the queue", ""),
    "submitjobs": ("many", "jobs in the queue", ""),
}
"""What is counted, by its name in a word: much or many of it, itself, and itself over time."""

_TIMES: Final[Mapping[str, str]] = {
    "Wall": "waiting: the time of {owner} is used up",
    "WallDuration": "can't start: its time limit is longer than {owner} allows",
}


def reason_words(reason: str) -> str:
    """What SLURM means by *reason*, as a short sentence without its full stop; empty where it gives none.

    Nodes that SLURM names are told. A word that is not known is returned as it is: it is untrusted text.
    """
    reason = reason.strip()
    if reason in _NOTHING:
        return ""
    word, _, more = reason.partition(",")
    known = _SENTENCES.get(word.partition(":")[0]) or _limit_words(word)
    if known is None:
        return reason
    nodes = more.strip().removeprefix("UnavailableNodes:")
    return f"{known} ({nodes})" if nodes else known


def _limit_words(word: str) -> str | None:
    """The sentence for a word that names a limit by SLURM's rules; None where it does not."""
    match = _LIMIT.fullmatch(word)
    if match is None:
        return None
    # Limits for each user and account are a QOS's, also where nothing is said.
    owner = "your account" if match["whose"] == "Assoc" else "the QOS"
    if match["thing"] in _TIMES:
        return _TIMES[match["thing"]].format(owner=owner)
    if match["thing"].lower() not in _THINGS:
        return None
    many, things, minutes = _THINGS[match["thing"].lower()]
    if match["minutes"]:
        many, things = "many", minutes
    match match["kind"], match["each"]:
        case "Grp", _ if match["minutes"]:
            return f"waiting: {owner} has used up its {minutes}"
        case "Min", _:
            return f"can't start: {owner} wants a job to ask for more {things}"
        case "Max", "User":
            return f"waiting: you have as {many} {things} as {owner} allows one user"
        case "Max", "Account":
            return f"waiting: your account has as {many} {things} as {owner} allows one account"
        case "Max", None if "jobs" in things:
            return f"waiting: you have as {many} {things} as {owner} allows"
        case "Max", "Node":
            return f"can't start: it asks for more {things} on a node than {owner} allows"
        case "Max", _:
            return f"can't start: it asks for more {things} than {owner} allows one job"
    return f"waiting: {owner} has as {many} {things} as it may"
