"""Preflight of a cluster: what would keep batches from running, found out without starting one."""

from __future__ import annotations

from collections.abc import Sequence

from runners.findings import Finding, FindingState
from runners.slurm.client import SlurmClient, SlurmError
from runners.transport.base import Command, Reply, Transport, TransportError, make_folder

_COMMANDS = ("sbatch", "squeue", "scancel")
_CHECK_S = 20.0


async def check_cluster(
    transport: Transport, client: SlurmClient, *, jobs_folder: str, python: str, as_user: bool
) -> Sequence[Finding]:
    """What can be told of a cluster: the line, SLURM's commands, its controller, the folder and the Python.

    Args:
        transport: to the cluster.
        client: over the same.
        jobs_folder: where runs get their folders.
        python: the Python of the nodes.
        as_user: squeue is run by the owner of the jobs.
    """
    commands = [Command((name, "--version")) for name in _COMMANDS]
    commands += [make_folder(jobs_folder), Command(("ls", "-ldL", "--", python))]
    try:
        exchange = await transport.exchange(commands, timeout_s=_CHECK_S)
    except TransportError as error:
        return [Finding("line", FindingState.FAILURE, str(error))]
    *versions, made, listed = exchange.replies
    return [
        Finding("line", FindingState.OK, "commands can be run"),
        *(_command(name, reply) for name, reply in zip(_COMMANDS, versions, strict=True)),
        *await _controller(client, as_user=as_user),
        _jobs_folder(jobs_folder, made),
        _python(python, listed),
    ]


def _command(name: str, reply: Reply) -> Finding:
    if reply.code:
        fix = f"See to it that {name} is there for this user."
        return Finding(name, FindingState.FAILURE, f"{name} can't be run: {reply.last_words}", fix)
    return Finding(name, FindingState.OK, reply.last_words)


async def _controller(client: SlurmClient, *, as_user: bool) -> list[Finding]:
    try:
        site = await client.site()
    except (SlurmError, TransportError) as error:
        return [Finding("slurmctld", FindingState.FAILURE, str(error), "Try again when the cluster is up.")]
    found = [Finding("slurmctld", FindingState.OK, "it answers")]
    if site.hides_jobs and not as_user:
        fix = "Have the site make you an operator, or leave jobs out of PrivateData."
        detail = "others' jobs are hidden from us, so the end of a job that dies can't be seen"
        found.append(Finding("queue", FindingState.WARNING, detail, fix))
    accounting = "it explains ends" if site.accounting else "there is none: some ends can't be explained"
    return [*found, Finding("accounting", FindingState.OK, accounting)]


def _jobs_folder(folder: str, reply: Reply) -> Finding:
    if reply.code:
        fix = "Make it writable for the user that jobs run as, or name another folder."
        return Finding("jobs folder", FindingState.FAILURE, f"it can't be made: {reply.last_words}", fix)
    return Finding("jobs folder", FindingState.OK, f"{folder!r} is there")


def _python(python: str, reply: Reply) -> Finding:
    if reply.code:
        # Nodes may have what this machine has not.
        fix = "If the nodes have none either, set jobs_slurm_python_worker to a Python from 3.6 on."
        return Finding("python", FindingState.WARNING, f"there is no {python!r} on this machine", fix)
    return Finding("python", FindingState.OK, f"{python!r} is there")
