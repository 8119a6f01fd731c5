"""How tasks become batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.errors import ConfigError
from runners.config.local import LocalRunnerConfig
from runners.config.slurm import BatchingConfig, SlurmRunnerConfig, SlurmTaskConfig
from runners.plan import BatchPlan, Branch, Plan, heuristics, plan_local, plan_slurm
from runners.workflow import StepMeta

LIMITS = BatchingConfig(
    target_num_jobs=10,
    max_num_jobs=20,
    target_cpus_per_job=8,
    max_cpus_per_job=16,
    target_mem_per_job=8000,
    max_mem_per_job=16_000,
)


def local(tasks: int, slots: int | None = None, **meta: int) -> Plan:
    """A plan on a machine of 8 cores and 16 GB."""
    config = LocalRunnerConfig(parallel_tasks_per_job=slots)
    return plan_local(tasks, config, StepMeta(**meta), cores=8, memory_mb=16_000)


def slurm(tasks: int, **meta: int) -> Plan:
    default = SlurmTaskConfig(partition="main", cpus_per_task=2, mem=1000)
    config = SlurmRunnerConfig(default_slurm_config=default, batching_config=LIMITS)
    return plan_slurm(tasks, config, StepMeta(**meta))


def test_a_local_plan_is_one_batch_with_the_resources_slots() -> None:
    plan = local(20, slots=4)
    assert plan.batches == (BatchPlan(number=0, first=0, tasks=20, slots=4, cpus=4, mem_mb=None),)
    assert (plan.branch, plan.reason, plan.warnings) == (
        Branch.RESOURCE,
        "The resource runs 4 tasks of a run at a time.",
        (),
    )
    assert (plan.tasks, plan.slots, plan.cpus_per_batch, plan.mem_mb_per_batch) == (20, 4, 4, None)


def test_the_step_goes_before_the_resource() -> None:
    plan = local(20, slots=4, parallel_tasks_per_job=2)
    assert (plan.slots, plan.branch) == (2, Branch.STEP)


def test_no_limit_means_as_many_slots_as_tasks() -> None:
    plan = local(20)
    assert (plan.slots, plan.branch, plan.warnings) == (20, Branch.NO_LIMIT, ())


def test_more_than_four_slots_per_core_are_a_warning() -> None:
    assert local(32).warnings == ()
    (warning,) = local(33).warnings
    assert warning.startswith("33 tasks at a time are more than 4 for each of the 8 cores")


def test_no_more_slots_than_tasks() -> None:
    plan = local(3, slots=8)
    assert plan.slots == 3
    assert plan.reason == "The resource runs 8 tasks of a run at a time. There are only 3 tasks."
    assert local(1, slots=8).reason.endswith("There is only 1 task.")


def test_cpus_of_a_task_limit_the_slots() -> None:
    plan = local(20, slots=8, cpus_per_task=3)
    assert (plan.slots, plan.cpus_per_batch) == (2, 6)
    assert plan.reason.endswith("With 3 CPUs for each task there is room for 2 on this machine (8 cores).")
    assert local(20, slots=2, cpus_per_task=3).reason == "The resource runs 2 tasks of a run at a time."


def test_memory_of_a_task_limits_the_slots_and_is_not_enforced() -> None:
    plan = local(20, slots=8, mem=6000)
    assert (plan.slots, plan.mem_mb_per_batch) == (2, 12_000)
    assert plan.reason.endswith(
        "With 6 GB for each task there is room for 2 on this machine (16 GB of memory)."
    )
    assert plan.warnings == (
        "This machine does not enforce memory: a task that uses more than 6 GB goes on.",
    )


def test_a_task_that_is_larger_than_the_machine_runs_alone_with_a_warning() -> None:
    plan = local(20, slots=8, cpus_per_task=9, mem=20_000)
    assert plan.slots == 1
    assert plan.reason == (
        "The resource runs 8 tasks of a run at a time. "
        "But one task asks for more cores than the machine has, so one at a time."
    )
    assert plan.warnings[0] == (
        "A task asks for 9 CPUs, more than this machine has (8 cores); tasks run one at a time."
    )
    assert plan.warnings[1].startswith("A task asks for 20 GB, more than this machine has (16 GB of memory)")


def test_tasks_per_job_does_nothing_locally_and_says_so() -> None:
    plan = local(20, slots=4, tasks_per_job=5)
    assert len(plan.batches) == 1
    assert plan.warnings == ("tasks_per_job has no effect on this machine: all tasks are one batch.",)


def test_what_only_slurm_knows_does_nothing_locally_and_says_so() -> None:
    config = LocalRunnerConfig(parallel_tasks_per_job=2)
    meta = StepMeta(needs_gpu=True, gres="gpu:1")
    plan = plan_local(4, config, meta, cores=8, memory_mb=16_000)
    assert plan.warnings == ("Only SLURM knows needs_gpu, gres: no effect on this machine.",)


def test_no_more_slots_than_a_job_has_gpus_for() -> None:
    default = SlurmTaskConfig(partition="main", cpus_per_task=2, mem=1000, gres="gpu:2")
    config = SlurmRunnerConfig(default_slurm_config=default, batching_config=LIMITS)
    plan = plan_slurm(4, config, StepMeta(time=60))
    (batch,) = plan.batches
    assert (batch.tasks, batch.slots, batch.cpus) == (4, 2, 4)
    (warning,) = plan.warnings
    assert warning == (
        "A job runs 2 tasks at a time: more can't have a part each of what it asks for (gpu:2)."
    )


def test_a_gpu_step_takes_the_gpu_set_and_runs_one_task_at_a_time() -> None:
    config = SlurmRunnerConfig(
        default_slurm_config=SlurmTaskConfig(partition="main", cpus_per_task=2, mem=1000),
        gpu_slurm_config=SlurmTaskConfig(cpus_per_task=4),
        batching_config=LIMITS,
    )
    plan = plan_slurm(4, config, StepMeta(needs_gpu=True))
    assert (plan.slots_per_batch, plan.cpus_per_batch, plan.tasks_per_batch) == (1, 4, 2)
    assert plan.reason.endswith("because tasks of one job cannot share its GPU.")


def test_a_job_lasts_as_long_as_its_tasks_where_the_step_says_how_long() -> None:
    config = SlurmRunnerConfig(
        default_slurm_config=SlurmTaskConfig(partition="main", cpus_per_task=2, mem=1000),
        batching_config=LIMITS,
    )
    assert plan_slurm(161, config, StepMeta(time=60)).warnings == ()


def test_a_job_is_not_to_last_longer_than_slurm_can_count() -> None:
    most = 2**31 - 60
    # Of 161 tasks a job holds 9, 8 of which run at a time.
    assert slurm(161, time=(most - 300) // 2).warnings == ()
    with pytest.raises(ConfigError) as caught:
        slurm(161, time=(most - 300) // 2 + 1)
    assert [path for path, _ in caught.value.fields] == ["time"]
    assert str(caught.value) == (
        "The step cannot be planned: time makes jobs of 24855-03:13:10, for 2 tasks one after the other, but "
        "SLURM can't give a job more than 24855-03:13:08; ask for less, or put fewer tasks into a job."
    )
    assert slurm(1, time=most - 300).tasks == 1
    with pytest.raises(ConfigError, match=r"24855-03:13:09, but SLURM .* 24855-03:13:08; ask for less\.$"):
        slurm(1, time=most - 299)


@pytest.mark.parametrize(
    ("time", "fits"),
    [("24855-03:13:08", True), ("24855-03:13:09", False), ("UNLIMITED", True), ("1-0", True)],
)
def test_a_resource_is_not_to_let_jobs_last_longer_either(time: str, fits: bool) -> None:
    default = SlurmTaskConfig(partition="main", cpus_per_task=2, mem=1000, time=time)
    config = SlurmRunnerConfig(default_slurm_config=default, batching_config=LIMITS)
    if fits:
        assert plan_slurm(1, config, StepMeta()).tasks == 1
        return
    with pytest.raises(ConfigError) as caught:
        plan_slurm(1, config, StepMeta())
    assert str(caught.value) == (
        "The step cannot be planned: time is 24855-03:13:09 in the resource, but SLURM can't give a job more "
        "than 24855-03:13:08; set less there."
    )
    # It counts for nothing where the step says how long tasks may take.
    assert plan_slurm(1, config, StepMeta(time=60)).tasks == 1


def test_no_slots_is_one_clear_error() -> None:
    # A form checks this already; the plan does not rely on it.
    config = LocalRunnerConfig.model_construct(parallel_tasks_per_job=0)
    with pytest.raises(ConfigError) as caught:
        plan_local(5, config, StepMeta(), cores=8, memory_mb=16_000)
    assert str(caught.value) == "The step cannot be planned: parallel_tasks_per_job must be 1 or more."


def test_no_tasks_is_one_clear_error() -> None:
    for planned in (local, slurm):
        with pytest.raises(ConfigError, match="at least one item"):
            planned(0)


def test_targets() -> None:
    plan = slurm(40)
    assert [(batch.first, batch.tasks, batch.slots) for batch in plan.batches][:2] == [(0, 4, 4), (4, 4, 4)]
    assert (len(plan.batches), plan.branch) == (10, Branch.TARGETS)
    assert plan.reason == (
        "A job of 8 CPUs and 8 GB (the targets) has room for 4 tasks; "
        "that makes 10 jobs, within the target of 10."
    )


def test_maxima() -> None:
    plan = slurm(41)
    assert (plan.tasks_per_batch, len(plan.batches), plan.branch) == (8, 6, Branch.MAXIMA)
    assert plan.batches[-1] == BatchPlan(number=5, first=40, tasks=1, slots=1, cpus=2, mem_mb=1000)
    assert plan.reason.startswith(
        "Jobs of 8 CPUs and 8 GB (the targets) would be 11, above the target of 10."
    )


def test_queue_inside_the_job() -> None:
    plan = slurm(161)
    assert (plan.tasks_per_batch, plan.slots_per_batch, plan.branch) == (9, 8, Branch.QUEUE)
    assert "so a job holds 9 tasks, of which 8 run at a time." in plan.reason
    assert plan.warnings == (
        "Each slot runs up to 2 tasks one after the other; "
        "the time limit of a job must be long enough for all of them.",
    )


def test_given_sizes() -> None:
    plan = slurm(10, tasks_per_job=5, parallel_tasks_per_job=2)
    assert (len(plan.batches), plan.slots_per_batch, plan.branch) == (2, 2, Branch.GIVEN)
    assert (plan.cpus_per_batch, plan.mem_mb_per_batch) == (4, 2000)


def test_a_gpu_is_not_shared() -> None:
    sizes = heuristics(41, 2, 1000, LIMITS, needs_gpu=True)
    assert (sizes.tasks_per_job, sizes.parallel_tasks_per_job, sizes.branch) == (8, 1, Branch.MAXIMA)
    assert sizes.reason.endswith("tasks of one job cannot share its GPU.")


def test_why_tasks_of_a_gpu_step_run_one_at_a_time_does_not_contradict_itself() -> None:
    why = "run one at a time, because tasks of one job cannot share its GPU."
    queued = heuristics(161, 2, 1000, LIMITS, needs_gpu=True)
    assert (queued.parallel_tasks_per_job, queued.branch) == (1, Branch.QUEUE)
    assert queued.reason.endswith(f"; so a job holds 9 tasks. They {why}")
    given = heuristics(10, 2, 1000, LIMITS, 5, 2, needs_gpu=True)
    assert given.reason == f"The step asks for 5 tasks in a job, 2 at a time. But they {why}"
    # Where it is one at a time anyhow, there is nothing to add.
    large = heuristics(161, 16, 1000, LIMITS, needs_gpu=True)
    assert large.reason.endswith(", of which 1 runs at a time.")


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"cpus_per_task": 17}, "cpus_per_task"),
        ({"mem": 16_001}, "mem"),
        ({"tasks_per_job": 5}, "parallel_tasks_per_job"),
        ({"parallel_tasks_per_job": 5}, "tasks_per_job"),
        ({"tasks_per_job": 9, "parallel_tasks_per_job": 9}, "parallel_tasks_per_job"),
        (
            {"tasks_per_job": 9, "parallel_tasks_per_job": 9, "cpus_per_task": 1, "mem": 2000},
            "parallel_tasks_per_job",
        ),
        ({"tasks_per_job": 1, "parallel_tasks_per_job": 1}, "tasks_per_job"),
    ],
)
def test_what_cannot_be_done_within_the_limits_blames_a_field(meta: dict[str, int], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        slurm(100, **meta)
    assert [path for path, _ in caught.value.fields] == [field]
    assert str(caught.value).startswith(f"The step cannot be planned: {field} ")


@pytest.mark.parametrize("missing", ["cpus_per_task", "mem"])
def test_a_need_that_nobody_names(missing: str) -> None:
    needs = {"cpus_per_task": 1, "mem": 1000}
    del needs[missing]
    default = SlurmTaskConfig(partition="main", **needs)
    config = SlurmRunnerConfig(default_slurm_config=default, batching_config=LIMITS)
    with pytest.raises(ConfigError, match=f"{missing} is missing: neither the step nor"):
        plan_slurm(5, config, StepMeta())


counts = st.integers(min_value=1, max_value=2000)
needs = st.none() | st.integers(min_value=1, max_value=40)


def check_every_task_in_one_batch(plan: Plan, tasks: int) -> None:
    assert [index for batch in plan.batches for index in batch.indices] == list(range(tasks))
    assert [batch.number for batch in plan.batches] == list(range(len(plan.batches)))
    assert all(1 <= batch.slots <= batch.tasks for batch in plan.batches)
    assert plan.reason.endswith(".")
    assert all(warning.endswith(".") for warning in plan.warnings)


@given(tasks=counts, configured=needs, step=needs, cpus=needs, mem=needs, cores=counts, memory=counts)
def test_a_local_plan_holds_every_task_and_keeps_to_the_machine(
    tasks: int,
    configured: int | None,
    step: int | None,
    cpus: int | None,
    mem: int | None,
    cores: int,
    memory: int,
) -> None:
    meta = StepMeta(cpus_per_task=cpus, mem=mem, parallel_tasks_per_job=step)
    config = LocalRunnerConfig(parallel_tasks_per_job=configured)
    plan = plan_local(tasks, config, meta, cores=cores, memory_mb=memory)
    check_every_task_in_one_batch(plan, tasks)
    assert plan.slots <= (step or configured or tasks)
    assert plan.slots == 1 or plan.slots * (cpus or 0) <= cores
    assert plan.slots == 1 or plan.slots * (mem or 0) <= memory


pairs = st.tuples(counts, counts).map(sorted)


@given(
    tasks=counts,
    cpus=st.integers(min_value=1, max_value=64),
    mem=counts,
    jobs=pairs,
    cpus_per_job=pairs,
    mem_per_job=pairs,
    given_sizes=st.none() | st.tuples(counts, counts),
)
def test_a_slurm_plan_holds_every_task_and_keeps_the_maxima(
    tasks: int,
    cpus: int,
    mem: int,
    jobs: list[int],
    cpus_per_job: list[int],
    mem_per_job: list[int],
    given_sizes: tuple[int, int] | None,
) -> None:
    limits = BatchingConfig(
        target_num_jobs=jobs[0],
        max_num_jobs=jobs[1],
        target_cpus_per_job=cpus_per_job[0],
        max_cpus_per_job=cpus_per_job[1],
        target_mem_per_job=mem_per_job[0],
        max_mem_per_job=mem_per_job[1],
    )
    default = SlurmTaskConfig(partition="main", cpus_per_task=cpus, mem=mem)
    config = SlurmRunnerConfig(default_slurm_config=default, batching_config=limits)
    per_job, parallel = given_sizes or (None, None)
    meta = StepMeta(tasks_per_job=per_job, parallel_tasks_per_job=parallel)
    try:
        plan = plan_slurm(tasks, config, meta)
    except ConfigError as error:
        # Only a task that is too large, or sizes that were given, can break a limit.
        assert given_sizes or cpus > cpus_per_job[1] or mem > mem_per_job[1]
        assert len(error.fields) == 1
        return
    check_every_task_in_one_batch(plan, tasks)
    assert len(plan.batches) <= limits.max_num_jobs
    assert all(batch.cpus <= limits.max_cpus_per_job for batch in plan.batches)
    assert all((batch.mem_mb or 0) <= limits.max_mem_per_job for batch in plan.batches)
