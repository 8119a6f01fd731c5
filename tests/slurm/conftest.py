"""Runners on real clusters."""

import shutil
from collections.abc import AsyncIterator, Callable

import pytest

from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.runners import CLUSTERS

# What they assert is told in full, as in the tests.
pytest.register_assert_rewrite("tests.slurm.configurations")

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
