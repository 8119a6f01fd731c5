"""Batches on a real cluster: what ends well, and what was planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.batches import TaskFailedError
from runners.workflow import Item, Step
from tests.slurm.clusters import Cluster, recorded


async def test_a_batch_from_its_launch_to_its_end(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0), recorded(1, "exit 3"), "echo said; echo more >&2")
    (one,) = await cluster.started(batch)
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "failed", 2: "done"}
    assert cluster.ran() == ["0", "1"]
    assert [end["why"] for end in one.of("end") if end["i"] == 1] == ["exit code 3"]
    log = await cluster.runner.read_log(batch.tasks[2].log, 0, 100)
    assert log.data == b"said\nmore\n"
    jobs = [report.job for report in one.reports if report.job is not None]
    assert {job.id for job in jobs} == {cluster.job(one)}
    assert jobs[0].state in ("PENDING", "RUNNING")
    assert one.last.cursor.restart == 0


async def test_what_the_queue_shows_of_a_running_batch(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch("sleep 20", "sleep 20"))
    await cluster.until(lambda: one.reports and one.last.job and one.last.job.state == "RUNNING", one)
    job = one.last.job
    assert job is not None
    assert (job.hosts, job.nodes, job.reason) == ("c1", 1, "")
    assert job.elapsed_s is not None
    assert job.elapsed_s < 10
    assert job.limit_s == float("inf")
    await cluster.runner.cancel(one.watched.batch)
    await cluster.ended(one)


async def test_a_step_from_its_items_to_its_results(cluster: Cluster) -> None:
    script = """test "$1" != bad || exit 3; printf '{"was": "%s"}' "$1" >"$2"; """
    large = """test "$1" != large || printf '"%05000d"' 7 >"$2" """
    step = Step.model_validate(
        {"name": "It", "command": ["sh", "-c", script + large, "sh", "{item}", "{out_json}"]}
    )
    items = [Item(value=value) for value in ("a", "bad", "b c", "large", "[/]")]
    folder = Path(cluster.folder)
    results, exceptions = await cluster.runner.multisubmit(step, items, folder / "s", environment={})
    assert results == {
        0: {"was": "a"},
        2: {"was": "b c"},
        3: "7".rjust(5000, "0"),
        4: {"was": "[/]"},
    }
    assert list(exceptions) == [1]
    assert isinstance(exceptions[1], TaskFailedError)
    assert str(exceptions[1]) == "exit code 3"


async def test_a_step_that_runs_once(cluster: Cluster) -> None:
    step = Step.model_validate(
        {
            "name": "It",
            "type": "non_parallel",
            "command": ["cp", "{args_json}", "{out_json}"],
            "args": {"depth": 2},
        }
    )
    items = [Item(value="a")]
    folder = Path(cluster.folder)
    assert await cluster.runner.submit(step, folder / "s", items=items, environment={}) == (
        {"items": ["a"], "depth": 2},
        None,
    )


async def test_a_thousand_tasks_in_25_batches(cluster: Cluster) -> None:
    batches = [
        cluster.batch(*(recorded(f"{number}.{index}") for index in range(40)), slots=4)
        for number in range(25)
    ]
    live = await cluster.started(*batches)
    await cluster.ended(*live, timeout_s=100)
    verdicts = [one.verdicts for one in live]
    assert [list(verdict.values()) for verdict in verdicts] == [["done"] * 40] * 25
    everything = sorted(f"{number}.{index}" for number in range(25) for index in range(40))
    assert cluster.ran() == everything
    assert len({cluster.job(one) for one in live}) == 25
    # One squeue for all in each look, and nothing else.
    looks = [names for names in cluster.transport.exchanges if "sbatch" not in names]
    assert set(looks) <= {("squeue",), ()}
    for one, batch in zip(live, batches, strict=True):
        shown = cluster.shown(one)
        assert f"JobName={batch.token}" in shown
        assert "NumTasks=4 CPUs/Task=1" in shown
        assert "MinMemoryNode=400M" in shown
    assert [names for names in cluster.transport.exchanges if "sbatch" in names] == [
        ("mkdir", *["sbatch"] * 25)
    ]


@pytest.mark.parametrize("gpus", [{"gres": "gpu:v100:2"}, {"gpus": "2"}], ids=["gres", "gpus"])
async def test_slots_of_a_job_with_gpus_run_side_by_side(cluster: Cluster, gpus: dict[str, str]) -> None:
    meet = "touch here.$RUNYARD_TASK; until test -e here.0 -a -e here.1; do sleep 0.1; done"
    meta = {**gpus, "extra_lines": ["#SBATCH --partition=gpu"]}
    (one,) = await cluster.started(cluster.batch(meet, meet, slots=2, meta=meta))
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert "NodeList=g1" in cluster.shown(one)


async def test_tasks_live_as_their_user_would(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch('echo "$LC_ALL ${SLURM_TIME_FORMAT-}"; umask; id -un; pwd'))
    await cluster.ended(one)
    log = await cluster.runner.read_log(one.batch.tasks[0].log, 0, 1000)
    # Nothing of ours is left: neither how we read commands nor how we keep folders.
    assert log.data.decode().splitlines() == [" ", "0022", cluster.lab.spec.user, cluster.folder]


NASTY = 'it\'s a "place"; $(touch canary) `touch canary` | & * %j [a] #x é'


async def test_a_folder_with_a_nasty_name(cluster: Cluster) -> None:
    cluster.folder = f"{cluster.runner.jobs_folder}/{NASTY}/{cluster.run}"
    batch = cluster.batch(recorded(0), recorded(1, "echo said; exit 1"), "sleep 60", slots=1)
    (one,) = await cluster.started(batch)
    await cluster.until(lambda: len(one.of("start")) == 3, one)
    assert (await cluster.runner.read_log(batch.tasks[1].log, 0, 100)).data == b"said\n"
    assert await cluster.runner.fetch([batch.tasks[1].log], 100) == [b"said\n"]
    assert await cluster.runner.cancel(one.watched.batch, [2])
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "failed", 2: "cancelled"}
    assert cluster.ran() == ["0", "1"]
    above = cluster.here(cluster.runner.jobs_folder)
    assert not list(above.glob("**/canary"))
    assert [path.name for path in above.iterdir() if path.name.startswith("it")] == [NASTY]


async def test_items_that_are_no_ones_orders(cluster: Cluster) -> None:
    items = [Item(value=value) for value in (NASTY, "\n#SBATCH --uid=0\ntouch canary\n", "[/]\x1b[2J", "-rf")]
    step = Step.model_validate({"name": NASTY, "command": ["printf", "%s|", "{item}"]})
    folder = Path(cluster.folder, "s")
    results, exceptions = await cluster.runner.multisubmit(step, items, folder, environment={"A": "$(x)\ny"})
    assert (set(results), exceptions) == ({0, 1, 2, 3}, {})
    logs = [f"{folder}/par-000000-{index:07d}-log.txt" for index in range(4)]
    assert await cluster.runner.fetch(logs, 1000) == [f"{item.value}|".encode() for item in items]
    assert not list(cluster.here(cluster.folder).glob("**/canary"))
