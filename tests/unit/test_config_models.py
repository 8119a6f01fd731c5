"""The schemas: what they say to a person, beyond what the conformance pack checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from runners.config.errors import ConfigError
from runners.config.profile import PROFILE_TYPES, parse_profile
from runners.config.resource import RESOURCE_TYPES, parse_resource
from runners.config.slurm import SlurmRunnerConfig, sets_account

BATCHING = {
    "target_num_jobs": 5,
    "max_num_jobs": 20,
    "target_cpus_per_job": 8,
    "max_cpus_per_job": 32,
    "target_mem_per_job": "16G",
    "max_mem_per_job": "64G",
}


def slurm_resource(**changes: Any) -> dict[str, Any]:
    return {
        "type": "slurm_ssh",
        "name": "uzh",
        "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3.12"}},
        "tasks_pixi_config": {},
        "tasks_local_dir": "/data/tasks",
        "jobs_local_dir": "/data/jobs",
        "jobs_runner_config": {"default_slurm_config": {"partition": "main"}, "batching_config": BATCHING},
        "jobs_slurm_python_worker": "/usr/bin/python3",
        "host": "login.example.org",
        **changes,
    }


def models_within(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_within(field.annotation)
    for inner in get_args(annotation):
        yield from models_within(inner)


@pytest.mark.parametrize("model", [*RESOURCE_TYPES.values(), *PROFILE_TYPES.values()])
def test_every_field_is_described_for_a_person(model: type[BaseModel]) -> None:
    for inner in models_within(model):
        for name, field in inner.model_fields.items():
            description = field.description or ""
            assert description.endswith("."), f"{inner.__name__}.{name}"
            assert 20 < len(description) < 200, f"{inner.__name__}.{name}"


def test_all_faults_are_told_at_once_with_their_paths() -> None:
    config = {"default_slurm_config": {"qos": 1, "extra_lines": ["ok", "a\nb"]}, "batching_config": {}}
    with pytest.raises(ConfigError) as caught:
        parse_resource(slurm_resource(host=None, jobs_runner_config=config), "uzh/resource.json")
    fields = dict(caught.value.fields)
    assert fields["host"] == "must be text"
    assert fields["jobs_runner_config.default_slurm_config.qos"] == "is not a known key"
    assert fields["jobs_runner_config.batching_config.max_num_jobs"] == "is missing"
    assert "line break" in fields["jobs_runner_config.default_slurm_config.extra_lines.1"]
    assert str(caught.value).startswith("uzh/resource.json: ")
    assert str(caught.value).endswith(f"and {len(fields) - 3} more.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "The resource: it must be a JSON object."),
        ({}, "The resource: type must be one of local, slurm_sudo, slurm_ssh."),
        (slurm_resource(jobs_poll_interval="x"), "The resource: jobs_poll_interval must be a whole number."),
        (slurm_resource(jobs_poll_interval=-1), "The resource: jobs_poll_interval must be 0 or more."),
        (
            slurm_resource(tasks_local_dir="a"),
            "The resource: tasks_local_dir must be an absolute path (one that begins with /).",
        ),
        (
            slurm_resource(tasks_local_dir="~/a"),
            "The resource: tasks_local_dir must be written in full, as in /home/USER/…: "
            "~ is not replaced here.",
        ),
        (
            slurm_resource(tasks_pixi_config=None),
            "The resource: tasks_pixi_config must be an object ({} for no pixi).",
        ),
    ],
)
def test_a_faulty_resource_is_one_sentence(data: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_resource(data)
    assert str(caught.value) == sentence


def test_targets_above_maxima_blame_the_targets() -> None:
    batching = {**BATCHING, "target_num_jobs": 21, "target_cpus_per_job": 33}
    with pytest.raises(ConfigError) as caught:
        parse_resource(
            slurm_resource(jobs_runner_config={"default_slurm_config": {}, "batching_config": batching})
        )
    assert caught.value.fields == [
        ("jobs_runner_config.batching_config.target_num_jobs", "must not be above max_num_jobs, which is 20"),
        (
            "jobs_runner_config.batching_config.target_cpus_per_job",
            "must not be above max_cpus_per_job, which is 32",
        ),
    ]


def test_a_name_with_an_escape_sequence_is_shown_safely() -> None:
    config = {"default_slurm_config": {"\x1b[2J[/]": 1}, "batching_config": BATCHING}
    with pytest.raises(ConfigError) as caught:
        parse_resource(slurm_resource(jobs_runner_config=config))
    assert "\x1b" not in str(caught.value)
    assert caught.value.fields[0][0].endswith("\x1b[2J[/]")


def test_what_was_given_stays_apart_from_defaults() -> None:
    config = SlurmRunnerConfig.model_validate(
        {
            "default_slurm_config": {"mem": "4G"},
            "gpu_slurm_config": {"gres": None},
            "batching_config": BATCHING,
        }
    )
    assert config.gpu_slurm_config is not None
    assert config.gpu_slurm_config.model_fields_set == {"gres"}
    assert config.default_slurm_config.model_dump(exclude_unset=True) == {"mem": 4000}


@pytest.mark.parametrize(
    "line",
    [
        "#SBATCH -A x",
        "#SBATCH --account=x",
        "#SBATCH  --account x",
        "#SBATCH --acco=x",
        "#SBATCH -HA x",
        "#SBATCH -Ax",
        "#SBATCH --qos=q -A x",
        '#SBATCH "--account=x"',
        "#SBATCH --acc\\ount=x",
        "#SBATCH '-A' x\"",
    ],
)
def test_lines_that_set_the_account(line: str) -> None:
    assert sets_account(line)


@pytest.mark.parametrize(
    "line",
    [
        "##SBATCH --account=x",
        "# -A x",
        "#SBATCH --acctg-freq=30",
        "#SBATCH --qos=A",
        "#SBATCH -p A",
        "#SBATCH -pA",
        "export A=1",
        "#SBATCH",
        "#SBATCHx",
        "srun --account=x",
    ],
)
def test_lines_that_do_not_set_the_account(line: str) -> None:
    assert not sets_account(line)


def test_a_profile_of_another_kind_has_no_key() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_profile({"resource_type": "local", "name": "me", "username": "bob"})
    assert str(caught.value) == "The profile: username must be null or absent for this type."
