"""Runners on real clusters."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.login import known_hosts_line, ssh_config
from tests.slurm.clusters import Cluster
from tests.slurm.runners import CLUSTERS, ssh_cluster, sudo_cluster

# What these assert is told in full, as in tests.
pytest.register_assert_rewrite("tests.slurm.configurations", "tests.slurm.findings")

Opener = Callable[..., Cluster]


@pytest.fixture(params=list(CLUSTERS))
async def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opener]:
    """Opens runners on a lab, through sudo or over SSH, and lets their lines go at the end."""
    clusters: list[Cluster] = []
    kind = str(request.param)

    def open_cluster(lab: Lab, **changes: object) -> Cluster:
        if kind == "sudo" and lab.spec.root:
            pytest.skip("a cluster in another system can't be reached through sudo")
        monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
        clusters.append(CLUSTERS[kind](lab, **changes))
        return clusters[-1]

    yield open_cluster
    for cluster in clusters:
        await cluster.runner.close()


@pytest.fixture
def cluster(lab: Lab, opened: Opener) -> Cluster:
    """A healthy cluster with a runner on it."""
    return opened(lab)


@pytest.fixture
def forgetful_cluster(forgetful_lab: Lab, opened: Opener) -> Cluster:
    """The same where squeue forgets jobs 5 seconds after their end."""
    return opened(forgetful_lab)


@pytest.fixture
def accounting_cluster(accounting_lab: Lab, opened: Opener) -> Cluster:
    """The same with accounting."""
    return opened(accounting_lab)


@pytest.fixture
def no_jobs_folder(lab: Lab) -> None:
    """The user of the lab has no jobs folder, whatever ran there before."""
    shutil.rmtree(lab.here(f"{lab.spec.home_of(lab.spec.user)}/runyard"), ignore_errors=True)


@pytest.fixture
def through_sudo(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cluster]:
    """Opens runners through sudo."""
    if lab.spec.root:
        pytest.skip("a cluster in another system can't be reached through sudo")
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    return lambda **changes: sudo_cluster(lab, **changes)


@pytest.fixture
async def over_ssh(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Cluster]]:
    """Opens runners over SSH, with SSH settings that a test may change: those of the folder `config`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    config = tmp_path / "config"
    config.mkdir()
    (config / "ssh_config").write_text(ssh_config(lab.spec))
    (config / "known_hosts").write_text(known_hosts_line(lab.spec))
    clusters: list[Cluster] = []

    def open_cluster(**changes: object) -> Cluster:
        clusters.append(ssh_cluster(lab, config=config, **changes))  # type: ignore[arg-type]
        return clusters[-1]

    yield open_cluster
    for cluster in clusters:
        await cluster.runner.close()


@pytest.fixture(params=["sudo", "ssh"])
def opener(request: pytest.FixtureRequest) -> Callable[..., Cluster]:
    """Opens runners through sudo, and over SSH."""
    opened: Callable[..., Cluster] = request.getfixturevalue(
        "through_sudo" if request.param == "sudo" else "over_ssh"
    )
    return opened
