"""Findings about the cluster as a whole: its commands, its controller, its accounting, its queue. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runners.checking.slurm.accounts import Accounts, account_commands
from runners.checking.slurm.versions import OLDEST, read_version
from runners.checking.slurm.words import evidence, names
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.slurm.cluster_settings import SHOW_CONFIG, SlurmSettings
from runners.transport.base import Reply

_OK, _WARNING, _FAILURE, _UNTOLD = (
    FindingState.OK,
    FindingState.WARNING,
    FindingState.FAILURE,
    FindingState.UNTOLD,
)


def command(name: str, reply: Reply, versions: Sequence[Reply]) -> Finding:
    """`sbatch`, `squeue`, `scancel`: it is there. *versions* are the answers of all, sbatch's first."""
    said = (reply.err + reply.out).decode("utf-8", "replace")
    proof = evidence((name, "--version"), said)
    if reply.code:
        fix = f"See to it that {name} can be run there: ask the site's administrators, or load its module."
        return Finding(name, _FAILURE, f"{name} can't be run: {shown(reply.last_words)}", fix, proof)
    release, number = read_version(reply)
    if number is None:
        return Finding(name, _OK, f"{name} is there; it calls itself {shown(release)}.", evidence=proof)
    if number < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        fix = f"Have the site's administrators install SLURM {oldest} or later."
        detail = f"{name} is of SLURM {shown(release)}; Runyard was tried with {oldest} and later."
        return Finding(name, _WARNING, detail, fix, proof)
    first, known = read_version(versions[0])
    if versions[0].code == 0 and known is not None and first != release:
        fix = "See to it that all commands of SLURM come from one place: look at PATH on that machine."
        detail = f"{name} is of SLURM {shown(release)}, and sbatch of {shown(first)}."
        return Finding(name, _WARNING, detail, fix, f"{proof}\n{evidence(('sbatch', '--version'), first)}")
    return Finding(name, _OK, f"{name} is of SLURM {shown(release)}.", evidence=proof)


def controller(settings: SlurmSettings | None, reply: Reply) -> Finding:
    """`controller`: slurmctld answers."""
    if settings is None:
        said = shown(reply.last_words)
        proof = evidence(SHOW_CONFIG, (reply.err or reply.out).decode("utf-8", "replace"))
        fix = (
            "Try again when it is up; the site's administrators can see on its host why it is not: "
            "systemctl status slurmctld"
        )
        return Finding("controller", _FAILURE, f"slurmctld does not answer: {said}", fix, proof)
    up = [host for host, state in settings.controllers if state == "UP"]
    where = f" on {names(up)}" if up else ""
    lines = [f"{host} is {state}" for host, state in settings.controllers]
    proof = evidence(SHOW_CONFIG, settings.line("ClusterName", "SLURM_VERSION", "SlurmctldHost[0]"), *lines)
    release = settings.values.get("SLURM_VERSION", "")
    of = f"; it is of SLURM {shown(release)}" if release else ""
    return Finding("controller", _OK, f"slurmctld{where} answers{of}.", evidence=proof)


def accounting(settings: SlurmSettings, trouble: str) -> Finding:
    """`accounting`: whether there is one, and what follows. *trouble*: its words where it does not answer."""
    proof = evidence(SHOW_CONFIG, settings.line("AccountingStorageType", "AccountingStorageEnforce"))
    if not settings.accounting:
        detail = "It is off: jobs need no account, and how some of them ended can't be explained."
        return Finding("accounting", _OK, detail, evidence=proof)
    if trouble:
        ask = account_commands("USER", "", settings.cluster)[0]
        fix = (
            "Check again when slurmdbd is up; the site's administrators can see why it is not: "
            "systemctl status slurmdbd"
        )
        detail = f"It is on, but does not answer: {shown(trouble)}"
        return Finding("accounting", _UNTOLD, detail, fix, f"{proof}\n{evidence(ask, trouble)}")
    held = names(sorted(settings.enforced)) if settings.enforced else "nothing"
    detail = f"It is on: ends of jobs are explained. What it enforces: {held}."
    return Finding("accounting", _OK, detail, evidence=proof)


def queue(settings: SlurmSettings, told: Accounts | None, ourselves: str, *, as_user: bool) -> Finding:
    """`queue`: we see the jobs. *ourselves*: who runs squeue, if that is known."""
    proof = evidence(SHOW_CONFIG, settings.line("PrivateData"))
    if "jobs" not in settings.private or as_user:
        return Finding("queue", _OK, "squeue shows us the jobs.", evidence=proof)
    if ourselves and (ourselves in ("root", settings.slurm_user) or (told and ourselves in told.admins)):
        return Finding(
            "queue", _OK, f"Jobs are private here, and {shown(ourselves)} sees all.", evidence=proof
        )
    detail = "Others' jobs are hidden from us, so the end of a job that dies can't be seen."
    who = shown(ourselves or "USER")
    fix = (
        "Have the site's administrators leave jobs out of PrivateData, or make us an operator: "
        f"sacctmgr modify user {who} set adminlevel=operator"
    )
    return Finding("queue", _WARNING, detail, fix, proof)
