"""The whole preflight of a resource and a profile: what is looked at, and in which order.

First this machine's side, then the way there, then SLURM, and last the folders, the Python and the shell over
there. It changes nothing, asks nobody, and ends within some minutes whatever happens. Everything that is
found out comes as a finding, and nothing is raised.
"""

from __future__ import annotations

import asyncio
import posixpath
import pwd
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from runners import machine
from runners.checking.course import FAILURE_STOPS, UNTOLD_STOPS, Look, Stage, findings_of
from runners.checking.folders import far_folder_findings, own_folder_findings
from runners.checking.places import Place
from runners.checking.python import python_findings
from runners.config.errors import shown
from runners.config.resource import LocalResource, Resource, SlurmSSHResource, SlurmSudoResource
from runners.explanation import About
from runners.findings import Finding, FindingState
from runners.plan import CROWDED
from runners.sample import Sample, sample_script
from runners.transport.base import Reply, Transport
from runners.transport.local import LocalTransport

if TYPE_CHECKING:
    from runners.config.profile import SlurmSSHProfile
    from runners.transport.ssh import SSHTransport
    from runners.transport.sudo import SudoTransport

_HERE = "this machine"

_QUICK_S = 30.0
_LOGIN_S = 120.0
"""Each host on the way has its own 30 s."""
_LINE_S = 90.0
_SLURM_S = 150.0

_PYTHON_S = 15.0

_FOLDER = ("jobs folder", "jobs folder space")
_LOCAL_FOLDER = ("local folder", "local folder space")


def check_local(resource: LocalResource) -> AsyncGenerator[Finding, None]:
    """All findings of work on this machine: `new runs`, `jobs folder` and its space, `python`, `cores`."""
    place = Place("jobs folder", resource.jobs_local_dir, "you", _HERE, "resource", "jobs_local_dir")
    looks = [
        _new_runs_look(resource),
        Look(_FOLDER, lambda: own_folder_findings(place), _QUICK_S),
        Look(
            ("python",),
            lambda: python_findings(_run_here, sys.executable, _HERE, nodes=False),
            _QUICK_S,
        ),
        Look(("cores",), lambda: _cores(resource), _QUICK_S),
    ]
    return findings_of([Stage(looks)])


def check_sudo(
    resource: SlurmSudoResource, line: SudoTransport, transport: Transport, sample: Sample
) -> AsyncGenerator[Finding, None]:
    """All findings of a cluster that this machine belongs to, and of the user of *line*.

    Args:
        resource: the cluster.
        line: sudo.
        transport: what commands are run by; *line*, or what passes them on to it.
        sample: the work that the scheduler is asked about.
    """
    from runners.checking.sudo import sudo_findings, user_findings
    from runners.checking.sudo_folders import user_folder_findings
    from runners.transport.sudo import GRANTED

    user, python = line.user, resource.jobs_slurm_python_worker

    async def folder() -> AsyncIterator[Finding]:
        path = await asyncio.to_thread(_user_folder, user)
        place = Place("jobs folder", path, f"{user!r}", _HERE, "profile", "username")
        async for finding in user_folder_findings(line, place):
            yield finding

    async def slurm() -> AsyncIterator[Finding]:
        path = await asyncio.to_thread(_user_folder, user)
        async for finding in _slurm(resource, transport, sample, user=user, as_user=False, folder=path):
            yield finding

    grants = tuple(f"sudo {name}" for name in GRANTED)
    stages = [
        Stage(
            [
                _new_runs_look(resource),
                Look(_LOCAL_FOLDER, lambda: own_folder_findings(_local_folder(resource)), _QUICK_S),
                Look(("user",), lambda: user_findings(user), _QUICK_S, UNTOLD_STOPS),
            ]
        ),
        Stage([Look(("sudo", *grants, "SLURM_CONF"), lambda: sudo_findings(line), _LINE_S, FAILURE_STOPS)]),
        Stage(
            [
                _slurm_look(resource, slurm),
                Look(_FOLDER, folder, _QUICK_S),
                Look(("python",), lambda: python_findings(_run_here, python, _HERE, nodes=True), _QUICK_S),
                _shebang_look(resource, line, _HERE),
            ]
        ),
    ]
    return findings_of(stages)


def check_ssh(
    resource: SlurmSSHResource,
    profile: SlurmSSHProfile,
    line: SSHTransport,
    transport: Transport,
    sample: Sample,
) -> AsyncGenerator[Finding, None]:
    """All findings of a cluster elsewhere, and of the user who logs in there.

    Args:
        resource: the cluster.
        profile: who logs in.
        line: to the login node. It is used as it is; where there is none, one attempt is made to have it.
        transport: what commands are run by; *line*, or what passes them on to it.
        sample: the work that the scheduler is asked about.
    """
    from runners.checking.ssh import address_findings, key_findings
    from runners.checking.ssh_line import line_findings
    from runners.checking.ssh_login import login_findings

    there = line.is_up
    quiet = transport.quiet()
    host, folder = f"the host {shown(resource.host)}", profile.jobs_remote_dir
    place = Place("jobs folder", folder, f"{profile.username!r}", host, "profile", "jobs_remote_dir")

    async def run(argv: Sequence[str]) -> Reply:
        return await quiet.run(argv, timeout_s=_PYTHON_S)

    def slurm() -> AsyncIterator[Finding]:
        return _slurm(resource, quiet, sample, user=profile.username, as_user=True, folder=folder)

    def python() -> AsyncIterator[Finding]:
        return python_findings(run, resource.jobs_slurm_python_worker, host, nodes=True)

    def address() -> AsyncIterator[Finding]:
        return _known_address(host) if there else address_findings(line.login)

    # Over a line that is up, all else can be looked at in any case.
    stops = () if there else FAILURE_STOPS
    stages = [
        Stage(
            [
                _new_runs_look(resource),
                Look(_LOCAL_FOLDER, lambda: own_folder_findings(_local_folder(resource)), _QUICK_S),
                Look(("key file",), lambda: key_findings(line.login), _QUICK_S, stops),
                Look(("host name", "port"), address, _QUICK_S, stops),
            ]
        ),
        Stage([Look(("host key", "login"), lambda: login_findings(line), _LOGIN_S, UNTOLD_STOPS)]),
        Stage(
            [
                Look(
                    ("round trip", "channels", "clock", "noise"),
                    lambda: line_findings(line),
                    _LINE_S,
                    FAILURE_STOPS,
                )
            ]
        ),
        Stage(
            [
                _slurm_look(resource, slurm),
                Look(_FOLDER, lambda: far_folder_findings(quiet, place), _QUICK_S),
                Look(("python",), python, _QUICK_S),
                _shebang_look(resource, quiet, host),
            ]
        ),
    ]
    return findings_of(stages)


def _slurm(
    resource: SlurmSudoResource | SlurmSSHResource,
    transport: Transport,
    sample: Sample,
    *,
    user: str,
    as_user: bool,
    folder: str,
) -> AsyncIterator[Finding]:
    from runners.checking.slurm.check import check_slurm

    def script(gpu: bool) -> bytes:
        return sample_script(resource, replace(sample, needs_gpu=gpu), jobs_folder=folder)

    config = resource.jobs_runner_config
    return check_slurm(transport, config, user=user, as_user=as_user, sample=sample, script=script)


def _slurm_look(
    resource: SlurmSudoResource | SlurmSSHResource, findings: Callable[[], AsyncIterator[Finding]]
) -> Look:
    from runners.checking.slurm.check import checks_of

    return Look(checks_of(resource.jobs_runner_config), findings, _SLURM_S, together="SLURM")


def _shebang_look(resource: SlurmSudoResource | SlurmSSHResource, transport: Transport, where: str) -> Look:
    from runners.checking.shebang import shebang_checks, shebang_findings

    config = resource.jobs_runner_config
    return Look(shebang_checks(config), lambda: shebang_findings(transport, config, where), _QUICK_S)


def _new_runs_look(resource: Resource) -> Look:
    return Look(("new runs",), lambda: _new_runs(resource), _QUICK_S)


async def _new_runs(resource: Resource) -> AsyncIterator[Finding]:
    field = "prevent_new_submissions"
    if resource.prevent_new_submissions:
        # The name that it goes by is known to whoever shows this.
        yield Finding(
            "new runs",
            FindingState.FAILURE,
            f"Every new run is refused: {field} is set. What runs there goes on.",
            f"Unset it to let new runs in: {About().setting(field, 'false')}",
            of="resource",
            field=field,
        )
    else:
        yield Finding("new runs", FindingState.OK, "New runs are taken.")


def _local_folder(resource: Resource) -> Place:
    return Place("local folder", resource.jobs_local_dir, "you", _HERE, "resource", "jobs_local_dir")


def _user_folder(user: str) -> str:
    """The jobs folder of a user whom we act for, and who is there. To be called in a thread."""
    return posixpath.join(pwd.getpwnam(user).pw_dir, "runyard")


async def _run_here(argv: Sequence[str]) -> Reply:
    return await LocalTransport().run(argv, timeout_s=_PYTHON_S)


async def _known_address(host: str) -> AsyncIterator[Finding]:
    """What a line that is up says of the way to *host*."""
    yield Finding("host name", FindingState.OK, f"There is a line to {host}, so its name resolves.")
    yield Finding("port", FindingState.OK, f"There is a line to {host}, so its port answers.")


async def _cores(resource: LocalResource) -> AsyncIterator[Finding]:
    cores = machine.cores()
    tasks = resource.jobs_runner_config.parallel_tasks_per_job
    of_cores = "1 core" if cores == 1 else f"{cores} cores"
    if tasks is not None and tasks > CROWDED * cores:
        yield Finding(
            "cores",
            FindingState.WARNING,
            f"{tasks} tasks at a time are more than {CROWDED} for each of the {of_cores} of this machine.",
            f"Set parallel_tasks_per_job to a lower number, such as: {cores}",
            of="resource",
            field="jobs_runner_config.parallel_tasks_per_job",
        )
    else:
        yield Finding("cores", FindingState.OK, f"This machine has {of_cores} for tasks.")
