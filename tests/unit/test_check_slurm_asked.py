"""What a job asks for, as sbatch reads it: devices, constraints, and the options of the script."""

from __future__ import annotations

import pytest

from runners.checking.slurm.asked import merged_set, read_asked, read_memory
from runners.checking.slurm.features import read_constraint
from runners.checking.slurm.gres import GresAsk, has, read_gpus_ask, read_gres, read_gres_ask
from runners.sample import Sample
from tests.unit.checked_cluster import configuration, script

# What devices nodes have, and jobs want


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("(null)", {}),
        ("gpu:v100:2", {"gpu": {"v100": 2}}),
        ("gpu:a100:4(S:0,2),nvme:1,gpu:t4:1", {"gpu": {"a100": 4, "t4": 1}, "nvme": {"": 1}}),
        ("gpu:2", {"gpu": {"": 2}}),
        ("craynetwork:no_consume:4", {"craynetwork": {"": 4}}),
        ("tmp:1K", {"tmp": {"": 1024}}),
        ("gpu:a:b:c", None),
        ("gpu:2(S:0", None),
    ],
)
def test_gres_of_nodes(text: str, means: object) -> None:
    assert read_gres(text) == means


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("gpu", [GresAsk("gpu", "", 1)]),
        ("gpu:v100", [GresAsk("gpu", "v100", 1)]),
        ("gres:gpu:v100:2,nvme:3", [GresAsk("gpu", "v100", 2), GresAsk("nvme", "", 3)]),
        ("gres/gpu:1", [GresAsk("gpu", "", 1)]),
        ("none", []),
        ("gpu:;rm", None),
    ],
)
def test_gres_of_jobs(text: str, means: object) -> None:
    assert read_gres_ask(text) == means


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2", [GresAsk("gpu", "", 2)]),
        ("v100:2,k80", [GresAsk("gpu", "v100", 2), GresAsk("gpu", "k80", 1)]),
        ("a b", None),
    ],
)
def test_gpus_of_jobs(text: str, means: object) -> None:
    assert read_gpus_ask(text) == means


def test_how_many_devices() -> None:
    node = {"gpu": {"v100": 2, "k80": 1}}
    assert has(node, GresAsk("gpu", "", 1)) == 3
    assert has(node, GresAsk("gpu", "k80", 1)) == 1
    assert has(node, GresAsk("nvme", "", 1)) == 0


# Constraints


@pytest.mark.parametrize(
    ("text", "features", "holds"),
    [
        ("intel", {"intel"}, True),
        ("intel&gpu", {"intel"}, False),
        ("intel|amd", {"amd"}, True),
        ("(intel|amd)&ib", {"amd", "ib"}, True),
        ("!intel", {"intel"}, False),
        ("amd,ib", {"amd"}, False),
        ("[rack1|rack2]", {"rack2"}, True),
        ("a*2&b*1", {"a", "b"}, True),
        ("a*2&!b", {"a", "b"}, True),
        ("[a&b]", {"a"}, False),
    ],
)
def test_constraints(text: str, features: set[str], holds: bool) -> None:
    constraint = read_constraint(text)
    assert constraint is not None
    assert constraint.holds(features) is holds


@pytest.mark.parametrize("text", ["", "&", "a&", "(a", "a)", "[a|b]*4", "a b", "a;b", "(a]"])
def test_constraints_that_can_not_be_read(text: str) -> None:
    assert read_constraint(text) is None


# The whole of a job


def test_what_a_job_asks_for() -> None:
    config = configuration()
    asked = read_asked(config, script(config, Sample()), gpu=False)
    assert (asked.partitions, asked.slots, asked.cpus) == (("main",), 4, 2)
    assert (asked.task_mb, asked.node_mb, asked.grows) == (1000.0, 4000.0, True)
    assert asked.time_s == 5400.0
    assert asked.field("partition") == "jobs_runner_config.default_slurm_config.partition"


def test_the_gpu_set() -> None:
    config = configuration()
    assert merged_set(config, gpu=True).mem == 1000
    asked = read_asked(config, script(config, Sample(needs_gpu=True)), gpu=True)
    assert (asked.partitions, asked.slots, asked.task_mb) == (("gpu",), 1, 1000.0)
    assert asked.check("memory") == "memory, GPU set"
    assert asked.field("partition") == "jobs_runner_config.gpu_slurm_config.partition"
    assert asked.field("mem") == "jobs_runner_config.default_slurm_config.mem"


def test_own_lines_go_before_the_configuration() -> None:
    config = configuration("#SBATCH --part=big -c3 --mem 4G # x", "#SBATCH -q high", "echo --qos=no")
    asked = read_asked(config, script(config, Sample()), gpu=False)
    assert (asked.partitions, asked.cpus, asked.task_mb, asked.options["qos"]) == (
        ("big",),
        3,
        4096.0,
        "high",
    )
    assert set(asked.own) == {"partition", "cpus-per-task", "mem", "qos"}
    assert not asked.grows
    assert asked.field("partition") == "jobs_runner_config.default_slurm_config.extra_lines"


def test_memory_of_each_cpu() -> None:
    config = configuration(use_mem_per_cpu=True)
    asked = read_asked(config, script(config, Sample()), gpu=False)
    assert (asked.task_mb, asked.node_mb, asked.grows) == (1000.0, 1000.0, False)


def test_what_a_sample_asks_for_is_no_fault_of_the_configuration() -> None:
    config = configuration()
    given = Sample(cpus=1, mem_mb=2000)
    asked = read_asked(config, script(config, given), gpu=False, sample=given)
    assert (asked.field("cpus-per-task"), asked.field("mem")) == ("", "")
    # What it asks for as the configuration does is one of the configuration all the same.
    given = Sample(cpus=2, mem_mb=1000)
    asked = read_asked(config, script(config, given), gpu=False, sample=given)
    assert asked.field("cpus-per-task") == "jobs_runner_config.default_slurm_config.cpus_per_task"
    assert asked.field("mem") == "jobs_runner_config.default_slurm_config.mem"


@pytest.mark.parametrize(
    ("text", "mb"), [("500", 500), ("2G", 2048), ("1024K", 1), ("1GB", 1024), ("x", None)]
)
def test_memory(text: str, mb: float | None) -> None:
    assert read_memory(text) == mb
