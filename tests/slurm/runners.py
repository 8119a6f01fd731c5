"""Runners on a lab, through sudo and over SSH: all that differs is the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runners.config.files import read_profile, read_resource
from runners.config.profile import SlurmSudoProfile
from runners.config.resource import SlurmSudoResource
from runners.slurm.life import Patience
from runners.slurm.sudo import SlurmSudoRunner
from runners.transport.sudo import SudoTransport
from tests.lab.lab import Lab
from tests.lab.runyard_home import PROFILE
from tests.slurm.clusters import Cluster, Meddler

QUICK = Patience(absent_s=1.0, ended_s=0.5, silent_s=2.0, missed_s=0.5, stop_s=3.0, ask_s=0.2)
"""As short as the tests need it; the looks are many."""


def sudo_cluster(lab: Lab, patience: Patience = QUICK, **changes: object) -> Cluster:
    """A runner through sudo, as the lab's operator."""
    resource = read_resource(lab.home.resources, "lab-sudo").value
    profile = read_profile(lab.home.resources, "lab-sudo", PROFILE).value
    assert isinstance(resource, SlurmSudoResource)
    assert isinstance(profile, SlurmSudoProfile)
    operator = ("runuser", "-u", lab.spec.operator, "--")
    transport = Meddler(SudoTransport(profile.username, sudo=(*operator, "sudo"), own=operator))
    runner = SlurmSudoRunner(
        resource.model_copy(update=changes),
        profile,
        home=lab.spec.home_of(lab.spec.user),
        transport=transport,
        patience=patience,
    )
    return Cluster(lab, runner, transport)


CLUSTERS: Mapping[str, Callable[[Lab], Cluster]] = {"sudo": sudo_cluster}
