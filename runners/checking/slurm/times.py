"""Whether jobs may take as long as they ask for. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runners.checking.slurm.access import SHOW_OR_REFUSE, charged, qos_in_order
from runners.checking.slurm.accounts import account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import SHOW_PARTITIONS
from runners.checking.slurm.words import Put, evidence, names
from runners.config.errors import shown
from runners.config.units import format_duration
from runners.findings import Finding

_COUNTS_AS_ENDLESS = (22, 5)
"""Up to which release a job that names no time surely counts as endless where limits are of what it has times
its minutes, however long its partition lets it be."""


def time_limit(put: Put, facts: Facts) -> Finding:
    """`time limit`: it is a time, and not over what the partition, the account and the QOS allow."""
    given = facts.partitions_of(put.asked.partitions)
    proof = evidence(SHOW_PARTITIONS, *(one.shown("DefaultTime", "MaxTime") for one in given))
    where = names(one.name for one in given)
    try:
        asked = put.asked.time_s
    except ValueError:
        text = shown(put.asked.options["time"])
        return put.failure(
            "time limit",
            f"{text} is no time that SLURM knows.",
            f"{put.to('time', 'minutes, h:mm:ss or d-hh:mm:ss, such as 2:00:00')}.",
            option="time",
        )
    if facts.partitions is None:
        return _by_trial(put, facts, asked)
    limits = [one.most_s for one in given]
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits):
        return put.untold("time limit", f"The limit of {where} can't be read.", proof)
    # Of several partitions one has to allow it, unless jobs are only taken where all do.
    most, whose = (min if facts.all_partitions else max)(known), where
    of_qos = qos_in_order(put, facts)
    freed = next((one for one in of_qos if "partitiontimelimit" in one.flags), None)
    if freed is not None:
        # Then the QOS goes before the partition.
        most, whose = math.inf, f"the QOS {shown(freed.name)}"
    wall = _wall(put, facts)
    if wall is not None and wall.most_s < most:
        most, whose, proof = wall.most_s, wall.whose, wall.proof
    allowed = "without a limit" if math.isinf(most) else f"{format_duration(most)} at most"
    if asked is None:
        usual = next((one.usual_s for one in given if one.usual_s is not None), None)
        if usual is not None and math.isfinite(usual):
            detail = f"Jobs ask for none, and get what is usual in {where}: {format_duration(usual)}."
        else:
            detail = f"Jobs ask for none, and get what {whose} allows: {allowed}."
        return put.ok("time limit", detail, proof)
    wanted = "no limit at all" if math.isinf(asked) else format_duration(asked)
    # SLURM counts in minutes, and rounds up.
    if math.ceil(asked / 60) * 60 > most if math.isfinite(asked) else math.isfinite(most):
        return put.failure(
            "time limit",
            f"Jobs ask for {wanted}, and {whose} allows {allowed}.",
            f"{put.to('time', format_duration(most))} or less, or name a partition that allows more.",
            proof,
            option="time",
        )
    return put.ok("time limit", f"Jobs ask for {wanted}; {whose} allows {allowed}.", proof)


def _by_trial(put: Put, facts: Facts, asked: float | None) -> Finding:
    """Where partitions are not shown to us: the trial looks at their times where limits are enforced."""
    where = names(put.asked.partitions)
    if asked is None:
        return put.ok("time limit", f"Jobs ask for none, and get what {where} allows.")
    detail = "How long jobs may take is not shown to us, and SLURM takes those as well that ask for too much."
    return put.untold(
        "time limit", detail, evidence(SHOW_PARTITIONS), SHOW_OR_REFUSE, tried=facts.tries_partitions
    )


def minutes_of(put: Put, facts: Facts) -> float | None:
    """What a job has, asked for or not, infinity for any number; None where that can't be told."""
    try:
        asked = put.asked.time_s
    except ValueError:
        return None
    seconds = _unasked_s(put, facts) if asked is None else asked
    return seconds if seconds is None or math.isinf(seconds) else float(math.ceil(seconds / 60))


def _unasked_s(put: Put, facts: Facts) -> float | None:
    """What a job has that asks for none."""
    wall = _wall(put, facts)
    times = []
    for one in facts.partitions_of(put.asked.partitions):
        longest = math.inf if facts.settings.release <= _COUNTS_AS_ENDLESS else one.most_s
        longest = longest if wall is None or longest is None else wall.most_s
        times.append(longest if one.usual_s is None else one.usual_s)
    known = [seconds for seconds in times if seconds is not None]
    return min(known) if times and len(known) == len(times) else None


@dataclass(frozen=True, slots=True)
class _Wall:
    """How long the accounting allows jobs to take, and who says so."""

    most_s: float
    whose: str
    proof: str


def _wall(put: Put, facts: Facts) -> _Wall | None:
    if facts.accounts is None or not facts.settings.enforced & {"limits", "safe"}:
        return None
    ask, _, ask_qos, _ = account_commands(facts.user, "", facts.accounts.cluster)
    for one in qos_in_order(put, facts):
        # What a QOS says goes before what the association says.
        if one.most_s is not None:
            return _Wall(one.most_s, f"the QOS {shown(one.name)}", evidence(ask_qos, one.row))
    account = charged(put, facts)
    for mine in facts.accounts.of(account, put.asked.partitions)[:1]:
        if mine.most_s is not None:
            return _Wall(mine.most_s, f"the account {shown(account)}", evidence(ask, mine.row))
    return None
