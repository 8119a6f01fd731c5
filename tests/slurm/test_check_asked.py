"""What is wrong with what jobs ask for, be it in lines of people's own: memory, CPUs, devices, features."""

from __future__ import annotations

import pytest

from tests.slurm.clusters import Cluster
from tests.slurm.configurations import FAILURE, LARGE, WARNING, Wrong, assert_caught, option

OWN_LINES = [
    ("--partition=nix", "partition", "partition", " to one of: gpu, main"),
    ("-p nix", "partition", "partition", " to one of: "),
    ("--mem=20G", "memory", "mem", " to 16000M or less"),
    ("-c 9", "cpus", "cpus-per-task", " to 8 or less"),
    ("--gres=gpu:1", "gres", "gres", ", or set partition to one with such nodes: gpu"),
    ("--constraint=intle", "features", "constraint", " to features such as intel"),
    ("-w c9", "nodes", "nodelist", " to nodes of main: c[1-4]"),
    ("-x c9", "nodes", "exclude", " to nodes of main: c[1-4]"),
    ("-N9", "nodes", "nodes", " to 4 or less"),
    ("--time=soon", "time limit", "time", " to minutes, h:mm:ss"),
]
"""Lines of people's own, the check that each fails, the option, and what it is to be set to."""

WRONG = [
    Wrong(
        "memory",
        "memory",
        says="16,000 MB",
        fix="16000M or less.",
        field="default_slurm_config.mem",
        default={"mem": "20G"},
        gpu={"mem": "100M"},
        batching=LARGE,
    ),
    Wrong(
        "memory of both",
        "memory",
        default={"mem": "20G"},
        batching=LARGE,
        field="default_slurm_config.mem",
    ),
    Wrong(
        "memory of a job",
        "batching",
        WARNING,
        "64,000 MB",
        "max_mem_per_job to 16000M",
        "batching_config.max_mem_per_job",
        batching={"max_mem_per_job": "64G"},
    ),
    Wrong(
        "memory of the sample's job",
        "batching",
        FAILURE,
        field="batching_config.target_mem_per_job",
        default={"mem": "5G"},
        batching={"target_mem_per_job": "32G", "max_mem_per_job": "64G", "target_num_jobs": 25},
    ),
    Wrong(
        "CPUs of a job",
        "batching",
        WARNING,
        field="batching_config.max_cpus_per_job",
        batching={"max_cpus_per_job": 16},
    ),
    Wrong(
        "CPUs of the sample's job",
        "batching",
        FAILURE,
        field="batching_config.max_cpus_per_job",
        default={"nodes": 1},
        batching={"max_cpus_per_job": 16, "max_num_jobs": 10},
    ),
    Wrong(
        "CPUs",
        "cpus",
        fix="8 or less",
        field="default_slurm_config.cpus_per_task",
        default={"cpus_per_task": 9},
        gpu={"cpus_per_task": 1},
        batching={"target_cpus_per_job": 9, "max_cpus_per_job": 9},
    ),
    Wrong(
        "gres", "gres, GPU set", fix="gpu:v100:1", field="gpu_slurm_config.gres", gpu={"gres": "gpuu:v100:1"}
    ),
    Wrong(
        "type of gres",
        "gres, GPU set",
        says="v10,",
        fix="gpu:v100:1",
        gpu={"gres": "gpu:v10:1"},
        field="gpu_slurm_config.gres",
    ),
    Wrong(
        "count of gres",
        "gres, GPU set",
        says="2 gpu v100",
        fix="2 or fewer",
        gpu={"gres": "gpu:v100:3"},
        field="gpu_slurm_config.gres",
    ),
    Wrong("count of GPUs", "gres, GPU set", field="gpu_slurm_config.gpus", gpu={"gres": None, "gpus": "3"}),
    Wrong(
        "type of GPUs",
        "gres, GPU set",
        fix="v100:1",
        gpu={"gres": None, "gpus": "a100:1"},
        field="gpu_slurm_config.gpus",
    ),
    Wrong(
        "gres without GPUs",
        "gres, GPU set",
        fix="gpu",
        field="gpu_slurm_config.gres",
        gpu={"partition": "main"},
    ),
    Wrong("gres for all", "gres", field="default_slurm_config.gres", default={"gres": "gpu:1"}),
    Wrong(
        "feature",
        "features",
        says="intle",
        fix="intel",
        field="default_slurm_config.constraint",
        default={"constraint": "intle"},
        gpu={"constraint": None},
    ),
    Wrong(
        "feature elsewhere",
        "features, GPU set",
        field="gpu_slurm_config.constraint",
        gpu={"constraint": "intel"},
    ),
    Wrong(
        "own line",
        "trial",
        says="reservation",
        default={"extra_lines": ["#SBATCH --reservation=none"]},
        gpu={"extra_lines": []},
        field="default_slurm_config.extra_lines",
    ),
    *(
        Wrong(
            f"own line's {line}",
            check,
            fix=f"--{option} in the line “#SBATCH {line}” of extra_lines{to}",
            field="default_slurm_config.extra_lines",
            default={"extra_lines": [f"#SBATCH {line}"]},
            gpu={"extra_lines": []},
        )
        for line, check, option, to in OWN_LINES
    ),
    Wrong(
        "gres that can't be read",
        "gres, GPU set",
        says="gppu:1: is not of the form name[:type]:count, such as gpu:v100:1, and SLURM can't read it",
        fix="Set gres to that form",
        field="gpu_slurm_config.gres",
        gpu={"gres": "gppu:1:"},
    ),
    Wrong(
        "GPUs that can't be read",
        "gres, GPU set",
        says="[type:]count, such as v100:1",
        field="gpu_slurm_config.gpus",
        gpu={"gres": None, "gpus": "v100:"},
    ),
    Wrong(
        "GPUs twice",
        "trial, GPU set",
        says="Invalid GRES specification",
        field="gpu_slurm_config.gres",
        gpu={"extra_lines": ["#SBATCH --gpus-per-node=1"]},
    ),
    *(
        Wrong(
            f"own line's {line}",
            "gres, GPU set",
            fix=fix,
            gpu={"gres": None, "extra_lines": [f"#SBATCH {line}"]},
            field="gpu_slurm_config.extra_lines",
        )
        for line, fix in (
            ("--gpus-per-node=v100:3", "of extra_lines to ask for 2 or fewer."),
            ("--gpus-per-node=v10:1", "of extra_lines to v100:1."),
        )
    ),
    Wrong(
        "task above the maxima",
        "memory",
        says="max_mem_per_job",
        fix="mem in default_slurm_config to 8000M or less, or max_mem_per_job in batching_config to 9000M",
        default={"mem": "9G"},
        gpu={"mem": "1G"},
        field="default_slurm_config.mem",
    ),
    Wrong(
        "task above the maxima and any node",
        "memory",
        says="max_mem_per_job",
        # To raise the maximum would only bring another finding.
        fix="Set mem in default_slurm_config to 8000M or less.",
        default={"mem": "64G"},
        gpu={"mem": "1G"},
        field="default_slurm_config.mem",
    ),
    Wrong(
        "CPUs above the maxima and any node",
        "cpus",
        fix="Set cpus_per_task in default_slurm_config to 8 or less.",
        default={"cpus_per_task": 64},
        gpu={"cpus_per_task": 1},
        field="default_slurm_config.cpus_per_task",
    ),
    Wrong(
        "memory that other partitions give",
        "memory",
        says="4,000 MB",
        fix="Set mem to 4000M or less, or set partition to one with larger nodes: gpu, urgent.",
        default={"mem": "5G"},
        field="default_slurm_config.mem",
        breaks=option("main", maxmempernode="4000"),
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
async def test_names_the_cause(cluster: Cluster, wrong: Wrong) -> None:
    await assert_caught(cluster, wrong)
