"""How many jobs the accounting allows, and how large they may be. Pure.

Where several say something of the same, SLURM takes one: the partition's own QOS goes before that of the job
(or after it, if the job's has the flag OverPartQOS), and both go before the account.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from runners.checking.slurm.access import charged, qos_of
from runners.checking.slurm.accounts import RUNNING, Accounts, Amounts, Qos, account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.gres import read_gpus_ask, read_gres_ask
from runners.checking.slurm.words import Put, batching_field, evidence
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.slurm.cluster_settings import SHOW_CONFIG

_CHECK = "job limits"
_RAISE = "have the site's administrators raise the limit"
_ROUNDED = 1.01
"""sacctmgr shows much memory in few figures."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit, and who has it."""

    most: float
    whose: str
    key: str
    """What SLURM calls it."""
    proof: str


def qos_in_order(put: Put, facts: Facts) -> list[Qos]:
    """The QOS whose limits count for a job, the one that goes before the other first."""
    if facts.accounts is None:
        return []
    known = facts.accounts.qos
    own = {one.qos for one in facts.partitions_of(put.asked.partitions)}
    # Of several partitions a job may get any.
    of_partition = own.pop() if len(own) == 1 else ""
    of_job = known.get(qos_of(put, facts))
    order = [known.get(of_partition), of_job]
    if of_job is not None and "overpartqos" in of_job.flags:
        order.reverse()
    return list({one.name: one for one in order if one is not None}.values())


def job_limits(put: Put, facts: Facts) -> Finding | None:
    """`job limits`: there may be as many jobs as a step may become, and jobs of that size.

    None: the accounting does not answer.
    """
    wanted = put.asked.config.batching_config.max_num_jobs
    limits: list[_Limit] = []
    if (most := facts.settings.number("MaxJobCount")) is not None:
        proof = evidence(SHOW_CONFIG, facts.settings.line("MaxJobCount"))
        limits.append(_Limit(most, "the cluster holds at most {} jobs", "MaxJobCount", proof))
    if facts.settings.accounting and facts.settings.enforced & {"limits", "safe"}:
        if facts.accounts is None:
            return None
        if finding := _size(put, facts, facts.accounts):
            return finding
        limits += _numbers(put, facts, facts.accounts)
    least = min(limits, key=lambda limit: limit.most, default=None)
    if least is None:
        return put.ok(_CHECK, f"No limit is known; a step becomes at most {wanted} jobs.")
    most, why = int(least.most), f"{least.whose.format(int(least.most))} ({least.key})"
    if most >= wanted:
        detail = f"{why[:1].upper()}{why[1:]}; a step becomes at most {wanted} jobs."
        return put.ok(_CHECK, detail, least.proof)
    if most == 0:
        detail = f"No job is taken at all: {why}."
        fix = f"{_RAISE[:1].upper()}{_RAISE[1:]}."
        return Finding(put.asked.check(_CHECK), FindingState.FAILURE, detail, fix, least.proof)
    detail = (
        f"A step becomes up to {wanted} jobs, but {why}: "
        "the others are handed over only when some have ended."
    )
    fix = f"Set max_num_jobs to {most} or less, or {_RAISE}."
    return _batching(put, FindingState.WARNING, detail, fix, least.proof, "max_num_jobs")


def _numbers(put: Put, facts: Facts, told: Accounts) -> Iterator[_Limit]:
    """Limits on how many jobs there are in the queue, with {} in the place of the number."""
    user, name = shown(told.user), charged(put, facts)
    ask, _, ask_qos, every = account_commands(told.user, "", told.cluster)
    of_qos = qos_in_order(put, facts)
    by_qos: set[str] = set()
    for key, whom in (
        ("MaxSubmitJobsPerUser", "to one user"),
        ("MaxSubmitJobsPerAccount", "to one account"),
        ("GrpSubmitJobs", "to all together"),
    ):
        for one in of_qos:
            number = {
                "MaxSubmitJobsPerUser": one.jobs_of_user,
                "MaxSubmitJobsPerAccount": one.jobs_of_account,
                "GrpSubmitJobs": one.jobs,
            }[key]
            if number is not None:
                by_qos.add(key)
                whose = f"the QOS {_plain(one.name)} allows {{}} in the queue {whom}"
                yield _Limit(number, whose, key, evidence(ask_qos, one.row))
                break
    if not by_qos & {"MaxSubmitJobsPerUser", "MaxSubmitJobsPerAccount"}:
        for mine in told.of(name, put.asked.partitions)[:1]:
            if mine.most_jobs is not None:
                whose = f"{_plain(user)} may have {{}} in the queue with the account {_plain(name)}"
                yield _Limit(mine.most_jobs, whose, "MaxSubmitJobs", evidence(ask, mine.row))
    if "GrpSubmitJobs" not in by_qos:
        for above, account in told.above(name):
            if account.most_jobs is not None:
                whose = f"the account {_plain(above)} may have {{}} in the queue"
                yield _Limit(account.most_jobs, whose, "GrpSubmitJobs", evidence(every, account.row))


def _size(put: Put, facts: Facts, told: Accounts) -> Finding | None:
    """What is wrong with the size of jobs, if something is: SLURM takes them, and never starts them."""
    limits = list(_sizes(put, facts, told))
    for state, wanted in ((FindingState.FAILURE, _needs(put)), (FindingState.WARNING, _largest(put))):
        for name, limit in limits:
            if wanted.get(name, 0.0) > limit.most * (_ROUNDED if name == "mem" else 1.0):
                return _too_large(put, state, name, wanted[name], limit)
    return None


def _sizes(put: Put, facts: Facts, told: Accounts) -> Iterator[tuple[str, _Limit]]:
    """Limits on the size of one job, by what they are of. What all may have together limits each of them."""
    name = charged(put, facts)
    ask, _, ask_qos, every = account_commands(told.user, "", told.cluster)
    seen: set[tuple[str, str]] = set()

    def those(kind: str, given: Amounts, whose: str, key: str, proof: str) -> Iterator[tuple[str, _Limit]]:
        for what, most in given.items():
            if (kind, what) not in seen:
                called = key.replace("TRES", "Jobs") if what == RUNNING else f"{key} {what}"
                yield what, _Limit(most, whose, called, proof)

    for one in qos_in_order(put, facts):
        whose, proof = f"the QOS {shown(one.name)}", evidence(ask_qos, one.row)
        yield from those("job", one.of_job, whose, "MaxTRESPerJob", proof)
        yield from those("user", one.of_user, whose, "MaxTRESPerUser", proof)
        yield from those("all", one.of_all, whose, "GrpTRES", proof)
        seen |= {("job", what) for what in one.of_job} | {("all", what) for what in one.of_all}
        seen |= {("user", what) for what in one.of_user}
        if RUNNING in one.of_user:
            seen.add(("job", RUNNING))
    for mine in told.of(name, put.asked.partitions)[:1]:
        whose, proof = f"the account {shown(name)} of {shown(told.user)}", evidence(ask, mine.row)
        yield from those("job", mine.of_job, whose, "MaxTRES", proof)
        yield from those("all", mine.of_all, whose, "GrpTRES", proof)
    for above, account in told.above(name):
        whose, proof = f"the account {shown(above)}", evidence(every, account.row)
        yield from those("all", account.of_all, whose, "GrpTRES", proof)


def _needs(put: Put) -> dict[str, float]:
    """What a job of the sample has of each resource, as far as that is certain."""
    asked = put.asked
    nodes = max(1, asked.nodes or 1)
    found = {RUNNING: 1.0, "node": float(nodes)}
    if asked.cpus is not None:
        found["cpu"] = float(asked.slots * asked.cpus)
    if (task := asked.task_mb) is not None:
        of_nodes = "mem" in asked.own or asked.grows
        found["mem"] = (asked.node_mb or task) * nodes if of_nodes else task * asked.slots
    gpus = sum(ask.number for ask in read_gpus_ask(asked.options.get("gpus", "")) or ())
    of_node = [ask for ask in read_gres_ask(asked.options.get("gres", "")) or () if ask.name == "gpu"]
    if count := gpus or nodes * sum(ask.number for ask in of_node):
        found["gres/gpu"] = float(count)
    return found


def _largest(put: Put) -> dict[str, float]:
    """What jobs may grow to; those of the GPU set have one slot, however large they may be."""
    asked, config = put.asked, put.asked.config.batching_config
    if asked.gpu or not asked.cpus:
        return {}
    slots = max(asked.slots, config.max_cpus_per_job // asked.cpus)
    found: dict[str, float] = {}
    if task := asked.task_mb:
        slots = max(asked.slots, min(slots, int(config.max_mem_per_job // task)))
        if asked.grows or asked.merged.use_mem_per_cpu:
            found["mem"] = task * slots
    return {**found, "cpu": float(slots * asked.cpus)}


def _too_large(put: Put, state: FindingState, name: str, wanted: float, limit: _Limit) -> Finding:
    most, asked = math.floor(limit.most), put.asked
    whose = f"{limit.whose} allows {{}} ({limit.key})"
    if name == RUNNING:
        detail = f"{whose.format('no job to run')}: jobs would wait for ever."
        fix = f"{_RAISE[:1].upper()}{_RAISE[1:]}."
        detail = f"{detail[:1].upper()}{detail[1:]}"
        return Finding(asked.check(_CHECK), state, detail, fix, limit.proof)
    unit = {"cpu": "CPUs", "mem": "MB", "node": "nodes", "gres/gpu": "GPUs"}[name]
    who = "A job of the sample asks for" if state is FindingState.FAILURE else "Jobs may grow to"
    detail = f"{who} {wanted:,.0f} {unit}, and {whose.format(f'{most:,}')}: such jobs wait for ever."
    each = {"cpu": asked.cpus or 1, "mem": asked.task_mb or 0.0}.get(name)
    if each is None or each > most or asked.gpu:
        option = {"cpu": "cpus-per-task", "mem": "mem", "node": "nodes"}.get(name)
        if option is None:
            option = "gpus" if asked.options.get("gpus") else "gres"
        fix = f"Ask for less ({asked.named(option)}), or {_RAISE}."
        if state is FindingState.FAILURE:
            return put.failure(_CHECK, detail, fix, limit.proof, option=option)
        return put.warning(_CHECK, detail, fix, limit.proof, option=option)
    what, unit = ("cpus", "") if name == "cpu" else ("mem", "M")
    field = f"max_{what}_per_job" if state is FindingState.WARNING else f"target_{what}_per_job"
    config = asked.config.batching_config
    target = int(getattr(config, f"target_{what}_per_job"))
    both = f"target_{what}_per_job and " if target > most else ""
    fix = f"Set {both}max_{what}_per_job to {most}{unit} or less, or {_RAISE}."
    return _batching(put, state, detail, fix, limit.proof, field)


def _batching(put: Put, state: FindingState, detail: str, fix: str, proof: str, field: str) -> Finding:
    path = batching_field(field)
    return Finding(put.asked.check(_CHECK), state, detail, fix, proof, of="resource", field=path)


def _plain(name: str) -> str:
    """A name in a text that is formatted later."""
    return shown(name).replace("{", "{{").replace("}", "}}")
