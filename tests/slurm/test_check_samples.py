"""What a sample of people's own asks for is no fault of the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from runners.config.slurm import SlurmRunnerConfig
from runners.sample import Sample
from tests.lab.runyard_home import resource
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import (
    FAILURE,
    LARGE,
    WARNING,
    Wrong,
    assert_reasons,
    changed,
    findings,
    not_ok,
)


async def test_a_sample_of_its_own(cluster: Cluster) -> None:
    """What the sample asks for is no fault of the configuration."""
    config = changed(cluster.lab, Wrong("", "", batching=LARGE))
    found = await findings(cluster, config, Sample(tasks=3, mem_mb=20_000))
    assert [(one.check, one.state, one.field) for one in not_ok(found)] == [
        ("memory", FAILURE, ""),
        ("memory, GPU set", FAILURE, ""),
    ]
    assert "The sample itself asks for so much memory (--mem)" in not_ok(found)[0].fix
    assert "ask for 16,000 MB or less" in not_ok(found)[0].fix


async def test_a_sample_of_its_own_that_no_job_can_be_made_for(cluster: Cluster) -> None:
    config = changed(cluster.lab, Wrong("", ""))
    for sample, check, option in (
        (Sample(cpus=64), "cpus", "so many CPUs (--cpus)"),
        (Sample(mem_mb=9000), "memory", "so much memory (--mem)"),
    ):
        found = await findings(cluster, config, sample)
        (bad,) = not_ok(found)
        assert (bad.check, bad.state, bad.of, bad.field) == (check, FAILURE, "", "")
        assert bad.fix.startswith(f"The sample itself asks for {option}, and not the resource")
        assert_reasons(found)
        assert found[-1].detail.endswith(f" and trial were not looked at, because {check} has failed.")
    found = await findings(cluster, config, Sample(tasks=1_000_000))
    (bad,) = not_ok(found)
    assert (bad.check, bad.state) == ("batching", FAILURE)
    assert (bad.of, bad.field) == ("resource", "jobs_runner_config.batching_config.max_num_jobs")
    assert "40000 tasks" in bad.detail
    assert "fewer tasks (--tasks)" in bad.fix


@pytest.mark.parametrize(
    ("gpu", "default", "lines", "set_name"),
    [
        (None, {}, [], "gres"),
        ({"partition": "main"}, {}, [], "gres, GPU set"),
        (None, {"partition": "gpu", "gres": "gpu:1"}, [], ""),
        ({"partition": "gpu"}, {}, ["#SBATCH --gpus-per-node=1"], ""),
        ({"partition": "gpu", "gres": "gpu:1"}, {}, [], ""),
    ],
    ids=["no set", "a set without", "of the default", "own line", "of the set"],
)
async def test_a_sample_that_needs_a_gpu(
    cluster: Cluster, gpu: dict[str, Any] | None, default: dict[str, Any], lines: list[str], set_name: str
) -> None:
    values: Any = resource(cluster.lab.spec, "slurm_sudo")["jobs_runner_config"]
    values["gpu_slurm_config"] = gpu and {**gpu, "extra_lines": lines}
    values["default_slurm_config"] |= default
    config = SlurmRunnerConfig.model_validate(values)
    assert not_ok(await findings(cluster, config)) == []
    bad = not_ok(await findings(cluster, config, Sample(needs_gpu=True)))
    assert [(one.check, one.state) for one in bad] == ([(set_name, WARNING)] if set_name else [])
    for one in bad:
        assert (one.of, one.field) == ("resource", "jobs_runner_config.gpu_slurm_config")
        assert one.detail.startswith("A step that needs a GPU gets none: ")
        assert one.fix == "Give gpu_slurm_config the partition gpu and the gres gpu:v100:1, for example."
