"""What it takes to work over a line of 50 ms: round trips, bytes and seconds, against the usual ways."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from tests.bench.figures import Figure
from tests.bench.slurm_work import a_lab
from tests.lab.lab import Lab
from tests.lab.login import key_file, known_hosts_line, ssh_config
from tests.lab.proxy import Proxy
from tests.slurm.clusters import Cluster
from tests.slurm.runners import ssh_cluster

ROUND_TRIP_S = 0.05
BATCHES = 50
RESULTS, RESULT_BYTES = 1000, 3000
ONE_BY_ONE = 50
"""Files that are fetched one by one, for the comparison."""
LOOKS = 5


def over_a_line() -> Iterator[Figure]:
    """50 batches submitted and looked at, and 1,000 results fetched."""
    with a_lab() as lab:
        yield from asyncio.run(_over_a_line(lab))


@asynccontextmanager
async def _far(lab: Lab, proxy: Proxy) -> AsyncIterator[Cluster]:
    """A runner behind the proxy, connected."""
    was, port = str(lab.spec.ssh_port), str(proxy.port)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ssh_config").write_text(ssh_config(lab.spec).replace(was, port))
        (Path(folder) / "known_hosts").write_text(known_hosts_line(lab.spec).replace(was, port))
        cluster = ssh_cluster(lab, config=Path(folder))
        await cluster.transport.run(["squeue", "--version"], timeout_s=10)
        yield cluster
        await cluster.runner.close()


async def _over_a_line(lab: Lab) -> list[Figure]:
    async with Proxy(lab.spec.ssh_port, round_trip_s=ROUND_TRIP_S) as proxy, _far(lab, proxy) as cluster:
        # Submitting is measured, not what the jobs then do with the cores that this machine has.
        lab.partition("main", "down")
        submitting = await _submitting(lab, cluster, proxy)
        lab.heal()
        return [submitting, *await _looking(cluster, proxy), await _fetching(lab, cluster, proxy)]


async def _submitting(lab: Lab, cluster: Cluster, proxy: Proxy) -> Figure:
    batches = [cluster.batch("true") for _ in range(BATCHES)]
    await cluster.runner.prepare(batches)
    began = time.monotonic()
    await cluster.runner.launch([batch.ref for batch in batches])
    took = time.monotonic() - began
    async with _plain(lab, proxy) as connection:
        began = time.monotonic()
        for _ in range(BATCHES):
            await connection.run("sbatch --wrap=true", check=True)
        usual = time.monotonic() - began
    beside = f"one by one over the same line {usual:.2f} s"
    return Figure(f"{BATCHES} batches submitted over a line of 50 ms", took, "s", 1.0, beside)


async def _looking(cluster: Cluster, proxy: Proxy) -> list[Figure]:
    """Looks at live batches, with what a batch usually tells between two of them."""
    live = await cluster.started(*(cluster.batch("sleep 60") for _ in range(BATCHES)))
    await cluster.look(*live)
    trips, sizes, squeues = 0, 0, 0
    for _ in range(LOOKS):
        await asyncio.sleep(1.0)
        proxy.reset()
        before = len(cluster.transport.exchanges)
        await cluster.look(*live)
        asked = [name for exchange in cluster.transport.exchanges[before:] for name in exchange]
        trips, sizes = max(trips, proxy.round_trips), max(sizes, sum(proxy.bytes.values()))
        squeues = max(squeues, asked.count("squeue"))
    return [
        Figure(f"… a look at {BATCHES} live batches: squeues", squeues, "", 1),
        Figure("… round trips", trips, "", 1),
        Figure("… bytes both ways", sizes / 1000, "kB", 20.0),
    ]


async def _fetching(lab: Lab, cluster: Cluster, proxy: Proxy) -> Figure:
    folder = cluster.here(f"{cluster.folder}/results")
    folder.mkdir(parents=True)
    for index in range(RESULTS):
        (folder / f"{index}.json").write_text(json.dumps({"index": index, "data": "x" * RESULT_BYTES}))
    paths = [f"{cluster.folder}/results/{index}.json" for index in range(RESULTS)]
    began = time.monotonic()
    fetched = await cluster.runner.fetch(paths, 1 << 20)
    took = time.monotonic() - began
    if [json.loads(data or b"{}").get("index") for data in fetched] != list(range(RESULTS)):
        raise RuntimeError("the bench's results did not all come")
    async with _plain(lab, proxy) as connection, connection.start_sftp_client() as sftp:
        began = time.monotonic()
        for path in paths[:ONE_BY_ONE]:
            async with sftp.open(path, "rb") as file:
                await file.read()
        usual = (time.monotonic() - began) / ONE_BY_ONE * RESULTS
    beside = f"one by one with sftp {usual:.0f} s ({ONE_BY_ONE} measured)"
    return Figure(f"{RESULTS:,} results fetched over a line of 50 ms", took, "s", 1.0, beside)


def _plain(lab: Lab, proxy: Proxy) -> asyncssh.misc._ACMWrapper[asyncssh.SSHClientConnection]:
    """A plain connection over the same line."""
    return asyncssh.connect(
        "127.0.0.1",
        proxy.port,
        username=lab.spec.user,
        client_keys=[str(key_file(lab.spec))],
        known_hosts=None,
        config=None,
    )
