"""Whether accounts and QOS allow jobs to be as large and as long as they are. Pure.

SLURM takes what they don't allow, and lets it wait for ever, unless a QOS says that it is to be refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runners.checking.slurm.access import charged, qos_in_order
from runners.checking.slurm.accounts import RUNNING, WALL, Accounts, Kind, Limits, account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.gres import read_gpus_ask, read_gres_ask
from runners.checking.slurm.times import minutes_of
from runners.checking.slurm.words import Put, batching_field, evidence
from runners.config.errors import shown
from runners.config.units import format_duration
from runners.findings import Finding, FindingState

RAISE = "have the site's administrators raise the limit"
"""A remedy for any limit."""

_CHECK = "job limits"
_ROUNDED = 1.01
"""sacctmgr shows much memory in few figures."""
_TIMED = (Kind.MINUTES, Kind.RUNNING_MINUTES, Kind.ALL_MINUTES)
_UNITS = {"cpu": "CPUs", "mem": "MB", "node": "nodes"}
_OPTIONS = {"cpu": "cpus-per-task", "mem": "mem", "node": "nodes"}


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit on the size of jobs, and who has it."""

    kind: Kind
    what: str
    amount: float
    whose: str
    key: str
    """What SLURM calls it."""
    proof: str


def job_size(put: Put, facts: Facts, told: Accounts) -> Finding | None:
    """What is wrong with the size of jobs or their time, if something is."""
    limits = list(_limits(put, facts, told))
    minutes = minutes_of(put, facts)
    for state, wanted in ((FindingState.FAILURE, _needs(put)), (FindingState.WARNING, _largest(put))):
        for limit in limits:
            if _is_passed(limit, wanted, minutes, put, safe="safe" in facts.settings.enforced):
                denied = any("denyonlimit" in one.flags for one in qos_in_order(put, facts))
                return _passed(put, state, wanted, minutes, limit, denied=denied)
    small = _smallest(put)
    for limit in limits:
        if limit.kind is Kind.LEAST and small.get(limit.what, math.inf) < limit.amount / _ROUNDED:
            return _too_small(put, FindingState.WARNING, small, limit)
    return None


def _limits(put: Put, facts: Facts, told: Accounts) -> Iterator[_Limit]:
    """Limits on the size of one job. What all may have together limits each of them."""
    name = charged(put, facts)
    ask, _, ask_qos, every = account_commands(told.user, "", told.cluster)
    seen: set[tuple[Kind, str]] = set()

    def those(given: Limits, whose: str, proof: str, *, of_qos: bool = False) -> Iterator[_Limit]:
        for kind, amounts in given.items():
            for what, amount in amounts.items():
                if (kind, what) not in seen:
                    yield _Limit(kind, what, amount, whose, _key(kind, what, of_qos=of_qos), proof)

    for one in qos_in_order(put, facts):
        whose = f"the QOS {shown(one.name)}"
        for limit in those(one.limits, whose, evidence(ask_qos, one.row), of_qos=True):
            # Those of a relative QOS are shares of the cluster or the partition, and of which is not told.
            if "relative" not in one.flags or limit.what in (RUNNING, WALL):
                yield limit
        seen |= {(kind, what) for kind, amounts in one.limits.items() for what in amounts}
    for mine in told.of(name, put.asked.partitions)[:1]:
        whose = f"the account {shown(name)} of {shown(told.user)}"
        yield from those(mine.limits, whose, evidence(ask, mine.row))
    for above, account in told.above(name):
        yield from those(account.limits, f"the account {shown(above)}", evidence(every, account.row))


def _key(kind: Kind, what: str, *, of_qos: bool) -> str:
    key = str(kind) if of_qos else kind.removesuffix("PerJob").removesuffix("PerUser")
    if what == RUNNING:
        return key.replace("TRES", "Jobs")
    return "GrpWall" if what == WALL else f"{key} {what}"


def _is_passed(
    limit: _Limit, wanted: Mapping[str, float], minutes: float | None, put: Put, *, safe: bool
) -> bool:
    """Whether a job that has what is *wanted*, for so many minutes, is surely not within *limit*."""
    most = limit.amount * (_ROUNDED if limit.what == "mem" else 1.0)
    amount = wanted.get(limit.what)
    if amount is None:
        return False
    whole = 0.0 if minutes is None or not amount else amount * minutes
    match limit.kind:
        case Kind.LEAST:
            return amount < limit.amount / _ROUNDED
        case Kind.NODE:
            return amount > most * _nodes(put)
        case Kind.MINUTES | Kind.RUNNING_MINUTES:
            return whole > most
        case Kind.ALL_MINUTES:
            # Else it is what others have used that counts.
            return whole > most if safe and limit.amount else amount > 0 and not limit.amount
    return amount > most


def _nodes(put: Put) -> int:
    return max(1, put.asked.nodes or 1)


def _needs(put: Put) -> dict[str, float]:
    """What a job of the sample has of each resource, as far as that is certain."""
    asked, nodes = put.asked, _nodes(put)
    found = {RUNNING: 1.0, WALL: 1.0, "node": float(nodes)}
    if asked.cpus is not None:
        found["cpu"] = float(asked.slots * asked.cpus)
    if (task := asked.task_mb) is not None:
        of_nodes = "mem" in asked.own or asked.grows
        found["mem"] = (asked.node_mb or task) * nodes if of_nodes else task * asked.slots
    if any(name.startswith(("gpus-", "tres-")) for name in asked.options):
        return found
    of_all = read_gpus_ask(asked.options.get("gpus", "")) or ()
    of_node = [ask for ask in read_gres_ask(asked.options.get("gres", "")) or () if ask.name == "gpu"]
    gpus = [(ask.type, ask.number) for ask in of_all] or [(ask.type, ask.number * nodes) for ask in of_node]
    found["gres/gpu"] = float(sum(number for _, number in gpus))
    for kind, number in gpus:
        if kind:
            found[f"gres/gpu:{kind.lower()}"] = float(number)
    return found


def _largest(put: Put) -> dict[str, float]:
    """What jobs may grow to; those of the GPU set have one slot, however large they may be."""
    asked = put.asked
    if asked.gpu or not asked.cpus:
        return {}
    slots = asked.most_slots
    found: dict[str, float] = {}
    if (task := asked.task_mb) and (asked.grows or asked.merged.use_mem_per_cpu):
        found["mem"] = task * slots
    return {**found, "cpu": float(slots * asked.cpus)}


def _smallest(put: Put) -> dict[str, float]:
    """What a job of a single task has."""
    asked = put.asked
    found: dict[str, float] = {}
    if asked.cpus is not None and "ntasks" not in asked.own:
        found["cpu"] = float(asked.cpus)
    if (task := asked.task_mb) is not None and (asked.grows or asked.merged.use_mem_per_cpu):
        found["mem"] = task
    return found


def _passed(
    put: Put,
    state: FindingState,
    wanted: Mapping[str, float],
    minutes: float | None,
    limit: _Limit,
    *,
    denied: bool,
) -> Finding:
    """What to say of a limit that is passed."""
    so = "SLURM refuses such jobs" if denied else "such jobs wait for ever"
    if limit.what == RUNNING or (limit.kind is Kind.ALL_MINUTES and limit.amount == 0):
        what = "no job to run" if limit.what == RUNNING else "nothing at all"
        detail = f"{_capital(limit.whose)} allows {what} ({limit.key}): jobs would wait for ever."
        return Finding(put.asked.check(_CHECK), state, detail, f"{_capital(RAISE)}.", limit.proof)
    if limit.kind is Kind.LEAST:
        return _too_small(put, state, wanted, limit, so)
    if minutes is not None and limit.kind in _TIMED:
        return _too_long(put, state, wanted, minutes, limit, so)
    amount = wanted[limit.what]
    who = "A job of the sample asks for" if state is FindingState.FAILURE else "Jobs may grow to"
    of_node = " on each node" if limit.kind is Kind.NODE else ""
    detail = (
        f"{who} {_count(amount, limit.what)}, and {limit.whose} allows {math.floor(limit.amount):,}{of_node} "
        f"({limit.key}): {so}."
    )
    most = math.floor(limit.amount * (_nodes(put) if limit.kind is Kind.NODE else 1))
    asked = put.asked
    each = {"cpu": asked.cpus or 1, "mem": asked.task_mb or 0.0}.get(limit.what)
    if each is None or each > most or asked.gpu:
        option = _option(put, limit.what)
        return _bad(put, state, detail, f"Ask for less ({asked.named(option)}), or {RAISE}.", limit, option)
    what, unit = ("cpus", "") if limit.what == "cpu" else ("mem", "M")
    field = f"max_{what}_per_job" if state is FindingState.WARNING else f"target_{what}_per_job"
    target = int(getattr(asked.config.batching_config, f"target_{what}_per_job"))
    both = f"target_{what}_per_job and " if target > most else ""
    fix = f"Set {both}max_{what}_per_job to {most}{unit} or less, or {RAISE}."
    path = batching_field(field)
    return Finding(asked.check(_CHECK), state, detail, fix, limit.proof, of="resource", field=path)


def _too_long(
    put: Put, state: FindingState, wanted: Mapping[str, float], minutes: float, limit: _Limit, so: str
) -> Finding:
    """What to say where a job has too much for too long."""
    amount = wanted[limit.what]
    who = "A job of the sample asks for" if state is FindingState.FAILURE else "Jobs may grow to"
    how_much = "" if limit.what == WALL else f"{_count(amount, limit.what)} "
    how_long = "without a time limit" if math.isinf(minutes) else f"for {format_duration(minutes * 60)}"
    minute = "minutes" if limit.what == WALL else f"minutes of {_unit(limit.what)}"
    detail = (
        f"{who} {how_much}{how_long}, and {limit.whose} allows {math.floor(limit.amount):,} {minute} "
        f"({limit.key}): {so}."
    )
    most = math.floor(limit.amount / amount)
    shorter = f"{put.to('time', format_duration(most * 60))} or less, or " if most else ""
    return _bad(put, state, detail, _capital(f"{shorter}{RAISE}."), limit, "time")


def _too_small(
    put: Put,
    state: FindingState,
    wanted: Mapping[str, float],
    limit: _Limit,
    so: str = "such jobs wait for ever",
) -> Finding:
    """What to say where a job must have more."""
    amount = wanted.get(limit.what, 0.0)
    who = "A job of the sample asks for" if state is FindingState.FAILURE else "A job of a single task has"
    detail = (
        f"{who} {_count(amount, limit.what)}, and {limit.whose} wants {math.ceil(limit.amount):,} or more "
        f"({limit.key}): {so}."
    )
    option = _option(put, limit.what)
    fix = f"Ask for more ({put.asked.named(option)}), or for another QOS in extra_lines: #SBATCH --qos=NAME"
    return _bad(put, state, detail, fix, limit, option)


def _bad(put: Put, state: FindingState, detail: str, fix: str, limit: _Limit, option: str) -> Finding:
    if state is FindingState.FAILURE:
        return put.failure(_CHECK, detail, fix, limit.proof, option=option)
    return put.warning(_CHECK, detail, fix, limit.proof, option=option)


def _option(put: Put, what: str) -> str:
    """The option that asks for it."""
    return _OPTIONS.get(what) or ("gpus" if put.asked.options.get("gpus") else "gres")


def _count(amount: float, what: str) -> str:
    unit = _unit(what)
    return f"{amount:,.0f} {unit.removesuffix('s') if amount == 1 else unit}"


def _unit(what: str) -> str:
    return _UNITS.get(what, "GPUs")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
