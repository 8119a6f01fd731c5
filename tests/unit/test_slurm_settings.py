"""What the SLURM jobs of a step ask for, where the conformance pack does not tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.errors import ConfigError
from runners.config.slurm import SlurmRunnerConfig
from runners.slurm.preamble import preamble
from runners.slurm.settings import JobSettings, job_settings, without_repeated_directives
from runners.workflow import StepMeta

BATCHING = {
    "target_num_jobs": 10,
    "max_num_jobs": 20,
    "target_cpus_per_job": 8,
    "max_cpus_per_job": 16,
    "target_mem_per_job": 8000,
    "max_mem_per_job": 16_000,
}


def config(default: dict[str, Any] | None = None, **more: Any) -> SlurmRunnerConfig:
    """A configuration whose default set has all that is needed, or is *default*."""
    default = {"partition": "main", "cpus_per_task": 3, "mem": 1000} if default is None else default
    return SlurmRunnerConfig.model_validate(
        {"default_slurm_config": default, "batching_config": BATCHING, **more}
    )


def settings(meta: dict[str, Any] | None = None, name: str = "a step", **more: Any) -> JobSettings:
    return job_settings(config(**more), meta, name)


def test_all_faults_of_the_merge_are_told_at_once() -> None:
    meta = {"mem": "0", "nodes": "x", "account": "a", "extra_lines": ["ok", "a\nb"]}
    with pytest.raises(ConfigError) as caught:
        job_settings(config({"cpus_per_task": 1}), meta, "a step")
    paths = [path for path, _ in caught.value.fields]
    # No "partition" in the default set; "mem" is faulty, and not missing on top of that.
    assert sorted(paths) == ["account", "extra_lines.1", "mem", "nodes", "partition"]


def test_a_null_in_the_gpu_set_clears_the_default_but_for_memory() -> None:
    default = {"partition": "main", "cpus_per_task": 1, "mem": 7, "time": "1:00", "extra_lines": ["a"]}
    gpu: dict[str, Any] = {"mem": None, "time": None, "extra_lines": []}
    merged = settings({"needs_gpu": "True"}, default=default, gpu_slurm_config=gpu)
    assert (merged.mem_per_task, merged.time, merged.extra_lines) == (7, None, ())
    assert settings({}, default=default, gpu_slurm_config=gpu).time == "1:00"


def test_memory_per_cpu_is_rounded_up() -> None:
    assert settings({"mem": 1}).mem_per_cpu == 1
    assert settings({"mem": 1000, "cpus_per_task": 3}).mem_per_cpu == 334


def test_a_steps_own_meta_merges_without_its_time() -> None:
    meta = StepMeta(mem=500, time=60, gres="gpu:1", extra_lines=["module load x"])
    merged = settings(meta.for_slurm())
    assert (merged.cpus_per_task, merged.mem_per_task, merged.time) == (3, 500, None)
    assert (merged.gres, merged.extra_lines) == ("gpu:1", ("module load x",))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_job_name_is_one_word(name: str) -> None:
    job_name = settings(name=name).job_name
    assert len(job_name) == len(name)
    assert not any(char <= " " or char == "\x7f" for char in job_name)


@given(st.lists(st.sampled_from(["#SBATCH -x", "#SBATCH -y", "done", "", "# c"])))
def test_only_repeated_directives_go(lines: list[str]) -> None:
    kept = without_repeated_directives(lines)
    shell = [line for line in lines if not line.startswith("#SBATCH")]
    assert [line for line in kept if not line.startswith("#SBATCH")] == shell
    assert set(kept) == set(lines)
    assert all(kept.count(line) == 1 for line in kept if line.startswith("#SBATCH"))


def test_further_directives_come_before_those_of_people() -> None:
    lines = preamble(
        settings({"extra_lines": ["export A=1", "#SBATCH --qos=high"]}),
        2,
        "/cache",
        worker_init="#SBATCH --comment",
        directives=["#SBATCH --requeue"],
    )
    assert lines[-4:] == ["#SBATCH --requeue", "#SBATCH --qos=high", "#SBATCH --comment", "export A=1"]


@pytest.mark.parametrize(
    ("given_as", "field"),
    [
        ({"account": "a\nb"}, "account"),
        ({"cache_dir": "/c\n#SBATCH --uid=0"}, "cache_dir"),
        ({"worker_init": "a\rb"}, "worker_init"),
        ({"worker_init": "#SBATCH -A x"}, "worker_init"),
    ],
)
def test_what_can_not_stand_in_a_preamble(given_as: dict[str, str], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preamble(settings(), 1, **{"cache_dir": "/c", **given_as})
    assert [path for path, _ in caught.value.fields] == [field]
