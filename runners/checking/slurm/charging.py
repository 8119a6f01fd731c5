"""Who is charged, and by which QOS. Pure."""

from __future__ import annotations

from runners.checking.slurm.access import charged, qos_of
from runners.checking.slurm.accounts import account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.trial import TRY, Word
from runners.checking.slurm.words import Put, evidence, names, near_first, pasted
from runners.config.errors import shown
from runners.findings import Finding
from runners.slurm.cluster_settings import SHOW_CONFIG


def account(put: Put, facts: Facts) -> Finding | None:
    """`account`: the user may be charged to it. None: it needs the accounting, which does not answer."""
    given = put.asked.options.get("account")
    if not facts.settings.accounting:
        taken = f" {shown(given)} is taken as it is." if given else ""
        return put.ok("account", f"There is no accounting here, so no account is needed.{taken}")
    if facts.accounts is None:
        return None
    told = facts.accounts
    mine = list(dict.fromkeys(one.account for one in told.associations))
    user = shown(told.user)
    ask, _, _, every = account_commands(told.user, "", told.cluster)
    proof = evidence(ask, *(one.row for one in told.associations))
    name = told.charged(given)
    if told.of(name, put.asked.partitions):
        which = "an account" if given else "the default account"
        return put.ok("account", f"Jobs are charged to {shown(name)}, {which} of {user}.", proof)
    if not facts.charges:
        enforced = evidence(SHOW_CONFIG, facts.settings.line("AccountingStorageEnforce"))
        return put.ok("account", "Accounts are not enforced here.", enforced)
    if not mine and not told.accounts:
        return _hidden(put, facts, given, proof)
    if not mine:
        example = given or next((one for one in told.accounts if one != "root"), "ACCOUNT")
        return put.failure(
            "account",
            f"{user} has no account on this cluster, and none of its jobs is taken without one.",
            "Have the site's administrators add one: "
            f"sacctmgr add user {pasted(told.user)} account={pasted(example)}",
            proof,
            option="account" if given else "",
            tried=True,
        )
    near = near_first(name, (one for one in mine if told.of(one, put.asked.partitions)))
    if not given:
        where = names(put.asked.partitions)
        return put.failure(
            "account",
            f"{user} has no default account that counts in {where}.",
            f"Set account to one of: {names(near)}.",
            proof,
            option="account",
            tried=True,
        )
    choose = (
        f"Set account to one of: {names(near)}." if near else "Name a partition of one of these accounts."
    )
    if name in mine:
        only = [one.partition for one in told.associations if one.account == name]
        detail = f"{user} may use the account {shown(name)} only in the partitions {names(only)}."
        return put.failure("account", detail, choose, proof, option="account", tried=True)
    if name in told.accounts:
        detail = f"The account {shown(name)} is not one of {user}, who has {names(mine)}."
        add = f"Or have it added: sacctmgr add user {pasted(told.user)} account={pasted(name)}"
        proof = f"{proof}\n{evidence(every, told.accounts[name].row)}"
        return put.failure("account", detail, f"{choose} {add}", proof, option="account", tried=True)
    detail = f"There is no account {shown(given)} here; {user} has {names(mine)}."
    return put.failure("account", detail, choose, proof, option="account", tried=True)


def _hidden(put: Put, facts: Facts, given: str | None, proof: str) -> Finding:
    """Not even the account above all is shown to us."""
    user = shown(facts.user)
    hidden = f"The accounts of {user} are private here, and not shown to us."
    if put.trial.word is Word.REFUSED and "invalid account" in put.trial.said.lower():
        which = f"the account {shown(given)}" if given else "any account that it would be charged to"
        return put.failure(
            "account",
            f"SLURM does not take a job of {user} with {which}. {hidden}",
            f"Set account to one of {user}, who can list them: "
            f"sacctmgr show associations user={pasted(facts.user)}",
            f"{proof}\n{evidence(TRY, put.trial.said)}",
            option="account",
        )
    return put.untold("account", hidden, proof, tried=True)


def qos(put: Put, facts: Facts) -> Finding | None:
    """`qos`: it is there and may be used. None: it needs the accounting, which does not answer."""
    asked = put.asked.options.get("qos")
    if not facts.settings.accounting:
        detail = "There is no accounting here, so there are no QOS."
        return put.ok("qos", f"{detail} {shown(asked)} has no effect." if asked else detail)
    if facts.accounts is None:
        return None
    told = facts.accounts
    mine = told.of(charged(put, facts), put.asked.partitions)
    allowed = list(dict.fromkeys(name for one in mine for name in one.qos))
    proof = evidence(account_commands(told.user, "", told.cluster)[0], *(one.row for one in mine))
    usual = qos_of(put, facts)
    one = told.qos.get(usual)
    if one is not None and "requiresreservation" in one.flags and "reservation" not in put.asked.options:
        return put.failure(
            "qos",
            f"The QOS {shown(usual)} is only for jobs of a reservation, and jobs name none.",
            "Name one of yours in a line of extra_lines, or another QOS: #SBATCH --reservation=NAME",
            evidence(account_commands(told.user, "", told.cluster)[2], one.row),
            option="qos" if asked is not None else "",
            tried=True,
        )
    if asked is None:
        return put.ok(
            "qos", f"Jobs have the QOS {shown(usual)}." if usual else "Jobs have the usual QOS.", proof
        )
    name = asked.lower()
    if name in told.qos and (name in allowed or not allowed):
        return put.ok("qos", f"{shown(name)} may be used.", proof)
    if name in told.qos:
        detail = f"The QOS {shown(name)} is not allowed to {shown(told.user)}, who may use {names(allowed)}."
        add = (
            f"Or have it added: sacctmgr modify user {pasted(told.user)} "
            f"where account={pasted(charged(put, facts))} set qos+={pasted(name)}"
        )
    else:
        detail = f"There is no QOS {shown(asked)} here."
        add = ""
    choose = (
        f"Choose another for {put.asked.named('qos')} ({names(near_first(name, allowed or told.qos))}), "
        "or leave it out."
    )
    fix = f"{choose} {add}".strip()
    if "qos" not in facts.settings.enforced:
        detail += " SLURM does not enforce QOS here, so it has no effect."
        return put.warning("qos", detail, fix, proof, option="qos")
    return put.failure("qos", detail, fix, proof, option="qos", tried=True)
