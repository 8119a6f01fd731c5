"""Why batches and tasks are as they are, by the rows of the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runners.explanation import Need
from runners.states import State
from runners.store.rows import BatchRow, TaskRow
from runners.store.writer import Writer
from tests.tui import slurm_story
from tests.tui.slurm_story import HELD, RUN
from tui.explaining import (
    RunAdvice,
    Shared,
    advice_for_run,
    causes,
    explain_batch,
    explain_task,
    explain_waiting,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer.open(tmp_path / "store.db")
    slurm_story.clusters(writer)
    yield writer
    writer.close()


@pytest.fixture
def shared(store: Writer) -> Shared:
    return Shared(store.run(RUN), {})


@pytest.fixture
def waits(store: Writer) -> BatchRow:
    """A batch that waits for its turn."""
    return store.batches(RUN)[7]


@pytest.fixture
def failed(store: Writer) -> TaskRow:
    (task,) = store.tasks(RUN, states=[State.FAILED])
    return task


def test_what_is_done_or_runs_needs_no_explanation(store: Writer, shared: Shared) -> None:
    told = [explain_batch(batch, shared) for batch in store.batches(RUN)]
    assert [each is None for each in told] == [True, True, False, True, True, True, *[False] * 4]


@pytest.mark.parametrize(
    ("state", "reason", "sentence", "need"),
    [
        ("PENDING", "JobHeldAdmin", "Held by an administrator.", Need.ACTION),
        ("REQUEUE_HOLD", "None", "Held by its owner.", Need.ACTION),
        ("REQUEUE_HOLD", "JobHeldAdmin", "Held by an administrator.", Need.ACTION),
        ("SPECIAL_EXIT", "", "Held: it was put back with a special exit.", Need.ACTION),
        ("RESV_DEL_HOLD", "Priority", "Can't start: its reservation was deleted.", Need.NEVER),
    ],
)
def test_held_jobs(
    waits: BatchRow, shared: Shared, state: str, reason: str, sentence: str, need: Need
) -> None:
    told = explain_batch(replace(waits, scheduler_state=state, scheduler_reason=reason), shared)
    assert told is not None
    assert (told.sentence, told.need) == (sentence, need)


def test_a_job_of_another_cluster_goes_by_its_number(waits: BatchRow, shared: Shared) -> None:
    told = explain_batch(replace(waits, native_id="40121;alps"), shared)
    assert told is not None and told.remedy.endswith("squeue --start -j 40121")
    hostile = explain_batch(replace(waits, native_id="1 2;x"), shared)
    assert hostile is not None and hostile.remedy.endswith("its turn comes.")


def test_what_the_batch_says_goes_before_what_slurm_says(waits: BatchRow, shared: Shared) -> None:
    reason = "Nobody knows whether sbatch took it: it is looked for before it is sent again."
    told = explain_batch(replace(waits, reason=reason), shared)
    assert told is not None and told.cause == "controller"


def test_a_task_that_its_batch_took_along_shares_what_that_asked_for(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    batch = replace(store.batches(RUN)[2], reason="out of memory: asked 8 GB")
    task = replace(failed, reason="out of memory: asked 8 GB", max_rss_mb=None)
    told = explain_task(task, batch, shared)
    assert told is not None and told.remedy.endswith(" --mem 4G")
    alone = explain_task(task, replace(batch, reason=""), shared)
    assert alone is not None and alone.remedy.endswith(" --mem 16G")


@pytest.mark.parametrize(
    ("workflow", "mem"),
    [
        ({"steps": [{"meta": {"mem": 3000, "time": None}}]}, "6G"),
        ({"steps": [{"meta": {"time": "2h", "mem": None}}]}, "MEMORY"),
        ({"steps": [{"meta": None}]}, "MEMORY"),
        ({"steps": []}, "MEMORY"),
        ({"of": "another version"}, "MEMORY"),
        ({"steps": 7}, "MEMORY"),
    ],
)
def test_what_the_step_asks_for_itself(
    store: Writer, failed: TaskRow, workflow: dict[str, Any], mem: str
) -> None:
    task = replace(failed, reason="out of memory", max_rss_mb=None)
    told = explain_task(task, None, Shared(store.run(RUN), workflow))
    assert told is not None and told.remedy.endswith(f"runyard retry {RUN} --mem {mem}")


def test_the_time_of_a_job_belongs_to_all_tasks_that_share_it(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    batch = replace(store.batches(RUN)[2], limit_s=3600.0)
    assert batch.counts.total > batch.slots
    task = replace(failed, reason="time limit of the job reached")
    told = explain_task(task, batch, shared)
    assert told is not None and ".time=2:00:00 && " in told.remedy
    told = explain_task(task, replace(batch, slots=batch.counts.total), shared)
    assert told is not None and told.remedy.endswith(f"runyard retry {RUN} --time 2:00:00")


def test_a_task_that_waits_waits_for_what_its_batch_does(
    store: Writer, shared: Shared, waits: BatchRow
) -> None:
    task = next(task for task in store.tasks(RUN) if task.batch == waits.token)
    assert explain_task(task, waits, shared) == explain_batch(waits, shared)
    assert explain_task(task, None, shared) is None


def test_why_a_run_does_not_go_on(store: Writer, shared: Shared, waits: BatchRow) -> None:
    held = explain_waiting([], Shared(store.run(HELD), {}))
    assert held is not None and held.cause == "full"
    # Some of it runs.
    assert explain_waiting(store.batches(RUN), shared) is None
    never = replace(waits, scheduler_reason="PartitionTimeLimit")
    told = explain_waiting([*store.batches(RUN), never, never], shared)
    assert told is not None
    assert told.sentence.startswith("2 of 9 batches: can't start: its time limit is longer")
    assert explain_waiting([], shared) is None


def test_one_explanation_for_each_cause(waits: BatchRow, shared: Shared) -> None:
    rows = [replace(waits, scheduler_reason=reason) for reason in ("Priority", "Resources", "Priority")]
    told = causes([*(explain_batch(row, shared) for row in rows), None])
    assert [(each.cause, number) for each, number in told] == [("Priority", 2), ("Resources", 1)]


def test_of_what_is_advised_the_largest_helps_all(store: Writer, shared: Shared, failed: TaskRow) -> None:
    def told(*reasons: str) -> dict[str, str]:
        tasks = (replace(failed, reason=reason, max_rss_mb=None) for reason in reasons)
        return dict(RunAdvice([*(explain_task(task, None, shared) for task in tasks), None]).more)

    memory = [f"out of memory: asked {size}" for size in ("400 MB", "9 GB", "2 GB")]
    assert told(*memory) == {"mem": "18G"}
    assert told("time limit of 60 s reached", *memory, "time limit of 40000 s reached") == {
        "mem": "18G",
        "time": "22:13:20",
    }
    # How much is not known, or nothing is advised: MEMORY is no amount.
    assert told("out of memory", "time limit of 0 s reached", "exit code 3") == {}


def test_more_time_is_advised_where_a_task_has_the_job_for_itself(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    batch = replace(store.batches(RUN)[2], limit_s=3600.0)
    task = replace(failed, reason="time limit of the job reached")
    assert RunAdvice([explain_task(task, batch, shared)]).more == {}
    alone = replace(batch, slots=batch.counts.total)
    assert RunAdvice([explain_task(task, alone, shared)]).more == {"time": "2:00:00"}
    assert RunAdvice([explain_task(task, replace(alone, limit_s=None), shared)]).more == {}


def test_what_is_said_of_one_task_is_what_helps_all_that_are_retried_with_it(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    reasons = [
        "out of memory: asked 100 MB, reached 105 MB",
        "out of memory: asked 100 MB, reached 345 MB",
        "out of memory",
        "time limit of 30 s reached",
        "time limit of the job reached",
        "exit code 3",
    ]
    batch = replace(store.batches(RUN)[2], limit_s=3600.0, slots=store.batches(RUN)[2].counts.total)
    tasks = [replace(failed, reason=reason, max_rss_mb=None) for reason in reasons]
    advice = advice_for_run(tasks, [batch], shared)
    told = [explain_task(task, batch, shared) for task in tasks]
    remedies = [advice.of(each).remedy for each in told if each is not None]
    again = f": runyard retry {RUN}"
    ends = [f"{again} --mem 576M"] * 3 + [f"{again} --time 2:00:00"] * 2 + [f"runyard logs {RUN}"]
    assert [each.endswith(end) for each, end in zip(remedies, ends, strict=True)] == [True] * 6, remedies
    # Each says of itself what it is.
    assert [advice.of(each).sentence for each in told if each] == [each.sentence for each in told if each]


def test_of_tasks_that_failed_alike_the_one_that_held_most_counts(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    tasks = [replace(failed, reason="out of memory", max_rss_mb=peak) for peak in (100.0, 900.0, None, 300.0)]
    assert advice_for_run(tasks, (), shared).more == {"mem": "2G"}
    # What did not fail says nothing.
    done = replace(failed, state=State.DONE, max_rss_mb=9000.0)
    assert advice_for_run([*tasks, done], (), shared).more == {"mem": "2G"}


def test_one_cause_is_told_with_the_span_of_its_amounts(
    store: Writer, shared: Shared, failed: TaskRow
) -> None:
    reasons = [f"out of memory: asked 100 MB, reached {mb} MB" for mb in (133, 105, 345)]
    tasks = [replace(failed, reason=reason) for reason in [*reasons, "exit code 3"]]
    told = causes(explain_task(task, None, shared) for task in tasks)
    assert [(each.sentence, number) for each, number in told] == [
        ("The memory was not enough: asked 100 MB, reached 105 to 345 MB.", 3),
        ("The program itself ended with exit code 3.", 1),
    ]
