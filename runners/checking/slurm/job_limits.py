"""How many jobs the accounting allows, and how large they may be. Pure.

Where several say something of the same, SLURM takes one: the partition's own QOS goes before that of the job
(or after it, if the job's has the flag OverPartQOS), and both go before the account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runners.checking.slurm.access import charged, qos_in_order
from runners.checking.slurm.accounts import Accounts, account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.job_sizes import RAISE, job_size
from runners.checking.slurm.words import Put, batching_field, evidence
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.slurm.cluster_settings import SHOW_CONFIG

_CHECK = "job limits"


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit, and who has it."""

    most: float
    whose: str
    key: str
    """What SLURM calls it."""
    proof: str


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
        if finding := job_size(put, facts, facts.accounts):
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
        fix = f"{RAISE[:1].upper()}{RAISE[1:]}."
        return Finding(put.asked.check(_CHECK), FindingState.FAILURE, detail, fix, least.proof)
    detail = (
        f"A step becomes up to {wanted} jobs, but {why}: "
        "the others are handed over only when some have ended."
    )
    fix = f"Set max_num_jobs to {most} or less, or {RAISE}."
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
    whose = f"{_plain(user)} may have {{}} in the queue with the account {_plain(name)}"
    narrowest = told.of(name, put.asked.partitions)[:1]
    if not by_qos & {"MaxSubmitJobsPerUser", "MaxSubmitJobsPerAccount"}:
        for mine in narrowest:
            if mine.most_jobs is not None:
                yield _Limit(mine.most_jobs, whose, "MaxSubmitJobs", evidence(ask, mine.row))
    if "GrpSubmitJobs" not in by_qos:
        for mine in narrowest:
            if mine.jobs is not None:
                yield _Limit(mine.jobs, whose, "GrpSubmitJobs", evidence(ask, mine.row))
        for above, account in told.above(name):
            if account.most_jobs is not None:
                whose = f"the account {_plain(above)} may have {{}} in the queue"
                yield _Limit(account.most_jobs, whose, "GrpSubmitJobs", evidence(every, account.row))


def _batching(put: Put, state: FindingState, detail: str, fix: str, proof: str, field: str) -> Finding:
    path = batching_field(field)
    return Finding(put.asked.check(_CHECK), state, detail, fix, proof, of="resource", field=path)


def _plain(name: str) -> str:
    """A name in a text that is formatted later."""
    return shown(name).replace("{", "{{").replace("}", "}}")
