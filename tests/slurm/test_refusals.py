"""What a site refuses, or hides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runners.batches import Life, Outcome, RunnerError
from runners.findings import FindingState
from runners.sample import Sample
from tests.lab.lab import Lab
from tests.slurm.clusters import PAUSE_S, Cluster, recorded, told
from tests.slurm.runners import sudo_cluster


@pytest.fixture
def through_sudo(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    if lab.spec.root:
        pytest.skip("a cluster in another system can't be reached through sudo")
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    return sudo_cluster(lab)


async def test_sudo_refuses(through_sudo: Cluster) -> None:
    cluster = through_sudo
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.lab.write_sudoers("# nobody may do anything\n")
    with pytest.raises(RunnerError, match="sudo does not let us act as"):
        await cluster.runner.launch([batch.ref])
    assert cluster.runner.line.up is False
    cluster.lab.write_sudoers()
    # Nothing was handed over: there is nothing to be looked for.
    (answer,) = await cluster.runner.launch([batch.ref])
    one = told(batch, answer)
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}


async def test_sudo_refuses_while_a_batch_runs(through_sudo: Cluster) -> None:
    cluster = through_sudo
    (one,) = await cluster.started(cluster.batch(recorded(0, "sleep 1")))
    await cluster.until(lambda: one.of("start"), one)
    cluster.lab.write_sudoers("# nobody may do anything\n")
    for _ in range(10):
        with pytest.raises(RunnerError, match="The batches can't be looked at: sudo does not let us"):
            await cluster.look(one)
    cluster.lab.write_sudoers()
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}


async def test_sbatch_alone_is_not_granted(through_sudo: Cluster) -> None:
    cluster, spec = through_sudo, through_sudo.lab.spec
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.lab.write_sudoers(
        f'Defaults>{spec.user} env_keep += "SLURM_CONF"\n'
        f"{spec.operator} ALL=({spec.user}) NOPASSWD: /usr/bin/cat, /usr/bin/ls, /usr/bin/mkdir\n"
    )
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.REFUSED
    assert "sudo: a password is required" in answer.reason


async def test_jobs_that_are_hidden_are_not_gone(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab.up(lab_folder, nodes=1, options=("PrivateData=jobs",))
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    cluster = sudo_cluster(lab)
    (finding,) = [one async for one in cluster.runner.check(Sample()) if one.state is not FindingState.OK]
    assert (finding.check, finding.state) == ("queue", FindingState.WARNING)
    lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    for _ in range(15):
        await cluster.look(one)
        assert one.last.life is Life.ALIVE
        assert one.last.job is None
        await asyncio.sleep(PAUSE_S)
    lab.partition("main", "up")
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}
