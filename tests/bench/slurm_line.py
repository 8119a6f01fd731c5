"""What it takes to work over a line of 50 ms: round trips, bytes and seconds, against the usual ways."""

import asyncio
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncssh

from runners.batches import Outcome
from runners.slurm.life import Patience
from tests.bench.figures import Figure
from tests.bench.local_work import runyard
from tests.bench.slurm_work import a_lab
from tests.lab.lab import Lab
from tests.lab.login import key_file, known_hosts_line, ssh_config
from tests.lab.proxy import Proxy
from tests.lab.runyard_home import PROFILE
from tests.slurm.clusters import Cluster
from tests.slurm.runners import ssh_cluster

ROUND_TRIP_S = 0.05
BATCHES, TASKS = 50, 20
"""Together 1,000 tasks, of one second each where they run."""
NODES = 7
"""Room for all batches at the same time."""
SECONDS = 120
"""That the batches live which are looked at: so many tasks of one second, one after the other."""
LOOKS = 5
RESULTS, RESULT_BYTES = 1000, 1000
ONE_BY_ONE = 50
"""Files that are fetched one by one, for the comparison."""
RUNS = 5
WATCHED_S = 20.0

_BEGUN_S = 120.0
"""That 50 workers and their steps may take to begin, on few cores."""


def over_a_line() -> Iterator[Figure]:
    """50 batches submitted and looked at, and 1,000 results fetched; then the engine with several runs."""
    with a_lab(NODES) as lab:
        yield from asyncio.run(_over_a_line(lab))


async def _over_a_line(lab: Lab) -> list[Figure]:
    async with Proxy(lab.spec.ssh_port, round_trip_s=ROUND_TRIP_S) as proxy:
        _go_through(lab, proxy)
        cluster = ssh_cluster(lab, Patience())
        try:
            figures = [await _submitting(lab, cluster, proxy)]
            _heal(lab, proxy)
            figures += [*await _looking(lab, cluster, proxy), await _fetching(lab, cluster, proxy)]
        finally:
            await cluster.runner.close()
        _heal(lab, proxy)
        return [*figures, await _watching(lab, proxy, cluster.runner.pace.quick_s)]


def _go_through(lab: Lab, proxy: Proxy) -> None:
    """Have all lines to the lab go through the proxy."""
    was, port = str(lab.spec.ssh_port), str(proxy.port)
    (lab.home.config / "ssh_config").write_text(ssh_config(lab.spec).replace(was, port))
    (lab.home.config / "known_hosts").write_text(known_hosts_line(lab.spec).replace(was, port))


def _heal(lab: Lab, proxy: Proxy) -> None:
    lab.heal()
    _go_through(lab, proxy)


async def _submitting(lab: Lab, cluster: Cluster, proxy: Proxy) -> Figure:
    # Submitting is measured, not what the jobs then do with the cores that this machine has.
    lab.partition("main", "down")
    batches = [cluster.batch(*["sleep 1"] * TASKS) for _ in range(BATCHES)]
    await cluster.runner.prepare(batches)
    await cluster.transport.read([])
    began = time.monotonic()
    answers = await cluster.runner.launch([batch.ref for batch in batches])
    took = time.monotonic() - began
    if {answer.outcome for answer in answers} != {Outcome.STARTED}:
        raise RuntimeError(f"the bench's batches were not all taken: {answers}")
    async with _plain(lab, proxy) as connection:
        began = time.monotonic()
        for _ in range(BATCHES):
            await connection.run("sbatch --wrap=true", check=True)
        usual = time.monotonic() - began
    return Figure(
        f"{BATCHES} batches with {BATCHES * TASKS:,} tasks submitted over a line of 50 ms",
        took,
        "s",
        1.0,
        f"one sbatch after the other over the same line {usual:.2f} s",
    )


async def _looking(lab: Lab, cluster: Cluster, proxy: Proxy) -> list[Figure]:
    """Looks at live batches, as often as the engine looks, while 50 tasks end in a second."""
    live = await cluster.started(*(cluster.batch(*["sleep 1"] * SECONDS, slots=1) for _ in range(BATCHES)))
    await cluster.until(lambda: all(one.of("start") for one in live), *live, timeout_s=_BEGUN_S)
    trips, sizes, squeues, told = [], [], [], []
    for _ in range(LOOKS):
        await asyncio.sleep(cluster.runner.pace.quick_s)
        cluster.transport.exchanges.clear()
        proxy.reset()
        await cluster.look(*live)
        trips.append(proxy.round_trips)
        sizes.append(sum(proxy.bytes.values()) / 1000)
        squeues.append(sum(names.count("squeue") for names in cluster.transport.exchanges))
        told.append(sum(len(one.last.events) for one in live))
    if not all(squeues) or any(one.over or one.last.job is None for one in live):
        raise RuntimeError("the bench's batches were not all looked at while they ran")
    async with _plain(lab, proxy) as connection:
        proxy.reset()
        began = time.monotonic()
        for one in live:
            watched = one.watched
            events = f"{watched.batch.folder}/events.0.jsonl"
            await connection.run(
                f"squeue -h -j {cluster.job(one)}; tail -c +{watched.cursor.offset + 1} {events}"
            )
        usual = time.monotonic() - began
    beside = f"one command for each batch: {proxy.round_trips} round trips, {usual:.2f} s"
    return [
        Figure(f"… a look at {BATCHES} live batches: squeues at most", max(squeues), "", 1),
        Figure("… round trips at most", max(trips), "", 1, beside),
        Figure("… bytes both ways at most", max(sizes), "kB", 20.0, f"{max(told)} events in them"),
    ]


async def _fetching(lab: Lab, cluster: Cluster, proxy: Proxy) -> Figure:
    folder = cluster.here(f"{cluster.folder}/results")
    folder.mkdir(parents=True)
    for index in range(RESULTS):
        result = {"index": index, "data": secrets.token_hex(RESULT_BYTES // 2)}
        (folder / f"{index}.json").write_text(json.dumps(result))
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
    return Figure(
        f"{RESULTS:,} results of {RESULT_BYTES / 1000:g} kB fetched over a line of 50 ms",
        took,
        "s",
        1.0,
        f"one by one with sftp {usual:.0f} s ({ONE_BY_ONE} measured)",
    )


async def _watching(lab: Lab, proxy: Proxy, pace_s: float) -> Figure:
    """The engine, watched by someone, while several runs have 50 batches together."""
    environment = {**os.environ, "RUNYARD_HOME": str(lab.spec.runyard_home)}

    async def say(*words: str) -> str:
        return await asyncio.to_thread(runyard, environment, *words)

    def running() -> bool:
        return lab.squeue("--noheader", "--states=RUNNING").count("\n") == BATCHES

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as items:
        items.write("".join(f"{index}\n" for index in range(BATCHES // RUNS * SECONDS)))
        items.flush()
        launch = ("run", "--resource", "lab-ssh", "--profile", PROFILE, "--items-from", items.name)
        for _ in range(RUNS):
            await say(*launch, "--slots", "1", "--tasks-per-job", str(SECONDS), "--", "sleep", "1")
    until = time.monotonic() + _BEGUN_S
    while not await asyncio.to_thread(running):
        if time.monotonic() > until:
            raise RuntimeError("the bench's runs do not begin")
        await asyncio.sleep(1.0)
    proxy.reset()
    began = time.time()
    while time.time() < began + WATCHED_S:
        await say("engine", "status")
        await asyncio.sleep(2.0)
    ended, trips, size = time.time(), proxy.round_trips, sum(proxy.bytes.values()) / 1000
    commands = json.loads(await say("commands", "--all", "--json"))
    await say("engine", "stop")
    asked = [row for row in commands if began <= row["time"] < ended and row["command"].startswith("squeue ")]
    return Figure(
        f"{RUNS} runs with {BATCHES} live batches: squeues of the engine in {ended - began:.0f} s",
        len(asked),
        "",
        int((ended - began) / pace_s) + 1,
        f"{trips} round trips and {size:.0f} kB for all of it",
    )


@asynccontextmanager
async def _plain(lab: Lab, proxy: Proxy) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A plain connection over the same line."""
    async with asyncssh.connect(
        "127.0.0.1",
        proxy.port,
        username=lab.spec.user,
        client_keys=[str(key_file(lab.spec))],
        known_hosts=None,
        config=None,
    ) as connection:
        yield connection
