"""Why sbatch refuses a job, and what to do: its words as a sentence and the field at fault. Pure.

The words are those of `slurm_strerror` and of sbatch itself in SLURM 20.11 to 24.11, of `--test-only` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from runners.config.errors import shown
from runners.explanation import BATCHING, SLURM_SET, About, Explanation, Need, advice, filled, sentence
from runners.slurm.reasons import explain_reason


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What words of a refusal mean."""

    cause: str
    """A word for it."""
    words: str
    """A sentence without its full stop, in which {0} and on stand for what the words name."""
    advice: str
    """What to do, without what can be pasted."""
    command: str = ""
    """What to paste, unless a field is to be changed."""
    field: str = ""
    """The field at fault; that of what each task asks for stands alone: `partition`."""
    value: str = ""
    """What stands for its new value."""
    of: Literal["resource", "profile"] = "resource"
    need: Need = Need.NEVER


_ACCOUNTS = "sacctmgr show assoc where user=$USER"
_NODES = "sinfo -N -o '%N %P %c %m %f %G'"

_REFUSALS: Final[Mapping[str, _Refusal]] = {
    # The line to slurmctld, which may be back soon.
    r"socket timed out|unable to contact slurm controller|zero bytes were transmitted|"
    r"connection (refused|failure|reset|timed out)|message (send|receive) failure|standby mode": _Refusal(
        "controller",
        "SLURM's controller gives no answer",
        "Try again in a while; if it lasts, ask your administrators",
        "scontrol ping",
        need=Need.WAITS,
    ),
    r"protocol authentication error|munge|invalid authentication credential": _Refusal(
        "authentication",
        "SLURM does not accept who we are: its authentication (munge) fails on the machine that asks",
        "Ask your administrators to look at munge there",
        "munge -n | unmunge",
        need=Need.ACTION,
    ),
    r"incompatible versions of client and server": _Refusal(
        "version",
        "SLURM's commands are of another version than its controller",
        "Ask your administrators to bring them up to date",
        "sbatch --version",
        need=Need.ACTION,
    ),
    # By whatever was to start sbatch.
    r"a (password|terminal) is required|you must have a tty|is not allowed to execute|not in the sudoers": (
        _Refusal(
            "sudo",
            "sudo does not let us run sbatch as the user of the profile",
            "Ask your administrators to grant it without a password. What is granted",
            "sudo -n -l",
            need=Need.ACTION,
        )
    ),
    r"unknown user|user not found on host|invalid user id": _Refusal(
        "user",
        "the user of the profile is not known there",
        "Name a user of the cluster in the profile",
        field="username",
        of="profile",
    ),
    r"(sbatch|sudo|env): .*not found|sbatch: command not found|no such file or directory.*sbatch|"
    r"sbatch: no such file": _Refusal(
        "sbatch missing",
        "sbatch is not there",
        "Ask your administrators how SLURM is reached on that machine, or name the right host",
        "command -v sbatch",
        need=Need.ACTION,
    ),
    # What the job asks for.
    r"invalid partition name": _Refusal(
        "partition",
        "there is no such partition",
        "Name one that exists ('sinfo --summarize' lists them)",
        field="partition",
        value="PARTITION",
    ),
    r"no partition specified": _Refusal(
        "partition",
        "no partition is named, and SLURM has no default",
        "Name one ('sinfo --summarize' lists them)",
        field="partition",
        value="PARTITION",
    ),
    r"user'?s group not permitted": _Refusal(
        "partition access",
        "none of the user's groups may use the partition",
        "Ask your administrators for access, or name another partition",
        field="partition",
        value="PARTITION",
    ),
    r"job'?s account not (?:permitted|known)[^(]*(?:\(([^)]*)\))?": _Refusal(
        "account on partition",
        "the account may not be used in the partition ({0})",
        f"Name another account ('{_ACCOUNTS}' lists yours), or another partition",
        field="account",
        value="ACCOUNT",
    ),
    r"job'?s qos not (?:permitted|known)[^(]*(?:\(([^)]*)\))?": _Refusal(
        "QOS on partition",
        "the QOS may not be used in the partition ({0})",
        "Name a QOS that the partition allows, as a line '#SBATCH --qos=...' of extra_lines",
        field="extra_lines",
    ),
    r"required partition not available|partition in down state|partition configuration not available": (
        _Refusal(
            "partition down",
            "the partition takes or starts no jobs at the moment",
            "Ask your administrators when it is up again, or name another partition",
            "sinfo --summarize",
            need=Need.ACTION,
        )
    ),
    r"invalid account": _Refusal(
        "account",
        "the account is not valid, or not for this user and partition",
        f"Name an account that the user has ('{_ACCOUNTS}' lists them)",
        field="account",
        value="ACCOUNT",
    ),
    r"invalid qos|breached requested qos": _Refusal(
        "QOS",
        "the QOS is not valid, or not for this user",
        f"Name one that the user has ('{_ACCOUNTS}' lists them), as a line of extra_lines",
        field="extra_lines",
    ),
    r"invalid wckey": _Refusal(
        "wckey",
        "the wckey is not valid",
        "Name one that the user has, or none, in extra_lines",
        field="extra_lines",
    ),
    r"time limit is invalid|time limit specification required|invalid time-min": _Refusal(
        "time",
        "the time limit is longer than the partition allows, or one must be given and is not",
        "Ask for a time that the partition allows ('sinfo -o \"%P %l\"' lists them)",
        field="time",
        value="TIME",
    ),
    r"invalid --time|invalid time specified": _Refusal(
        "time form",
        "the time limit can't be read",
        "Write it as minutes, hh:mm:ss or days-hh:mm:ss",
        field="time",
        value="1:00:00",
    ),
    r"memory specification can ?not be satisfied|memory required by task is not available": _Refusal(
        "memory",
        "no node has, or may give, as much memory as the job asks for",
        f'Ask for less, or let a job be smaller ("{_NODES}" lists what nodes have)',
        field="mem",
        value="MEMORY",
    ),
    r"invalid (--mem|memory constraint)": _Refusal(
        "memory form",
        "the memory can't be read",
        "Write it in MB or with a unit",
        field="mem",
        value="4G",
    ),
    r"cpu count per node can not be satisfied|more processors requested than permitted|"
    r"cpu count specification invalid|requested more tasks than available processors": _Refusal(
        "CPUs",
        "no node, or not so many nodes, have as many CPUs as the job asks for",
        f'Let a job be smaller ("{_NODES}" lists what nodes have)',
        field=f"{BATCHING}.max_cpus_per_job",
        value="CPUS",
    ),
    r"invalid feature specification|active features not subset": _Refusal(
        "features",
        "no node has the features that the constraint asks for",
        f'Ask for features that nodes have ("{_NODES}" lists them)',
        field="constraint",
        value="FEATURES",
    ),
    r"invalid generic resource|invalid gres|duplicate generic resource|gres option unsupported|"
    r"insufficient gres|trackable resource": _Refusal(
        "gres",
        "the cluster has no such GPU or other device as the job asks for",
        f'Ask for what nodes have ("{_NODES}" lists it)',
        field="gres",
        value="GRES",
    ),
    r"invalid node name|requested nodes not in this partition|invalid hostname": _Refusal(
        "nodes",
        "a node that is named does not exist, or is not in the partition",
        f'Name nodes of the partition, or none ("{_NODES}" lists them)',
        field="nodelist",
        value="NODES",
    ),
    r"required node not available|requested nodes are busy": _Refusal(
        "nodes down",
        "a node that is named is down, drained or reserved",
        "Name other nodes or none, or wait until it is back. Why it is not there",
        "sinfo --list-reasons",
        need=Need.ACTION,
    ),
    r"job size specification": _Refusal(
        "size",
        "the site wants a job to say on how many nodes it runs",
        "Say it",
        field="nodes",
        value="1",
    ),
    r"node count specification invalid|invalid node count|invalid number of nodes": _Refusal(
        "node count",
        "so many nodes can't be had in the partition",
        "Ask for fewer, or leave it to SLURM",
        field="nodes",
        value="1",
    ),
    # SLURM says so of any of these, and does not say which.
    r"node configuration is not available": _Refusal(
        "node configuration",
        "no nodes of the partition have what the job asks for: so many, with such CPUs, memory and devices",
        "Ask for what they have, or let a job be smaller. What they have",
        _NODES,
    ),
    r"reservation": _Refusal(
        "reservation",
        "the reservation does not exist, or is not for this user",
        "Leave it out of extra_lines, or name one of yours ('scontrol show reservation' lists them)",
        field="extra_lines",
    ),
    r"invalid license": _Refusal(
        "licence",
        "there is no such licence, or there are not so many",
        "Name one that 'scontrol show licenses' lists in extra_lines, and no more than there are",
        field="extra_lines",
    ),
    r"dependency": _Refusal(
        "dependency",
        "the job that it is to wait for does not exist",
        "Leave the dependency out of extra_lines",
        field="extra_lines",
    ),
    r"invalid job array": _Refusal(
        "array", "batches can't be job arrays", "Leave --array out of extra_lines", field="extra_lines"
    ),
    r"unrecogni[sz]ed (?:option|command line parameter) ?['‘]?([^'’\n]*)|invalid option -- ?'?(\w)|"
    r"invalid directive found in batch script: *([^\n]*)|invalid (--[\w-]+)|requires an argument|"
    r"is ambiguous|unmatched `|unexpected `": _Refusal(
        "option",
        "an #SBATCH line holds an option that sbatch does not know or can't read ({0})",
        "Correct it among extra_lines ('sbatch --usage' lists the options)",
        field="extra_lines",
    ),
    r"dos line breaks|does not look like a batch script|batch script is empty": _Refusal(
        "script",
        "the script is not one: its first line is wrong, or it has line ends of DOS",
        "Correct the first line",
        field="shebang_line",
        value="#!/bin/sh",
    ),
    r"pathname of a file, directory or other parameter too long": _Refusal(
        "too long",
        "something in the script is too long for SLURM",
        "Put fewer tasks into a job, or use a folder with a shorter name",
        need=Need.ACTION,
    ),
    r"lua: ?([^\n]*)|cli_filter": _Refusal(
        "site rule",
        "a rule of the site refuses it ({0})",
        "Do as it says, with the fields of the resource or its extra_lines",
        field="extra_lines",
    ),
    r"system submissions disabled|unable to create job record|job queue full|temporarily unable|"
    r"creation temporarily disabled|resource temporarily unavailable": _Refusal(
        "full",
        "SLURM takes no jobs at the moment",
        "Nothing to do: it is tried again. If it lasts, ask your administrators",
        need=Need.WAITS,
    ),
    r"access/permission denied|access denied": _Refusal(
        "access",
        "SLURM does not let this user submit there",
        "Ask your administrators for access",
        _ACCOUNTS,
        need=Need.ACTION,
    ),
    r"violates accounting(?:/qos)? policy": _Refusal(
        "policy",
        "a limit of the user, the account or the QOS is reached or passed: on jobs, their size or their time",
        "Ask for less, or wait until others of your jobs have ended. What is allowed",
        _ACCOUNTS,
        need=Need.ACTION,
    ),
}
"""By patterns of what stands in it, without its case, in the order in which they are looked for."""

_LIMIT = re.compile(r"\b(?:QOS|Assoc|Max)[A-Z]\w+")
"""SLURM names the limit on a line of its own, before the words for all of them."""


_WAITING = re.compile(r"^(Waiting|Can't start): ")
"""What is said of a job, which there is none."""


def explain_refusal(
    text: str, about: About | None = None, *, settings: str = SLURM_SET
) -> Explanation | None:
    """Why sbatch, or `sbatch --test-only`, refuses a job with the words *text*, and what to do.

    Args:
        text: what it said on standard error, or a part of it; untrusted.
        about: what is known of the job: the resource for commands.
        settings: the path of the part of the resource that asks for what is refused: the GPU set has another.

    Returns:
        None for words that are not known, or are none of a refusal.
    """
    about = about or About()
    for word in _LIMIT.findall(text):
        if (explained := explain_reason(word, about)) is not None and explained.known:
            return replace(
                explained,
                sentence=_capital(_WAITING.sub("", explained.sentence)),
                remedy=_capital(explained.remedy.removeprefix("Cancel it, ")),
            )
    for pattern, refusal in _REFUSALS.items():
        if match := re.search(pattern, text, re.IGNORECASE):
            named = next((group for group in match.groups() if group and group.strip()), "")
            return _explained(refusal, shown(named.strip())[:_LONGEST], about, settings)
    return None


_LONGEST = 200
"""Letters of what a refusal names in a sentence."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _explained(refusal: _Refusal, named: str, about: About, settings: str) -> Explanation:
    words = filled(refusal.words, named)
    field = refusal.field
    if field and refusal.of == "resource" and "." not in field:
        field = f"{settings}.{field}"
    command = refusal.command
    if refusal.value:
        command = about.setting(field, refusal.value)
    remedy = advice(refusal.advice, command)
    return Explanation(
        sentence(words), remedy, refusal.need, refusal.cause, refusal.of if field else "", field
    )
