"""What goes over a line of 50 ms: round trips and bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.login import known_hosts_line, ssh_config
from tests.lab.proxy import Proxy
from tests.slurm.clusters import Cluster
from tests.slurm.runners import QUICK, ssh_cluster


@pytest.fixture
async def proxy(lab: Lab) -> AsyncIterator[Proxy]:
    async with Proxy(lab.spec.ssh_port, round_trip_s=0.05) as proxy:
        yield proxy


@pytest.fixture
async def far(lab: Lab, proxy: Proxy, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster behind the proxy."""
    was, port = str(lab.spec.ssh_port), str(proxy.port)
    (tmp_path / "ssh_config").write_text(ssh_config(lab.spec).replace(was, port))
    (tmp_path / "known_hosts").write_text(known_hosts_line(lab.spec).replace(was, port))
    cluster = ssh_cluster(lab, config=tmp_path)
    await cluster.transport.read([])
    yield cluster
    await cluster.runner.close()


async def test_50_batches_are_submitted_in_one_exchange(far: Cluster, proxy: Proxy) -> None:
    batches = [far.batch("true") for _ in range(50)]
    await far.runner.prepare(batches)
    await far.transport.read([])
    proxy.reset()
    await far.started(*batches)
    # One exchange; one by one it would take 50 round trips and more. What is long fills a line up, and waits.
    assert far.transport.exchanges[-1].count("sbatch") == 50
    assert proxy.round_trips < 25


async def test_a_look_at_50_batches_is_one_round_trip(far: Cluster, proxy: Proxy) -> None:
    live = await far.started(*(far.batch("sleep 60") for _ in range(50)))
    for _ in range(4):
        proxy.reset()
        await far.look(*live)
        assert proxy.round_trips == 1
        assert sum(proxy.bytes.values()) < 20_000
        await asyncio.sleep(QUICK.ask_s)
    assert all(report.job for one in live for report in one.reports)


async def test_1000_results_are_fetched_in_one_stream(far: Cluster, proxy: Proxy) -> None:
    folder = far.here(far.folder)
    folder.mkdir(parents=True)
    names = [f"{index:04d}.json" for index in range(1000)]
    for name in names:
        (folder / name).write_text(json.dumps({"result": name * 10}))
    await far.transport.read([])
    proxy.reset()
    fetched = await far.runner.fetch([f"{far.folder}/{name}" for name in names], 1 << 20)
    assert [json.loads(data or b"")["result"] for data in fetched] == [name * 10 for name in names]
    assert proxy.round_trips < 4
