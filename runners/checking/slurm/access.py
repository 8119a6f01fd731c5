"""Whether the partition is there, takes jobs, and takes those of this user. Pure."""

from __future__ import annotations

from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import SHOW_PARTITIONS, Partition
from runners.checking.slurm.trial import Word
from runners.checking.slurm.words import Put, evidence, names, near_first
from runners.config.errors import shown
from runners.findings import Finding


def partition(put: Put, facts: Facts) -> Finding:
    """`partition`: it is there."""
    asked = put.asked.partitions
    if facts.partitions is None:
        hidden = " They are private here." if "partitions" in facts.settings.private else ""
        return put.untold(
            "partition", f"The partitions are not shown to us.{hidden}", evidence(SHOW_PARTITIONS)
        )
    missing = [name for name in asked if name not in facts.partitions]
    known = evidence(SHOW_PARTITIONS, *(f"PartitionName={name} …" for name in facts.partitions))
    if missing:
        near = near_first(missing[0], facts.partitions)
        return put.failure(
            "partition",
            f"There is no partition {shown(missing[0])} on this cluster.",
            f"Set partition to one of: {names(near)}." if near else "Ask the site for a partition.",
            known,
            option="partition",
            tried=True,
        )
    rows = [facts.partitions[name].row for name in asked]
    return put.ok("partition", f"{_all(asked)} there.", evidence(SHOW_PARTITIONS, *rows))


def partition_state(put: Put, facts: Facts) -> Finding:
    """`partition state`: it takes and starts jobs."""
    given = facts.partitions_of(put.asked.partitions)
    proof = evidence(SHOW_PARTITIONS, *(one.shown("State", "TotalNodes") for one in given))
    if any(one.state == "UP" for one in given):
        return put.ok("partition state", f"{_all(put.asked.partitions)} up.", proof)
    first = given[0]
    fix = (
        "Have the site's administrators set it up, or name another partition: "
        f"scontrol update partition={shown(first.name)} state=up"
    )
    match first.state:
        case "INACTIVE":
            means = "it takes no new jobs, and starts none"
        case "DRAIN":
            means = "it takes no new jobs"
        case "DOWN":
            detail = f"{shown(first.name)} is DOWN: it takes jobs, but starts none until it is up again."
            return put.warning("partition state", detail, fix, proof, option="partition")
        case _:
            detail = f"{shown(first.name)} is in the state {shown(first.state or 'nothing')}."
            return put.untold("partition state", detail, proof)
    detail = f"{shown(first.name)} is {first.state}: {means}."
    return put.failure("partition state", detail, fix, proof, option="partition")


def partition_access(put: Put, facts: Facts) -> Finding:
    """`partition access`: it takes jobs of this user, account and QOS."""
    given = facts.partitions_of(put.asked.partitions)
    findings = [_access(put, facts, one) for one in given]
    # Any of several will do.
    return next((one for one in findings if one.state.value == "ok"), findings[0])


def _access(put: Put, facts: Facts, one: Partition) -> Finding:
    name, user = shown(one.name), shown(facts.user)
    keys = ("AllowGroups", "AllowAccounts", "DenyAccounts", "AllowQos", "DenyQos", "AllocNodes")
    proof = evidence(SHOW_PARTITIONS, one.shown(*keys, "RootOnly", "Hidden"))
    other = "Name another partition, or have the site's administrators open this one"

    def closed(detail: str, change: str, option: str = "partition", *, tried: bool = False) -> Finding:
        fix = f"{other}: scontrol update partition={name} {change}"
        return put.failure("partition access", detail, fix, proof, option=option, tried=tried)

    if one.root_only:
        return closed(f"{name} takes jobs of root only.", "rootonly=no", tried=True)
    groups = one.listed("AllowGroups")
    # The scheduler knows better, who is in which group where it runs.
    if groups is not None and put.trial.word is not Word.TAKEN:
        if facts.user_groups is None:
            detail = f"{name} is for groups ({names(groups)}), and the groups of {user} are not known here."
            return put.untold("partition access", detail, proof)
        if not facts.user_groups & set(groups):
            more = f"{','.join([*groups, *sorted(facts.user_groups)[:1]])}"
            return closed(
                f"{name} is for the groups {names(groups)}, and {user} is only in "
                f"{names(sorted(facts.user_groups))}.",
                f"allowgroups={shown(more)}",
            )
    machines = one.listed("AllocNodes")
    if (
        machines is not None
        and put.trial.word is Word.REFUSED
        and "permission denied" in put.trial.said.lower()
    ):
        detail = f"{name} takes jobs only from the machines {names(machines)}, and this is none of them."
        return closed(detail, "allocnodes=ALL")
    account = charged(put, facts)
    allowed, denied = one.listed("AllowAccounts"), one.listed("DenyAccounts")
    if account and allowed is not None and account not in allowed:
        return closed(
            f"{name} is for the accounts {names(allowed)}, and jobs are charged to {shown(account)}.",
            f"allowaccounts={shown(','.join([*allowed, account]))}",
            "account" if put.asked.options.get("account") else "partition",
        )
    if account and denied is not None and account in denied:
        return closed(
            f"{name} is closed to the account {shown(account)}, which jobs are charged to.",
            f"denyaccounts={shown(','.join(one for one in denied if one != account))}",
            "account" if put.asked.options.get("account") else "partition",
        )
    qos = qos_of(put, facts)
    allowed, denied = one.listed("AllowQos"), one.listed("DenyQos")
    if qos and ((allowed is not None and qos not in allowed) or (denied is not None and qos in denied)):
        which = f"is for the QOS {names(allowed)}" if allowed is not None else "is closed to some QOS"
        return put.failure(
            "partition access",
            f"{name} {which}, and jobs have the QOS {shown(qos)}.",
            f"Choose another with a line of extra_lines: #SBATCH --qos={shown((allowed or ('NAME',))[0])}",
            proof,
            option="qos" if "qos" in put.asked.options else "partition",
        )
    return put.ok("partition access", f"{name} takes jobs of {user}.", proof)


def charged(put: Put, facts: Facts) -> str:
    """The account that jobs are charged to; empty where that can't be told."""
    account = put.asked.options.get("account")
    return facts.accounts.charged(account) if facts.accounts else (account or "")


def qos_of(put: Put, facts: Facts) -> str:
    """The QOS of jobs; empty where that can't be told."""
    if (given := put.asked.options.get("qos")) is not None:
        return given.lower()
    if facts.accounts is None:
        return ""
    mine = facts.accounts.of(charged(put, facts), put.asked.partitions)
    usual = [one.default_qos or (one.qos[0] if len(one.qos) == 1 else "") for one in mine]
    return usual[0] if usual else ""


def _all(given: tuple[str, ...]) -> str:
    return f"{names(given)} {'is' if len(given) == 1 else 'are all'}"
