"""The words by which SLURM names a limit that keeps a job: put together by rules. Pure.

The rules are those of slurm.schedmd.com/resource_limits.html, so limits of later versions read well too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runners.explanation import BATCHING, SLURM_SET, Need

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

_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "cpu": (f"{BATCHING}.max_cpus_per_job", "CPUS"),
    "mem": (f"{BATCHING}.max_mem_per_job", "MEMORY"),
    "memory": (f"{BATCHING}.max_mem_per_job", "MEMORY"),
    "gres": (f"{SLURM_SET}.gres", "GRES"),
    "node": (f"{SLURM_SET}.nodes", "NODES"),
}
"""The field of a resource that decides how much of it one job asks for, and what stands for its value."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What SLURM means by a word."""

    words: str
    """A sentence without capital and full stop. Of what waits it begins with "waiting"."""
    need: Need
    advice: str
    """What to do, without what can be pasted."""
    commands: tuple[str, ...] = ()
    """What can be pasted behind it: the first for which everything is known (`About.command`)."""
    field: str = ""
    """What to change in the resource instead, of a job that never starts."""
    value: str = ""
    """What stands for its new value."""


def limit(word: str) -> Meaning | None:
    """The limit that SLURM names by *word*; None where it is none."""
    match = _LIMIT.fullmatch(word)
    if match is None:
        return None
    # Limits for each user and account are a QOS's, also where nothing is said.
    ours = match["whose"] == "Assoc"
    owner = "your account" if ours else "the QOS"
    table = "sacctmgr show assoc where user=$USER" if ours else "sacctmgr show qos"
    if match["thing"] == "Wall":
        return _used_up(f"waiting: the time of {owner} is used up", table)
    if match["thing"] == "WallDuration":
        words = f"can't start: its time limit is longer than {owner} allows"
        return Meaning(words, Need.NEVER, _LESS, (table,), f"{SLURM_SET}.time", "TIME")
    thing = match["thing"].lower()
    if thing not in _THINGS:
        return None
    many, things, minutes = _THINGS[thing]
    if match["minutes"]:
        many, things = "many", minutes
    field = _FIELDS.get(thing, ("", "")) if not match["minutes"] else (f"{SLURM_SET}.time", "TIME")
    match match["kind"], match["each"]:
        case "Grp", _ if match["minutes"]:
            return _used_up(f"waiting: {owner} has used up its {minutes}", table)
        case "Min", _:
            words = f"can't start: {owner} wants a job to ask for more {things}"
            return Meaning(
                words, Need.NEVER, f"Cancel it, ask for more {things}, and retry", (table,), *field
            )
        case "Max", "User":
            words = f"waiting: you have as {many} {things} as {owner} allows one user"
            return _in_turn(words, "other jobs of yours end", table)
        case "Max", "Account":
            words = f"waiting: your account has as {many} {things} as {owner} allows one account"
            return _in_turn(words, "other jobs of your account end", table)
        case "Max", None if "jobs" in things:
            words = f"waiting: you have as {many} {things} as {owner} allows"
            return _in_turn(words, "other jobs of yours end", table)
        case "Max", "Node":
            words = f"can't start: it asks for more {things} on a node than {owner} allows"
            return Meaning(words, Need.NEVER, _LESS, (table,), *field)
        case "Max", _:
            words = f"can't start: it asks for more {things} than {owner} allows one job"
            return Meaning(words, Need.NEVER, _LESS, (table,), *field)
    return _in_turn(f"waiting: {owner} has as {many} {things} as it may", f"other jobs of {owner} end", table)


_LESS = "Cancel it, ask for less, and retry"


def _in_turn(words: str, when: str, table: str) -> Meaning:
    return Meaning(words, Need.WAITS, f"Nothing to do, it starts when {when}. What is allowed", (table,))


def _used_up(words: str, table: str) -> Meaning:
    text = "Wait until the period is over, or ask your administrators for more. What is allowed"
    return Meaning(words, Need.ACTION, text, (table,))
