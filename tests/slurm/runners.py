"""Runners on a lab, through sudo and over SSH: all that differs is the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runners.config.files import read_profile, read_resource
from runners.config.profile import SlurmSSHProfile, SlurmSudoProfile
from runners.config.resource import SlurmSSHResource, SlurmSudoResource
from runners.slurm.life import Patience
from runners.slurm.ssh import SlurmSSHRunner
from runners.slurm.sudo import SlurmSudoRunner
from runners.transport.base import Transport
from runners.transport.login import Login
from runners.transport.questions import Kind, Prompt
from runners.transport.ssh import SSHTransport
from runners.transport.sudo import SudoTransport
from tests.lab.lab import Lab
from tests.lab.runyard_home import PROFILE
from tests.slurm.clusters import Cluster

QUICK = Patience(
    absent_s=1.0, ended_s=0.5, silent_s=2.0, missed_s=0.5, stop_s=1.0, ask_s=0.2, accounting_s=3.0
)
"""As short as the tests need it; the looks are many."""


def sudo_cluster(
    lab: Lab,
    patience: Patience = QUICK,
    profile_changes: Mapping[str, object] | None = None,
    **changes: object,
) -> Cluster:
    """A runner through sudo, as the lab's operator; *changes* are to the resource."""
    resource = read_resource(lab.home.resources, "lab-sudo").value
    profile = read_profile(lab.home.resources, "lab-sudo", PROFILE).value
    assert isinstance(resource, SlurmSudoResource)
    assert isinstance(profile, SlurmSudoProfile)
    profile = profile.model_copy(update=dict(profile_changes or {}))
    changed, home = resource.model_copy(update=changes), lab.spec.home_of(lab.spec.user)

    operator = ("runuser", "-u", lab.spec.operator, "--")
    line = SudoTransport(profile.username, sudo=(*operator, "sudo"), own=operator)

    def open_runner(transport: Transport) -> SlurmSudoRunner:
        return SlurmSudoRunner(changed, profile, home=home, transport=transport, line=line, patience=patience)

    return Cluster(lab, open_runner, line)


def ssh_cluster(
    lab: Lab,
    patience: Patience = QUICK,
    config: Path | None = None,
    profile_changes: Mapping[str, object] | None = None,
    **changes: object,
) -> Cluster:
    """A runner over SSH, as the lab's user.

    Args:
        lab: the cluster.
        patience: the runner's.
        config: the folder with the SSH settings and known hosts; the lab's own unless given.
        profile_changes: to the profile.
        changes: to the resource.
    """
    resource = read_resource(lab.home.resources, "lab-ssh").value
    profile = read_profile(lab.home.resources, "lab-ssh", PROFILE).value
    assert isinstance(resource, SlurmSSHResource)
    assert isinstance(profile, SlurmSSHProfile)
    profile = profile.model_copy(update=dict(profile_changes or {}))
    changed = resource.model_copy(update=changes)

    config = config or lab.home.config
    login = Login(
        changed.host,
        profile.username,
        profile.ssh_key_path,
        ssh_config=config / "ssh_config",
        known_hosts=config / "known_hosts",
    )
    line = SSHTransport(login, ask=nobody)

    def open_runner(transport: Transport) -> SlurmSSHRunner:
        return SlurmSSHRunner(changed, profile, transport=transport, line=line, patience=patience)

    return Cluster(lab, open_runner, line)


async def nobody(place: str, kind: Kind, text: str, prompts: Sequence[Prompt]) -> Sequence[str]:
    """Nobody is there to answer."""
    raise AssertionError(f"{place} asks: {text}")


CLUSTERS: Mapping[str, Callable[..., Cluster]] = {"sudo": sudo_cluster, "ssh": ssh_cluster}
