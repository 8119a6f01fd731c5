"""How the GPUs of a job are shared out among its slots."""

from __future__ import annotations

import pytest

from runners.config.slurm import SlurmRunnerConfig
from runners.slurm.settings import JobSettings, job_settings
from runners.slurm.shares import most_slots, step_options


def settings(gres: str | None, gpus: str | None) -> JobSettings:
    config = SlurmRunnerConfig.model_validate(
        {
            "default_slurm_config": {
                "partition": "main",
                "cpus_per_task": 1,
                "mem": 100,
                "gres": gres,
                "gpus": gpus,
            },
            "batching_config": {
                "target_num_jobs": 1,
                "max_num_jobs": 1,
                "target_cpus_per_job": 8,
                "max_cpus_per_job": 8,
                "target_mem_per_job": 800,
                "max_mem_per_job": 800,
            },
        }
    )
    return job_settings(config, None, "it")


@pytest.mark.parametrize(
    ("gres", "gpus", "most", "for_two"),
    [
        (None, None, None, []),
        ("gpu:2", None, 2, ["--gres=gpu:1"]),
        ("gpu:v100:5", None, 5, ["--gres=gpu:v100:2"]),
        ("gpu:v100:4,nvme:2", None, 2, ["--gres=gpu:v100:2,nvme:1"]),
        ("gpu:a100:2(S:0)", None, 2, ["--gres=gpu:a100:1"]),
        ("gpu:2,craynetwork:0", None, 2, ["--gres=gpu:1"]),
        (None, "4", 4, ["--gpus=2"]),
        (None, "v100:2,k80:2", 2, ["--gpus=v100:1,k80:1"]),
        ("nvme:2", "2", 2, ["--gres=nvme:1", "--gpus=1"]),
    ],
)
def test_each_slot_has_a_part(
    gres: str | None, gpus: str | None, most: int | None, for_two: list[str]
) -> None:
    asked = settings(gres, gpus)
    assert most_slots(asked) == most
    assert step_options(asked, 2) == for_two
    assert step_options(asked, 1) == []


@pytest.mark.parametrize("gres", ["gpu", "gpu:v100", "gpu:1", "gpu:a:b:c", "gpu:2,((", ":"])
def test_what_can_not_be_shared_goes_to_one_slot(gres: str) -> None:
    assert most_slots(settings(gres, None)) == 1
