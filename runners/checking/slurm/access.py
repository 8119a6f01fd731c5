"""Whether the partition is there, takes jobs, and takes those of this user. Pure."""

from __future__ import annotations

from runners.checking.slurm.accounts import Qos
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.partitions import SHOW_PARTITIONS, Partition
from runners.checking.slurm.trial import TRY, Word
from runners.checking.slurm.words import Put, evidence, names, near_first, pasted
from runners.config.errors import shown
from runners.findings import Finding, FindingState

_TRIES_GROUPS = (22, 5)
"""Up to which release the trial looks at groups; in 24.11 jobs of others wait for ever."""
_WITH_BELOW = (23, 2)
"""From which release on the accounts of a partition stand for those below them, too, and have no case."""


SHOW_OR_REFUSE = (
    "Have the site's administrators leave partitions out of PrivateData, or have SLURM refuse such jobs "
    "with a line in slurm.conf: EnforcePartLimits=ALL"
)
"""A remedy where partitions are not shown to us, and the trial does not look at what they are for."""


def partition(put: Put, facts: Facts) -> Finding:
    """`partition`: it is there."""
    asked = put.asked.partitions
    if facts.partitions is None:
        hidden, fix = "", ""
        if "partitions" in facts.settings.private:
            hidden = ": they are private here"
            fix = "Have the site's administrators leave partitions out of PrivateData."
        detail = f"The partitions are not shown to us{hidden}."
        return put.untold("partition", detail, evidence(SHOW_PARTITIONS), fix, tried=True)
    if not asked:
        detail, fix = "A line of extra_lines names no partition.", f"{put.without('partition')}."
        return put.failure("partition", detail, fix, option="partition")
    missing = [name for name in asked if name not in facts.partitions]
    known = evidence(SHOW_PARTITIONS, *(f"PartitionName={name} …" for name in facts.partitions))
    if missing:
        near = near_first(missing[0], facts.partitions)
        return put.failure(
            "partition",
            f"There is no partition {shown(missing[0])} on this cluster.",
            f"{put.to('partition', 'one of')}: {names(near)}." if near else "Ask the site for a partition.",
            known,
            option="partition",
            tried=True,
        )
    rows = [facts.partitions[name].row for name in asked]
    return put.ok("partition", f"{_all(asked)} there.", evidence(SHOW_PARTITIONS, *rows))


def partition_state(put: Put, facts: Facts) -> Finding:
    """`partition state`: it takes and starts jobs."""
    if facts.partitions is None:
        detail = f"{names(put.asked.partitions)} takes jobs; whether it starts any now is not shown to us."
        return put.ok("partition state", detail, evidence(TRY, put.trial.said))
    given = facts.partitions_of(put.asked.partitions)
    proof = evidence(SHOW_PARTITIONS, *(one.shown("State", "TotalNodes") for one in given))
    up = [one.name for one in given if one.state == "UP"]
    if up:
        resting = [
            f"{shown(one.name)} ({shown(one.state or 'no state')})" for one in given if one.state != "UP"
        ]
        but = f"; jobs go there, and not to {', '.join(resting)}" if resting else ""
        return put.ok("partition state", f"{_all(tuple(up))} up{but}.", proof)
    first = given[0]
    line = f" ({put.asked.named('partition')})" if "partition" in put.asked.own else ""
    fix = (
        f"Name another partition{line}, or have the site's administrators bring it up: "
        f"scontrol update partition={pasted(first.name)} state=up"
    )
    match first.state:
        case "INACTIVE":
            means = "it takes no new jobs, and starts none"
        case "DRAIN":
            means = "it takes no new jobs"
        case "DOWN":
            detail = (
                f"{shown(first.name)} is in the state DOWN: it takes jobs, and starts none until it is up."
            )
            return put.warning("partition state", detail, fix, proof, option="partition")
        case _:
            detail = f"{shown(first.name)} is in the state {shown(first.state or 'nothing')}."
            return put.untold("partition state", detail, proof)
    detail = f"{shown(first.name)} is in the state {first.state}: {means}."
    return put.failure("partition state", detail, fix, proof, option="partition")


def partition_access(put: Put, facts: Facts) -> Finding:
    """`partition access`: it takes jobs of this user, account and QOS."""
    if facts.partitions is None:
        return _access_by_trial(put, facts)
    given = facts.partitions_of(put.asked.partitions)
    findings = [_access(put, facts, one) for one in given]
    # Any of several will do.
    open_to = [one for one, told in zip(given, findings, strict=True) if told.state is FindingState.OK]
    if not open_to or (facts.all_partitions and len(open_to) < len(given)):
        return next(told for told in findings if told.state is not FindingState.OK)
    first = given.index(open_to[0])
    if put.trial.word is Word.REFUSED and "node configuration" in put.trial.said.lower():
        # Jobs wait for ever where one that keeps their owner out is named before the others.
        for one in given[:first]:
            closed = _people(put, facts, one)
            if closed is not None and closed.state is FindingState.FAILURE:
                detail = (
                    f"{closed.detail} It is named before {shown(open_to[0].name)}, "
                    "where jobs do not start then."
                )
                fix = f"{put.to('partition', ','.join(shown(part.name) for part in open_to))}."
                return put.warning("partition access", detail, fix, closed.evidence, option="partition")
    return findings[first]


def _access_by_trial(put: Put, facts: Facts) -> Finding:
    """Where partitions are not shown to us: the trial looks at who may use one where limits are enforced."""
    where, user = names(put.asked.partitions), shown(facts.user)
    if facts.tries_partitions or (facts.settings.release <= _TRIES_GROUPS and not facts.charges):
        proof = evidence(TRY, put.trial.said)
        return put.ok("partition access", f"SLURM takes jobs of {user} in {where}.", proof)
    detail = (
        "Whom partitions are for, and for how long and with how much memory, is not shown to us. SLURM takes "
        "jobs all the same: those that they are not for wait for ever."
    )
    return put.untold("partition access", detail, evidence(SHOW_PARTITIONS), SHOW_OR_REFUSE)


def _access(put: Put, facts: Facts, one: Partition) -> Finding:
    return (
        _people(put, facts, one)
        or _account(put, facts, one)
        or _quality(put, facts, one)
        or put.ok("partition access", f"{shown(one.name)} takes jobs of {shown(facts.user)}.", _proof(one))
    )


def _people(put: Put, facts: Facts, one: Partition) -> Finding | None:
    """What keeps the user or this machine out, if something does."""
    name, user = shown(one.name), shown(facts.user)
    taken = put.trial.word is Word.TAKEN
    if one.root_only and not taken:
        return _closed(put, one, f"{name} takes jobs of root only.", "rootonly=no")
    if one.reserved_only and "reservation" not in put.asked.options:
        detail = f"{name} takes only jobs of a reservation, and jobs name none."
        fix = "Name another partition, or in extra_lines a reservation of yours: #SBATCH --reservation=NAME"
        return put.failure("partition access", detail, fix, _proof(one), option="partition", tried=True)
    groups = one.listed("AllowGroups")
    if taken and (facts.tries_partitions or facts.settings.release <= _TRIES_GROUPS):
        # Then it knows better who is in which group where it runs.
        groups = None
    if groups is not None and facts.user_groups is None:
        if put.trial.word is Word.REFUSED and "group not permitted" in put.trial.said.lower():
            detail = f"{name} is for the groups {names(groups)}, and SLURM finds {user} in none of them."
            return _closed(put, one, detail, f"allowgroups={','.join([*groups, 'GROUP'])}")
        detail = f"{name} is for groups ({names(groups)}), and the groups of {user} are not known here."
        return put.untold("partition access", detail, _proof(one))
    if groups is not None and facts.user_groups is not None and not facts.user_groups & set(groups):
        own = sorted(facts.user_groups)
        detail = f"{name} is for the groups {names(groups)}, and {user} is only in {names(own)}."
        return _closed(put, one, detail, f"allowgroups={','.join([*groups, *own[:1]])}")
    machines = one.listed("AllocNodes")
    if (
        machines is not None
        and put.trial.word is Word.REFUSED
        and "permission denied" in put.trial.said.lower()
    ):
        detail = f"{name} takes jobs only from the machines {names(machines)}, and this is none of them."
        return _closed(put, one, detail, "allocnodes=ALL")
    return None


def _account(put: Put, facts: Facts, one: Partition) -> Finding | None:
    """What is wrong with the account, if something is. The trial does not look at it."""
    account = charged(put, facts)
    allowed, denied = one.listed("AllowAccounts"), one.listed("DenyAccounts")
    if not account:
        if facts.accounts is None or not facts.charges or (allowed or denied) is None:
            return None
        some = "for some accounts only" if allowed else "closed to some accounts"
        detail = f"{shown(one.name)} is {some}, and which one jobs are charged to is not shown to us."
        fix = "Set account, to have it compared with these."
        return put.untold("partition access", detail, _proof(one), fix, tried=facts.tries_partitions)
    with_below = facts.settings.release >= _WITH_BELOW
    fold = str.lower if with_below else str
    above = [name for name, _ in facts.accounts.above(account)] if facts.accounts else []
    counting = {account, *above} if with_below else {account}
    option = "account" if put.asked.options.get("account") else "partition"
    if allowed is not None:
        if counting & set(map(fold, allowed)):
            return None
        whom = f"the accounts {names(allowed)}"
        detail = f"{shown(one.name)} is for {whom}, and jobs are charged to {shown(account)}."
        if set(above) & set(allowed):
            detail += " It lies below, which counts from SLURM 23.02 on."
        change = f"allowaccounts={','.join([*allowed, account])}"
        return _closed(put, one, detail, change, option, tried=facts.tries_partitions)
    barred = counting & set(map(fold, denied or ()))
    if barred:
        which = account if account in barred else min(barred)
        below = "" if which == account else f" is above {shown(account)}, the account that"
        detail = (
            f"{shown(one.name)} is closed to the account {shown(which)}, which{below} jobs are charged to."
        )
        left = ",".join(name for name in denied or () if fold(name) not in barred)
        return _closed(put, one, detail, f"denyaccounts={left}", option, tried=facts.tries_partitions)
    return None


def _quality(put: Put, facts: Facts, one: Partition) -> Finding | None:
    """What is wrong with the QOS, if something is. The trial does not look at it."""
    qos = qos_of(put, facts)
    allowed, denied = one.listed("AllowQos"), one.listed("DenyQos")
    if not qos or (allowed is not None) is (qos in map(str.lower, allowed or denied or ())):
        return None
    which = (
        f"is for the QOS {names(allowed)}" if allowed is not None else f"is closed to the QOS {shown(qos)}"
    )
    option = "qos" if "qos" in put.asked.options else "partition"
    return put.failure(
        "partition access",
        f"{shown(one.name)} {which}, and jobs have the QOS {shown(qos)}.",
        f"Choose another with a line in extra_lines: #SBATCH --qos={shown((allowed or ('NAME',))[0])}",
        _proof(one),
        option=option,
        tried=facts.tries_partitions,
    )


def _closed(
    put: Put, one: Partition, detail: str, change: str, option: str = "partition", *, tried: bool = False
) -> Finding:
    fix = (
        "Name another partition, or have the site's administrators open this one: "
        f"scontrol update partition={pasted(one.name)} {pasted(change)}"
    )
    return put.failure("partition access", detail, fix, _proof(one), option=option, tried=tried)


def _proof(one: Partition) -> str:
    keys = (
        "AllowGroups",
        "AllowAccounts",
        "DenyAccounts",
        "AllowQos",
        "DenyQos",
        "AllocNodes",
        "RootOnly",
        "ReqResv",
    )
    return evidence(SHOW_PARTITIONS, one.shown(*keys, "Hidden"))


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


def _all(given: tuple[str, ...]) -> str:
    return f"{names(given)} {'is' if len(given) == 1 else 'are all'}"
