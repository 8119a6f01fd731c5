"""Runners on real clusters."""

import pytest

from tests.lab.fixtures import ROOT
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.runners import CLUSTERS


@pytest.fixture(params=list(CLUSTERS))
def kind(request: pytest.FixtureRequest) -> str:
    """How the cluster is reached: `sudo` or `ssh`."""
    if ROOT and request.param == "sudo":
        pytest.skip("no sudo into another system")
    return str(request.param)


@pytest.fixture
def cluster(lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A healthy cluster with a runner on it."""
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    return CLUSTERS[kind](lab)


@pytest.fixture
def forgetful_cluster(forgetful_lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The same where squeue forgets jobs 5 seconds after their end."""
    monkeypatch.setenv("SLURM_CONF", forgetful_lab.spec.conf)
    return CLUSTERS[kind](forgetful_lab)


@pytest.fixture
def accounting_cluster(accounting_lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The same with accounting."""
    monkeypatch.setenv("SLURM_CONF", accounting_lab.spec.conf)
    return CLUSTERS[kind](accounting_lab)
